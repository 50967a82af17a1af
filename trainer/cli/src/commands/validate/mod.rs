//! `finescale validate`: the same input through every implementation.

mod mean;
mod picture;
mod predictor;
mod rows;
mod runtimes;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::systems;
use finescale_model::export::Precision;

/// Compare what every runtime makes of a model with the reference in f64.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// The run's folder, or a `model.safetensors`
    model: PathBuf,
    /// Take frames of this data set's validation part, instead of random ones with the data's
    /// spectrum or, of a sensor, with the data's size
    #[arg(long, value_name = "DATASET")]
    data: Option<PathBuf>,
    /// Largest relative difference (RMS over RMS) that passes
    #[arg(long, default_value_t = 1e-5)]
    tolerance: f64,
    /// The same with weights of eight bits, whose rounding a score at a small λ shows most; what it
    /// costs a task is measured by `finescale export`
    #[arg(long, default_value_t = 0.2)]
    tolerance_int8: f64,
    /// Draw the field that is furthest from the reference, PNG or SVG
    #[arg(long, value_name = "PATH", default_value = "validate.png")]
    picture: PathBuf,
}

/// Windows, and paths, that are compared.
const BATCH: usize = 4;
/// Times that a runtime computes an output: the first ones are slow.
const ROUNDS: usize = 5;

impl ValidateArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence; also if a difference is too large.
    pub fn run(self) -> Result<()> {
        let (system, path) = systems::of_run(&self.model)?;
        system.validate(&self, &path)
    }

    /// What passes with weights of such a precision.
    const fn tolerance(&self, precision: Precision) -> f64 {
        match precision {
            Precision::F32 => self.tolerance,
            Precision::Int8 | Precision::Int16 => self.tolerance_int8,
        }
    }
}
