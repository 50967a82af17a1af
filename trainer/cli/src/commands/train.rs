//! `finescale train`: a data set into a calibrated model.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use finescale_data::dataset::Reader;
use finescale_train::config::presets::{PRESETS, Preset};
use finescale_train::config::{Config, Layers};
use finescale_train::engine::Trainable;
use finescale_train::engine::backend::{Choice, Cpu, Differentiable, device};
use finescale_train::run::{RunIdentity, TrainingRun};

/// Names of all systems.
const SYSTEMS: [&str; 5] = ["predictor-driven", "conditional-mean", "dyffusion", "dydiff", "flex"];

/// Trains and calibrates a model on a data set
///
/// A configuration is made of the defaults, a preset, a file and flags, each over the one before.
/// The run folder receives the configuration, metrics, curves, checkpoints and in the end the
/// model.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The data set
    #[arg(required_unless_present = "print_config")]
    dataset: Option<PathBuf>,
    /// The run's folder
    #[arg(long, value_name = "RUN", required_unless_present = "print_config")]
    out: Option<PathBuf>,
    /// Settings in TOML, over the defaults and the preset
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Settings that are known to work
    #[arg(long, value_name = "NAME", value_parser = preset_names())]
    preset: Option<String>,
    /// Prints all settings with their meaning, and ends
    #[arg(long)]
    print_config: bool,
    /// Seed of everything random
    #[arg(long)]
    seed: Option<u64>,
    /// Training steps
    #[arg(long)]
    steps: Option<usize>,
    /// What is learned: `predictor-driven`, `conditional-mean`, `dyffusion`, `dydiff` or
    /// `flex`
    #[arg(long, value_name = "NAME", value_parser = SYSTEMS)]
    system: Option<String>,
    /// With --system dyffusion: a run's folder, or its `model.safetensors`, whose interpolator is
    /// taken instead of learning one
    #[arg(long, value_name = "RUN")]
    interpolator: Option<PathBuf>,
    /// Learns the mean of fine frames from a sensor's, `block-mean:4` or `modes:4`: what a coarse
    /// value is, and fine points for each along every axis
    #[arg(long, value_name = "KIND:RATIO", conflicts_with = "system")]
    sensor: Option<String>,
    /// Learns the residuals of a trained conditional mean: its run's folder or `model.safetensors`
    #[arg(long, value_name = "RUN", conflicts_with = "sensor")]
    given: Option<PathBuf>,
    /// Where to train
    #[arg(long, value_enum, default_value = "cpu")]
    backend: Choice,
    /// Devices that share each step's batches
    #[arg(long, default_value_t = 1)]
    devices: usize,
    /// Goes on with the run in --out from its newest checkpoint, with the settings that it has
    #[arg(long, conflicts_with_all = ["config", "preset", "seed", "steps", "system", "interpolator", "sensor", "given"])]
    resume: bool,
}

fn preset_names() -> clap::builder::PossibleValuesParser {
    PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>().into()
}

impl TrainArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence; the newest checkpoint stays.
    pub fn run(self) -> Result<()> {
        let layers = self.layers()?;
        if self.print_config {
            layers.finish()?;
            print!("{}", layers.text());
            return Ok(());
        }
        let (dataset, folder) =
            (self.dataset.clone().unwrap_or_default(), self.out.clone().unwrap_or_default());
        ensure!(self.devices > 0, "--devices is 0: use at least 1");
        self.backend.check(self.devices)?;
        let open = Reader::open(&dataset);
        let reader = match self.preset.as_deref().and_then(Preset::named) {
            Some(preset) if open.is_err() => open.with_context(|| {
                format!("the preset's data are made with `{}`", preset.data_command())
            })?,
            _ => open?,
        };
        let mut name = match &self.preset {
            Some(preset) => preset.clone(),
            None => {
                folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
            }
        };
        let identity = RunIdentity::new(&name, &reader, self.backend.name(), self.devices);
        let settings = folder.join("config.toml");
        let (config, begin) = if self.resume {
            name = identity.check(&folder)?;
            (Config::open(&settings)?, None)
        } else {
            if folder.join("run.json").exists() {
                bail!(
                    "{} holds a run already: go on with --resume, or choose another --out",
                    folder.display()
                );
            }
            (layers.finish()?, Some((layers.text(), identity)))
        };
        let run = TrainingRun { folder, config, reader: Arc::new(reader), name, begin };
        match self.backend {
            Choice::Cpu => self.train::<Differentiable<Cpu>>(&run),
            #[cfg(feature = "cuda")]
            Choice::Cuda => {
                self.train::<Differentiable<finescale_train::engine::backend::Cuda>>(&run)
            }
            #[cfg(not(feature = "cuda"))]
            Choice::Cuda => unreachable!("checked above"),
        }
    }

    fn train<A: Trainable>(&self, run: &TrainingRun) -> Result<()> {
        let devices: Vec<A::Device> = (0..self.devices).map(device::<A>).collect();
        run.train::<A>(&devices)
    }

    /// What is chosen, over what its system recommends.
    fn layers(&self) -> Result<Layers> {
        let chosen = self.over(Layers::default())?;
        let recommended = chosen.settings()?.system.recommended();
        if recommended.is_empty() {
            return Ok(chosen);
        }
        let mut layers = Layers::default();
        layers.add(recommended, "what the system recommends")?;
        self.over(layers)
    }

    fn over(&self, mut layers: Layers) -> Result<Layers> {
        if let Some(preset) = self.preset.as_deref().and_then(Preset::named) {
            layers.add(preset.text, &format!("the preset {}", preset.name))?;
        }
        if let Some(path) = &self.config {
            layers.add_file("--config", path)?;
        }
        if let Some(seed) = self.seed {
            ensure!(i64::try_from(seed).is_ok(), "--seed is too large: use at most 2^63 − 1");
            layers.add(&format!("seed = {seed}"), "--seed")?;
        }
        if let Some(steps) = self.steps {
            layers.add(&format!("training.steps = {steps}"), "--steps")?;
        }
        if let Some(system) = &self.system {
            layers.add(&format!("system = \"{system}\""), "--system")?;
        }
        let runs = [
            ("--given", "predictor.given", &self.given),
            ("--interpolator", "dyffusion.interpolator", &self.interpolator),
        ];
        for (flag, setting, run) in runs {
            let Some(run) = run else { continue };
            let run =
                run.to_str().with_context(|| format!("{flag} is no text: give another path"))?;
            // A string of JSON is one of TOML.
            let run = serde_json::to_string(run)?;
            layers.add(&format!("{setting} = {run}"), flag)?;
        }
        if let Some(sensor) = &self.sensor {
            let parts = sensor.split_once(':').and_then(|(kind, ratio)| {
                let known = ["block-mean", "modes"].contains(&kind);
                Some((kind, ratio.parse::<usize>().ok().filter(|_| known)?))
            });
            let (kind, ratio) = parts.with_context(|| {
                format!("--sensor is {sensor}: give block-mean:4, say, or modes:4")
            })?;
            layers.add(
                &format!(
                    "system = \"conditional-mean\"\nsensor.kind = \"{kind}\"\nsensor.ratio = \
                     {ratio}"
                ),
                "--sensor",
            )?;
        }
        Ok(layers)
    }
}
