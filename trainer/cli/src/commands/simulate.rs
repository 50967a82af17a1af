//! `finescale simulate`: given frames, rolled at one λ.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::systems;
use finescale_field::scale::Scale;
use finescale_sample::ahead::{Ahead, AheadArgs};
use finescale_sample::generator::{Assignment, DrivenPaths};
use finescale_sample::{Domain, InputArgs, ReadyTask, TaskArgs};

/// Simulate from given frames: roll the predictor at one λ
///
/// Frames stay at λ: their modes are damped and noised as far as that says. `finescale forecast`
/// brings them back to 0.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The frames to start from, at the model's resolution: a data set, NetCDF, Zarr, .npy or .npz
    data: PathBuf,
    /// Roll without the noise √S of every step: the predictor's mean
    #[arg(long)]
    no_noise: bool,
    #[command(flatten)]
    ahead: AheadArgs,
    #[command(flatten)]
    task: TaskArgs,
    #[command(flatten)]
    take: InputArgs,
}

impl SimulateArgs {
    /// The model.
    pub(crate) fn model(&self) -> &Path {
        &self.task.model
    }

    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        self.task.check()?;
        systems::of_model(&self.task.model)?.simulate(&self)
    }

    /// With a predictor.
    pub(crate) fn with_predictor(&self) -> Result<()> {
        let model = self.task.open()?;
        let view = model.view()?;
        // A model that has learned from clean frames rolls them as they are.
        let trained = view.tables().lambdas.first().copied().unwrap_or(DEFAULT);
        let settings = self.task.sampler.settings(&model, |_| Ok(trained.min(DEFAULT)))?;
        let fields = (&Domain::from(&view), &Scale::of(&view));
        let ahead = self.ahead.read(&self.take, &self.data, fields, view.window(), "simulated")?;
        let Ahead { spec, given, spectra, truth, from } = ahead;
        let noise = !self.no_noise;
        let ready = ReadyTask {
            generator: &DrivenPaths { model: &model, settings: &settings },
            assignment: Assignment::Simulate { spectra, given, noise },
            given,
            input: None,
            truth,
            options: json!({ "given": given, "noise": noise }),
            from: &from,
            spec,
        };
        self.task.sample(ready)
    }
}

/// λ of a simulation with a model that was trained over noise alone: the frames are nearly those of
/// the data.
const DEFAULT: f32 = 0.001;
