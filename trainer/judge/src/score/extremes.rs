//! Extremes: whether a path has left the range of the data, as one does that blows up.

use serde::Serialize;

use super::Truth;
use super::pointwise::Pick;
use finescale_ensemble::Ensemble;
use finescale_field::scale::Scale;

/// A path has blown up once a value is so many times as far from the mean as any of the truth.
const FAR: f64 = 2.0;

/// How far values are from the mean, in standard deviations.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Extremes {
    /// The largest distance of a predicted value.
    pub largest: f64,
    /// The largest distance of a true value.
    pub largest_of_truth: f64,
    /// Paths: members of all trajectories.
    pub paths: usize,
    /// Those that go more than twice as far as any of the truth.
    pub blown_up: usize,
}

/// The largest distances of every path and channel, `[path][channel]`, and of the truth.
pub(super) struct Distances {
    paths: Vec<Vec<f64>>,
    truth: Vec<f64>,
}

impl Distances {
    pub(super) fn new(ensemble: &Ensemble, truth: &Truth, scale: &Scale) -> Self {
        let channels = scale.mean.len();
        let widen = |distances: &mut [f64], frame: &[f32]| {
            let fields = frame.chunks_exact((frame.len() / channels).max(1)).enumerate();
            for (c, field) in fields {
                let distance = |v: &f32| (f64::from(*v) - scale.mean[c]).abs() / scale.std[c];
                distances[c] = field.iter().map(distance).fold(distances[c], f64::max);
            }
        };
        let path = |unit: usize| {
            let (trajectory, member) = (unit / ensemble.members, unit % ensemble.members);
            let mut distances = vec![0.0; channels];
            for frame in ensemble.given..ensemble.frames() {
                widen(&mut distances, ensemble.frame(trajectory, frame, member));
            }
            distances
        };
        let mut of_truth = vec![0.0; channels];
        let first = if truth.paired { ensemble.given } else { 0 };
        for trajectory in 0..truth.trajectories {
            for frame in first..truth.frames {
                widen(&mut of_truth, truth.frame(trajectory, frame));
            }
        }
        let paths = (0..ensemble.spec.trajectories * ensemble.members).map(path).collect();
        Self { paths, truth: of_truth }
    }

    pub(super) fn extremes(&self, pick: Pick) -> Extremes {
        let channels = match pick {
            Pick::Channel(c) => c..c + 1,
            Pick::All => 0..self.truth.len(),
        };
        let largest =
            |distances: &[f64]| distances[channels.clone()].iter().copied().fold(0.0, f64::max);
        let far = |path: &&Vec<f64>| channels.clone().any(|c| path[c] > FAR * self.truth[c]);
        Extremes {
            largest: self.paths.iter().map(|path| largest(path)).fold(0.0, f64::max),
            largest_of_truth: largest(&self.truth),
            paths: self.paths.len(),
            blown_up: self.paths.iter().filter(far).count(),
        }
    }
}
