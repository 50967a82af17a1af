//! FLEX (Erichson et al. 2025, arXiv 2505.17351): diffusion of what is to be added to a known frame,
//! to the newest of some for the next one, or to what a sensor shows for the fine one.
//!
//! `base` has the known frames of a batch, `loss` is what is minimised, [`evaluate`] lets the
//! network be sampled. A control learns the field by regression.

mod base;
pub mod evaluate;
mod loss;
pub mod settings;

use std::sync::Arc;

use anyhow::{Result, ensure};
use burn::module::AutodiffModule;
use finescale_data::dataset::Reader;
use finescale_model::{Flex as About, Model};
use finescale_sample::generator::windows::Windowed;
use finescale_sample::generator::windows::flex::Run;

pub(crate) use settings::check;

use super::windows::batch::Held;
use super::windows::fields::{tensor, values};
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
use base::Base;
use loss::Objective;

/// Settings that lie under all that is chosen.
pub(crate) const RECOMMENDED: &str = include_str!("recommended.toml");

/// Times at which the weights are judged while they learn.
const LEVELS: usize = 8;
/// Windows of the training part whose fields are measured.
const MEASURED: usize = 1024;

/// What is known before any step.
pub struct Flex {
    name: String,
    reader: Arc<Reader>,
    objective: Objective,
}

impl Flex {
    /// Windows of the validation part, rolled out over some frames.
    fn judge<'a, A: Trainable>(&'a self, held: &'a Held<A>) -> Judge<'a, A::InnerBackend> {
        let Objective { sides, base, config, .. } = &self.objective;
        Judge {
            grid: &sides.grid,
            valid: &held.valid,
            windows: config.report.windows,
            members: MEMBERS_AT_THE_END,
            history: base.history(),
            horizon: rollout(base, config.report.rollout),
        }
    }
}

/// Frames that validation draws after the known ones.
fn rollout(base: &Base, frames: usize) -> usize {
    match base {
        Base::Before(_) => frames,
        Base::Shown(_) => 1,
    }
}

impl Objective {
    /// Standard deviation of the field that is learned, of each channel.
    fn deviations<A: Trainable>(&self, held: &Held<A>) -> Vec<f64> {
        let judge = Judge {
            grid: &self.sides.grid,
            valid: &held.train,
            windows: MEASURED,
            members: 1,
            history: 0,
            horizon: 1,
        };
        let frames = judge.draw().first(&held.train, &self.sides.grid, self.frames());
        let (_, field) = self.parts(frames);
        let deviation = |channel| {
            let field = values(field.clone().narrow(1, channel, 1));
            let n = field.len() as f64;
            let mean = field.iter().sum::<f64>() / n;
            (field.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt()
        };
        (0..self.sides.channels).map(deviation).collect()
    }
}

impl<A: Trainable> System<A> for Flex {
    type Held = Held<A>;
    type Network = Network<A>;
    type Meta = About;

    fn prepare(run: &TrainingRun, devices: &[A::Device]) -> Result<(Self, Vec<Held<A>>)> {
        let (config, reader) = (run.config.clone(), run.reader.clone());
        let (grid, channels) = (reader.spec().grid()?, reader.spec().channels.len());
        let about = settings::about(&config, vec![1.0; channels]);
        let base = Base::new(&about, &grid)?;
        let sides = about.sides(grid, channels);
        config.network.check_on_board(&grid, sides.seen * channels)?;
        config.symmetries.check_on(&grid)?;
        let ahead = rollout(&base, config.report.rollout);
        let both = "flex.history with report.rollout";
        let held = held(&reader, base.history() + ahead - 1, both, devices)?;
        let mut objective = Objective { sides, about, base, config };
        if objective.config.flex.scaled {
            let scales = objective.deviations(&held[0]);
            ensure!(
                scales.iter().all(|scale| *scale > 0.0),
                "flex.scaled is true, and a channel leaves nothing to be learned: set it to false"
            );
            objective.about.scales = scales;
        }
        Ok((Self { name: run.name.clone(), reader, objective }, held))
    }

    fn stages(&self) -> Vec<Stage> {
        vec![Stage { name: "network", steps: self.objective.config.training.steps }]
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
        let Objective { sides, .. } = &self.objective;
        let frames = judge.draw().first(judge.valid, &sides.grid, self.objective.frames());
        judge::over_levels(LEVELS, |level| {
            let time = (level as f64 + 0.5) / LEVELS as f64;
            numbers(self.objective.at_time(&network, frames.clone(), time, level as u64))[0]
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
        let Objective { sides, about, base, .. } = &self.objective;
        let (judge, run, device) =
            (self.judge(held), Run::new(about, &sides.grid), held.valid.device());
        let network = networks.last().expect("the only stage has a network").network.valid();
        let seen = match base {
            Base::Before(_) => judge.known(),
            Base::Shown(_) => {
                let frame = tensor(&judge.frame(0), sides.channels, &sides.grid, device);
                values(base.parts::<A::InnerBackend>(frame, sides).0)
            }
        };
        let len = seen.len() / about.known();
        let newest = seen[seen.len() - len..].to_vec();
        let found = judge.forecast(&newest, |member| {
            let mut network = Evaluated::new(sides, &network, device.clone()).of_member(member);
            let mut seen = seen.clone();
            let mut frames = Vec::new();
            for _ in 0..judge.horizon {
                finescale_host::interrupt::check()?;
                let frame = run.frame(&seen, &mut network)?;
                seen = [&seen[len..], &frame].concat();
                frames.push(frame);
            }
            Ok(frames)
        })?;
        let before = match base {
            Base::Before(_) => ["forecast", "persistence"],
            Base::Shown(_) => ["fine", "what the sensor shows"],
        };
        figures(&found, before, about.calls_per_frame(), &mut model.meta.figures)
    }
}

#[cfg(test)]
mod tests;
