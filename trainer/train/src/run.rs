//! A run: the training loop, and the folder that holds all it leaves behind.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use burn::module::AutodiffModule;
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};

use super::batch::Frames;
use super::checkpoint::{Best, Checkpoint};
use super::config::{Config, Keep, Network};
use super::learner::{Batches, Learner};
use super::metrics::{self, Bands, Report};
use super::network::{Corrected, Kernels};
use super::optimizer::learning_rate;
use super::progress::Display;
use super::step::{Context, Losses};
use super::unmeasured::Unmeasured;
use super::validate::validate;
use super::{curves, finish};
use finescale_data::dataset::{Reader, SpectralFrames, Split};
use finescale_host::interrupt;
use finescale_model::linear::LinearBase;

/// What identifies a run: resuming needs all of it to be the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// For people; resuming takes it from here.
    #[serde(default)]
    pub name: String,
    /// Version of finescale.
    pub version: String,
    /// Content hash of the data set.
    pub data: String,
    /// Shape of a frame, channels × y × x, and its channels' names.
    pub shape: Vec<usize>,
    /// As in the data set.
    pub channels: Vec<String>,
    /// Backend.
    pub backend: String,
    /// Number of devices.
    pub devices: usize,
}

/// A run on a data set.
pub struct Run {
    /// The run's folder.
    pub folder: PathBuf,
    /// The configuration.
    pub config: Config,
    /// The data set.
    pub reader: Reader,
    /// For people.
    pub name: String,
    /// The settings' text and the identity of a run that begins: written once everything has been found to fit.
    pub begin: Option<(String, Identity)>,
}

/// What is measured before any step, and what is trained.
struct Parts<A: AutodiffBackend> {
    base: LinearBase,
    contexts: Vec<Arc<Context<A>>>,
    valid: Frames<A::InnerBackend>,
}

/// The network that becomes the model, and the steps that it was trained for.
pub(super) struct Kept<A: AutodiffBackend> {
    pub(super) network: Corrected<A>,
    pub(super) steps: usize,
}

/// Steps between looks at the losses: looking makes a GPU wait.
pub const LOOK: usize = 20;

impl Run {
    /// Trains, writes the model, measures it, and writes it again with what was measured; goes on
    /// from the newest checkpoint if there is one.
    ///
    /// # Errors
    /// One sentence; the newest checkpoint stays.
    pub fn train<A>(&self, devices: &[A::Device]) -> Result<()>
    where
        A: AutodiffBackend + Kernels,
        A::InnerBackend: Kernels,
    {
        let start = Instant::now();
        let parts = self.parts::<A>(devices)?;
        if let Some((settings, identity)) = &self.begin {
            std::fs::create_dir_all(&self.folder)
                .with_context(|| format!("{} cannot be made", self.folder.display()))?;
            finescale_host::write::atomically(
                &self.folder.join("config.toml"),
                settings.as_bytes(),
            )?;
            identity.save(&self.folder)?;
        }
        let context = parts.contexts.first().context("--devices is 0: use at least 1")?;
        let model = if self.config.predictor.network == Network::Linear {
            None
        } else {
            let unmeasured = Unmeasured { run: self, base: &parts.base };
            Some(self.optimise(unmeasured.network(&devices[0]), &parts, devices)?)
        };
        let finished =
            finish::Finished { run: self, base: &parts.base, context, valid: &parts.valid };
        finished.write(model, start)
    }

    fn parts<A>(&self, devices: &[A::Device]) -> Result<Parts<A>>
    where
        A: AutodiffBackend + Kernels,
    {
        let config = &self.config;
        let device = devices.first().context("--devices is 0: use at least 1")?;
        let train = SpectralFrames::read(&self.reader, Split::Train)?;
        let valid = SpectralFrames::read(&self.reader, Split::Valid)?;
        // What calibration and reports will need must not be missed after hours of training.
        for (name, frames) in [
            ("calibration.frames", config.calibration.frames),
            ("report.rollout", config.predictor.window + config.report.rollout),
        ] {
            valid.windows(frames).with_context(|| {
                format!("{name} does not fit the validation part: set it lower")
            })?;
        }
        let base = LinearBase::fit(&train, config.forward_process()?, config.predictor.window)?;
        // Nor must what the model's file refuses.
        Unmeasured { run: self, base: &base }.check::<A>(device)?;
        let contexts = devices
            .iter()
            .map(|device| Ok(Arc::new(Context::new(&train, &base, config, devices.len(), device)?)))
            .collect::<Result<_>>()?;
        Ok(Parts { base, contexts, valid: Frames::new(&valid, config.predictor.window, device)? })
    }

    fn optimise<A>(
        &self,
        model: Corrected<A>,
        parts: &Parts<A>,
        devices: &[A::Device],
    ) -> Result<Kept<A>>
    where
        A: AutodiffBackend + Kernels,
        A::InnerBackend: Kernels,
    {
        let training = &self.config.training;
        let fresh = Learner::new(model);
        let (weights, optimizer) = (fresh.weights.clone(), fresh.optimizer.clone());
        let (first, mut learner, mut best) =
            match Checkpoint::load::<A>(&self.folder, weights, optimizer, &devices[0])? {
                None => (0, fresh, None),
                Some(Checkpoint { step, weights, average, optimizer, best }) => {
                    (step, Learner { weights, average, optimizer }, best)
                }
            };
        let mut reports = metrics::resume(&self.folder, first)?;
        if first > 0 {
            println!("resumed after {first} steps");
        }
        let done = first * training.accumulate;
        let mut batches = Batches::new(&parts.contexts, devices, done);
        let mut display = Display::new(&self.name, first, training.steps);
        let mut watch = Watch::default();
        for step in first..training.steps {
            let losses;
            (learner, losses) = learner.step(&mut batches, training, step, &devices[0]);
            watch.pending.extend(losses.into_iter().map(|losses| (step, losses)));
            let done = step + 1;
            let stop = interrupt::check().is_err();
            let report = done % self.config.report.every == 0 || done == training.steps;
            if report || stop || done % LOOK == 0 {
                let loss = watch.look(&parts.contexts[0].tables.lambdas)?;
                display.steps(done, loss);
            }
            if report {
                let context = &parts.contexts[0];
                let found = validate(
                    &learner.average.valid(),
                    &parts.valid,
                    &context.tables,
                    &self.config,
                )?;
                let loss = found.loss();
                // Not a number counts as the largest.
                let better = best.as_ref().is_none_or(|best| loss.total_cmp(&best.loss).is_lt());
                if training.keep == Keep::Best && better {
                    best = Some(Best { step: done, loss, weights: learner.average.clone() });
                }
                let rate = learning_rate(training, step);
                let report = Report::new(done, rate, watch.bands.take(), found);
                display.report(&report);
                metrics::append(&self.folder, &report)?;
                reports.push(report);
                curves::draw(&self.folder, &self.name, &reports)?;
            }
            if report || stop {
                let Learner { weights, average, optimizer } = learner.clone();
                let best = best.clone();
                Checkpoint { step: done, weights, average, optimizer, best }
                    .save::<A>(&self.folder)?;
            }
            if stop && done < training.steps {
                drop(display);
                return Err(interrupt::Interrupted).with_context(|| {
                    format!("stopped after {done} steps; --resume goes on from there")
                });
            }
        }
        Ok(match best {
            Some(Best { step, weights, .. }) => Kept { network: weights, steps: step },
            None => Kept { network: learner.average, steps: training.steps },
        })
    }
}

/// Losses that have not been looked at yet.
#[derive(Default)]
struct Watch<B: burn::tensor::backend::Backend> {
    pending: Vec<(usize, Losses<B>)>,
    bands: Bands,
}

impl<B: burn::tensor::backend::Backend> Watch<B> {
    /// Mean of the pending losses.
    ///
    /// # Errors
    /// If one is not finite: says at which step and λ.
    fn look(&mut self, lambdas: &[f64]) -> Result<f64> {
        let (mut sum, mut count) = (0.0, 0_u32);
        for (step, losses) in self.pending.drain(..) {
            let values: Vec<f32> = losses
                .values
                .into_data()
                .convert::<f32>()
                .to_vec()
                .expect("the data were converted to f32");
            for (&lambda, &loss) in losses.lambdas.iter().zip(&values) {
                let lambda = lambdas[lambda];
                ensure!(
                    loss.is_finite(),
                    "the training diverged at step {step}: the loss at λ = {lambda:.4} is {loss}. The last checkpoint is kept; use a lower training.learning-rate or training.clip"
                );
                self.bands.add(lambda, f64::from(loss));
                sum += f64::from(loss);
                count += 1;
            }
        }
        Ok(sum / f64::from(count.max(1)))
    }
}

impl Identity {
    /// Of a run to be.
    pub fn new(name: &str, reader: &Reader, backend: &str, devices: usize) -> Self {
        let spec = reader.spec();
        Self {
            name: name.into(),
            version: env!("CARGO_PKG_VERSION").into(),
            data: reader.hash().into(),
            shape: vec![spec.channels.len(), spec.ny(), spec.nx()],
            channels: spec.channels.iter().map(|channel| channel.name.clone()).collect(),
            backend: backend.into(),
            devices,
        }
    }

    const FILE: &str = "run.json";

    /// Writes it into a run folder.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        finescale_host::write::atomically(&folder.join(Self::FILE), text.as_bytes())
    }

    /// Whether a run folder is this one's; returns the run's name.
    ///
    /// # Errors
    /// A sentence that says what differs.
    pub fn check(&self, folder: &Path) -> Result<String> {
        let path = folder.join(Self::FILE);
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!("{} is no run folder (it has no {})", folder.display(), Self::FILE)
        })?;
        let there: Self = serde_json::from_str(&text)
            .with_context(|| format!("{} is damaged", path.display()))?;
        let shown = folder.display();
        ensure!(
            there.shape == self.shape && there.channels == self.channels,
            "the run in {shown} was trained on frames of {:?} (channels, y, x: {}), this data set has {:?} ({}): resume with the data set it began with",
            there.shape,
            there.channels.join(", "),
            self.shape,
            self.channels.join(", ")
        );
        ensure!(
            there.data == self.data,
            "the data set is not the one that the run in {shown} began with: its content differs"
        );
        if there.backend != self.backend || there.devices != self.devices {
            bail!(
                "the run in {shown} began with --backend {} --devices {}: resume it with the same",
                there.backend,
                there.devices
            );
        }
        ensure!(
            there.version == self.version,
            "the run in {shown} began with finescale {}, this is {}",
            there.version,
            self.version
        );
        Ok(if there.name.is_empty() { self.name.clone() } else { there.name })
    }
}
