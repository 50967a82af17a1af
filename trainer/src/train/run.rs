//! A run: the training loop, and the folder that holds all it leaves behind.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use burn::data::dataloader::DataLoaderIterator;
use burn::module::AutodiffModule;
use burn::optim::{AdamConfig, GradientsAccumulator, GradientsParams, Optimizer};
use burn::tensor::backend::AutodiffBackend;
use burn::train::train::MultiDevicesTrainStep;
use burn::train::{LearningComponentsMarker, TrainStep};
use serde::{Deserialize, Serialize};

use super::batch::Frames;
use super::checkpoint::{Best, Checkpoint};
use super::config::{Config, Keep, Network};
use super::metrics::{self, Bands, Report};
use super::network::{Corrected, Kernels};
use super::optimizer::{average, clip, learning_rate};
use super::progress::Display;
use super::step::{Context, Item, Losses, Stream};
use super::tables::Tables;
use super::unmeasured::Unmeasured;
use super::validate::validate;
use super::{curves, finish};
use crate::dataset::{Reader, SpectralFrames, Split};
use crate::interrupt;
use crate::linear::LinearBase;

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
const LOOK: usize = 20;

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
            crate::write::atomically(&self.folder.join("config.toml"), settings.as_bytes())?;
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
        let batches = config.training.accumulate * devices.len();
        let contexts = devices
            .iter()
            .map(|device| {
                let tables = Tables::new(&base, config, &config.lambdas(), device)?;
                Ok(Arc::new(Context {
                    frames: Frames::new(&train, config.predictor.window, device)?,
                    lifted: tables.lift(),
                    tables,
                    config: config.clone(),
                    share: 1.0 / batches as f64,
                }))
            })
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
        let optimizer = AdamConfig::new().init::<A, Corrected<A>>();
        let fresh = (model.clone(), optimizer.clone());
        let state = match Checkpoint::load::<A>(&self.folder, fresh.0, fresh.1, &devices[0])? {
            Some(state) => state,
            None => Checkpoint {
                step: 0,
                average: model.clone(),
                weights: model,
                optimizer,
                best: None,
            },
        };
        let mut reports = metrics::resume(&self.folder, state.step)?;
        let Checkpoint { step: first, mut weights, average: mut mean, mut optimizer, mut best } =
            state;
        if first > 0 {
            println!("resumed after {first} steps");
        }
        let mut batches = Batches::new(parts, devices, first * training.accumulate);
        let mut display = Display::new(&self.name, first, training.steps);
        let mut watch = Watch::default();
        for step in first..training.steps {
            let mut accumulator = GradientsAccumulator::new();
            for _ in 0..training.accumulate {
                for (gradients, losses) in batches.next(&weights, &devices[0]) {
                    accumulator.accumulate(&weights, gradients);
                    watch.pending.push((step, losses));
                }
            }
            let gradients = clip(&weights, accumulator.grads(), training.clip);
            weights = optimizer.step(learning_rate(training, step), weights, gradients);
            mean = average(mean, &weights, training.ema, step);
            let done = step + 1;
            let stop = interrupt::check().is_err();
            let report = done % self.config.report.every == 0 || done == training.steps;
            if report || stop || done % LOOK == 0 {
                let loss = watch.look(&parts.contexts[0].tables.lambdas)?;
                display.steps(done, loss);
            }
            if report {
                let context = &parts.contexts[0];
                let found = validate(&mean.valid(), &parts.valid, &context.tables, &self.config)?;
                let loss = found.loss();
                // Not a number counts as the largest.
                let better = best.as_ref().is_none_or(|best| loss.total_cmp(&best.loss).is_lt());
                if training.keep == Keep::Best && better {
                    best = Some(Best { step: done, loss, weights: mean.clone() });
                }
                let rate = learning_rate(training, step);
                let report = Report::new(done, rate, watch.bands.take(), found);
                display.report(&report);
                metrics::append(&self.folder, &report)?;
                reports.push(report);
                curves::draw(&self.folder, &self.name, &reports)?;
            }
            if report || stop {
                let (weights, average, optimizer) =
                    (weights.clone(), mean.clone(), optimizer.clone());
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
            None => Kept { network: mean, steps: training.steps },
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

type Gradients<A> = (GradientsParams, Losses<<A as AutodiffBackend>::InnerBackend>);
type Components<A> = LearningComponentsMarker<
    A,
    f64,
    Corrected<A>,
    burn::optim::adaptor::OptimizerAdaptor<burn::optim::Adam, Corrected<A>, A>,
>;

/// The batches of all devices.
enum Batches<A>
where
    A: AutodiffBackend + Kernels,
    A::InnerBackend: Kernels,
{
    One(Stream<A>),
    Many {
        streams: Vec<Box<dyn DataLoaderIterator<Item<A>>>>,
        step: MultiDevicesTrainStep<Components<A>>,
    },
}

impl<A> Batches<A>
where
    A: AutodiffBackend + Kernels,
    A::InnerBackend: Kernels,
{
    fn new(parts: &Parts<A>, devices: &[A::Device], batches_done: usize) -> Self {
        let stride = devices.len() as u64;
        let mut streams = parts.contexts.iter().enumerate().map(|(n, context)| {
            Stream::new(context.clone(), batches_done as u64 * stride + n as u64, stride)
        });
        if devices.len() == 1 {
            return Self::One(streams.next().expect("one device has one context"));
        }
        let boxed = |stream| Box::new(stream) as Box<dyn DataLoaderIterator<Item<A>>>;
        Self::Many {
            streams: streams.map(boxed).collect(),
            step: MultiDevicesTrainStep::new(devices),
        }
    }

    /// Gradients of one batch per device, on the first one.
    fn next(&mut self, model: &Corrected<A>, main: &A::Device) -> Vec<Gradients<A>> {
        match self {
            Self::One(stream) => {
                let item = stream.next().expect("streams have no end");
                let output = TrainStep::step(model, item);
                vec![(output.grads, output.item)]
            }
            Self::Many { streams, step } => {
                let (mut outputs, _) = step.step(streams, model);
                // Workers answer in any order; sums of floats must not depend on it.
                outputs.sort_by_key(|output| output.device);
                let gather = |output: burn::train::TrainOutput<_>| {
                    (output.grads.to_device(main, model), output.item)
                };
                outputs.into_iter().map(|output| gather(output.output)).collect()
            }
        }
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
        crate::write::atomically(&folder.join(Self::FILE), text.as_bytes())
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
