//! κ of a mode, and a coupling that holds on one side of a λ only.
//!
//! A combination of coupled channels is damped by (1 ∓ c)κ where the coupling holds, and by κ where
//! it does not. From 0 to λ, with λ₁ between, that is one process after the other: C = C₂C₁ and Σ =
//! C₂²Σ₁ + Σ₂, the first over λ₁, and the second over λ − λ₁.

use super::ForwardProcess;
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

    /// How much of λ is below the switch, and how much above.
    pub(super) fn parts(&self, lambda: f32) -> (f32, f32) {
        let below = lambda.min(self.switch);
        (below, lambda - below)
    }

    /// α ∫κ dλ, the logarithm of 1/C.
    pub(crate) fn exponent(&self, kappa: Kappa, lambda: f32) -> f32 {
        let (below, above) = self.parts(lambda);
        self.alpha * kappa.below * below + self.alpha * kappa.above * above
    }

    /// β² ∫ exp(α ∫κ) dλ from 0 to λ: what a constant score adds in the reverse process.
    pub(crate) fn growth(&self, kappa: Kappa, lambda: f32) -> f32 {
        let over = |kappa, lambda| {
            let z = self.alpha * kappa * lambda;
            let phi = if z > 0.0 { libm::expm1f(z) / z } else { 1.0 };
            phi * self.beta2 * lambda
        };
        let (below, above) = self.parts(lambda);
        let first = over(kappa.below, below);
        if above > 0.0 {
            let grown = libm::expf(self.alpha * kappa.below * below);
            return first + grown * over(kappa.above, above);
        }
        first
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
        let Some(switch) = self.switches_before(first.into()) else { return first };
        let damping = self.damping(kappa, switch);
        let left = damping * damping * power - self.noise_variance(kappa, switch);
        switch + self.constant_scale(kappa.above, left.max(0.0))
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
