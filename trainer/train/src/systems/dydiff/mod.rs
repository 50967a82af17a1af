//! Dynamical Diffusion (Guo et al. 2025, arXiv 2503.00951): ordinary diffusion of all frames of a
//! window, of which the first are known, with a filter along time over the frames and the noise.
//!
//! `loss` is what is minimised, [`evaluate`] lets the network be sampled. Two controls have the
//! filter elsewhere ([`finescale_peers::dydiff::Method`]).

pub mod evaluate;
mod loss;
pub mod settings;

use std::sync::Arc;

use anyhow::Result;
use burn::module::AutodiffModule;
use finescale_data::dataset::Reader;
use finescale_model::{Dydiff as About, Model};
use finescale_sample::generator::windows::Windowed;
use finescale_sample::generator::windows::dydiff::Run;

pub(crate) use settings::check;

use super::windows::batch::Held;
use super::windows::judge::{self, Judge};
use super::windows::single::{self, Evaluated, Single as _};
use super::windows::{MEMBERS_AT_THE_END, figures, held};
use super::{Level, Stage, System, Validation};
use crate::engine::Trainable;
use crate::engine::checkpoint::Kept;
use crate::engine::frames::numbers;
use crate::engine::learner::Loss;
use crate::networks::Network;
use crate::run::TrainingRun;
use loss::Objective;

/// Settings that lie under all that is chosen.
pub(crate) const RECOMMENDED: &str = include_str!("recommended.toml");

/// Steps of the process at which the weights are judged while they learn.
const LEVELS: usize = 8;

/// What is known before any step.
pub struct Dydiff {
    name: String,
    reader: Arc<Reader>,
    objective: Objective,
}

impl Dydiff {
    fn judge<'a, A: Trainable>(&'a self, held: &'a Held<A>) -> Judge<'a, A::InnerBackend> {
        let Objective { sides, about, config, .. } = &self.objective;
        Judge {
            grid: &sides.grid,
            valid: &held.valid,
            windows: config.report.windows,
            members: MEMBERS_AT_THE_END,
            history: about.history,
            horizon: about.horizon,
        }
    }
}

impl<A: Trainable> System<A> for Dydiff {
    type Held = Held<A>;
    type Network = Network<A>;
    type Meta = About;

    fn prepare(run: &TrainingRun, devices: &[A::Device]) -> Result<(Self, Vec<Held<A>>)> {
        let (config, reader) = (run.config.clone(), run.reader.clone());
        let (grid, channels) = (reader.spec().grid()?, reader.spec().channels.len());
        let about = config.dydiff.about();
        let sides = about.sides(grid, channels);
        config.network.check_on_board(&grid, about.input_fields(channels))?;
        config.symmetries.check_on(&grid)?;
        let held = held(&reader, about.frames() - 1, "dydiff.horizon", devices)?;
        let chain = about.chain()?;
        let objective = Objective { sides, about, chain, config };
        Ok((Self { name: run.name.clone(), reader, objective }, held))
    }

    fn stages(&self) -> Vec<Stage> {
        vec![Stage { name: "denoiser", steps: self.objective.config.training.steps }]
    }

    fn level(&self) -> Level {
        Level::ONE
    }

    fn network(&self, _: usize, device: &A::Device) -> Network<A> {
        let Objective { sides, config, .. } = &self.objective;
        let network = sides.fresh(&config.network, config.seed, device);
        network.expect("`linear` was refused")
    }

    fn loss(
        &self,
        held: &Held<A>,
        _: &[Kept<Network<A>>],
        network: &Network<A>,
        number: u64,
    ) -> Loss<A> {
        self.objective.loss(held, network, number)
    }

    fn validate(
        &self,
        held: &Held<A>,
        _: &[Kept<Network<A>>],
        network: &Network<A>,
    ) -> Result<Validation> {
        let (network, judge) = (network.valid(), self.judge(held));
        let Objective { sides, about, .. } = &self.objective;
        let frames = judge.draw().first(judge.valid, &sides.grid, about.frames());
        judge::over_levels(LEVELS, |level| {
            let step = (2 * level + 1) * about.process.steps / (2 * LEVELS);
            numbers(self.objective.at_step(&network, frames.clone(), step))[0]
        })
    }

    fn model(&self, networks: &[Kept<Network<A>>]) -> Result<Model<About>> {
        let Objective { sides, about, config, .. } = &self.objective;
        let learned = (&*self.name, &*self.reader, config);
        Ok(single::model::<A, _>(learned, sides.grid, about.clone(), networks))
    }

    fn measure(
        &self,
        held: &Held<A>,
        networks: &[Kept<Network<A>>],
        model: &mut Model<About>,
    ) -> Result<String> {
        let Objective { sides, about, .. } = &self.objective;
        let (judge, run) = (self.judge(held), Run::new(about)?);
        let network = networks.last().expect("the only stage has a network").network.valid();
        let (known, device) = (judge.known(), held.valid.device());
        let newest = judge.frame(about.history - 1);
        let found = judge.forecast(&newest, |member| {
            let mut network = Evaluated::new(sides, &network, device.clone()).of_member(member);
            let frames = run.window(&known, &mut network)?;
            Ok(frames.chunks(known.len() / about.history).map(<[f64]>::to_vec).collect())
        })?;
        figures(
            &found,
            ["forecast", "persistence"],
            about.calls_per_frame(),
            &mut model.meta.figures,
        )
    }
}

#[cfg(test)]
mod tests;
