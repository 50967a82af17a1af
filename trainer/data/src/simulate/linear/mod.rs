//! A linear Gaussian system whose every statistic is known: AR(1) in each Fourier mode.
//!
//! ```text
//! û^{n+1} = ρ û^n + √(P (1 − |ρ|²)) ŵ,   û^0 = √P ŵ,   P = 4 scale / (1 + (|k|/4)⁴)
//! ρ = exp(−decay (1 + |k|/4) + i advection k_x)
//! ```
//!
//! with the orthonormal transform and ŵ that of white unit grid noise. Modes that are their own
//! mirror, or whose k_x is the Nyquist wavenumber, are not advected: a real field cannot carry it.

#[cfg(test)]
mod tests;

use super::check::{at_least, even, finite, positive};
use super::clock::Clock;
use super::random::Noise;
use super::spectral::{Plane, wavenumber};
use super::{AxisInfo, ChannelInfo, Description, Simulator, Trajectory};
use anyhow::{Result, ensure};
use finescale::Boundary;
use num_complex::Complex64;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// What a user may choose; the defaults are in `Default`.
#[derive(Clone, Debug, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Points along each axis.
    #[arg(long, default_value_t = Self::default().grid)]
    pub grid: usize,
    /// One spatial dimension or two.
    #[arg(long, default_value_t = Self::default().dimensions)]
    pub dimensions: usize,
    /// Factor of the power spectrum.
    #[arg(long, default_value_t = Self::default().scale)]
    pub scale: f64,
    /// Chooses the factor so that the field has variance 1.
    #[arg(long, conflicts_with = "scale")]
    pub unit_variance: bool,
    /// Decay of the largest waves over a frame interval.
    #[arg(long, default_value_t = Self::default().decay)]
    pub decay: f64,
    /// Distance that waves travel along x in a frame interval; 0 makes every correlation real.
    #[arg(long, default_value_t = Self::default().advection, allow_negative_numbers = true)]
    pub advection: f64,
    /// Time between frames; a label, for the coefficients are those of one interval.
    #[arg(long, default_value_t = Self::default().interval)]
    pub interval: f64,
    /// Time that is thrown away before the first frame; none is needed, as the start is stationary.
    #[arg(long, default_value_t = Self::default().burn_in)]
    pub burn_in: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            grid: 64,
            dimensions: 1,
            scale: 1.0,
            unit_variance: false,
            decay: 0.05,
            advection: 0.045,
            interval: 1.0,
            burn_in: 0.0,
        }
    }
}

/// The linear system with checked parameters.
#[derive(Clone, Debug)]
pub(crate) struct Linear {
    parameters: Parameters,
    clock: Clock,
    power: Vec<f64>,
    correlation: Vec<Complex64>,
}

impl Linear {
    /// Checks the parameters.
    ///
    /// # Errors
    /// One sentence naming the parameter and the mend.
    pub(crate) fn new(parameters: Parameters) -> Result<Self> {
        let p = &parameters;
        at_least("--grid", p.grid, 4)?;
        even("--grid", p.grid)?;
        ensure!(
            matches!(p.dimensions, 1 | 2),
            "--dimensions must be 1 or 2, but is {}",
            p.dimensions
        );
        positive("--scale", p.scale)?;
        positive("--interval", p.interval)?;
        // One exact step to a frame.
        let clock = Clock::new(p.interval, p.interval, p.burn_in)?;
        finite("--advection", p.advection)?;
        ensure!(
            p.decay.is_finite() && p.decay > 0.0,
            "--decay {} makes |ρ| ≥ 1, so that the field would grow without bound: use a positive \
             number",
            p.decay
        );
        let (ny, nx) = p.shape();
        let mut power = Vec::with_capacity(ny * nx);
        let mut correlation = Vec::with_capacity(ny * nx);
        for row in 0..ny {
            for column in 0..nx {
                let (ky, kx) = (wavenumber(row, ny), wavenumber(column, nx));
                let k = kx.hypot(ky);
                power.push(4.0 * p.scale / (1.0 + (k / 4.0).powi(4)));
                let phase = if 2 * column == nx { 0.0 } else { p.advection * kx };
                correlation.push(Complex64::from_polar((-p.decay * (1.0 + k / 4.0)).exp(), phase));
            }
        }
        if p.unit_variance {
            let variance = power.iter().sum::<f64>() / power.len() as f64;
            power.iter_mut().for_each(|power| *power /= variance);
        }
        Ok(Self { parameters, clock, power, correlation })
    }
}

impl Parameters {
    fn shape(&self) -> (usize, usize) {
        (if self.dimensions == 1 { 1 } else { self.grid }, self.grid)
    }
}

impl Simulator for Linear {
    fn describe(&self) -> Description {
        let names: &[_] = if self.parameters.dimensions == 1 { &["x"] } else { &["y", "x"] };
        let points = self.parameters.grid;
        Description {
            system: "linear",
            axes: names
                .iter()
                .map(|name| AxisInfo { name, points, length: TAU, boundary: Boundary::Periodic })
                .collect(),
            channels: vec![ChannelInfo {
                name: "u",
                units: "1",
                long_name: "linear Gaussian field",
            }],
            clock: self.clock,
            usual_frames: 16,
            parameters: serde_json::json!(self.parameters),
        }
    }

    fn start(&self, seed: u64, index: u64) -> Box<dyn Trajectory + '_> {
        let (ny, nx) = self.parameters.shape();
        let mut run = LinearPath {
            system: self,
            noise: Noise::new(seed, index),
            transform: Plane::new(ny, nx),
            state: vec![Complex64::ZERO; ny * nx],
            work: vec![Complex64::ZERO; ny * nx],
        };
        run.draw_noise();
        for ((state, noise), power) in run.state.iter_mut().zip(&run.work).zip(&self.power) {
            *state = noise * power.sqrt();
        }
        Box::new(run)
    }
}

struct LinearPath<'a> {
    system: &'a Linear,
    noise: Noise,
    transform: Plane,
    /// û, orthonormal.
    state: Vec<Complex64>,
    work: Vec<Complex64>,
}

impl LinearPath<'_> {
    /// The orthonormal transform of white unit grid noise into `work`: unit variance in every mode,
    /// conjugate symmetric, real where a mode is its own mirror.
    fn draw_noise(&mut self) {
        let scale = 1.0 / (self.work.len() as f64).sqrt();
        self.work.fill_with(|| Complex64::new(self.noise.normal() * scale, 0.0));
        self.transform.forward(&mut self.work);
    }
}

impl Trajectory for LinearPath<'_> {
    fn advance(&mut self) -> Result<()> {
        self.draw_noise();
        let statistics = self.system.correlation.iter().zip(&self.system.power);
        for ((state, noise), (rho, power)) in self.state.iter_mut().zip(&self.work).zip(statistics)
        {
            *state = rho * *state + noise * (power * (1.0 - rho.norm_sqr())).sqrt();
        }
        Ok(())
    }

    fn values(&mut self, frame: &mut [f32]) {
        let scale = 1.0 / (self.work.len() as f64).sqrt();
        self.work.copy_from_slice(&self.state);
        self.transform.inverse(&mut self.work);
        for (value, point) in frame.iter_mut().zip(&self.work) {
            *value = (point.re * scale) as f32;
        }
    }
}
