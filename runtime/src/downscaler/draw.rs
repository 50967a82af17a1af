//! How a path is drawn, once it is known what was measured: the one place that asks a sampler.

use super::correction::Correction;
use crate::predictor::Trained;
use crate::sampler::{Coarse, Health, Observation, Start};
use crate::{Error, NoiseStream, Predictor, Sampler, checked};

/// Draws a path in modes that agrees with what was measured.
///
/// Frames of which every point is there start as they are; where points are dead, the predictor
/// draws at λ* what they leave open.
pub(super) fn draw(
    sampler: &Sampler,
    predictor: &mut Trained<'_>,
    correction: &Correction<'_>,
    measured: &[f32],
    noise: &NoiseStream,
    path: &mut [f32],
    scratch: &mut [f32],
) -> Result<Health, Error> {
    let (grid, process) = (predictor.describe().grid, predictor.describe().process);
    let observation = Observation::new(&grid, measured, correction.variances)?;
    if !correction.is_whole() {
        let (start, seen) = (Start::Rollout, Some(&observation));
        return sampler.generate(predictor, start, seen, noise, path, scratch);
    }
    for (to, value) in checked::zip(&mut *path, measured) {
        *to = *value;
    }
    process.damp(&grid, sampler.lambda, path)?;
    sampler.super_resolve(predictor, Coarse::Clean, Some(&observation), noise, path, scratch)
}
