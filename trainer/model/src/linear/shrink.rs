//! Shrinkage: what a mode's few frames cannot tell is taken from the other modes of its shell of
//! |k|.
//!
//! A hundred monthly maps are too few for the W lags and C² channel pairs of every mode. Each
//! mode's autocovariance is split into powers P_a and correlations R_l = Γ_l / √(P_a P_b), and both
//! are moved towards the mean over the shell,
//!
//! ```text
//! R ← (1 − w) R + w R̄,   ln P ← (1 − w') ln P + w' ln P̄,   w = (1 − 1/M) Σ Var R / Σ |R − R̄|², at most 1,
//! ```
//!
//! the sums over the M modes of a shell, and for R over lags and channel pairs. This w has the
//! least expected squared error: Schäfer and Strimmer, Stat. Appl. Genet. Mol. Biol. 4 (2005) 32,
//! equation 8, after Ledoit and Wolf, J. Multivariate Anal. 88 (2004) 365; (1 − 1/M) because R
//! itself is a part of R̄. Variances are a jackknife's over blocks of consecutive frames (Künsch,
//! Ann. Statist. 17 (1989) 1217), since frames depend on their neighbours: no number of effective
//! samples has to be guessed.
//!
//! They fall as 1/frames: with plenty of data w is 0, except in a shell whose modes are really
//! alike, where R̄ is as right as R. Averages of autocovariances are autocovariances, so predictors
//! stay stable.

use nalgebra::{Complex, DMatrix};

/// Matrices of lags 0, 1, …, W.
pub(super) type Lags = Vec<DMatrix<Complex<f64>>>;

/// Blocks of the jackknife.
pub(super) const BLOCKS: usize = 12;
/// Modes with less than this part of their shell's power are left as they are: zero but for
/// rounding.
const SILENT: f64 = 1e-6;

/// One mode: lags from all frames, and those that lack one block of frames each.
pub(super) struct Sample {
    pub(super) all: Lags,
    pub(super) without: Vec<Lags>,
}

/// How far the modes of a shell are moved towards their mean: 0 not at all, 1 all the way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weights {
    /// Of correlations.
    pub correlation: f64,
    /// Of powers; the largest over channels.
    pub power: f64,
}

/// Powers and correlations of a mode.
struct Split {
    power: Vec<f64>,
    correlations: Lags,
}

impl Split {
    fn of(lags: &Lags) -> Self {
        let power: Vec<f64> = lags[0].diagonal().iter().map(|p| p.re).collect();
        let scale = |a: usize, b: usize| (power[a] * power[b]).sqrt().max(f64::MIN_POSITIVE);
        let normalised = |lag: &DMatrix<Complex<f64>>| {
            DMatrix::from_fn(lag.nrows(), lag.ncols(), |a, b| lag[(a, b)] / scale(a, b))
        };
        Self { correlations: lags.iter().map(normalised).collect(), power }
    }

    fn join(self) -> Lags {
        let root: Vec<f64> = self.power.iter().map(|p| p.sqrt()).collect();
        let scaled = |lag: DMatrix<Complex<f64>>| {
            DMatrix::from_fn(lag.nrows(), lag.ncols(), |a, b| lag[(a, b)] * (root[a] * root[b]))
        };
        self.correlations.into_iter().map(scaled).collect()
    }
}

/// Shrinks the modes of one shell.
pub(super) fn shell(samples: Vec<Sample>) -> (Vec<Lags>, Weights) {
    let Some(first) = samples.first() else { return (Vec::new(), Weights::default()) };
    let (channels, lags) = (first.all[0].nrows(), first.all.len());
    let mean_power: Vec<f64> = (0..channels)
        .map(|a| mean(samples.iter().map(|sample| sample.all[0][(a, a)].re)))
        .collect();
    let heard = |lags: &Lags| {
        (0..channels).all(|a| lags[0][(a, a)].re > SILENT * mean_power[a] && mean_power[a] > 0.0)
    };
    let heard: Vec<bool> =
        samples.iter().map(|s| heard(&s.all) && s.without.iter().all(&heard)).collect();
    let modes = heard.iter().filter(|heard| **heard).count();
    if modes < 2 || samples.iter().any(|sample| sample.without.len() < 2) {
        return (samples.into_iter().map(|sample| sample.all).collect(), Weights::default());
    }
    let splits: Vec<Split> = samples.iter().map(|sample| Split::of(&sample.all)).collect();
    let loud =
        || splits.iter().zip(&samples).zip(&heard).filter(|(_, heard)| **heard).map(|(s, _)| s);
    let share = Complex::from(1.0 / modes as f64);
    let common: Lags =
        (0..lags).map(|l| loud().map(|(split, _)| &split.correlations[l] * share).sum()).collect();
    let (mut variance, mut spread) = (0.0, 0.0);
    let mut powers = vec![(0.0, 0.0); channels];
    let logs: Vec<f64> =
        (0..channels).map(|a| mean(loud().map(|(split, _)| split.power[a].ln()))).collect();
    for (split, sample) in loud() {
        let without: Vec<Split> = sample.without.iter().map(Split::of).collect();
        for (l, common) in common.iter().enumerate() {
            spread += (&split.correlations[l] - common).norm_squared();
            variance += jackknife(without.iter().map(|one| one.correlations[l].as_slice()));
        }
        for (a, (variance, spread)) in powers.iter_mut().enumerate() {
            *spread += (split.power[a].ln() - logs[a]).powi(2);
            let logs: Vec<_> =
                without.iter().map(|one| [Complex::from(one.power[a].ln())]).collect();
            *variance += jackknife(logs.iter().map(<[_; 1]>::as_slice));
        }
    }
    let weight = |variance: f64, spread: f64| {
        let own = 1.0 - 1.0 / modes as f64;
        if own * variance < spread { own * variance / spread } else { 1.0 }
    };
    let w = weight(variance, spread);
    let of_power: Vec<f64> = powers.iter().map(|(v, s)| weight(*v, *s)).collect();
    let target: Vec<f64> = (0..channels).map(|a| mean(loud().map(|(s, _)| s.power[a]))).collect();
    let shrunk =
        splits.into_iter().zip(samples.iter().zip(&heard)).map(|(split, (sample, heard))| {
            if !heard {
                return sample.all.clone();
            }
            let Split { power, correlations } = split;
            let near = |(own, common): (DMatrix<_>, &DMatrix<_>)| {
                own * Complex::from(1.0 - w) + common * Complex::from(w)
            };
            let power = (0..channels)
                .map(|a| power[a].powf(1.0 - of_power[a]) * target[a].powf(of_power[a]))
                .collect();
            Split { power, correlations: correlations.into_iter().zip(&common).map(near).collect() }
                .join()
        });
    let weights = Weights { correlation: w, power: of_power.iter().copied().fold(0.0, f64::max) };
    (shrunk.collect(), weights)
}

/// Variance of an estimate from the estimates without one block each, summed over its entries.
fn jackknife<'a>(without: impl ExactSizeIterator<Item = &'a [Complex<f64>]> + Clone) -> f64 {
    let n = without.len() as f64;
    let entries = without.clone().next().map_or(0, <[_]>::len);
    let scatter = |entry: usize| {
        let values = without.clone().map(|values| values[entry]);
        let mean = values.clone().sum::<Complex<f64>>() / n;
        values.map(|value| (value - mean).norm_sqr()).sum::<f64>()
    };
    (n - 1.0) / n * (0..entries).map(scatter).sum::<f64>()
}

pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    if n > 0.0 { sum / n } else { 0.0 }
}
