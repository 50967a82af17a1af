//! A preset on a data set, and what the commands have in common.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use finescale_data::dataset::{Reader, SpectralFrames, Split};
use finescale_model::Array;
use finescale_model::linear::LinearBase;
use finescale_train::config::presets::Preset;
use finescale_train::config::{Config, Layers};
use finescale_train::engine::Trainable;
use finescale_train::engine::backend::{Choice, Cpu, Differentiable};
use finescale_train::engine::weights::export;
use finescale_train::networks::Network;
use finescale_train::run::{RunIdentity, TrainingRun};
use finescale_train::systems::predictor_driven::{Held, fresh};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A backend that can be measured.
pub(crate) trait Named: Trainable {
    /// Bytes that its allocator holds on the device, where it says so.
    fn reserved(device: &Self::Device) -> Option<u64>;
    /// How many kernels it has compiled, and how many it has found compiled.
    fn kernels() -> serde_json::Value;
}

impl Named for Differentiable<Cpu> {
    fn reserved(_: &Self::Device) -> Option<u64> {
        None
    }

    fn kernels() -> serde_json::Value {
        serde_json::Value::Null
    }
}

#[cfg(feature = "cuda")]
impl Named for Differentiable<finescale_train::engine::backend::Cuda> {
    fn reserved(device: &Self::Device) -> Option<u64> {
        use cubecl::Runtime;
        let usage = cubecl::cuda::CudaRuntime::client(device).memory_usage();
        usage.ok().map(|usage| usage.bytes_reserved)
    }

    fn kernels() -> serde_json::Value {
        crate::kernels::counts()
    }
}

/// Which preset, on what.
#[derive(Debug, clap::Args)]
pub(crate) struct CaseArgs {
    /// The data set
    dataset: PathBuf,
    /// The preset
    #[arg(long)]
    preset: String,
    /// Samples in a batch; the preset's if absent
    #[arg(long)]
    batch: Option<i64>,
    /// Values of λ; the preset's if absent
    #[arg(long)]
    lambdas: Option<i64>,
    /// Convolutions in bf16
    #[arg(long)]
    mixed: bool,
}

/// What is measured.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) config: Config,
    pub(crate) train: SpectralFrames,
    pub(crate) base: LinearBase,
}

impl CaseArgs {
    /// The settings.
    fn layers(&self) -> Result<Layers> {
        let preset = Preset::named(&self.preset)
            .with_context(|| format!("--preset {} is none of finescale's", self.preset))?;
        let mut layers = Layers::default();
        layers.add(preset.text, preset.name)?;
        if let Some(batch) = self.batch {
            layers.add(&format!("training.batch = {batch}"), "--batch")?;
        }
        if let Some(lambdas) = self.lambdas {
            layers.add(&format!("lambda.count = {lambdas}"), "--lambdas")?;
        }
        if self.mixed {
            layers.add("training.precision = \"mixed\"", "--mixed")?;
        }
        Ok(layers)
    }

    pub(crate) fn open(&self) -> Result<Case> {
        let config = self.layers()?.finish()?;
        let train = SpectralFrames::read(&Reader::open(&self.dataset)?, Split::Train)?;
        let base = LinearBase::fit(&train, config.process.forward()?, config.predictor.window)?;
        Ok(Case { config, train, base })
    }

    /// A run of a few steps, which reports, calibrates and writes a model as every run does.
    pub(crate) fn run(&self, steps: i64, backend: Choice, folder: PathBuf) -> Result<TrainingRun> {
        let mut layers = self.layers()?;
        layers.add(&format!("training.steps = {steps}"), "--steps")?;
        let short = "lambda.count = 8\nreport.rollout = 2\ncalibration.paths = 2\n\
                     calibration.frames = 4";
        layers.add(short, "the bench")?;
        let (config, reader) = (layers.finish()?, Reader::open(&self.dataset)?);
        let identity = RunIdentity::new(&self.preset, &reader, backend.name(), 1);
        let begin = Some((layers.text(), identity));
        let (reader, name) = (Arc::new(reader), self.preset.clone());
        Ok(TrainingRun { folder, config, reader, name, begin })
    }
}

impl Case {
    /// What its steps share on a device.
    pub(crate) fn held<A: Trainable>(&self, device: &A::Device) -> Result<Held<A>> {
        // Nothing is validated here: the training part stands in for the other.
        Held::new(&self.train, &self.train, &self.base, &self.config, device)
    }

    /// The network before its first step.
    ///
    /// # Errors
    /// If the preset trains no network.
    pub(crate) fn fresh<A: Named>(&self, device: &A::Device) -> Result<Network<A>> {
        fresh(&self.config, &self.base, device).context("the preset trains no network")
    }

    /// The same, with small numbers for the weights that begin as zeros, without which most
    /// gradients would be zero too.
    ///
    /// # Errors
    /// As [`Case::fresh`].
    pub(crate) fn generic<A: Named>(&self, device: &A::Device) -> Result<Network<A>> {
        let rng = ChaCha8Rng::seed_from_u64(self.config.seed + 1);
        Ok(self.fresh(device)?.map(&mut Filled(rng)))
    }
}

/// Draws the weights that are all zero.
struct Filled(ChaCha8Rng);

impl<A: AutodiffBackend> ModuleMapper<A> for Filled {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<A, D>>) -> Param<Tensor<A, D>> {
        param.map(|weight| {
            let mut values = array(weight.clone().inner()).values;
            if values.iter().any(|&value| value != 0.0) {
                return weight;
            }
            values.fill_with(|| 0.1 * unit(&mut self.0));
            tensor(values, weight.dims(), &weight.device()).require_grad()
        })
    }
}

/// Uniform in ±1.
pub(crate) fn unit(rng: &mut ChaCha8Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0
}

/// Numbers as a tensor.
pub(crate) fn tensor<B: Backend, const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &B::Device,
) -> Tensor<B, D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// A tensor as numbers.
pub(crate) fn array<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Array {
    let data = tensor.into_data().convert::<f32>();
    let values = data.to_vec().expect("the data were converted to f32");
    Array { shape: data.shape.to_vec(), values }
}

/// Weights by name.
pub(crate) fn named<B: Backend, M: Module<B>>(module: &M) -> BTreeMap<String, Array> {
    export::<B, M>(module)
}
