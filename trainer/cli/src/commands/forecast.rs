//! `finescale forecast`: known frames, then as many as asked for.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use finescale_sample::ahead::{Ahead, AheadArgs};
use finescale_sample::generator::{Assignment, DrivenPaths};
use finescale_sample::{InputArgs, Preset, ReadyTask, TaskArgs};

/// Forecast from given frames: a rollout at λ*, then down to λ = 0 with the given frames held
#[derive(Debug, Args)]
pub struct ForecastArgs {
    /// The frames to start from, at the model's resolution: a data set, NetCDF, Zarr, .npy or .npz
    data: PathBuf,
    #[command(flatten)]
    ahead: AheadArgs,
    #[command(flatten)]
    task: TaskArgs,
    #[command(flatten)]
    take: InputArgs,
}

impl ForecastArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        let model = self.task.open()?;
        let view = model.view()?;
        let settings = self.task.sampler.settings(&model, |preset| {
            Ok(match preset {
                // What a forecast knows of its start it sees through the noise of λ*.
                Preset::Ours => 0.01,
                Preset::Paper => 0.2,
            })
        })?;
        let ahead = self.ahead.read(&self.take, &self.data, &view, "forecast")?;
        let Ahead { spec, given, spectra, truth, from } = ahead;
        let ready = ReadyTask {
            generator: &DrivenPaths { model: &model, settings: &settings },
            assignment: Assignment::Forecast { spectra, given },
            given,
            input: None,
            truth,
            options: json!({ "given": given }),
            from: &from,
            spec,
        };
        self.task.sample(ready)
    }
}
