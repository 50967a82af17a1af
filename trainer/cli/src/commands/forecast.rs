//! `finescale forecast`: known frames, then as many as asked for.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args;
use serde_json::json;

use crate::systems;
use finescale_field::scale::Scale;
use finescale_model::Dyffusion;
use finescale_sample::ahead::{Ahead, AheadArgs};
use finescale_sample::generator::dyffusion::{Evaluators, WindowArgs};
use finescale_sample::generator::{Assignment, DrivenPaths, Generator, WindowPaths};
use finescale_sample::{Domain, InputArgs, Preset, ReadyTask, TaskArgs, trained};

/// Forecast from given frames
///
/// With predictor-driven diffusion a rollout at λ*, then down to λ = 0 with the given frames held;
/// with DYffusion window by window from the last given frame.
#[derive(Debug, Args)]
pub struct ForecastArgs {
    /// The frames to start from, at the model's resolution: a data set, NetCDF, Zarr, .npy or .npz
    data: PathBuf,
    #[command(flatten)]
    ahead: AheadArgs,
    #[command(flatten)]
    task: TaskArgs,
    #[command(flatten)]
    window: WindowArgs,
    #[command(flatten)]
    take: InputArgs,
}

impl ForecastArgs {
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
        systems::of_model(&self.task.model)?.forecast(&self)
    }

    /// With a predictor.
    pub(crate) fn with_predictor(&self) -> Result<()> {
        ensure!(
            self.window.is_empty(),
            "--sampling, --masks, --last-step, --refine and --dropout are for models of DYffusion: \
             leave them out"
        );
        let model = self.task.open()?;
        let view = model.view()?;
        let settings = self.task.sampler.settings(&model, |preset| {
            Ok(match preset {
                // What a forecast knows of its start it sees through the noise of λ*.
                Preset::Ours => 0.01,
                Preset::Paper => 0.2,
            })
        })?;
        let fields = (&Domain::from(&view), &Scale::of(&view));
        let ahead = self.ahead.read(&self.take, &self.data, fields, view.window(), "forecast")?;
        self.draw(&DrivenPaths { model: &model, settings: &settings }, ahead)
    }

    /// With networks of DYffusion, which `load` evaluates.
    pub(crate) fn with_windows(
        &self,
        load: impl FnOnce(&finescale_model::Model<Dyffusion>) -> Result<Box<dyn Evaluators>>,
    ) -> Result<()> {
        ensure!(
            !self.task.linear,
            "--linear is for models of predictor-driven diffusion, and --model is of DYffusion: \
             leave it out"
        );
        ensure!(
            self.task.sampler.is_empty(),
            "the sampler's options are for models of predictor-driven diffusion, and --model is of \
             DYffusion: leave them out, or use --sampling, --masks, --last-step, --refine and \
             --dropout"
        );
        let (model, hash) = trained::<Dyffusion>(&self.task.model)?;
        let about = self.window.over(&model.meta.system)?;
        let networks = load(&model)?;
        let meta = &model.meta;
        let scale = meta.channels.iter().map(|c| (c.mean as f32, c.std as f32)).collect();
        let fields = (&Domain::of(meta)?, &scale);
        let ahead = self.ahead.read(&self.take, &self.data, fields, 1, "forecast")?;
        let networks = networks.as_ref();
        self.draw(&WindowPaths { model: &model, hash: &hash, about, networks }, ahead)
    }

    fn draw(&self, generator: &dyn Generator, ahead: Ahead) -> Result<()> {
        let Ahead { spec, given, spectra, truth, from } = ahead;
        let ready = ReadyTask {
            generator,
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
