//! What a path says before it is at λ = 0.

use super::drawing::{Beginning, Origin};
use crate::predictor::Description;
use crate::{Modes, Path, checked};

/// What a path leaves open whose drawing was ended before λ = 0.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Unfinished {
    /// The λ that it had reached.
    pub lambda: f32,
    /// The standard deviation of what is not known yet, in those of the data: root mean square over
    /// channels and points, under the model's climate. The predictor knows more than the climate,
    /// so that it is an upper bound as far as the climate holds.
    pub deviation: f32,
}

impl Unfinished {
    /// Takes a path to the mean of its clean modes given what they are at `lambda`, each mode by
    /// itself: û ← C P / (C²P + Σ) · û_λ, whose variance is P Σ / (C²P + Σ); of a measured mode
    /// ŷ P / (P + r) and P r / (P + r) where that is smaller. `ready`: how many frames are at
    /// `lambda`.
    pub(super) fn of(
        description: &Description<'_>,
        origin: &Origin<'_>,
        lambda: f32,
        ready: u32,
        path: &mut Path<Modes>,
    ) -> Self {
        let (process, frame) = (&description.process, description.frame_len());
        let uncertainty = match &origin.beginning {
            Beginning::Coarse(coarse) => Some(coarse.uncertainty()),
            Beginning::Path | Beginning::Start(_) => None,
        };
        let (mut left, mut values) = (0.0, 0.0);
        for (n, path) in checked::numbered_frames(path.chunks_exact_mut(frame)) {
            let measured = origin.observation.as_ref().filter(|o| o.frame(frame, n).is_some());
            let known = measured.and_then(|o| o.frame(frame, n)).unwrap_or_default();
            let (mut known, mut of_frame) = (known.iter(), 0.0);
            let modes = path.iter_mut().zip(description.power).zip(description.kappas());
            for (index, ((u, power), kappa)) in checked::counted(modes) {
                let noise = process.noise_variance(kappa, lambda);
                // A coarse frame that has not been taken to λ is there already, with less noise.
                let there = n < ready
                    || uncertainty.is_some_and(|of| of.variance(frame, n, index) <= noise);
                let total = process.variance(kappa, lambda, *power);
                let (mut value, mut variance) = (0.0, *power);
                if there && total > 0.0 {
                    value = process.damping(kappa, lambda) * power / total * *u;
                    variance = power * (noise / total);
                }
                let r = measured.map_or(f32::INFINITY, |o| o.variance(frame, n, index));
                if let Some(y) = known.next() {
                    let share = power / (power + r);
                    if r == 0.0 {
                        (value, variance) = (*y, 0.0);
                    } else if r.is_finite() && r * share < variance {
                        (value, variance) = (share * y, r * share);
                    }
                }
                *u = value;
                of_frame += variance;
                values += 1.0;
            }
            left += of_frame;
        }
        Self { lambda, deviation: libm::sqrtf(left / f32::max(values, 1.0)) }
    }
}
