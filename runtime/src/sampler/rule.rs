//! What a sampler's step can be.

use super::observation::Observation;
use crate::predictor::Prepared;
use crate::{Error, checked};

/// How a step moves a mode.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum StepRule {
    /// The default: û ← g û + h (ŝ + û/V₁) + noise of variance q, with V = C²P + Σ at either end, g
    /// = e^(−z) V₀/V₁, h = Σ(Δ) e^(min(z, 1)), z = ακΔ. With h = Σ(Δ) e^z the mean is exact for any
    /// density: e^z (û + Σ(Δ) ŝ); the bound keeps errors of ŝ from being multiplied by e^z.
    Ancestral(NoiseRule),
    /// The paper's: û ← e^z û + φ β²Δ ŝ + noise, φ = (e^z − 1)/z.
    Exponential {
        /// Noise variance β² (e^(2z) − 1)/(2ακ), exact for the linear part, instead of the paper's
        /// β²Δ.
        exact_noise: bool,
    },
}

/// The noise variance of an ancestral step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum NoiseRule {
    /// Rule V: q = V₀ − g² V₁. Needs no table; the better spectrum.
    Variance,
    /// Rule R: q − h² (Re − 1/V₁), Re from the predictor's calibration: the lowest error. Rule V
    /// without calibration.
    Residual,
    /// Rule M: what the variance of the mean leaves of V₀, so that every mode keeps its variance on
    /// the way down. On paths that a sampler has drawn, a network's score can be weaker than on
    /// those of the data, which rules V and R assume, and draws then agree too much; so the moments
    /// of ŝ are those of drawn paths, from the predictor's calibration. Rule V without calibration.
    Matched,
    /// Rule L: correlated between frames as the predictor's linear part and its S say, so that a
    /// step of a linear system is exact at any length up to z = 1. Needs no table. Frames that are
    /// known condition the others.
    Linear,
}

/// Bounds against errors of a network. Both are positive and finite.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Clip {
    /// |û| is at most this many √V₁, before its score is taken. Measured modes keep what was measured.
    pub state: f32,
    /// |ŝ| is at most this many √R, R = E ŝ² from the predictor's calibration; no bound without calibration.
    pub score: f32,
}

impl Clip {
    pub(super) fn check(&self) -> Result<(), Error> {
        Error::check("clip.state", self.state, self.state > 0.0, "positive and finite")?;
        Error::check("clip.score", self.score, self.score > 0.0, "positive and finite").map(|_| ())
    }

    /// Bounds |û| of a path at the predictor's λ, and counts the values that were beyond.
    ///
    /// A mode that is held is left where it is. One that was released keeps what its measurement
    /// allows: it may be as large as C|ŷ| and as many standard deviations of the measurement and
    /// the noise.
    pub(super) fn apply(
        &self,
        predictor: &Prepared<'_>,
        observation: Option<&Observation<'_>>,
        path: &mut [f32],
    ) -> u32 {
        let (process, lambda) = (&predictor.process, predictor.lambda());
        let frame = predictor.frame_len();
        debug_assert_eq!(predictor.power.len(), frame, "a power for each mode");
        let mut clipped = 0_u32;
        for (index, (power, kappa)) in
            checked::counted(predictor.power.iter().zip(predictor.kappas()))
        {
            let limit = self.state * libm::sqrtf(process.variance(kappa, lambda, *power));
            for (n, u) in checked::numbered_frames(path.iter_mut().skip(index).step_by(frame)) {
                if u.abs() <= limit {
                    continue;
                }
                let measured = observation.and_then(|o| {
                    let y = o.frame(frame, n)?.get(index)?;
                    let r = o.variance(frame, n, index);
                    r.is_finite().then(|| (*y, r, Observation::spread(process, kappa, lambda, r)))
                });
                let limit = match measured {
                    Some((_, _, Some(_))) => continue,
                    Some((y, r, None)) => {
                        let damping = process.damping(kappa, lambda);
                        let variance = process.variance(kappa, lambda, r);
                        limit.max(damping * y.abs() + self.state * libm::sqrtf(variance))
                    }
                    None => limit,
                };
                if u.abs() > limit {
                    *u = bounded(*u, limit);
                    clipped = clipped.saturating_add(1);
                }
            }
        }
        clipped
    }
}

/// The value, at most `limit` away from 0. Not `clamp`, which panics on a limit that is no number.
pub(super) fn bounded(value: f32, limit: f32) -> f32 {
    debug_assert!(!value.is_nan(), "what is no number was let through");
    value.min(limit).max(-limit)
}
