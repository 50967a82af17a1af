//! The λ values that a sampler visits.

use crate::Error;

/// How λ goes from its largest value down to 0.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Schedule {
    /// `steps` steps, the last from `smallest` to 0, those before it by equal ratios.
    Geometric {
        /// Number of steps, from 1 to [`Schedule::STEPS_MAX`].
        steps: u32,
        /// The smallest λ but 0: at least 1e-12, and below the largest λ if there are two steps or
        /// more.
        smallest: f32,
    },
    /// `steps` steps, λ = λ_max (i/steps)^exponent.
    Power {
        /// Number of steps, from 1 to [`Schedule::STEPS_MAX`].
        steps: u32,
        /// How much shorter steps become, ≥ 1: equal ones for 1. The last λ but 0, λ_max
        /// steps^−exponent, must be at least 1e-12.
        exponent: u8,
    },
    /// Equal steps of about `step` (the paper's 1/1000): as many as make `step` from λ_max to 0,
    /// rounded.
    Equal {
        /// The length of a step, at least λ_max/[`Schedule::STEPS_MAX`].
        step: f32,
    },
}

impl Schedule {
    /// Most steps: more would differ by less than f32 can tell.
    pub const STEPS_MAX: u32 = 1 << 20;

    /// Number of steps from `largest` to 0.
    pub fn steps(&self, largest: f32) -> u32 {
        match *self {
            Self::Geometric { steps, .. } | Self::Power { steps, .. } => steps.max(1),
            // A saturating cast.
            Self::Equal { step } => ((largest / step + 0.5) as u32).max(1),
        }
    }

    /// λ before step `index`; 0 from `steps` on. Relative error ≤ 1e-6. No number, or no falling
    /// sequence, where a [sampler](super::Sampler) would refuse the grid.
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

    /// Every λ must be below the one before it, and the last but 0 positive.
    ///
    /// # Errors
    /// Names the field that was given.
    pub(super) fn check(&self, largest: f32) -> Result<(), Error> {
        match *self {
            Self::Geometric { steps, smallest } => {
                check_steps(steps)?;
                let holds = smallest >= SMALLEST;
                Error::check("smallest", smallest, holds, "at least 1e-12 and finite")?;
            }
            Self::Power { steps, exponent } => {
                check_steps(steps)?;
                let exponent = usize::from(exponent);
                Error::count("exponent", exponent, exponent > 0, "at least 1")?;
            }
            Self::Equal { step } => {
                Error::check("step", step, step > 0.0, "positive and finite")?;
                let fits = largest / step <= Self::STEPS_MAX as f32;
                Error::check("step", step, fits, "at least a millionth of the sampler's λ")?;
            }
        }
        let steps = self.steps(largest);
        let lambda = |index| self.lambda(largest, index);
        // Also where two λ are equal but for rounding: such a step would divide by its length.
        let falls = (1..steps).all(|index| lambda(index) < lambda(index - 1));
        if falls && lambda(steps - 1) >= SMALLEST {
            return Ok(());
        }
        match *self {
            Self::Geometric { smallest, .. } => {
                let expected = "below the sampler's λ, or `steps` 1";
                Error::check("smallest", smallest, false, expected).map(|_| ())
            }
            Self::Power { exponent, .. } => {
                let expected = "small enough that the last λ but 0 is at least 1e-12";
                Error::count("exponent", exponent.into(), false, expected).map(|_| ())
            }
            Self::Equal { step } => {
                let expected = "at least 1e-12, and at least a millionth of the sampler's λ";
                Error::check("step", step, false, expected).map(|_| ())
            }
        }
    }
}

/// The smallest λ but 0: the noise of a smaller one would vanish beside the rounding of the signal.
const SMALLEST: f32 = 1e-12;

fn check_steps(steps: u32) -> Result<(), Error> {
    let holds = (1..=Schedule::STEPS_MAX).contains(&steps);
    Error::count("steps", steps as usize, holds, "from 1 to 1048576").map(|_| ())
}
