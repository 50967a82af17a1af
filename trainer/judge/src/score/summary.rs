//! The figures of a result that tables show: names, values, and which is better.

use super::{ChannelScores, Scores};

/// Which of two values of a score is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
    /// The lower one.
    Lower,
    /// The higher one.
    Higher,
    /// The one whose logarithm is nearer to 0: nearer to 1 by ratio.
    One,
    /// Neither: it is told, not judged.
    Neither,
}

impl Sense {
    /// Position of the best of some values; none if none can be judged.
    pub fn best(self, values: &[Option<f64>]) -> Option<usize> {
        let badness = |v: f64| match self {
            Self::Lower => v,
            Self::Higher => -v,
            Self::One => v.ln().abs(),
            Self::Neither => f64::NAN,
        };
        let judged = values.iter().enumerate().filter_map(|(n, v)| Some((n, badness((*v)?))));
        judged.filter(|(_, b)| !b.is_nan()).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(n, _)| n)
    }
}

/// One figure of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Family, which groups figures.
    pub family: &'static str,
    /// Name.
    pub name: String,
    /// Value; none where it does not apply.
    pub value: Option<f64>,
    /// Which is better.
    pub sense: Sense,
}

impl Scores {
    /// The figures over all channels and those of the cost.
    pub fn figures(&self) -> Vec<Figure> {
        let mut figures = self.figures_of(&self.overall);
        let provenance = &self.provenance;
        for (name, value) in [
            ("calls / frame", provenance.calls_per_frame),
            ("seconds / frame", provenance.seconds_per_frame),
        ] {
            let (name, value) = (name.into(), Some(value));
            figures.push(Figure { family: "cost", name, value, sense: Sense::Neither });
        }
        figures
    }

    /// The figures of a channel, the same ones in the same order for every result.
    pub(crate) fn figures_of(&self, scores: &ChannelScores) -> Vec<Figure> {
        use Sense::{Higher, Lower, Neither, One};
        let mut figures = Vec::new();
        let mut add = |family: &'static str, name: String, value: Option<f64>, sense: Sense| {
            let value = value.filter(|v| v.is_finite());
            figures.push(Figure { family, name, value, sense });
        };
        let band = |b: usize| self.bands[b].name;
        let error = scores.error.as_ref();
        add("RMSE, units", "member".into(), error.map(|e| e.rmse), Lower);
        add("RMSE, units", "mean".into(), error.map(|e| e.rmse_of_mean), Lower);
        add("relative L²", "member".into(), error.map(|e| e.relative_l2), Lower);
        add("relative L²", "mean".into(), error.map(|e| e.relative_l2_of_mean), Lower);
        add("VRMSE", "member".into(), error.map(|e| e.vrmse), Lower);
        add("VRMSE", "mean".into(), error.map(|e| e.vrmse_of_mean), Lower);
        let crps = scores.crps.as_ref();
        add("fair CRPS / σ", "all".into(), crps.map(|c| c.relative), Lower);
        for b in 0..self.bands.len() {
            let value = crps.and_then(|c| c.relative_by_band.get(b).copied());
            add("fair CRPS / σ", band(b).into(), value, Lower);
        }
        let spread = scores.spread.as_ref();
        add("spread-skill", "all".into(), spread.map(|s| s.ratio), One);
        for b in 0..self.bands.len() {
            let value = spread.and_then(|s| s.ratio_by_band.get(b).copied().flatten());
            add("spread-skill", band(b).into(), value, One);
        }
        let rank = scores.rank.as_ref();
        add("ranks", "reliability index".into(), rank.map(|r| r.reliability_index), Lower);
        let correlation = scores.correlation.as_ref();
        add("correlation", "member".into(), correlation.map(|c| c.value), Higher);
        add("correlation", "mean".into(), correlation.map(|c| c.of_mean), Higher);
        let time = correlation.and_then(|c| c.time_of_mean);
        add("correlation", "time > 0.8, mean".into(), time, Higher);
        let spectrum = scores.spectrum.as_ref();
        add("energy spectrum, |q − 1|", "mean".into(), spectrum.map(|s| s.error), Lower);
        add("energy spectrum, |q − 1|", "max".into(), spectrum.map(|s| s.largest_error), Lower);
        for b in 0..self.bands.len() {
            let value = spectrum.and_then(|s| s.log_error_by_band.get(b).copied().flatten());
            add("log-spectral error, dB", band(b).into(), value, Lower);
        }
        let space_time = scores.space_time.as_ref();
        add("space-time spectrum", "relative L1".into(), space_time.map(|s| s.error), Lower);
        let halves = space_time.and_then(|s| s.error_of_halves);
        add("space-time spectrum", "truth's halves".into(), halves, Neither);
        let recoarsening = scores.recoarsening.as_ref();
        add("re-coarsening", "member".into(), recoarsening.map(|r| r.error), Lower);
        let of_truth = recoarsening.and_then(|r| r.error_of_truth);
        add("re-coarsening", "truth".into(), of_truth, Neither);
        let alarm = scores.alarm.as_ref();
        add("alarm", "Brier score".into(), alarm.map(|a| a.brier), Lower);
        add("alarm", "Brier skill".into(), alarm.and_then(|a| a.skill), Higher);
        add("alarm", "reliability".into(), alarm.map(|a| a.reliability), Lower);
        add("alarm", "frequency".into(), alarm.map(|a| a.frequency), Neither);
        let extremes = &scores.extremes;
        add("farthest from the mean, σ", "member".into(), Some(extremes.largest), Neither);
        add("farthest from the mean, σ", "truth".into(), Some(extremes.largest_of_truth), Neither);
        let share = extremes.blown_up as f64 / extremes.paths as f64;
        add("blown-up paths", "share".into(), Some(share), Neither);
        figures
    }
}
