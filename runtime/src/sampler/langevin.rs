//! The paper's corrector.

use super::observation::Observation;
use crate::predictor::Prepared;
use crate::{Error, Modes, NoiseStream, Path, checked};

/// Langevin steps at fixed λ: û ← û + χ ŝ + √(2χ) w, χ = 2 (snr ‖w‖/‖ŝ‖)², norms over the whole
/// path.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Langevin {
    /// Corrector steps after each step.
    pub count: u32,
    /// Signal-to-noise ratio, positive.
    pub snr: f32,
}

impl Langevin {
    pub(super) fn check(&self) -> Result<(), Error> {
        let holds = self.snr > 0.0;
        Error::check("correctors.snr", self.snr, holds, "positive and finite").map(|_| ())
    }

    /// One corrector step; without noise where `noisy` is false. Measured modes are left where they
    /// are.
    pub(super) fn apply(
        &self,
        predictor: &Prepared<'_>,
        observation: Option<&Observation<'_>>,
        stream: &NoiseStream,
        noisy: bool,
        path: &mut Path<Modes>,
        score: &[f32],
    ) {
        let frame = predictor.frame_len();
        let noise = |n: u32| NoiseStream { frame: stream.frame.wrapping_add(n), ..*stream };
        let (mut noise_norm, mut score_norm) = (0.0, 0.0);
        for (n, score) in checked::numbered_frames(score.chunks_exact(frame)) {
            // Sums of one frame first, so that small terms are not lost in a large sum.
            let (mut noise_part, mut score_part) = (0.0, 0.0);
            for (s, w) in score.iter().zip(noise(n).normals()) {
                noise_part += w * w;
                score_part += s * s;
            }
            noise_norm += noise_part;
            score_norm += score_part;
        }
        if score_norm == 0.0 {
            return;
        }
        let chi = 2.0 * self.snr * self.snr * (noise_norm / score_norm);
        let deviation = if noisy { libm::sqrtf(2.0 * chi) } else { 0.0 };
        let frames = checked::zip(path.chunks_exact_mut(frame), score.chunks_exact(frame));
        for (n, (path, score)) in checked::numbered_frames(frames) {
            let noised = path.iter_mut().zip(score).zip(noise(n).normals());
            let modes = noised.zip(predictor.kappas());
            for (index, (((u, s), w), kappa)) in checked::counted(modes) {
                let place = (&predictor.process, kappa, predictor.lambda());
                if !observation.is_some_and(|o| o.held(place, (frame, n, index))) {
                    *u += chi * s + deviation * w;
                }
            }
        }
    }
}
