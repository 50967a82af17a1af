//! The λ values that a sampler visits.

use crate::Error;

/// How λ goes from its largest value down to 0.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum LambdaGrid {
    /// `steps` steps, the last from `smallest` to 0, those before it by equal ratios.
    Geometric {
        /// Number of steps, ≥ 1.
        steps: u32,
        /// The smallest λ but 0, positive.
        smallest: f32,
    },
    /// `steps` steps, λ = λ_max (i/steps)^exponent.
    Power {
        /// Number of steps, ≥ 1.
        steps: u32,
        /// How much shorter steps become, ≥ 1: equal ones for 1.
        exponent: u8,
    },
    /// Equal steps of about `step` (the paper's 1/1000): as many as make `step` from λ_max to 0, rounded.
    Equal {
        /// The length of a step, positive.
        step: f32,
    },
}

impl LambdaGrid {
    /// Number of steps from `largest` to 0.
    pub fn steps(&self, largest: f32) -> u32 {
        match *self {
            Self::Geometric { steps, .. } | Self::Power { steps, .. } => steps.max(1),
            // A saturating cast.
            Self::Equal { step } => ((largest / step + 0.5) as u32).max(1),
        }
    }

    /// λ before step `index`; 0 from `steps` on. Relative error ≤ 1e-6.
    pub fn lambda(&self, largest: f32, index: u32) -> f32 {
        let steps = self.steps(largest);
        let left = steps.saturating_sub(index);
        if index == 0 || left == 0 {
            return if left == 0 { 0.0 } else { largest };
        }
        let share = left as f32 / steps as f32;
        match *self {
            Self::Geometric { smallest, .. } => {
                // The exponent is 1 before the first step and 0 before the last.
                let exponent = (left - 1) as f32 / (steps - 1) as f32;
                let smallest = smallest.min(largest);
                smallest * libm::expf(exponent * libm::logf(largest / smallest))
            }
            Self::Power { exponent, .. } => {
                largest * (1..exponent).fold(share, |power, _| power * share)
            }
            Self::Equal { .. } => largest * share,
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let (name, value) = match *self {
            Self::Geometric { steps: 0, .. } | Self::Power { steps: 0, .. } => ("steps", 0.0),
            Self::Geometric { smallest, .. } => ("smallest", smallest),
            Self::Equal { step } => ("step", step),
            Self::Power { exponent, .. } => ("exponent", exponent.into()),
        };
        Error::check(name, value, value > 0.0, "positive").map(|_| ())
    }
}
