//! Predictor-driven diffusion (Yasuda and Bischoff 2026, arXiv 2604.00327).
//!
//! Batches are made on the device from the data's spectra ([`batch`]). A [`predictor`] corrects the
//! closed-form linear one by a network; [`loss`] weights its errors; [`calibrate`] measures what
//! the path score needs.

pub mod batch;
pub mod calibrate;
mod held;
pub mod loss;
mod measure;
mod model;
mod parts;
pub mod predictor;
pub mod settings;
pub mod tables;
mod validate;

use std::sync::Arc;

use anyhow::{Context, Result};
use burn::module::AutodiffModule;
use burn::tensor::backend::Backend;
use finescale_data::dataset::Reader;
use finescale_model::Model;
use finescale_model::linear::LinearBase;
use finescale_sample::MEAN_FILE;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

pub use held::Held;
pub(crate) use settings::check;

use super::{Level, Stage, System, Validation};
use crate::config::Config;
use crate::engine::Trainable;
use crate::engine::checkpoint::Kept;
use crate::engine::learner;
use crate::networks::{Cost, Fields, Kind, Network};
use crate::run::TrainingRun;
use parts::{Mean, Parts};
use predictor::{Corrected, Linear};

/// What is known before any step.
pub struct PredictorDriven {
    name: String,
    config: Config,
    reader: Arc<Reader>,
    base: LinearBase,
    /// The conditional mean whose residuals the paths are.
    mean: Option<Mean>,
}

/// A network of so many channels before its first step, as the seed draws it; none where the
/// closed form is all there is.
pub fn fresh<B: Backend>(
    config: &Config,
    base: &LinearBase,
    device: &B::Device,
) -> Option<Network<B>> {
    let channels = base.autocovariance.channels;
    let fields = Fields {
        grid: base.grid,
        inputs: config.predictor.input_fields(&base.grid, channels),
        outputs: config.predictor.output_fields(channels),
        lambda: true,
        task: None,
    };
    config.network.build(fields, &mut ChaCha8Rng::seed_from_u64(config.seed), device)
}

impl PredictorDriven {
    /// A network as a predictor.
    fn corrected<'a, B: Backend>(&self, network: &'a Network<B>) -> Corrected<'a, B> {
        Corrected::new(network, &self.config.predictor)
    }
}

impl<A: Trainable> System<A> for PredictorDriven {
    type Held = Held<A>;
    type Network = Network<A>;
    type Meta = finescale_model::PredictorDriven;

    fn prepare(run: &TrainingRun, devices: &[A::Device]) -> Result<(Self, Vec<Held<A>>)> {
        let config = &run.config;
        let Parts { train, valid, mean } = Parts::read(run)?;
        // What calibration and reports will need must not be missed after hours of training.
        for (name, frames) in [
            ("calibration.frames", config.calibration.frames),
            ("report.rollout", config.predictor.window + config.report.rollout),
        ] {
            valid.frames.windows(frames).with_context(|| {
                format!("{name} does not fit the validation part: set it lower")
            })?;
        }
        config.symmetries.check_on(&train.frames.grid)?;
        let process = config.process.forward()?;
        let base = LinearBase::fit(&train.frames, process, config.predictor.window)?;
        let (name, reader) = (run.name.clone(), run.reader.clone());
        let system = Self { name, config: config.clone(), reader, base, mean };
        // Nor must what the model's file refuses.
        system.check::<A>(&devices[0])?;
        let held = devices.iter().map(|device| {
            let held = Held::new(&train.frames, &valid.frames, &system.base, config, device)?;
            Ok(held.with_companions(&train.companions, &valid.companions))
        });
        let held = held.collect::<Result<_>>()?;
        Ok((system, held))
    }

    fn files(&self) -> Vec<(&str, &[u8])> {
        self.mean.iter().map(|mean| (MEAN_FILE, mean.file.as_slice())).collect()
    }

    fn stages(&self) -> Vec<Stage> {
        match self.config.network.kind {
            Kind::Linear => Vec::new(),
            _ => vec![Stage { name: "predictor", steps: self.config.training.steps }],
        }
    }

    fn level(&self) -> Level {
        Level { symbol: "λ", bands: &[0.005, 0.03, 0.2, 1.0] }
    }

    fn network(&self, _: usize, device: &A::Device) -> Network<A> {
        fresh(&self.config, &self.base, device).expect("the only stage has a network")
    }

    fn loss(
        &self,
        held: &Held<A>,
        _: &[Kept<Network<A>>],
        network: &Network<A>,
        batch: u64,
    ) -> learner::Loss<A> {
        held.loss(network, self.config.training.precision, &held.draw(batch))
    }

    fn validate(
        &self,
        held: &Held<A>,
        _: &[Kept<Network<A>>],
        network: &Network<A>,
    ) -> Result<Validation> {
        let network = network.valid();
        let predictor = self.corrected(&network);
        validate::validate(&predictor, &held.valid, &held.tables, &self.config)
    }

    fn model(&self, networks: &[Kept<Network<A>>]) -> Result<Model> {
        self.unmeasured(networks.first())
    }

    fn measure(
        &self,
        held: &Held<A>,
        networks: &[Kept<Network<A>>],
        model: &mut Model,
    ) -> Result<String> {
        match networks.first() {
            None => self.measure_by(held, model, &Linear, &Linear),
            Some(kept) => {
                let inner = kept.network.valid();
                let (inner, outer) = (self.corrected(&inner), self.corrected(&kept.network));
                let measured = self.measure_by(held, model, &inner, &outer)?;
                let macs = kept.network.macs(self.base.grid.points());
                Ok(format!("network: {macs} multiply-accumulates a frame\n{measured}"))
            }
        }
    }
}
