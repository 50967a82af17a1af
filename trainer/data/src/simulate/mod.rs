//! Simulators of the systems on which skill is claimed, and the driver that runs them on all cores.
//!
//! | system | equation | time stepping |
//! |---|---|---|
//! | [`kolmogorov`] | 2-D vorticity with drag and sinusoidal forcing | integrating-factor RK4, pseudo-spectral |
//! | `lorenz96` | two-scale Lorenz-96 | RK4 or forward Euler |
//! | `kuramoto_sivashinsky` | u_t = −u u_x − u_xx − u_xxxx | ETDRK4, pseudo-spectral |
//! | `linear` | AR(1) in every Fourier mode | exact |
//! | `thermal` | warm bodies in a room, as a thermal array sees them | explicit, upwind |
//! | `spring_mesh` | a hanging mesh of springs | RK4 |
//!
//! All arithmetic is in f64; frames leave as f32, row-major `[channel][y][x]`. Trajectory `i`
//! depends on (seed, i) and on the system's parameters alone, not on the number of threads or of
//! trajectories (see `random.rs`). Equations, bounds and sources: `docs/simulators.md`.

mod args;
mod check;
mod clock;
mod driver;
mod etdrk4;
pub mod kolmogorov;
mod kuramoto_sivashinsky;
mod linear;
mod lorenz96;
mod random;
mod spectral;
mod spring_mesh;
mod thermal;
mod write;

pub use args::{Job, SharedArgs, SimulateArgs, SystemArgs};
pub use clock::Clock;
pub use driver::{Plan, TrajectorySink, run};

use anyhow::Result;
use finescale::Boundary;
use serde::Serialize;

/// One variable of a system.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelInfo {
    /// Short name, as a variable is called in a file.
    pub name: &'static str,
    /// Units; "1" where the system has none.
    pub units: &'static str,
    /// A phrase for axis labels.
    pub long_name: &'static str,
}

/// One spatial axis of the output grid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AxisInfo {
    /// "x" or "y".
    pub name: &'static str,
    /// Grid points.
    pub points: usize,
    /// Length in the system's own units: point `i` lies at `i * length / points`, half a distance
    /// further where the axis reflects. A data set's wavenumbers take it as 2π.
    pub length: f64,
    /// What is beyond its ends.
    pub boundary: Boundary,
}

/// What a system gives.
#[derive(Clone, Debug)]
pub struct Description {
    /// The name on the command line, for example "kolmogorov".
    pub system: &'static str,
    /// Axes of the output grid, y before x.
    pub axes: Vec<AxisInfo>,
    /// Variables, in the order of the `[channel]` index.
    pub channels: Vec<ChannelInfo>,
    /// Its time steps, frames and burn-in.
    pub clock: Clock,
    /// Frames of a trajectory when the user names none: the paper's.
    pub usual_frames: usize,
    /// Every physical and numerical parameter, for the manifest.
    pub parameters: serde_json::Value,
}

impl Description {
    /// Numbers in a frame: channels × points.
    pub fn frame_len(&self) -> usize {
        self.channels.len() * self.axes.iter().map(|axis| axis.points).product::<usize>()
    }
}

/// A system with its parameters checked, ready to make trajectories.
pub trait Simulator: Sync {
    /// What it gives.
    fn describe(&self) -> Description;

    /// The initial state of trajectory `index`, before burn-in.
    fn start(&self, seed: u64, index: u64) -> Box<dyn Trajectory + '_>;
}

/// A trajectory under way.
pub trait Trajectory {
    /// Moves on by one frame interval.
    ///
    /// # Errors
    /// One sentence with the time, when the solution blows up or is about to.
    fn advance(&mut self) -> Result<()>;

    /// Writes the present state as a frame, `[channel][y][x]`.
    fn values(&mut self, frame: &mut [f32]);
}
