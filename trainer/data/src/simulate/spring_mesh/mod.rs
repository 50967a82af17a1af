//! A square mesh of springs that hangs from its top row, let go from a random shape.

mod mesh;
#[cfg(test)]
mod tests;

use super::check::{at_least, not_negative, positive};
use super::clock::{Clock, step_within};
use super::random::Noise;
use super::{AxisInfo, ChannelInfo, Description, Simulator, Trajectory};
use anyhow::{Result, ensure};
use finescale::Boundary;
use mesh::Mesh;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// What a user may choose; the defaults are those of the benchmark that the system comes from, at
/// every sixteenth of its frames.
#[derive(Clone, Debug, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Masses in a row and in a column; those of the top row do not move.
    #[arg(long, default_value_t = Self::default().masses)]
    pub masses: usize,
    /// k, the stiffness of each spring; every mass is 1.
    #[arg(long, default_value_t = Self::default().stiffness)]
    pub stiffness: f64,
    /// γ, the damping of each mass by its velocity.
    #[arg(long, default_value_t = Self::default().damping)]
    pub damping: f64,
    /// Radius of the disc in which each mass is displaced at first; the distance of two masses is 1.
    #[arg(long, default_value_t = Self::default().radius)]
    pub radius: f64,
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
            masses: 10,
            stiffness: 1.0,
            damping: 0.1,
            radius: 0.35,
            dt: 0.0078125,
            interval: 0.125,
            burn_in: 0.0,
        }
    }
}

/// A spring mesh with checked parameters.
///
/// Frames are 4 channels × masses × masses: how far each mass is from its place, along x and along
/// y, and its momentum. y points down, from the fixed row.
#[derive(Clone, Debug)]
pub(crate) struct SpringMesh {
    parameters: Parameters,
    clock: Clock,
}

impl SpringMesh {
    /// Checks the parameters.
    ///
    /// # Errors
    /// One sentence naming the parameter, or the bound that is broken, and the mend.
    pub(crate) fn new(parameters: Parameters) -> Result<Self> {
        let p = &parameters;
        let clock = Clock::new(p.dt, p.interval, p.burn_in)?;
        at_least("--masses", p.masses, 8)?;
        positive("--stiffness", p.stiffness)?;
        not_negative("--damping", p.damping)?;
        ensure!(
            p.radius > 0.0 && p.radius < 0.5,
            "--radius must be above 0 and below 0.5, where two masses could meet, but is {}",
            p.radius
        );
        let bound = p.largest_step();
        ensure!(
            p.dt <= bound,
            "--dt {} breaks the bound of RK4, 2.8 / (4 √k + γ): use --dt {} or smaller",
            p.dt,
            step_within(p.interval, bound)
        );
        Ok(Self { clock, parameters })
    }
}

impl Parameters {
    /// Each mass has 8 springs, so that no frequency is above 4 √k.
    fn largest_step(&self) -> f64 {
        2.8 / (4.0 * self.stiffness.sqrt() + self.damping)
    }
}

impl Simulator for SpringMesh {
    fn describe(&self) -> Description {
        let masses = self.parameters.masses;
        let axis = |name| AxisInfo {
            name,
            points: masses,
            length: masses as f64,
            boundary: Boundary::Reflecting,
        };
        let channel = |name, long_name| ChannelInfo { name, units: "1", long_name };
        Description {
            system: "spring-mesh",
            axes: vec![axis("y"), axis("x")],
            channels: vec![
                channel("dx", "displacement along x"),
                channel("dy", "displacement along y"),
                channel("px", "momentum along x"),
                channel("py", "momentum along y"),
            ],
            clock: self.clock,
            usual_frames: 51,
            parameters: serde_json::json!(self.parameters),
        }
    }

    fn start(&self, seed: u64, index: u64) -> Box<dyn Trajectory + '_> {
        let p = &self.parameters;
        let mut mesh = Mesh::at_rest([p.masses; 2], p.stiffness, p.damping);
        let mut noise = Noise::new(seed, index);
        for place in mesh.free_places() {
            // Uniform in the disc.
            let (distance, angle) = (p.radius * noise.uniform().sqrt(), TAU * noise.uniform());
            place[0] += distance * angle.cos();
            place[1] += distance * angle.sin();
        }
        let most = 1.001 * mesh.energy();
        Box::new(Swinging { mesh, most, clock: self.clock, intervals: 0 })
    }
}

struct Swinging {
    mesh: Mesh,
    /// The energy of a solution that follows the equations never grows.
    most: f64,
    clock: Clock,
    intervals: usize,
}

impl Trajectory for Swinging {
    fn advance(&mut self) -> Result<()> {
        for _ in 0..self.clock.steps {
            self.mesh.step(self.clock.dt());
        }
        self.intervals += 1;
        ensure!(
            // False for what is not a number, too.
            self.mesh.energy() <= self.most,
            self.clock.blow_up("the mesh", self.intervals as f64 * self.clock.interval)
        );
        Ok(())
    }

    fn values(&mut self, frame: &mut [f32]) {
        let channels = frame.len() / 4;
        let [places, momenta] = [self.mesh.displacements(), self.mesh.momenta().to_vec()];
        for (pair, vectors) in frame.chunks_exact_mut(2 * channels).zip([places, momenta]) {
            let (x, y) = pair.split_at_mut(channels);
            for ((x, y), vector) in x.iter_mut().zip(y).zip(vectors) {
                (*x, *y) = (vector[0] as f32, vector[1] as f32);
            }
        }
    }
}
