//! The Kuramoto-Sivashinsky equation: one-dimensional spatio-temporal chaos.

mod solver;
#[cfg(test)]
mod tests;

pub(crate) use solver::Solver;

use super::check::{at_least, even, positive};
use super::clock::{Clock, step_within};
use super::random::Noise;
use super::{AxisInfo, ChannelInfo, Description, Simulator, Trajectory};
use anyhow::{Result, ensure};
use finescale::Boundary;
use num_complex::Complex64;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// The largest wavenumber kept must be damped well: at 2 the rate k² − k⁴ is −12.
const LEAST_CUTOFF: f64 = 2.0;

/// ETDRK4 integrates the linear part exactly; what bounds it is advection at the wavenumbers that
/// carry energy. Measured: variance and lag-1 correlation are right to 2 % up to 0.5.
const LARGEST_STEP: f64 = 0.5;

/// ½⟨u²⟩ is near 0.85 on every long domain; a solution that is far above has blown up.
const LARGEST_ENERGY: f64 = 100.0;

/// What a user may choose; the defaults are in `Default`.
#[derive(Clone, Debug, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Points of the solver and of the output.
    #[arg(long, default_value_t = Self::default().grid)]
    pub grid: usize,
    /// L, the period of the domain.
    #[arg(long, default_value_t = Self::default().length)]
    pub length: f64,
    /// Time step.
    #[arg(long, default_value_t = Self::default().dt)]
    pub dt: f64,
    /// Time between frames.
    #[arg(long, default_value_t = Self::default().interval)]
    pub interval: f64,
    /// Time that is thrown away before the first frame.
    #[arg(long, default_value_t = Self::default().burn_in)]
    pub burn_in: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { grid: 64, length: 44.0, dt: 0.125, interval: 1.5, burn_in: 150.0 }
    }
}

/// The equation with checked parameters.
#[derive(Clone, Debug)]
pub(crate) struct KuramotoSivashinsky {
    parameters: Parameters,
    clock: Clock,
}

impl KuramotoSivashinsky {
    /// Checks the parameters.
    ///
    /// # Errors
    /// One sentence naming the parameter, or the bound that is broken, and the mend.
    pub(crate) fn new(parameters: Parameters) -> Result<Self> {
        let p = &parameters;
        let clock = Clock::new(p.dt, p.interval, p.burn_in)?;
        positive("--length", p.length)?;
        at_least("--grid", p.grid, 8)?;
        even("--grid", p.grid)?;
        ensure!(
            p.length > TAU,
            "--length {} holds no growing wave: every solution decays to rest unless it exceeds 2π",
            p.length
        );
        let cutoff = TAU / p.length * ((p.grid - 1) / 3) as f64;
        let needed = (LEAST_CUTOFF * p.length / TAU).ceil() as usize * 3 + 1;
        ensure!(
            cutoff >= LEAST_CUTOFF,
            "--grid {} keeps wavenumbers up to {cutoff:.2} only, too few to damp what the unstable \
             ones (below 1) feed: use --grid {} or more",
            p.grid,
            needed.next_multiple_of(2)
        );
        ensure!(
            p.dt <= LARGEST_STEP,
            "--dt {} breaks ETDRK4's advective bound of {LARGEST_STEP}: use --dt {} or smaller",
            p.dt,
            step_within(p.interval, LARGEST_STEP)
        );
        Ok(Self { clock, parameters })
    }

    fn solver(&self, seed: u64, index: u64) -> Solver {
        let p = &self.parameters;
        let mut solver = Solver::new(p.grid, p.length, self.clock.dt());
        let mut noise = Noise::new(seed, index);
        // The growing waves, |k| < 1, at a tenth of the size that they will have.
        let growing = (p.length / TAU).ceil() as usize;
        let scale = 0.1 / (growing as f64).sqrt();
        for amplitude in solver.amplitudes.iter_mut().skip(1).take(growing) {
            *amplitude = Complex64::new(noise.normal(), noise.normal()) * scale;
        }
        solver
    }
}

impl Simulator for KuramotoSivashinsky {
    fn describe(&self) -> Description {
        Description {
            system: "kuramoto-sivashinsky",
            axes: vec![AxisInfo {
                name: "x",
                points: self.parameters.grid,
                length: self.parameters.length,
                boundary: Boundary::Periodic,
            }],
            channels: vec![ChannelInfo { name: "u", units: "1", long_name: "velocity" }],
            clock: self.clock,
            usual_frames: 32,
            parameters: serde_json::json!(self.parameters),
        }
    }

    fn start(&self, seed: u64, index: u64) -> Box<dyn Trajectory + '_> {
        Box::new(SivashinskyPath {
            solver: self.solver(seed, index),
            clock: self.clock,
            intervals: 0,
        })
    }
}

struct SivashinskyPath {
    solver: Solver,
    clock: Clock,
    intervals: usize,
}

impl Trajectory for SivashinskyPath {
    fn advance(&mut self) -> Result<()> {
        for _ in 0..self.clock.steps {
            self.solver.step();
        }
        self.intervals += 1;
        ensure!(
            // False for what is not a number, too.
            self.solver.energy() < LARGEST_ENERGY,
            self.clock.blow_up("the solution", self.intervals as f64 * self.clock.interval)
        );
        Ok(())
    }

    fn values(&mut self, frame: &mut [f32]) {
        self.solver.sample(frame);
    }
}
