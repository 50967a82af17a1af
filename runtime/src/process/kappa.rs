//! κ of a mode, and a coupling that holds on one side of a λ only.
//!
//! A combination of coupled channels is damped by (1 ∓ c)κ where the coupling holds, and by κ where
//! it does not. From 0 to λ, with λ₁ between, that is one process after the other: C = C₂C₁ and Σ =
//! C₂²Σ₁ + Σ₂, the first over λ₁, and the second over λ − λ₁.

use super::{ForwardProcess, reciprocal_of_exp};
use crate::Error;

/// κ of a mode on both sides of [`ForwardProcess::switch`]; without one, `below` holds everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Kappa<T = f32> {
    /// At λ below the switch.
    pub below: T,
    /// At λ above it.
    pub above: T,
}

impl<T: Copy> From<T> for Kappa<T> {
    fn from(kappa: T) -> Self {
        Self { below: kappa, above: kappa }
    }
}

impl From<Kappa> for Kappa<f64> {
    fn from(kappa: Kappa) -> Self {
        Self { below: kappa.below.into(), above: kappa.above.into() }
    }
}

impl ForwardProcess {
    /// The same with a coupling that holds at λ below `switch`, λ₁, and not above; of a negative one
    /// at λ above −λ₁, and not below; of 0 everywhere.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless λ₁ is from −1e6 to 1e6; [`Error::Conflict`] for one that is not 0
    /// where nothing is coupled.
    pub fn with_switch(self, switch: f32) -> Result<Self, Error> {
        let fits = (-Self::LAMBDA_MAX..=Self::LAMBDA_MAX).contains(&switch);
        Error::check("switch", switch, fits, "from -1e6 to 1e6")?;
        if switch == 0.0 {
            return Ok(Self { switch: f32::INFINITY, coupled_above: false, ..self });
        }
        if !self.is_coupled() {
            let expected = "0 where nothing is coupled";
            return Err(Error::Conflict { name: "switch", expected });
        }
        Ok(Self { switch: switch.abs(), coupled_above: switch < 0.0, ..self })
    }

    /// λ₁, where the coupling ends, or, if it is negative, −λ₁ where it begins; 0 if it holds
    /// everywhere.
    pub fn switch(&self) -> f32 {
        match self.switch {
            f32::INFINITY => 0.0,
            switch if self.coupled_above => -switch,
            switch => switch,
        }
    }

    /// The process from λ on: what takes a field at λ to λ + δ, with δ in the place of λ. It is the
    /// process itself, but for the switch.
    #[must_use]
    pub fn after(&self, lambda: f32) -> Self {
        Self { switch: (self.switch - lambda).max(0.0), ..*self }
    }

    /// κ of a channel's mode that has κ on the grid; of frame after frame, channels count on.
    pub(crate) fn kappa(&self, channel: usize, kappa: f32) -> Kappa {
        let sign = if channel.is_multiple_of(2) { -1.0 } else { 1.0 };
        let coupled = (1.0 + sign * self.coupling) * kappa;
        if self.coupled_above {
            Kappa { below: kappa, above: coupled }
        } else {
            let above = if self.switch < f32::INFINITY { kappa } else { coupled };
            Kappa { below: coupled, above }
        }
    }

    /// C and Σ at a λ beyond the switch.
    // Out of line, as the next ones: whoever couples nothing has small code, and it stays fast.
    #[cold]
    #[inline(never)]
    pub(super) fn beyond(&self, kappa: Kappa, lambda: f32) -> (f32, f32) {
        let above = lambda - self.switch;
        let (first, second) =
            (self.log_damping(kappa.below, self.switch), self.log_damping(kappa.above, above));
        let kept = reciprocal_of_exp(second);
        let noise = kept * kept * self.constant_noise(kappa.below, self.switch)
            + self.constant_noise(kappa.above, above);
        (reciprocal_of_exp(first + second), noise)
    }

    /// α ∫κ dλ, the logarithm of 1/C.
    pub(crate) fn exponent(&self, kappa: Kappa, lambda: f32) -> f32 {
        if lambda > self.switch {
            return self.grown_beyond(kappa, lambda).0;
        }
        self.alpha * kappa.below * lambda
    }

    /// β² ∫ exp(α ∫κ) dλ from 0 to λ: what a constant score adds in the reverse process.
    pub(crate) fn growth(&self, kappa: Kappa, lambda: f32) -> f32 {
        if lambda > self.switch {
            return self.grown_beyond(kappa, lambda).1;
        }
        self.constant_growth(kappa.below, lambda)
    }

    /// The same of one κ.
    fn constant_growth(&self, kappa: f32, lambda: f32) -> f32 {
        let z = self.alpha * kappa * lambda;
        let phi = if z > 0.0 { libm::expm1f(z) / z } else { 1.0 };
        phi * self.beta2 * lambda
    }

    /// [`ForwardProcess::exponent`] and [`ForwardProcess::growth`] at a λ beyond the switch.
    #[cold]
    #[inline(never)]
    fn grown_beyond(&self, kappa: Kappa, lambda: f32) -> (f32, f32) {
        let above = lambda - self.switch;
        let first = self.alpha * kappa.below * self.switch;
        let growth = self.constant_growth(kappa.below, self.switch)
            + libm::expf(first) * self.constant_growth(kappa.above, above);
        (first + self.alpha * kappa.above * above, growth)
    }

    /// λ at which a mode of variance `power` is as strong as its noise, C² P = Σ.
    ///
    /// λ = ln(1 + 2ακP/β²) / (2ακ), which is P/β² at κ = 0, the largest. Beyond the switch it is the
    /// same rule for what is left of P and not yet noise there, C²P − Σ. Infinite for P > 0 in a
    /// process without noise.
    pub(crate) fn scale(&self, kappa: Kappa, power: f32) -> f32 {
        if power == 0.0 {
            return 0.0;
        }
        let first = self.constant_scale(kappa.below, power);
        if first > self.switch {
            return self.switch + self.constant_scale(kappa.above, self.left(kappa, power));
        }
        first
    }

    /// C²P − Σ at the switch, of a mode that is stronger than its noise there.
    #[cold]
    #[inline(never)]
    pub(crate) fn left(&self, kappa: Kappa, power: f32) -> f32 {
        let damping = self.damping(kappa, self.switch);
        (damping * damping * power - self.noise_variance(kappa, self.switch)).max(0.0)
    }

    /// Where κ changes, if it does so before λ.
    pub(crate) fn switches_before(&self, lambda: f64) -> Option<f32> {
        (f64::from(self.switch) < lambda).then_some(self.switch)
    }

    /// The same with one κ everywhere.
    fn constant_scale(&self, kappa: f32, power: f32) -> f32 {
        let per_lambda = 2.0 * self.alpha * kappa;
        let at_zero = power / self.beta2;
        let product = per_lambda * at_zero;
        if product > 0.0 && product.is_finite() {
            libm::log1pf(product) / per_lambda
        } else {
            at_zero
        }
    }
}
