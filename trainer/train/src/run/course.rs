//! The training loop: a state that advances, reports and saves.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use burn::module::Module;
use finescale_host::interrupt;

use super::display::Display;
use super::look::Pending;
use super::metrics::{self, Bands, Report};
use super::{LOOK, TrainingRun, curves};
use crate::config::Keep;
use crate::engine::Trainable;
use crate::engine::checkpoint::{Best, Checkpoint, Kept};
use crate::engine::learner::{Learner, Seat};
use crate::engine::optimizer::learning_rate;
use crate::systems::{Level, Stage, System};

/// What a device holds of a system, and the frozen networks of earlier stages.
pub(super) struct Placed<A: Trainable, S: System<A>> {
    pub(super) held: Arc<S::Held>,
    pub(super) earlier: Vec<Kept<S::Network>>,
}

const LEARNER: &str = "a step has given it back";

/// A stage under way.
pub(super) struct Course<'a, A: Trainable, S: System<A>> {
    run: &'a TrainingRun,
    system: &'a S,
    seats: Vec<Seat<A, Placed<A, S>>>,
    stage: usize,
    stages: usize,
    what: Stage,
    title: String,
    level: Level,
    /// Steps of this stage that are done.
    done: usize,
    /// Always there between two steps: a step takes it and gives it back.
    learner: Option<Learner<A, S::Network>>,
    best: Option<Best<S::Network>>,
    earlier: Vec<Kept<S::Network>>,
    pending: Pending<A>,
    reports: Vec<Report>,
    display: Display,
}

impl<'a, A: Trainable, S: System<A>> Course<'a, A, S> {
    /// Trains every stage; goes on from the newest checkpoint if there is one.
    pub(super) fn train(
        run: &'a TrainingRun,
        system: &'a S,
        mut seats: Vec<Seat<A, Placed<A, S>>>,
    ) -> Result<Vec<Kept<S::Network>>> {
        let main = seats[0].device.clone();
        let stages = system.stages();
        if stages.is_empty() {
            return Ok(Vec::new());
        }
        let fresh = |stage: usize| system.network(stage, &main);
        let found = Checkpoint::<A, S::Network>::load(&run.folder, fresh, &main)?;
        if let Some(found) = &found {
            println!("resumed after {} steps{}", found.step, of_stage(&stages, found.stage));
        }
        let mut from = found.unwrap_or_else(|| Checkpoint {
            stage: 0,
            step: 0,
            learner: Learner::new(fresh(0)),
            best: None,
            earlier: Vec::new(),
        });
        loop {
            for seat in &mut seats {
                freeze(seat, &from.earlier);
            }
            let stage = from.stage;
            let mut course = Self::begin(run, system, seats, from)?;
            course.finish()?;
            let kept = course.kept();
            let mut earlier = course.earlier;
            earlier.push(kept);
            if earlier.len() == stages.len() {
                return Ok(earlier);
            }
            seats = course.seats;
            let learner = Learner::new(fresh(stage + 1));
            from = Checkpoint { stage: stage + 1, step: 0, learner, best: None, earlier };
        }
    }

    fn begin(
        run: &'a TrainingRun,
        system: &'a S,
        seats: Vec<Seat<A, Placed<A, S>>>,
        from: Checkpoint<A, S::Network>,
    ) -> Result<Self> {
        let Checkpoint { stage, step: done, learner, best, earlier } = from;
        let (what, level) = (system.stages()[stage].clone(), system.level());
        let title = format!("{}{}", run.name, of_stage(&system.stages(), stage));
        Ok(Self {
            reports: metrics::resume(&run.folder, stage, done)?,
            display: Display::new(&title, done, what.steps),
            pending: Pending::new(Bands::new(level.bands), level.symbol),
            run,
            system,
            seats,
            stage,
            stages: system.stages().len(),
            what,
            title,
            level,
            done,
            learner: Some(learner),
            best,
            earlier,
        })
    }

    /// The steps that are left, with reports and checkpoints.
    fn finish(&mut self) -> Result<()> {
        while self.done < self.what.steps {
            self.advance();
            let stop = interrupt::check().is_err();
            let last = self.done == self.what.steps;
            let report = last || self.done.is_multiple_of(self.run.config.report.every);
            if report || stop || self.done.is_multiple_of(LOOK) {
                self.display.steps(self.done, self.pending.look()?);
            }
            if report {
                self.report()?;
            }
            if report || stop {
                self.save()?;
            }
            if stop && !last {
                return Err(interrupt::Interrupted).with_context(|| {
                    format!("stopped after {} steps; --resume goes on from there", self.done)
                });
            }
        }
        Ok(())
    }

    /// One step.
    fn advance(&mut self) {
        let loss = |network: &S::Network, placed: &Placed<A, S>, batch: u64| {
            self.system.loss(&placed.held, &placed.earlier, network, batch)
        };
        let training = &self.run.config.training;
        let learner = self.learner.take().expect(LEARNER);
        let (learner, losses) = learner.step(&self.seats, training, self.done, &loss);
        self.learner = Some(learner);
        self.pending.add(self.done, losses);
        self.done += 1;
    }

    /// Measures the averaged weights, keeps them if they are the best, and draws the curves.
    fn report(&mut self) -> Result<()> {
        let (training, folder) = (&self.run.config.training, &self.run.folder);
        let average = &self.learner().average;
        let placed = &self.seats[0].held;
        let found = self.system.validate(&placed.held, &placed.earlier, average)?;
        let loss = found.loss();
        // Not a number counts as the largest.
        let better = self.best.as_ref().is_none_or(|best| loss.total_cmp(&best.loss).is_lt());
        if training.keep == Keep::Best && better {
            let weights = average.clone();
            self.best = Some(Best { step: self.done, loss, weights });
        }
        let rate = learning_rate(training, self.done - 1);
        let report = Report::new(self.stage, self.done, rate, self.pending.bands.take(), found);
        self.display.report(&report);
        metrics::append(folder, &report)?;
        self.reports.push(report);
        let name = match self.stages {
            1 => "curves".to_owned(),
            _ => format!("curves-{}", self.what.name),
        };
        curves::draw(&folder.join(name), &self.title, &self.level, &self.reports)
    }

    fn learner(&self) -> &Learner<A, S::Network> {
        self.learner.as_ref().expect(LEARNER)
    }

    /// Writes a checkpoint.
    fn save(&self) -> Result<()> {
        let (stage, step, learner) = (self.stage, self.done, self.learner().clone());
        let (best, earlier) = (self.best.clone(), self.earlier.clone());
        Checkpoint { stage, step, learner, best, earlier }.save(&self.run.folder)
    }

    /// The network that this stage leaves.
    fn kept(&self) -> Kept<S::Network> {
        match &self.best {
            Some(best) => Kept { network: best.weights.clone(), steps: best.step },
            None => Kept { network: self.learner().average.clone(), steps: self.what.steps },
        }
    }
}

/// Puts the networks of earlier stages on a device.
fn freeze<A: Trainable, S: System<A>>(
    seat: &mut Seat<A, Placed<A, S>>,
    earlier: &[Kept<S::Network>],
) {
    let freeze = |kept: &Kept<S::Network>| {
        let network = kept.network.clone().fork(&seat.device).no_grad();
        Kept { network, steps: kept.steps }
    };
    seat.held.earlier = earlier.iter().map(freeze).collect();
}

/// Which stage, where there are several.
fn of_stage(stages: &[Stage], stage: usize) -> String {
    match stages {
        [_] => String::new(),
        _ => format!(", stage {} of {} ({})", stage + 1, stages.len(), stages[stage].name),
    }
}
