//! Alarms: how good the probability is that a value exceeds a threshold.
//!
//! At every point the event is u > v. Its probability p is the share of the members above v, or
//! that of a Gaussian. With o = 1 where it came and 0 where it did not (Brier 1950, doi
//! 10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2),
//!
//! ```text
//! Brier score = mean (p − o)² = reliability − resolution + uncertainty
//! reliability = 1/N Σ_k n_k (p_k − o_k)²    resolution = 1/N Σ_k n_k (o_k − ō)²    uncertainty = ō (1 − ō)
//! ```
//!
//! where k runs over bins of p, with n_k values of mean probability p_k, of which the share o_k
//! came (Murphy 1973, J. Appl. Meteor. 12, 595). An ensemble of M members has a bin for each of its
//! M + 1 probabilities, and the sum is exact. A Gaussian has eleven, and what is lost by p varying
//! in a bin is missing from the sum. A right ensemble of M members has the score (1 + 1/M) times
//! that of its distribution.

use anyhow::{Result, ensure};
use serde::Serialize;

use super::Truth;
use finescale_ensemble::Ensemble;

/// Bins of a Gaussian's probabilities, less one.
const BINS: usize = 10;

/// How good the alarm of one channel is, or of all together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alarm {
    /// ō, the share of values above the threshold.
    pub frequency: f64,
    /// Mean squared error of the probability.
    pub brier: f64,
    /// 1 − Brier score / uncertainty: 0 is what ō says, 1 is perfect; none where nothing or
    /// everything is above the threshold.
    pub skill: Option<f64>,
    /// Of the Brier score: 0 where what is said to come with p comes with p.
    pub reliability: f64,
    /// Of the Brier score: how far cases are told apart.
    pub resolution: f64,
    /// Bins with values in them, from low to high probability: the reliability diagram.
    pub bins: Vec<Bin>,
}

/// Values with about the same probability.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Mean probability.
    pub probability: f64,
    /// The share that came.
    pub frequency: f64,
    /// How many values.
    pub values: f64,
}

/// Sums of a bin: values, probabilities, events.
type Sums = [f64; 3];

/// Of every channel, and over all. `thresholds`: one for all channels or one for each, in their
/// units.
///
/// # Errors
/// If there are other than so many thresholds, or one is not finite.
pub(super) fn alarms(
    ensemble: &Ensemble,
    truth: &Truth,
    thresholds: &[f64],
) -> Result<(Vec<Alarm>, Alarm)> {
    let (spec, channels) = (&ensemble.spec, ensemble.spec.channels.len());
    ensure!(
        thresholds.len() == 1 || thresholds.len() == channels,
        "--alarm has {} values for {channels} channels: give one for all or one for each",
        thresholds.len()
    );
    ensure!(thresholds.iter().all(|v| v.is_finite()), "a value of --alarm is not finite");
    let points = spec.points();
    let bins = if ensemble.deviation.is_some() { BINS } else { ensemble.members };
    let mut sums = vec![vec![Sums::default(); bins + 1]; channels];
    let mut squares = vec![0.0; channels];
    for trajectory in 0..spec.trajectories {
        for frame in ensemble.given..ensemble.frames() {
            finescale_host::interrupt::check()?;
            let true_frame = truth.frame(trajectory, frame);
            for (place, &u) in true_frame.iter().enumerate() {
                let channel = place / points;
                let v = thresholds[channel % thresholds.len()];
                let event = if f64::from(u) > v { 1.0 } else { 0.0 };
                let p = probability(ensemble, trajectory, frame, place, v);
                squares[channel] += (p - event) * (p - event);
                let bin = &mut sums[channel][(p * bins as f64).round() as usize];
                for (sum, value) in bin.iter_mut().zip([1.0, p, event]) {
                    *sum += value;
                }
            }
        }
    }
    let mut all = vec![Sums::default(); bins + 1];
    for bin in &sums {
        for (all, bin) in all.iter_mut().flatten().zip(bin.iter().flatten()) {
            *all += bin;
        }
    }
    let overall = Alarm::new(&all, squares.iter().sum());
    let each = sums.iter().zip(squares).map(|(sums, squares)| Alarm::new(sums, squares));
    Ok((each.collect(), overall))
}

fn probability(ensemble: &Ensemble, trajectory: usize, frame: usize, place: usize, v: f64) -> f64 {
    let member = |m: usize| f64::from(ensemble.frame(trajectory, frame, m)[place]);
    let deviation = ensemble.deviation.as_ref().map_or(0.0, |d| f64::from(d[place]));
    if deviation > 0.0 {
        return 0.5 * libm::erfc((v - member(0)) / deviation * std::f64::consts::FRAC_1_SQRT_2);
    }
    (0..ensemble.members).filter(|&m| member(m) > v).count() as f64 / ensemble.members as f64
}

impl Alarm {
    fn new(sums: &[Sums], squares: f64) -> Self {
        let [values, _, events] = sums.iter().fold(Sums::default(), |mut all, bin| {
            all.iter_mut().zip(bin).for_each(|(all, sum)| *all += sum);
            all
        });
        let frequency = events / values;
        let bins: Vec<Bin> = sums
            .iter()
            .filter(|bin| bin[0] > 0.0)
            .map(|&[values, p, events]| Bin {
                probability: p / values,
                frequency: events / values,
                values,
            })
            .collect();
        let mean = |of: &dyn Fn(&Bin) -> f64| {
            bins.iter().map(|bin| bin.values * of(bin)).sum::<f64>() / values
        };
        let (brier, uncertainty) = (squares / values, frequency * (1.0 - frequency));
        Self {
            frequency,
            brier,
            skill: (uncertainty > 0.0).then(|| 1.0 - brier / uncertainty),
            reliability: mean(&|bin| (bin.probability - bin.frequency).powi(2)),
            resolution: mean(&|bin| (bin.frequency - frequency).powi(2)),
            bins,
        }
    }
}
