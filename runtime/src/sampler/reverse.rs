//! From λ_max to 0, piece by piece.

use super::{Observation, Sampler, Workspace};
use crate::predictor::ScorePiece;
use crate::{Error, Modes, NoiseStream, Path, Predictor};

/// How far a path has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reverse {
    /// The noise of the newest update.
    stream: NoiseStream,
    /// Planned λ that have been reached, and how often a step may still end at a release.
    index: u32,
    stops: u32,
    /// The λ of the path, and the one that the step in progress leads to.
    from: f32,
    to: f32,
    /// Whether the step in progress adds noise.
    noisy: bool,
    /// How often a bound moved a value.
    clipped: u32,
    stage: Stage,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// A step is planned, and the predictor prepared for its λ.
    Plan,
    /// The score of a step; then the step.
    Step(ScorePiece),
    /// So many correctors, and the score of the next one.
    Correct(u32, ScorePiece),
    Done,
}

impl Reverse {
    /// Nothing done yet. `varies`: whether frames have variances of their own, where there could be
    /// as many releases as measured values; there are at most as many as steps then.
    pub(super) fn new(sampler: &Sampler, varies: bool, stream: &NoiseStream) -> Self {
        let from = sampler.lambda;
        let stops = if varies { sampler.lambdas.steps(from) } else { u32::MAX };
        let (stream, stage) = (*stream, Stage::Plan);
        Self { stream, index: 0, stops, from, to: from, noisy: true, clipped: 0, stage }
    }

    /// The λ of the path between two pieces.
    pub(super) const fn lambda(&self) -> f32 {
        if matches!(self.stage, Stage::Correct(..)) { self.to } else { self.from }
    }

    pub(super) const fn clipped(&self) -> u32 {
        self.clipped
    }

    /// The next piece; gives whether it was the last one.
    pub(super) fn advance(
        &mut self,
        sampler: &Sampler,
        predictor: &mut dyn Predictor,
        observation: Option<&Observation<'_>>,
        path: &mut Path<Modes>,
        workspace: &mut Workspace<'_>,
    ) -> Result<bool, Error> {
        self.stage = match self.stage {
            Stage::Plan => self.plan(sampler, predictor, observation, path)?,
            Stage::Step(ScorePiece::Done) => {
                let prepared = predictor.prepare(self.from)?;
                let (to, noise) = (self.to, self.noisy.then_some(&self.stream));
                let moved = sampler.update(&prepared, to, observation, noise, path, workspace)?;
                self.clipped = self.clipped.saturating_add(moved);
                match &sampler.correctors {
                    Some(correctors) if to > 0.0 => self.correct(correctors.count),
                    _ => self.reached(),
                }
            }
            Stage::Step(at) => {
                let prepared = predictor.prepare(self.from)?;
                Stage::Step(sampler.score_piece(&prepared, at, path, workspace)?)
            }
            Stage::Correct(left, at) => {
                let prepared = predictor.prepare(self.to)?;
                if at == ScorePiece::Done {
                    let (score, work) = workspace.halves(path.len());
                    Error::finite("score", score)?;
                    if let Some(correctors) = &sampler.correctors {
                        let (stream, noisy) = (&self.stream, self.noisy);
                        correctors.apply(&prepared, observation, stream, noisy, path, score);
                    }
                    let moved = sampler.tidy(&prepared, observation, self.to, path, score, work)?;
                    self.clipped = self.clipped.saturating_add(moved);
                    self.correct(left.saturating_sub(1))
                } else {
                    Stage::Correct(left, sampler.score_piece(&prepared, at, path, workspace)?)
                }
            }
            Stage::Done => Stage::Done,
        };
        Ok(matches!(self.stage, Stage::Done))
    }

    /// Says where the next step leads, and bounds what it starts from.
    fn plan(
        &mut self,
        sampler: &Sampler,
        predictor: &mut dyn Predictor,
        observation: Option<&Observation<'_>>,
        path: &mut Path<Modes>,
    ) -> Result<Stage, Error> {
        let steps = sampler.lambdas.steps(sampler.lambda);
        if self.index >= steps {
            return Ok(Stage::Done);
        }
        let planned = sampler.lambdas.lambda(sampler.lambda, self.index.saturating_add(1));
        let prepared = predictor.prepare(self.from)?;
        let stop = observation
            .filter(|_| self.stops > 0)
            .and_then(|o| o.stop(&prepared.process, &prepared.grid, self.from, planned));
        self.to = stop.unwrap_or(planned);
        // A step in parts is as quiet as a whole one.
        self.noisy = self.index < steps.saturating_sub(sampler.quiet_steps);
        match stop {
            Some(_) => self.stops = self.stops.saturating_sub(1),
            None => self.index = self.index.saturating_add(1),
        }
        self.stream.draw = self.stream.draw.wrapping_add(1);
        let moved = sampler.clip.map_or(0, |clip| clip.apply(&prepared, observation, path));
        self.clipped = self.clipped.saturating_add(moved);
        Ok(Stage::Step(ScorePiece::Begin))
    }

    /// So many correctors are left at the λ that was reached.
    fn correct(&mut self, left: u32) -> Stage {
        if left == 0 {
            return self.reached();
        }
        self.stream.draw = self.stream.draw.wrapping_add(1);
        Stage::Correct(left, ScorePiece::Begin)
    }

    /// The step is done.
    fn reached(&mut self) -> Stage {
        self.from = self.to;
        Stage::Plan
    }
}
