//! Two-scale Lorenz-96: slow variables on a ring, each driving and driven by a group of fast ones.

mod state;
#[cfg(test)]
mod tests;

pub(crate) use state::{Physics, Scheme};

use super::check::{at_least, finite, positive};
use super::clock::{Clock, step_within};
use super::random::Noise;
use super::{AxisInfo, ChannelInfo, Description, Simulator, Trajectory};
use anyhow::{Result, ensure};
use finescale::Boundary;
use serde::{Deserialize, Serialize};
use state::{Model, State};

/// What a user may choose; the defaults are the paper's but for the scheme and its step.
#[derive(Clone, Debug, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// K, number of slow variables.
    #[arg(long, default_value_t = Self::default().slow)]
    pub slow: usize,
    /// J, number of fast variables to each slow one.
    #[arg(long, default_value_t = Self::default().fast)]
    pub fast: usize,
    /// F, the forcing.
    #[arg(long, default_value_t = Self::default().forcing)]
    pub forcing: f64,
    /// h, strength of the coupling.
    #[arg(long, default_value_t = Self::default().coupling)]
    pub coupling: f64,
    /// c, how much faster the fast variables are.
    #[arg(long, default_value_t = Self::default().time_scale_ratio)]
    pub time_scale_ratio: f64,
    /// b, how much smaller the fast variables are.
    #[arg(long, default_value_t = Self::default().amplitude_ratio)]
    pub amplitude_ratio: f64,
    /// Time stepping; the paper's is Euler with --dt 5e-4.
    #[arg(long, value_enum, default_value_t = Self::default().scheme)]
    pub scheme: Scheme,
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
        Self {
            slow: 32,
            fast: 4,
            forcing: 10.0,
            coupling: 1.0,
            time_scale_ratio: 10.0,
            amplitude_ratio: 10.0,
            scheme: Scheme::Rk4,
            dt: 2.5e-3,
            interval: 0.05,
            burn_in: 30.0,
        }
    }
}

/// Two-scale Lorenz-96 with checked parameters.
///
/// Frames are 2 channels × K·J points: channel 0 is X, every X_k repeated on its J points, and
/// channel 1 is Y.
#[derive(Clone, Debug)]
pub(crate) struct Lorenz96 {
    parameters: Parameters,
    clock: Clock,
}

impl Lorenz96 {
    /// Checks the parameters.
    ///
    /// # Errors
    /// One sentence naming the parameter, or the bound that is broken, and the mend.
    pub(crate) fn new(parameters: Parameters) -> Result<Self> {
        let p = &parameters;
        let clock = Clock::new(p.dt, p.interval, p.burn_in)?;
        at_least("--slow", p.slow, 4)?;
        at_least("--fast", p.fast, 1)?;
        finite("--forcing", p.forcing)?;
        finite("--coupling", p.coupling)?;
        positive("--time-scale-ratio", p.time_scale_ratio)?;
        positive("--amplitude-ratio", p.amplitude_ratio)?;
        let (bound, rule) = p.largest_step();
        ensure!(
            p.dt <= bound,
            "--dt {} breaks the {rule}: use --dt {} or smaller",
            p.dt,
            step_within(p.interval, bound)
        );
        Ok(Self { clock, parameters })
    }

    fn model(&self, seed: u64, index: u64) -> Model {
        let p = &self.parameters;
        let physics = p.physics();
        let mut state = State::zeros(&physics);
        let mut noise = Noise::new(seed, index);
        // Far from every symmetric solution and within the attractor's spread; the burn-in does the
        // rest.
        state.slow_mut().fill_with(|| p.forcing / 4.0 + noise.normal());
        let spread = 1.0 / p.amplitude_ratio;
        state.fast_mut().fill_with(|| spread * noise.normal());
        Model::new(physics, p.scheme, self.clock.dt(), state)
    }
}

impl Parameters {
    fn physics(&self) -> Physics {
        Physics {
            slow: self.slow,
            fast: self.fast,
            forcing: self.forcing,
            coupling: self.coupling,
            time_scale_ratio: self.time_scale_ratio,
            amplitude_ratio: self.amplitude_ratio,
        }
    }

    /// The largest stable time step, and the rule that sets it.
    ///
    /// Around a state of size A the linearised advection has rates up to 2A (X) and 2cbA (Y).
    /// RK4 must hold for bursts, A = F and F h/b, about three and four times the spread. Euler
    /// amplifies waves that damping d does not outweigh, unless dt < 2d/(d² + w²) at their rate w;
    /// A = 0.9 F and 0.9 F h/b. Measured with the default parameters, RK4 runs at 0.0125 and blows
    /// up at 0.017; Euler runs at 0.001, if with a bias, and blows up at 0.00135.
    fn largest_step(&self) -> (f64, &'static str) {
        let (force, c) = (self.forcing.abs(), self.time_scale_ratio);
        let coupled = force * self.coupling.abs();
        match self.scheme {
            Scheme::Rk4 => {
                let rate = (1.0 + 2.0 * force).max(c * (1.0 + 2.0 * coupled));
                (2.8 / rate, "bound of RK4, 2.8 / max(1 + 2 F, c (1 + 2 F h))")
            }
            Scheme::Euler => {
                let bound =
                    |damping: f64, wave: f64| 2.0 * damping / (damping.powi(2) + wave * wave);
                let slow = bound(1.0, 1.8 * force);
                (
                    slow.min(bound(c, 1.8 * c * coupled)),
                    "bound of forward Euler, \
                  2 d / (d² + w²) with damping d = 1 or c and advection w = 1.8 F or 1.8 c F h",
                )
            }
        }
    }

    /// No solution of the equations leaves the ball Σ X² + Σ Y² ≤ K F² / min(1, 2c) for good, and
    /// none outside grows: d/dt (Σ X² + Σ Y²) = 2 (F Σ X − Σ X² − c Σ Y²).
    fn attracting_square(&self) -> f64 {
        self.slow as f64 * self.forcing.powi(2) / (2.0 * self.time_scale_ratio).min(1.0)
    }
}

impl Simulator for Lorenz96 {
    fn describe(&self) -> Description {
        let points = self.parameters.slow * self.parameters.fast;
        // The ring has no length of its own; one unit to a slow variable is the usual picture.
        Description {
            system: "lorenz96",
            axes: vec![AxisInfo {
                name: "x",
                points,
                length: self.parameters.slow as f64,
                boundary: Boundary::Periodic,
            }],
            channels: vec![
                ChannelInfo { name: "X", units: "1", long_name: "slow variable X" },
                ChannelInfo { name: "Y", units: "1", long_name: "fast variable Y" },
            ],
            clock: self.clock,
            usual_frames: 64,
            parameters: serde_json::json!(self.parameters),
        }
    }

    fn start(&self, seed: u64, index: u64) -> Box<dyn Trajectory + '_> {
        let model = self.model(seed, index);
        let largest_square = 4.0 * self.parameters.attracting_square().max(model.state.square());
        Box::new(LorenzPath { model, largest_square, clock: self.clock, intervals: 0 })
    }
}

struct LorenzPath {
    model: Model,
    /// Σ X² + Σ Y² of a solution that follows the equations stays below this.
    largest_square: f64,
    clock: Clock,
    intervals: usize,
}

impl Trajectory for LorenzPath {
    fn advance(&mut self) -> Result<()> {
        for _ in 0..self.clock.steps {
            self.model.step();
        }
        self.intervals += 1;
        ensure!(
            // False for what is not a number, too.
            self.model.state.square() <= self.largest_square,
            self.clock.blow_up("the solution", self.intervals as f64 * self.clock.interval)
        );
        Ok(())
    }

    fn values(&mut self, frame: &mut [f32]) {
        let (slow, fast) = frame.split_at_mut(frame.len() / 2);
        let group = self.model.physics.fast;
        for (points, x) in slow.chunks_exact_mut(group).zip(self.model.state.slow()) {
            points.fill(*x as f32);
        }
        for (point, y) in fast.iter_mut().zip(self.model.state.fast()) {
            *point = *y as f32;
        }
    }
}
