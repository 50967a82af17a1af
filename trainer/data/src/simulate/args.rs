//! The command line of `finescale data simulate SYSTEM`.

use super::kolmogorov::{self, Kolmogorov};
use super::kuramoto_sivashinsky::{self, KuramotoSivashinsky};
use super::linear::{self, Linear};
use super::lorenz96::{self, Lorenz96};
use super::spring_mesh::{self, SpringMesh};
use super::thermal::{self, Thermal};
use super::{Plan, Simulator};
use anyhow::Result;
use std::path::PathBuf;

/// Makes trajectories of a chosen system.
#[derive(Clone, Debug, clap::Args)]
pub struct SimulateArgs {
    /// System and what is asked of it.
    #[command(subcommand)]
    pub system: SystemArgs,
}

/// A system with its parameters.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum SystemArgs {
    /// Two-dimensional Kolmogorov flow: forced, damped turbulence, as vorticity.
    #[command(allow_negative_numbers = true)]
    Kolmogorov(Job<kolmogorov::Parameters>),
    /// Two-scale Lorenz-96: slow X and fast Y on a ring.
    #[command(allow_negative_numbers = true)]
    Lorenz96(Job<lorenz96::Parameters>),
    /// Kuramoto-Sivashinsky equation: one-dimensional chaos.
    #[command(allow_negative_numbers = true)]
    KuramotoSivashinsky(Job<kuramoto_sivashinsky::Parameters>),
    /// Gaussian AR(1) in every Fourier mode: every statistic is known exactly.
    #[command(allow_negative_numbers = true)]
    Linear(Job<linear::Parameters>),
    /// Warm bodies in a room, as a thermal array sees them.
    #[command(allow_negative_numbers = true)]
    Thermal(Job<thermal::Parameters>),
    /// A hanging mesh of springs, let go from a random shape.
    #[command(allow_negative_numbers = true)]
    SpringMesh(Job<spring_mesh::Parameters>),
}

/// Options of every system, and those of one.
#[derive(Clone, Debug, clap::Args)]
pub struct Job<P: clap::Args> {
    /// Shared options.
    #[command(flatten)]
    pub shared: SharedArgs,
    /// Parameters of the system.
    #[command(flatten, next_help_heading = "Parameters of the system")]
    pub parameters: P,
}

/// Options of every system.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct SharedArgs {
    /// Where the data set goes.
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    /// Replaces what is there.
    #[arg(long)]
    pub force: bool,
    /// Key of the random numbers: trajectory i depends on it and on i alone.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Number of trajectories.
    #[arg(long, default_value_t = 100)]
    pub trajectories: usize,
    /// Frames of each trajectory [default: 40 kolmogorov, 64 lorenz96, 32 kuramoto-sivashinsky, 16
    /// linear, 32 thermal, 51 spring-mesh].
    #[arg(long)]
    pub frames: Option<usize>,
}

impl SimulateArgs {
    /// Options of every system.
    pub fn shared(&self) -> &SharedArgs {
        match &self.system {
            SystemArgs::Kolmogorov(job) => &job.shared,
            SystemArgs::Lorenz96(job) => &job.shared,
            SystemArgs::KuramotoSivashinsky(job) => &job.shared,
            SystemArgs::Linear(job) => &job.shared,
            SystemArgs::Thermal(job) => &job.shared,
            SystemArgs::SpringMesh(job) => &job.shared,
        }
    }

    /// The simulator, its parameters checked.
    ///
    /// # Errors
    /// One sentence naming the parameter, or the bound that is broken, and the mend.
    pub fn simulator(&self) -> Result<Box<dyn Simulator>> {
        Ok(match &self.system {
            SystemArgs::Kolmogorov(job) => Box::new(Kolmogorov::new(job.parameters.clone())?),
            SystemArgs::Lorenz96(job) => Box::new(Lorenz96::new(job.parameters.clone())?),
            SystemArgs::KuramotoSivashinsky(job) => {
                Box::new(KuramotoSivashinsky::new(job.parameters.clone())?)
            }
            SystemArgs::Linear(job) => Box::new(Linear::new(job.parameters.clone())?),
            SystemArgs::Thermal(job) => Box::new(Thermal::new(job.parameters.clone())?),
            SystemArgs::SpringMesh(job) => Box::new(SpringMesh::new(job.parameters.clone())?),
        })
    }

    /// How much of it to make.
    pub fn plan(&self, simulator: &dyn Simulator) -> Plan {
        let shared = self.shared();
        Plan {
            seed: shared.seed,
            trajectories: shared.trajectories,
            frames: shared.frames.unwrap_or_else(|| simulator.describe().usual_frames),
        }
    }
}
