//! Systems: ways to learn paths of coarse-grained fields, a folder for each.

pub mod conditional_mean;
pub mod dydiff;
pub mod dyffusion;
pub mod flex;
pub mod predictor_driven;
pub mod windows;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use burn::module::AutodiffModule;
use finescale::Grid;
use finescale_data::dataset::Reader;
use finescale_model::{AxisMeta, Channel, Meta, Model, SystemMeta};

use crate::config::{Config, choice};
use crate::engine::Trainable;
use crate::engine::checkpoint::Kept;
use crate::engine::learner::Loss;
use crate::run::TrainingRun;

/// One way to learn paths. The loop, checkpoints, reports and files are the run's
/// ([`crate::run`]), whatever is learned.
pub trait System<A: Trainable>: Sized + Sync {
    /// What a device holds for all steps: frames, tables.
    type Held: Send + Sync;
    /// What is trained, in every stage.
    type Network: AutodiffModule<A> + Sync;
    /// What the system adds to the description of its models.
    type Meta: SystemMeta + PartialEq;

    /// Measures what has to be known before any step, and refuses, before anything is written,
    /// settings and data whose model could not be finished.
    ///
    /// # Errors
    /// One sentence that names the setting and the mend.
    fn prepare(run: &TrainingRun, devices: &[A::Device]) -> Result<(Self, Vec<Self::Held>)>;

    /// Files that a run's folder gets before the first step, by name.
    fn files(&self) -> Vec<(&str, &[u8])> {
        Vec::new()
    }

    /// What is trained, one after the other; earlier stages are frozen when a later one begins.
    /// None if there is nothing to train.
    fn stages(&self) -> Vec<Stage>;

    /// By which losses are told apart.
    fn level(&self) -> Level;

    /// A stage's network before its first step.
    fn network(&self, stage: usize, device: &A::Device) -> Self::Network;

    /// The loss of a batch of the last of `networks`; those before it are frozen. The same number
    /// draws the same batch.
    fn loss(
        &self,
        held: &Self::Held,
        earlier: &[Kept<Self::Network>],
        network: &Self::Network,
        batch: u64,
    ) -> Loss<A>;

    /// How good the last of `networks` is on the validation part.
    ///
    /// # Errors
    /// After Ctrl-C.
    fn validate(
        &self,
        held: &Self::Held,
        earlier: &[Kept<Self::Network>],
        network: &Self::Network,
    ) -> Result<Validation>;

    /// The model of the networks that all stages have left, before anything is measured for it.
    ///
    /// # Errors
    /// If [`System::prepare`] has missed something.
    fn model(&self, networks: &[Kept<Self::Network>]) -> Result<Model<Self::Meta>>;

    /// Puts what is measured with the finished networks into their model, and gives a summary for
    /// people.
    ///
    /// # Errors
    /// After Ctrl-C.
    fn measure(
        &self,
        held: &Self::Held,
        networks: &[Kept<Self::Network>],
        model: &mut Model<Self::Meta>,
    ) -> Result<String>;
}

/// A network that is trained by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// For people.
    pub name: &'static str,
    /// Steps.
    pub steps: usize,
}

/// What the losses of a system are told apart by: λ, or a lead time; or nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Level {
    /// As curves show it.
    pub symbol: &'static str,
    /// Upper ends of the bands in which training losses are averaged, rising.
    pub bands: &'static [f64],
}

impl Level {
    /// Of a system whose losses are all of one kind.
    pub const ONE: Self = Self { symbol: "", bands: &[0.0] };

    /// Whether there is nothing to tell apart.
    pub fn is_one(&self) -> bool {
        self.symbol.is_empty()
    }
}

/// Figures of the validation part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Validation {
    /// (level, loss), at levels spread over all that are trained.
    pub losses: Vec<(f64, f64)>,
    /// Relative L² error of a rollout, after 1, 2, … frames.
    pub rollout: Vec<f64>,
    /// The same of persistence.
    pub persistence: Vec<f64>,
    /// Relative L1 error of the rollout's spectrum over shells, after as many frames.
    pub spectrum: Vec<f64>,
}

impl Validation {
    /// Mean loss over the levels.
    pub fn loss(&self) -> f64 {
        self.losses.iter().map(|(_, loss)| loss).sum::<f64>() / self.losses.len().max(1) as f64
    }
}

/// The description of a model of a run, without figures.
fn described<S>(
    name: &str,
    reader: &Reader,
    config: &Config,
    grid: Grid,
    steps: usize,
    system: S,
) -> Meta<S> {
    let (spec, statistics) = (reader.spec(), reader.statistics());
    let channels = spec.channels.iter().zip(&statistics.channels).map(|(channel, s)| Channel {
        name: channel.name.clone(),
        units: channel.units.clone(),
        mean: s.mean,
        std: s.std,
    });
    Meta {
        name: name.into(),
        version: env!("CARGO_PKG_VERSION").into(),
        layout: finescale_model::LAYOUT,
        channels: channels.collect(),
        y: grid.y().map(AxisMeta::of),
        x: AxisMeta::of(grid.x()),
        frame_interval: spec.time.interval,
        network: config.network.meta(),
        data: reader.hash().into(),
        seed: config.seed,
        steps,
        figures: BTreeMap::new(),
        system,
    }
}

choice!(/// Which system.
    Name { PredictorDriven, ConditionalMean, Dyffusion, Dydiff, Flex });

impl Name {
    /// Settings that lie under all that is chosen, in TOML.
    pub fn recommended(self) -> &'static str {
        match self {
            Self::PredictorDriven | Self::ConditionalMean => "",
            Self::Dyffusion => dyffusion::RECOMMENDED,
            Self::Dydiff => dydiff::RECOMMENDED,
            Self::Flex => flex::RECOMMENDED,
        }
    }

    /// Refuses settings of the system's sections with which nothing can be trained.
    pub(crate) fn check(self, config: &Config) -> Result<()> {
        ensure!(
            self == Self::PredictorDriven || config.predictor.given.is_empty(),
            "predictor.given is for the system predictor-driven: leave it, or --given, out"
        );
        ensure!(
            self == Self::Dyffusion || config.dyffusion.interpolator.is_empty(),
            "dyffusion.interpolator is for the system dyffusion: leave it, or --interpolator, out"
        );
        match self {
            Self::PredictorDriven => predictor_driven::check(config),
            Self::ConditionalMean => conditional_mean::check(config),
            Self::Dyffusion => dyffusion::check(config),
            Self::Dydiff => dydiff::check(config),
            Self::Flex => flex::check(config),
        }
    }

    /// Trains by the system that is chosen.
    pub(crate) fn train<A: Trainable>(
        self,
        run: &TrainingRun,
        devices: &[A::Device],
    ) -> Result<()> {
        match self {
            Self::PredictorDriven => run.by::<A, predictor_driven::PredictorDriven>(devices),
            Self::ConditionalMean => run.by::<A, conditional_mean::ConditionalMean>(devices),
            Self::Dyffusion => run.by::<A, dyffusion::Dyffusion>(devices),
            Self::Dydiff => run.by::<A, dydiff::Dydiff>(devices),
            Self::Flex => run.by::<A, flex::Flex>(devices),
        }
    }
}
