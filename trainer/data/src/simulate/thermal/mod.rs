//! What a thermal array sees: warm bodies that walk through a room, and the warmth that they leave.
//!
//! ```text
//! T = ambient + scene(x) + w(x, t) + Σ_i a_i b((x − c_i(t)) / size_i),   w_t + v·∇w = D ∇²w + (Σ_i a_i b_i − w)/τ
//! ```
//!
//! b is 1 inside an ellipse and falls to 0 over an edge, which the sensor's blur widens. Bodies walk
//! with velocities that are Ornstein-Uhlenbeck processes, in an arena larger than the view, so that
//! they come and go; its walls reflect. The scene is a smooth random field that stays, v a draught
//! that stays too; w has no flux through the edges of the view.

mod scene;
#[cfg(test)]
mod tests;

use super::check::{at_least, finite, not_negative, positive};
use super::clock::{Clock, step_within};
use super::{AxisInfo, ChannelInfo, Description, Simulator, Trajectory};
use anyhow::{Result, ensure};
use finescale::Boundary;
use scene::Scene;
use serde::{Deserialize, Serialize};

/// What a user may choose; the defaults are in `Default`. Lengths are parts of the view's height,
/// times are seconds, temperatures °C.
#[derive(Clone, Debug, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Points along y.
    #[arg(long, default_value_t = Self::default().rows)]
    pub rows: usize,
    /// Points along x.
    #[arg(long, default_value_t = Self::default().columns)]
    pub columns: usize,
    /// Bodies in the arena, which has nine times the area of the view.
    #[arg(long, default_value_t = Self::default().bodies)]
    pub bodies: usize,
    /// Temperature of the room.
    #[arg(long, default_value_t = Self::default().ambient)]
    pub ambient: f64,
    /// How much warmer than the room a body is: mean over bodies, which differ by a quarter of it.
    #[arg(long, default_value_t = Self::default().warmth)]
    pub warmth: f64,
    /// Half of a body's mean diameter, as a part of the view.
    #[arg(long, default_value_t = Self::default().size)]
    pub size: f64,
    /// Width of a body's edge with the sensor's blur, as a part of the view.
    #[arg(long, default_value_t = Self::default().edge)]
    pub edge: f64,
    /// Root mean square of each component of a body's velocity, views a second.
    #[arg(long, default_value_t = Self::default().speed)]
    pub speed: f64,
    /// Time after which a body has forgotten its velocity.
    #[arg(long, default_value_t = Self::default().persistence)]
    pub persistence: f64,
    /// Standard deviation of what does not move.
    #[arg(long, default_value_t = Self::default().scene)]
    pub scene: f64,
    /// Time in which a body warms what it stands before, and in which that cools again.
    #[arg(long, default_value_t = Self::default().cooling)]
    pub cooling: f64,
    /// Diffusion of the warmth that is left, squared views a second.
    #[arg(long, default_value_t = Self::default().diffusion)]
    pub diffusion: f64,
    /// Root mean square of each component of the draught, views a second.
    #[arg(long, default_value_t = Self::default().draught)]
    pub draught: f64,
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
            rows: 32,
            columns: 32,
            bodies: 12,
            ambient: 23.0,
            warmth: 7.0,
            size: 0.13,
            edge: 0.03,
            speed: 0.15,
            persistence: 2.0,
            scene: 0.7,
            cooling: 10.0,
            diffusion: 1e-3,
            draught: 0.02,
            dt: 0.05,
            interval: 0.25,
            burn_in: 20.0,
        }
    }
}

/// The room with checked parameters.
#[derive(Clone, Debug)]
pub(crate) struct Thermal {
    parameters: Parameters,
    clock: Clock,
}

impl Thermal {
    /// Checks the parameters.
    ///
    /// # Errors
    /// One sentence naming the parameter, or the bound that is broken, and the mend.
    pub(crate) fn new(parameters: Parameters) -> Result<Self> {
        let p = &parameters;
        let clock = Clock::new(p.dt, p.interval, p.burn_in)?;
        at_least("--rows", p.rows, 8)?;
        at_least("--columns", p.columns, 8)?;
        at_least("--bodies", p.bodies, 1)?;
        finite("--ambient", p.ambient)?;
        finite("--warmth", p.warmth)?;
        for (flag, value) in [
            ("--size", p.size),
            ("--edge", p.edge),
            ("--persistence", p.persistence),
            ("--cooling", p.cooling),
        ] {
            positive(flag, value)?;
        }
        for (flag, value) in [
            ("--speed", p.speed),
            ("--scene", p.scene),
            ("--diffusion", p.diffusion),
            ("--draught", p.draught),
        ] {
            not_negative(flag, value)?;
        }
        // Explicit steps of upwind advection and diffusion in two dimensions, whose draught is
        // held within three of its standard deviations.
        let h = 1.0 / p.rows.max(p.columns) as f64;
        let rate = 2.0 * (3.0 * p.draught / h + 2.0 * p.diffusion / (h * h)) + 1.0 / p.cooling;
        ensure!(
            p.dt * rate <= 1.0,
            "--dt {} breaks the bound {:.3e} of explicit steps of --diffusion {} and --draught {} \
             on this grid: use --dt {} or smaller",
            p.dt,
            1.0 / rate,
            p.diffusion,
            p.draught,
            step_within(p.interval, 1.0 / rate)
        );
        Ok(Self { parameters, clock })
    }
}

impl Simulator for Thermal {
    fn describe(&self) -> Description {
        let axis = |name, points| AxisInfo {
            name,
            points,
            length: points as f64 / self.parameters.rows as f64,
            boundary: Boundary::Reflecting,
        };
        Description {
            system: "thermal",
            axes: vec![axis("y", self.parameters.rows), axis("x", self.parameters.columns)],
            channels: vec![ChannelInfo {
                name: "temperature",
                units: "degC",
                long_name: "temperature that a thermal array sees",
            }],
            clock: self.clock,
            usual_frames: 32,
            parameters: serde_json::json!(self.parameters),
        }
    }

    fn start(&self, seed: u64, index: u64) -> Box<dyn Trajectory + '_> {
        let scene = Scene::new(&self.parameters, seed, index);
        Box::new(ThermalPath { scene, clock: self.clock })
    }
}

struct ThermalPath {
    scene: Scene,
    clock: Clock,
}

impl Trajectory for ThermalPath {
    fn advance(&mut self) -> Result<()> {
        for _ in 0..self.clock.steps {
            self.scene.step(self.clock.dt());
        }
        Ok(())
    }

    fn values(&mut self, frame: &mut [f32]) {
        for (value, temperature) in frame.iter_mut().zip(self.scene.temperatures()) {
            *value = temperature as f32;
        }
    }
}
