//! The sampler that a model is best used with.

use super::Invalid;
use crate::Sampler;
use crate::predictor::PathDensity;
use crate::sampler::{NoiseRule, Schedule, Score, StepRule};

/// The sampler that a model's figures were measured with, as its file has it; the rest is that of
/// [`Sampler::ancestral`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub struct Recommended {
    /// The noise of a step.
    pub rule: NoiseRule,
    /// Steps from λ* to 0, at least 1.
    pub steps: u8,
    /// How λ goes down: as (i/steps) to this power, or by equal ratios where it is 0.
    pub exponent: u8,
    /// Whether scores come from the score head.
    pub head: bool,
    /// λ* in hundredths, at most 100; 0 where it is the scale at which what a coarse grid lacks
    /// emerges: see [`crate::sampler::emergence`].
    pub lambda: u8,
}

impl Recommended {
    /// [`Sampler::ancestral`] as it is.
    pub const DEFAULT: Self =
        Self { rule: NoiseRule::Residual, steps: 8, exponent: 0, head: false, lambda: 0 };
    /// Most of an exponent: the last λ but 0 of 255 steps is then not too small.
    pub const EXPONENT_MAX: u8 = 4;
    /// The bit of a file's third byte that says that scores come from the score head.
    const HEAD: u8 = 0x80;

    /// From the four bytes of a file; `score_head` says whether the model has one.
    pub(super) fn from_bytes(bytes: [u8; 4], score_head: bool) -> Result<Self, Invalid> {
        let [rule, steps, schedule, lambda] = bytes;
        let rule = match rule {
            0 => Some(NoiseRule::Residual),
            1 => Some(NoiseRule::Variance),
            2 => Some(NoiseRule::Matched),
            3 => Some(NoiseRule::Linear),
            _ => None,
        };
        let (exponent, head) = (schedule & !Self::HEAD, schedule & Self::HEAD != 0);
        let holds = steps > 0 && exponent <= Self::EXPONENT_MAX && lambda <= 100;
        match rule {
            Some(rule) if holds && (score_head || !head) => {
                Ok(Self { rule, steps, exponent, head, lambda })
            }
            _ => Err(Invalid::Field { name: "sampler" }),
        }
    }

    /// The four bytes of a file.
    pub const fn to_bytes(self) -> [u8; 4] {
        let rule = match self.rule {
            NoiseRule::Residual => 0,
            NoiseRule::Variance => 1,
            NoiseRule::Matched => 2,
            NoiseRule::Linear => 3,
        };
        let schedule = if self.head { self.exponent | Self::HEAD } else { self.exponent };
        [rule, self.steps, schedule, self.lambda]
    }

    /// λ*, where it is no matter of the coarse grid.
    pub fn lambda(&self) -> Option<f32> {
        (self.lambda > 0).then(|| f32::from(self.lambda) / 100.0)
    }

    /// The sampler from λ* down.
    pub fn sampler(&self, lambda: f32) -> Sampler {
        let ours = Sampler::ancestral(lambda);
        let steps = u32::from(self.steps);
        let lambdas = match (self.exponent, ours.lambdas) {
            (0, Schedule::Geometric { smallest, .. }) => Schedule::Geometric { steps, smallest },
            (exponent, _) => Schedule::Power { steps, exponent: exponent.max(1) },
        };
        let score = if self.head { Score::Head } else { Score::Path(PathDensity::FULL) };
        Sampler { lambdas, score, step: StepRule::Ancestral(self.rule), ..ours }
    }
}

impl Default for Recommended {
    fn default() -> Self {
        Self::DEFAULT
    }
}
