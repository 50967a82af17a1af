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
//! a field that is at λ to λ + δ. Where a coupling holds on one side only, the step is that of
//! [`ForwardProcess::after`].
//!
//! **Coupled channels.** Two channels can be drawn to each other, each with c times its own damping:
//!
//! ```text
//! dû₁ = −ακ(û₁ − c û₂) dλ + β dW₁,   dû₂ = −ακ(û₂ − c û₁) dλ + β dW₂,   |c| < 1
//! ```
//!
//! The sum (û₁ + û₂)/√2 and the difference (û₁ − û₂)/√2 are independent of each other, and obey the
//! rule above with (1 − c)κ and (1 + c)κ in the place of κ. So a predictor of coupled channels has
//! these two *combinations* for its channels. [`ForwardProcess::mix`] turns channels into
//! combinations and back, and [`ForwardProcess::kappas`] has the κ of each. Everything else stays
//! as it is. A coupling may hold on one side of a λ only: see [`ForwardProcess::with_switch`].

mod kappa;

pub use kappa::Kappa;

use core::f32::consts::FRAC_1_SQRT_2;

use crate::{Error, Grid, Laplacian, Modes, NoiseStream, checked};

/// The parameters of the forward process.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Written", into = "Written"))]
pub struct ForwardProcess {
    alpha: f32,
    beta2: f32,
    laplacian: Laplacian,
    coupling: f32,
    /// Where κ changes; infinite where it does not.
    switch: f32,
    /// Whether the coupling holds above the switch, and not below.
    coupled_above: bool,
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
        let switch = f32::INFINITY;
        Ok(Self { alpha, beta2, laplacian, coupling: 0.0, switch, coupled_above: false })
    }

    /// The same with two channels that are coupled by `coupling`, c, at every λ; 0 couples nothing.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless c is above −1 and below 1: beyond, the large scales would grow.
    pub fn with_coupling(self, coupling: f32) -> Result<Self, Error> {
        let fits = coupling > -1.0 && coupling < 1.0;
        Error::check("coupling", coupling, fits, "above -1 and below 1")?;
        Ok(Self { coupling, switch: f32::INFINITY, coupled_above: false, ..self })
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

    /// c, the coupling of two channels; 0 where channels are independent.
    pub const fn coupling(&self) -> f32 {
        self.coupling
    }

    /// Whether channels are coupled.
    pub fn is_coupled(&self) -> bool {
        self.coupling != 0.0
    }

    /// κ of every mode of a channel in storage order: that of the grid; of coupled channels, where
    /// 0 is the sum and 1 the difference, (1 − c) and (1 + c) times as much, where the coupling
    /// holds.
    pub fn kappas(&self, grid: &Grid, channel: usize) -> impl Iterator<Item = Kappa> + use<> {
        let process = *self;
        grid.kappas(self.laplacian).map(move |kappa| process.kappa(channel, kappa))
    }

    /// Turns two coupled channels into their sum and difference, each over √2, and these back into
    /// channels, in place. Where channels are independent it leaves them as they are.
    ///
    /// `fields`: `[…][channel][…]`, standardised, of so many points or modes; what is behind the
    /// last whole pair of channels is left as it is.
    pub fn mix(&self, points: usize, fields: &mut [f32]) {
        if !self.is_coupled() {
            return;
        }
        for pair in checked::rows_mut(fields, points.saturating_mul(2)) {
            let Some((first, second)) = pair.split_at_mut_checked(points) else { continue };
            for (a, b) in checked::zip(first, second) {
                (*a, *b) = (FRAC_1_SQRT_2 * (*a + *b), FRAC_1_SQRT_2 * (*a - *b));
            }
        }
    }

    /// Refuses to couple channels that are not two, or no frames of two.
    pub(crate) fn check_channels(&self, pairs: bool) -> Result<(), Error> {
        if pairs || !self.is_coupled() {
            return Ok(());
        }
        let expected = "0 for fields that do not have two channels";
        Err(Error::Conflict { name: "coupling", expected })
    }

    /// C = exp(−ακλ), what is left of the signal's amplitude. Relative error ≤ 4e-7 for ακλ ≤ 50.
    pub fn damping(&self, kappa: impl Into<Kappa>, lambda: f32) -> f32 {
        let kappa = kappa.into();
        if lambda > self.switch {
            return self.beyond(kappa, lambda).0;
        }
        reciprocal_of_exp(self.log_damping(kappa.below, lambda))
    }

    /// ακλ of one κ.
    fn log_damping(&self, kappa: f32, lambda: f32) -> f64 {
        f64::from(self.alpha) * f64::from(kappa) * f64::from(lambda)
    }

    /// Σ, the variance of the noise in a mode. Relative error ≤ 6e-7 for any ακλ ≥ 0, and 2e-6
    /// beyond a switch for ακλ ≤ 50.
    pub fn noise_variance(&self, kappa: impl Into<Kappa>, lambda: f32) -> f32 {
        let kappa = kappa.into();
        if lambda > self.switch {
            return self.beyond(kappa, lambda).1;
        }
        self.constant_noise(kappa.below, lambda)
    }

    /// Σ of one κ.
    fn constant_noise(&self, kappa: f32, lambda: f32) -> f32 {
        // β²λ · (1 − e^(−x)) / x, which is well conditioned in x everywhere.
        let x = 2.0 * (self.alpha * kappa * lambda);
        let shape = if x > 0.0 { -libm::expm1f(-x) / x } else { 1.0 };
        self.beta2 * lambda * shape
    }

    /// V = C²P + Σ, the variance of a mode whose clean power is `power`. Relative error ≤ 1.1e-6
    /// for ακλ ≤ 50, and 2e-6 beyond a switch.
    pub fn variance(&self, kappa: impl Into<Kappa>, lambda: f32, power: f32) -> f32 {
        let kappa = kappa.into();
        let damping = self.damping(kappa, lambda);
        damping * damping * power + self.noise_variance(kappa, lambda)
    }

    /// Multiplies a spectrum by C(λ), adding no noise.
    ///
    /// `spectrum`: `[…][channel][y mode][x mode]`, see [`crate::spectral`]; of coupled channels
    /// their combinations.
    ///
    /// # Errors
    /// [`Error::FieldLength`]; [`Error::Parameter`] unless λ is from 0 to 1e6; [`Error::Conflict`]
    /// for an odd number of channels that are coupled.
    pub fn damp(&self, grid: &Grid, lambda: f32, spectrum: &mut Modes) -> Result<(), Error> {
        self.check(grid, lambda, spectrum)?;
        for (n, channel) in checked::counted(spectrum.chunks_exact_mut(grid.points())) {
            let mut modes = ModeCoefficients::new(self, lambda);
            for (u, kappa) in channel.iter_mut().zip(self.kappas(grid, n)) {
                *u *= modes.at(kappa).0;
            }
        }
        Ok(())
    }

    /// Takes a spectrum from scale λ₀ to λ₀ + `lambda` with given noise: û ← C û + √Σ ε. Of a
    /// process with a switch λ₀ is 0; [`ForwardProcess::after`] goes on from another.
    ///
    /// `spectrum` and `noise`: `[…][channel][y mode][x mode]`; `noise` has unit variance in every
    /// mode.
    ///
    /// # Errors
    /// As [`ForwardProcess::damp`], and [`Error::LengthMismatch`].
    pub fn apply(
        &self,
        grid: &Grid,
        lambda: f32,
        spectrum: &mut Modes,
        noise: &[f32],
    ) -> Result<(), Error> {
        self.check(grid, lambda, spectrum)?;
        if noise.len() != spectrum.len() {
            return Err(Error::LengthMismatch { left: spectrum.len(), right: noise.len() });
        }
        let points = grid.points();
        let channels = spectrum.chunks_exact_mut(points).zip(noise.chunks_exact(points));
        for (n, (channel, noise)) in checked::counted(channels) {
            let mut modes = ModeCoefficients::new(self, lambda);
            for ((u, kappa), e) in channel.iter_mut().zip(self.kappas(grid, n)).zip(noise) {
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
        spectrum: &mut Modes,
        stream: &NoiseStream,
    ) -> Result<(), Error> {
        self.check(grid, lambda, spectrum)?;
        let mut noise = stream.normals();
        for (n, channel) in checked::counted(spectrum.chunks_exact_mut(grid.points())) {
            let mut modes = ModeCoefficients::new(self, lambda);
            let channel = channel.iter_mut().zip(self.kappas(grid, n));
            for ((u, kappa), e) in channel.zip(&mut noise) {
                let (damping, deviation) = modes.at(kappa);
                *u = damping * *u + deviation * e;
            }
        }
        Ok(())
    }
}

impl ForwardProcess {
    /// What damping and noising refuse.
    fn check(&self, grid: &Grid, lambda: f32, spectrum: &[f32]) -> Result<(), Error> {
        check_lambda(lambda)?;
        self.check_channels(grid.channels(spectrum.len())?.is_multiple_of(2))
    }
}

/// exp(−z). A rounding error of z is amplified z times by the exponential: the part that f32 drops
/// is carried.
fn reciprocal_of_exp(z: f64) -> f32 {
    let high = z as f32;
    let low = (z - f64::from(high)) as f32;
    let c = libm::expf(-high);
    c - c * low
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
    kappa: Kappa,
    pair: (f32, f32),
}

impl<'a> ModeCoefficients<'a> {
    fn new(process: &'a ForwardProcess, lambda: f32) -> Self {
        Self { process, lambda, kappa: f32::NAN.into(), pair: (1.0, 0.0) }
    }

    fn at(&mut self, kappa: Kappa) -> (f32, f32) {
        if kappa != self.kappa {
            self.kappa = kappa;
            let variance = self.process.noise_variance(kappa, self.lambda);
            self.pair = (self.process.damping(kappa, self.lambda), libm::sqrtf(variance));
        }
        self.pair
    }
}

/// What serde reads, before the constructor's checks, and writes.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
struct Written {
    alpha: f32,
    beta2: f32,
    laplacian: Laplacian,
    #[serde(default, skip_serializing_if = "is_zero")]
    coupling: f32,
    #[serde(default, skip_serializing_if = "is_zero")]
    switch: f32,
}

/// Nothing is written of a process without coupling, which keeps files what they were.
#[cfg(feature = "serde")]
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(value: &f32) -> bool {
    *value == 0.0
}

#[cfg(feature = "serde")]
impl TryFrom<Written> for ForwardProcess {
    type Error = Error;

    fn try_from(written: Written) -> Result<Self, Error> {
        let process = Self::new(written.alpha, written.beta2, written.laplacian)?;
        process.with_coupling(written.coupling)?.with_switch(written.switch)
    }
}

#[cfg(feature = "serde")]
impl From<ForwardProcess> for Written {
    fn from(process: ForwardProcess) -> Self {
        let ForwardProcess { alpha, beta2, laplacian, coupling, .. } = process;
        Self { alpha, beta2, laplacian, coupling, switch: process.switch() }
    }
}
