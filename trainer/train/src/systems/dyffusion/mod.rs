//! DYffusion (Rühling Cachay et al. 2023, arXiv 2306.01984): an interpolator of the frames of a
//! window, whose dropout makes them random, and then a forecaster of its last frame, which learns
//! from the frames that the frozen interpolator makes.
//!
//! [`shape`] has the two networks as functions of fields and times,
//! `loss` is what the stages minimise. [`evaluate`] lets them be sampled, by `validate` while
//! they learn and by `finescale forecast` in the end. Two controls learn one network for all frames
//! of a window.

pub mod evaluate;
mod loss;
mod model;
pub mod settings;
pub mod shape;
mod validate;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use anyhow::Result;
use burn::module::AutodiffModule;
use finescale_data::dataset::Reader;
use finescale_model::Model;
use finescale_model::dyffusion::{Dyffusion as About, Method, Part};
use finescale_sample::generator::windows::Windowed;

pub(crate) use settings::check;

use super::windows::batch::Held;
use super::windows::{self, MEMBERS_AT_THE_END, held, judge};
use super::{Level, Stage, System, Validation};
use crate::engine::Trainable;
use crate::engine::checkpoint::Kept;
use crate::engine::learner::Loss;
use crate::networks::Network;
use crate::run::TrainingRun;
use loss::Objective;
use shape::Shape;
use validate::{Judge, MEMBERS};

/// Settings that lie under all that is chosen.
pub(crate) const RECOMMENDED: &str = include_str!("recommended.toml");

/// What is known before any step.
pub struct Dyffusion {
    name: String,
    reader: Arc<Reader>,
    objective: Objective,
    /// An interpolator that was learned before, and its file.
    given: Option<(Model<About>, Vec<u8>)>,
}

impl Dyffusion {
    /// What the stages learn, one after the other.
    fn parts(&self) -> Vec<Part> {
        match self.objective.shape.about.method {
            Method::Dyffusion => vec![Part::Interpolator, Part::Forecaster],
            Method::Dropout | Method::Deterministic => vec![Part::Forecaster],
        }
    }

    fn judge<'a, A: Trainable>(
        &'a self,
        held: &'a Held<A>,
        members: usize,
    ) -> Judge<'a, A::InnerBackend> {
        let shape = &self.objective.shape;
        let windows = judge::Judge {
            grid: &shape.grid,
            valid: &held.valid,
            windows: self.objective.config.report.windows,
            members,
            history: 1,
            horizon: shape.about.window.horizon,
        };
        Judge { shape, windows }
    }

    /// The interpolator and the forecaster of all stages.
    fn inner<A: Trainable>(
        networks: &[Network<A>],
    ) -> (Option<Network<A::InnerBackend>>, Network<A::InnerBackend>) {
        let mut inner: Vec<_> = networks.iter().map(AutodiffModule::valid).collect();
        let forecaster = inner.pop().expect("a stage has a network");
        (inner.pop(), forecaster)
    }
}

impl<A: Trainable> System<A> for Dyffusion {
    type Held = Held<A>;
    type Network = Network<A>;
    type Meta = About;

    fn prepare(run: &TrainingRun, devices: &[A::Device]) -> Result<(Self, Vec<Held<A>>)> {
        let (config, reader) = (run.config.clone(), run.reader.clone());
        let (grid, channels) = (reader.spec().grid()?, reader.spec().channels.len());
        let shape = Shape { grid, channels, about: config.dyffusion.about() };
        config
            .network
            .check_on_board(&grid, shape.about.input_fields(Part::Interpolator, channels))?;
        config.symmetries.check_on(&grid)?;
        let given = given_with_file::<A>(run, &shape, &devices[0])?;
        let held = held(&reader, config.dyffusion.horizon, "dyffusion.horizon", devices)?;
        let objective = Objective { shape, config };
        Ok((Self { name: run.name.clone(), reader, objective, given }, held))
    }

    fn files(&self) -> Vec<(&str, &[u8])> {
        self.given.iter().map(|(_, file)| (model::FILE, file.as_slice())).collect()
    }

    fn stages(&self) -> Vec<Stage> {
        let steps = self.objective.config.training.steps;
        let stage = |part: Part| Stage {
            name: part.name(),
            // One that was learned before is frozen as it is.
            steps: if part == Part::Interpolator && self.given.is_some() { 0 } else { steps },
        };
        self.parts().into_iter().map(stage).collect()
    }

    fn level(&self) -> Level {
        Level::ONE
    }

    fn network(&self, stage: usize, device: &A::Device) -> Network<A> {
        let (part, config) = (self.parts()[stage], &self.objective.config);
        if let (Part::Interpolator, Some((given, _))) = (part, &self.given) {
            let meta = &given.meta.network;
            let network = evaluate::network(&self.objective.shape, part, meta, given, device);
            return network.expect("an interpolator that is given was checked");
        }
        let network = self.objective.shape.fresh(part, &config.network, config.seed, device);
        network.expect("`linear` was refused")
    }

    fn loss(
        &self,
        held: &Held<A>,
        earlier: &[Kept<Network<A>>],
        network: &Network<A>,
        number: u64,
    ) -> Loss<A> {
        match (self.objective.shape.about.method, earlier) {
            (Method::Dyffusion, []) => self.objective.interpolator_loss(held, network, number),
            (Method::Dyffusion, [interpolator, ..]) => {
                self.objective.forecaster_loss(held, &interpolator.network, network, number)
            }
            (Method::Dropout | Method::Deterministic, _) => {
                self.objective.control_loss(held, network, number)
            }
        }
    }

    fn validate(
        &self,
        held: &Held<A>,
        earlier: &[Kept<Network<A>>],
        network: &Network<A>,
    ) -> Result<Validation> {
        let judge = self.judge(held, MEMBERS);
        let network = network.valid();
        let earlier = earlier.first().map(|kept| kept.network.valid());
        if self.objective.shape.about.method == Method::Dyffusion && earlier.is_none() {
            let losses = vec![(0.0, judge.interpolated(&network)?)];
            return Ok(Validation { losses, ..Validation::default() });
        }
        judge.forecast(earlier.as_ref(), &network)
    }

    fn model(&self, networks: &[Kept<Network<A>>]) -> Result<Model<About>> {
        Ok(self.with(networks))
    }

    fn measure(
        &self,
        held: &Held<A>,
        networks: &[Kept<Network<A>>],
        model: &mut Model<About>,
    ) -> Result<String> {
        let judge = self.judge(held, MEMBERS_AT_THE_END);
        let networks: Vec<_> = networks.iter().map(|kept| kept.network.clone()).collect();
        let (interpolator, forecaster) = Self::inner(&networks);
        let (mut figures, mut text) = (BTreeMap::new(), String::new());
        if let Some(interpolator) = &interpolator {
            let crps = judge.interpolated(interpolator)?;
            figures.insert("fair CRPS of interpolated frames".to_owned(), crps);
            writeln!(text, "fair CRPS of interpolated frames, in standard deviations: {crps:.4}")?;
        }
        let found = judge.forecast(interpolator.as_ref(), &forecaster)?;
        let calls = self.objective.shape.about.calls_per_frame();
        text += &windows::figures(&found, ["forecast", "persistence"], calls, &mut figures)?;
        model.meta.figures = figures;
        Ok(text)
    }
}

fn given_with_file<A: Trainable>(
    run: &TrainingRun,
    shape: &Shape,
    device: &A::Device,
) -> Result<Option<(Model<About>, Vec<u8>)>> {
    let Some(model) = model::given::<A>(run, shape, device)? else { return Ok(None) };
    let file = model.bytes()?;
    let meta = &model.meta.network;
    evaluate::network::<A>(shape, Part::Interpolator, meta, &model, device)?;
    Ok(Some((model, file)))
}

#[cfg(test)]
mod tests;
