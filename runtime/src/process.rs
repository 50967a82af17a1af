//! The forward process: damp every mode by the Laplacian, add noise.
//!
//! For every mode independently, dû = −ακ û dλ + β dW, so that
//!
//! ```text
//! û_λ = C û_0 + √Σ ε,   C = exp(−ακλ),   Σ = β² (1 − exp(−2ακλ)) / (2ακ),   Σ = β²λ at κ = 0
//! ```
//!
//! with ε white noise of unit variance. λ = 0 is the data, larger λ is coarser. Source: Yasuda and
//! Bischoff, arXiv 2604.00327, section 3.
//!
//! The step from λ to λ + δ is the same rule with δ in the place of λ, exactly and for any δ ≥ 0:
//! `C(λ+δ) = C(δ) C(λ)` and `Σ(λ+δ) = C(δ)² Σ(λ) + Σ(δ)`. So [`ForwardProcess::apply`] with δ takes
//! a field that is at λ to λ + δ.

use crate::{Error, Grid, Laplacian, NoiseStream};

/// The parameters of the forward process.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Written"))]
pub struct ForwardProcess {
    alpha: f32,
    beta2: f32,
    laplacian: Laplacian,
}

impl ForwardProcess {
    /// The largest λ. With α and β² as bounded, no coefficient of the process overflows.
    pub const LAMBDA_MAX: f32 = 1e6;

    /// `alpha`: damping per κ and λ, from 0 to 1e6. `beta2`: noise variance per λ, from 0 to 1e6.
    ///
    /// # Errors
    /// [`Error::Parameter`] if one is outside its range.
    pub fn new(alpha: f32, beta2: f32, laplacian: Laplacian) -> Result<Self, Error> {
        for (name, value) in [("alpha", alpha), ("beta2", beta2)] {
            let fits = (0.0..=PARAMETER_MAX).contains(&value);
            Error::check(name, value, fits, "not negative and at most 1e6")?;
        }
        Ok(Self { alpha, beta2, laplacian })
    }

    /// α.
    pub const fn alpha(&self) -> f32 {
        self.alpha
    }

    /// β².
    pub const fn beta2(&self) -> f32 {
        self.beta2
    }

    /// The Laplacian whose eigenvalues are κ.
    pub const fn laplacian(&self) -> Laplacian {
        self.laplacian
    }

    /// C = exp(−ακλ), what is left of the signal's amplitude. Relative error ≤ 4e-7 for ακλ ≤ 50.
    pub fn damping(&self, kappa: f32, lambda: f32) -> f32 {
        // A rounding error of z is amplified z times by the exponential: carry the part that f32
        // drops.
        let z = f64::from(self.alpha) * f64::from(kappa) * f64::from(lambda);
        let high = z as f32;
        let low = (z - f64::from(high)) as f32;
        let c = libm::expf(-high);
        c - c * low
    }

    /// Σ, the variance of the noise in a mode. Relative error ≤ 6e-7 for any ακλ ≥ 0.
    pub fn noise_variance(&self, kappa: f32, lambda: f32) -> f32 {
        // β²λ · (1 − e^(−x)) / x, which is well conditioned in x everywhere.
        let x = 2.0 * (self.alpha * kappa * lambda);
        let shape = if x > 0.0 { -libm::expm1f(-x) / x } else { 1.0 };
        self.beta2 * lambda * shape
    }

    /// V = C²P + Σ, the variance of a mode whose clean power is `power`. Relative error ≤ 1.1e-6
    /// for ακλ ≤ 50.
    pub fn variance(&self, kappa: f32, lambda: f32, power: f32) -> f32 {
        let damping = self.damping(kappa, lambda);
        damping * damping * power + self.noise_variance(kappa, lambda)
    }

    /// Multiplies a spectrum by C(λ), adding no noise.
    ///
    /// `spectrum`: `[channel][y mode][x mode]`, see [`crate::spectral`].
    ///
    /// # Errors
    /// [`Error::FieldLength`]; [`Error::Parameter`] unless λ is from 0 to 1e6.
    pub fn damp(&self, grid: &Grid, lambda: f32, spectrum: &mut [f32]) -> Result<(), Error> {
        check_lambda(lambda)?;
        grid.channels(spectrum.len())?;
        for channel in spectrum.chunks_exact_mut(grid.points()) {
            let mut modes = ModeCoefficients::new(self, lambda);
            for (u, kappa) in channel.iter_mut().zip(grid.kappas(self.laplacian)) {
                *u *= modes.at(kappa).0;
            }
        }
        Ok(())
    }

    /// Takes a spectrum from scale λ₀ to λ₀ + `lambda` with given noise: û ← C û + √Σ ε.
    ///
    /// `spectrum` and `noise`: `[channel][y mode][x mode]`; `noise` has unit variance in every
    /// mode.
    ///
    /// # Errors
    /// [`Error::FieldLength`], [`Error::LengthMismatch`]; [`Error::Parameter`] unless λ is from 0
    /// to 1e6.
    pub fn apply(
        &self,
        grid: &Grid,
        lambda: f32,
        spectrum: &mut [f32],
        noise: &[f32],
    ) -> Result<(), Error> {
        check_lambda(lambda)?;
        grid.channels(spectrum.len())?;
        if noise.len() != spectrum.len() {
            return Err(Error::LengthMismatch { left: spectrum.len(), right: noise.len() });
        }
        let points = grid.points();
        for (channel, noise) in spectrum.chunks_exact_mut(points).zip(noise.chunks_exact(points)) {
            let mut modes = ModeCoefficients::new(self, lambda);
            for ((u, kappa), e) in channel.iter_mut().zip(grid.kappas(self.laplacian)).zip(noise) {
                let (damping, deviation) = modes.at(kappa);
                *u = damping * *u + deviation * e;
            }
        }
        Ok(())
    }

    /// As [`ForwardProcess::apply`] with the noise of `stream`, whose mode index runs over the
    /// whole spectrum, channels included; needs no memory for the noise and gives the same bits.
    ///
    /// # Errors
    /// As [`ForwardProcess::apply`].
    pub fn apply_stream(
        &self,
        grid: &Grid,
        lambda: f32,
        spectrum: &mut [f32],
        stream: &NoiseStream,
    ) -> Result<(), Error> {
        check_lambda(lambda)?;
        grid.channels(spectrum.len())?;
        let mut noise = stream.normals();
        for channel in spectrum.chunks_exact_mut(grid.points()) {
            let mut modes = ModeCoefficients::new(self, lambda);
            let channel = channel.iter_mut().zip(grid.kappas(self.laplacian));
            for ((u, kappa), e) in channel.zip(&mut noise) {
                let (damping, deviation) = modes.at(kappa);
                *u = damping * *u + deviation * e;
            }
        }
        Ok(())
    }
}

/// The largest α and β².
const PARAMETER_MAX: f32 = 1e6;

/// λ, which must be a number from 0 to [`ForwardProcess::LAMBDA_MAX`].
pub(crate) fn check_lambda(lambda: f32) -> Result<f32, Error> {
    let fits = (0.0..=ForwardProcess::LAMBDA_MAX).contains(&lambda);
    Error::check("lambda", lambda, fits, "not negative and at most 1e6")
}

/// (C, √Σ) of one mode after another. Sine and cosine of a wavenumber stand side by side and share
/// κ, so the last pair is kept: half the transcendentals.
struct ModeCoefficients<'a> {
    process: &'a ForwardProcess,
    lambda: f32,
    kappa: f32,
    pair: (f32, f32),
}

impl<'a> ModeCoefficients<'a> {
    fn new(process: &'a ForwardProcess, lambda: f32) -> Self {
        Self { process, lambda, kappa: f32::NAN, pair: (1.0, 0.0) }
    }

    fn at(&mut self, kappa: f32) -> (f32, f32) {
        if kappa != self.kappa {
            self.kappa = kappa;
            let variance = self.process.noise_variance(kappa, self.lambda);
            self.pair = (self.process.damping(kappa, self.lambda), libm::sqrtf(variance));
        }
        self.pair
    }
}

/// What serde reads, before the constructor's checks.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Written {
    alpha: f32,
    beta2: f32,
    laplacian: Laplacian,
}

#[cfg(feature = "serde")]
impl TryFrom<Written> for ForwardProcess {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        Self::new(written.alpha, written.beta2, written.laplacian)
    }
}
