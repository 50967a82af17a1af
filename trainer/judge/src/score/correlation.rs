//! Pearson correlation of predicted and true fields, and how long it lasts.
//!
//! Of a frame r = Σ x'u' / √(Σ x'² Σ u'²) over points, primes for the deviation from the frame's
//! own mean in space; over all channels the sums run over channels in standard deviations. A
//! constant field has no correlation and scores 0. The time to a correlation below 0.8 is
//! interpolated linearly between frames, from 1 at the last frame that was given (as in Kochkov et
//! al. 2021, doi 10.1073/pnas.2101784118, and Lippe et al. 2023, arXiv 2308.05732); a trajectory
//! that stays above until its end counts with its end.

use serde::Serialize;

use super::pointwise::{Pass, Pick};

/// The correlation whose loss ends a forecast's useful time.
pub(crate) const THRESHOLD: f64 = 0.8;

/// Correlations of a result, averaged over trajectories and, for "a member", members.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Correlation {
    /// Of a member, over all frames.
    pub value: f64,
    /// Of the ensemble mean, over all frames.
    pub of_mean: f64,
    /// Of a member, by lead time.
    pub by_lead: Vec<f64>,
    /// Of the ensemble mean, by lead time.
    pub of_mean_by_lead: Vec<f64>,
    /// Time to a member's correlation below 0.8, in the time axis' units; none where no frames were
    /// given.
    pub time: Option<f64>,
    /// The same of the ensemble mean.
    pub time_of_mean: Option<f64>,
    /// Share of trajectories whose ensemble mean stays above to the end: with many, `time_of_mean`
    /// is a lower bound.
    pub lasting: Option<f64>,
}

/// Covariance and the two variances of fields over space, not divided by the number of points.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Products {
    pub(super) xu: f64,
    pub(super) xx: f64,
    pub(super) uu: f64,
}

impl Products {
    /// Of a field and the truth.
    pub(super) fn new(x: impl Iterator<Item = f64> + Clone, u: &[f32]) -> Self {
        let n = u.len() as f64;
        let x_mean = x.clone().sum::<f64>() / n;
        let u_mean = u.iter().map(|&u| f64::from(u)).sum::<f64>() / n;
        x.zip(u).fold(Self::default(), |sums, (x, &u)| {
            let (x, u) = (x - x_mean, f64::from(u) - u_mean);
            Self { xu: sums.xu + x * u, xx: sums.xx + x * x, uu: sums.uu + u * u }
        })
    }

    pub(super) fn add(self, other: Self) -> Self {
        Self { xu: self.xu + other.xu, xx: self.xx + other.xx, uu: self.uu + other.uu }
    }

    pub(super) fn correlation(self) -> f64 {
        let scale = (self.xx * self.uu).sqrt();
        if scale > 0.0 { self.xu / scale } else { 0.0 }
    }
}

/// When a correlation falls below [`THRESHOLD`], and whether it does. `lead`: times after the last
/// given frame.
pub(crate) fn time_above(correlation: &[f64], lead: &[f64]) -> (f64, bool) {
    let (mut before, mut since) = (1.0, 0.0);
    for (&r, &time) in correlation.iter().zip(lead) {
        if r < THRESHOLD {
            return (since + (time - since) * (before - THRESHOLD) / (before - r), true);
        }
        (before, since) = (r, time);
    }
    (since, false)
}

impl Correlation {
    pub(super) fn new(pass: &Pass, pick: Pick) -> Self {
        let paths: Vec<Vec<[f64; 2]>> =
            (0..pass.trajectories).map(|t| pass.correlations(pick, t)).collect();
        let count = paths.len() as f64;
        let by_lead = |which: usize| -> Vec<f64> {
            let at = |n: usize| paths.iter().map(|path| path[n][which]).sum::<f64>() / count;
            (0..pass.lead.len()).map(at).collect()
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let time = |which: usize| {
            let ends = paths.iter().map(|path| {
                let r: Vec<f64> = path.iter().map(|r| r[which]).collect();
                time_above(&r, &pass.lead)
            });
            let (sum, ended) =
                ends.fold((0.0, 0), |(sum, n), (time, below)| (sum + time, n + usize::from(below)));
            (sum / count, 1.0 - ended as f64 / count)
        };
        let (by_lead, of_mean_by_lead) = (by_lead(0), by_lead(1));
        let forecast = pass.given > 0;
        Self {
            value: mean(&by_lead),
            of_mean: mean(&of_mean_by_lead),
            by_lead,
            of_mean_by_lead,
            time: forecast.then(|| time(0).0),
            time_of_mean: forecast.then(|| time(1).0),
            lasting: forecast.then(|| time(1).1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wave shifted by φ correlates with itself by cos φ, whatever its amplitude and mean.
    #[test]
    fn shifted_waves() {
        let wave = |phase: f64, amplitude: f64, mean: f64| -> Vec<f32> {
            let angle = |j: i32| std::f64::consts::TAU * 3.0 * f64::from(j) / 64.0 + phase;
            (0..64).map(|j| (mean + amplitude * angle(j).cos()) as f32).collect()
        };
        let truth = wave(0.0, 1.0, 5.0);
        for phase in [0.0, 0.5, 1.0, 2.0, 3.0] {
            let shifted = wave(phase, 2.5, -1.0);
            let r = Products::new(shifted.iter().map(|&v| f64::from(v)), &truth).correlation();
            assert!((r - phase.cos()).abs() < 1e-6, "{phase}: {r}");
        }
        assert_eq!(Products::new(std::iter::repeat_n(2.0, 64), &truth).correlation(), 0.0);
    }

    #[test]
    fn the_time_is_interpolated_and_bounded_by_the_path() {
        let lead = [0.5, 1.0, 1.5];
        let cases = [
            ([0.9, 0.7, 0.1], (0.75, true)),
            ([0.6, 0.9, 0.9], (0.25, true)),
            ([0.95, 0.9, 0.85], (1.5, false)),
        ];
        for (correlation, (time, ended)) in cases {
            let (found, falls) = time_above(&correlation, &lead);
            assert!((found - time).abs() < 1e-12 && falls == ended, "{correlation:?}: {found}");
        }
    }
}
