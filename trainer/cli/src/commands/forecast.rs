//! `finescale forecast`: known frames, then as many as asked for.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args;
use serde_json::json;

use crate::systems;
use finescale_ensemble::Task;
use finescale_field::scale::Scale;
use finescale_model::{Dydiff, Dyffusion, Flex, Model};
use finescale_sample::ahead::{Ahead, AheadArgs};
use finescale_sample::generator::windows::chain::ChainArgs;
use finescale_sample::generator::windows::dyffusion::WindowArgs;
use finescale_sample::generator::windows::{Evaluators, Windowed};
use finescale_sample::generator::{Assignment, DrivenPaths, Generator, WindowPaths, refuse};
use finescale_sample::{Domain, InputArgs, Preset, ReadyTask, TaskArgs, trained};

/// Forecast from given frames
///
/// With predictor-driven diffusion a rollout at λ*, then down to λ = 0 with the given frames held;
/// with DYffusion, Dynamical Diffusion and FLEX window by window from the last given frames.
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
    chain: ChainArgs,
    #[command(flatten)]
    take: InputArgs,
}

/// Makes what evaluates a model's networks, as they are sampled.
pub(crate) trait Load<S>: FnOnce(&Model<S>, S) -> Result<Box<dyn Evaluators>> {}

impl<S, F: FnOnce(&Model<S>, S) -> Result<Box<dyn Evaluators>>> Load<S> for F {}

/// Refuses options of samplers that a system does not have; `flags`: what it has.
///
/// # Errors
/// One sentence.
pub(crate) fn refuse_sampler(task: &TaskArgs, system: &str, flags: &str) -> Result<()> {
    ensure!(
        !task.linear,
        "--linear is for models of predictor-driven diffusion, and --model is of {system}: leave it \
         out"
    );
    ensure!(
        task.sampler.is_empty(),
        "the sampler's options are for models of predictor-driven diffusion, and --model is of \
         {system}: leave them out, or use {flags}"
    );
    Ok(())
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
        self.refuse_window()?;
        self.refuse_chain()?;
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
    pub(crate) fn with_dyffusion(&self, load: impl Load<Dyffusion>) -> Result<()> {
        refuse_sampler(&self.task, "DYffusion", WindowArgs::FLAGS)?;
        self.refuse_chain()?;
        self.with_windows(|about| self.window.over(about), load)
    }

    /// With a network of Dynamical Diffusion, which `load` evaluates.
    pub(crate) fn with_dydiff(&self, load: impl Load<Dydiff>) -> Result<()> {
        refuse_sampler(&self.task, "Dynamical Diffusion", ChainArgs::OF_DYDIFF)?;
        self.refuse_window()?;
        self.with_windows(|about| self.chain.over_dydiff(about), load)
    }

    /// With a network of FLEX, which `load` evaluates.
    pub(crate) fn with_flex(&self, load: impl Load<Flex>) -> Result<()> {
        refuse_sampler(&self.task, "FLEX", ChainArgs::OF_FLEX)?;
        self.refuse_window()?;
        self.with_windows(|about| self.chain.over_flex(about), load)
    }

    /// Window by window, as flags say over what the model says.
    fn with_windows<S: Windowed + Clone>(
        &self,
        over: impl FnOnce(&S) -> Result<S>,
        load: impl Load<S>,
    ) -> Result<()> {
        let (model, hash) = trained::<S>(&self.task.model)?;
        let about = over(&model.meta.system)?;
        refuse(&model.meta.name, about.tasks(), Task::Forecast)?;
        let history = about.history();
        let networks = load(&model, about.clone())?;
        let meta = &model.meta;
        let scale = meta.channels.iter().map(|c| (c.mean as f32, c.std as f32)).collect();
        let fields = (&Domain::of(meta)?, &scale);
        let ahead = self.ahead.read(&self.take, &self.data, fields, history, "forecast")?;
        ensure!(
            ahead.given >= history,
            "--given is {}, and the model sees the last {history} frames: give at least as many",
            ahead.given
        );
        let networks = networks.as_ref();
        self.draw(&WindowPaths { model: &model, hash: &hash, about, networks }, ahead)
    }

    fn refuse_window(&self) -> Result<()> {
        ensure!(
            self.window.is_empty(),
            "{} are for models of DYffusion: leave them out",
            WindowArgs::FLAGS
        );
        Ok(())
    }

    fn refuse_chain(&self) -> Result<()> {
        ensure!(
            self.chain.is_empty(),
            "{} are for models of Dynamical Diffusion and FLEX: leave them out",
            ChainArgs::FLAGS
        );
        Ok(())
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
