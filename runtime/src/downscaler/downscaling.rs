//! How members are drawn, piece by piece, once it is known what was measured: the one place that
//! asks a sampler.

use super::correction::Correction;
use super::{Fine, moments};
use crate::predictor::{Description, Trained};
use crate::sampler::{Coarse, Drawing, Health, Observation, Origin, Start, Workspace};
use crate::{Error, NoiseStream, Predictor, Sampler, checked};

/// Fine frames that are being drawn: see [`Downscaler::begin`](super::Downscaler::begin).
///
/// A piece is at most one evaluation of the network for one frame, one pull-back of one frame, or
/// the tables of one λ. Dropped before the end, it leaves nothing behind.
#[derive(Debug)]
pub struct Downscaling<'d, 'a> {
    pub(super) correction: &'d Correction<'a>,
    pub(super) predictor: &'d mut Trained<'a>,
    pub(super) sampler: Sampler,
    pub(super) seed: u64,
    /// Modes; of every frame.
    pub(super) measured: &'d [f32],
    pub(super) path: &'d mut [f32],
    /// In units; empty where there is one member.
    pub(super) mean: &'d mut [f32],
    pub(super) spread: &'d mut [f32],
    pub(super) workspace: Workspace<'d>,
    pub(super) members: u32,
    /// Members that are done, and the health of the newest.
    pub(super) drawn: u32,
    pub(super) health: Health,
    pub(super) drawing: Option<Drawing>,
}

impl<'d> Downscaling<'d, '_> {
    /// Draws the next piece; gives whether it was the last one.
    ///
    /// # Errors
    /// As [`Downscaler::ensemble`](super::Downscaler::ensemble).
    pub fn advance(&mut self) -> Result<bool, Error> {
        if self.drawn >= self.members {
            return Ok(true);
        }
        let description = self.predictor.describe();
        let observation =
            Observation::new(&description.grid, self.measured, self.correction.variances)?;
        let origin = self.correction.origin(&observation);
        let drawing = match &mut self.drawing {
            Some(drawing) => drawing,
            beginning => {
                // Member 0 comes last, so that it is what the path holds in the end.
                let member = self.members.saturating_sub(self.drawn).saturating_sub(1);
                let noise = NoiseStream { seed: self.seed, member, frame: 0, draw: 0 };
                self.correction.lay(description, &self.sampler, self.measured, self.path)?;
                beginning.insert(Drawing::new(self.sampler, &noise))
            }
        };
        if !drawing.advance_in(self.predictor, &origin, self.path, &mut self.workspace)? {
            return Ok(false);
        }
        self.health = drawing.health();
        self.drawing = None;
        self.correction.restore(self.path, self.workspace.work)?;
        moments::add(self.drawn, self.path, self.mean, self.spread);
        self.drawn = self.drawn.saturating_add(1);
        Ok(self.drawn >= self.members)
    }

    /// Members that are done.
    pub const fn done(&self) -> u32 {
        self.drawn
    }

    /// Gives the fine frames. Before the last piece they are the best that there is: mean and spread
    /// those of the members that are done, [`Fine::frames`] what the member in progress says so
    /// far, marked as [`Fine::unfinished`], or the one before where none is in progress.
    ///
    /// # Errors
    /// As [`Downscaling::advance`].
    pub fn finish(self) -> Result<Fine<'d>, Error> {
        let Self { correction, predictor, measured, path, mean, spread, workspace, .. } = self;
        let (drawn, mut health, mut unfinished) = (self.drawn, self.health, None);
        // Between two members the path is that of the one before, in units.
        if drawn < self.members && (drawn == 0 || self.drawing.is_some()) {
            let description = predictor.describe();
            let observation = Observation::new(&description.grid, measured, correction.variances)?;
            let noise = NoiseStream { seed: self.seed, member: 0, frame: 0, draw: 0 };
            if self.drawing.is_none() {
                correction.lay(description, &self.sampler, measured, path)?;
            }
            let drawing = self.drawing.unwrap_or_else(|| Drawing::new(self.sampler, &noise));
            let origin = correction.origin(&observation);
            unfinished = drawing.estimate(description, &origin, path)?;
            correction.restore(path, workspace.work)?;
            if drawn == 0 {
                health = drawing.health();
            }
        }
        let spread: &[f32] = if drawn > 1 {
            moments::spread(drawn, spread);
            spread
        } else {
            &[]
        };
        let mean: &[f32] = if drawn > 0 && self.members > 1 { mean } else { path };
        Ok(Fine { frames: path, mean, spread, members: drawn, health, unfinished })
    }
}

impl Correction<'_> {
    /// What a path holds before it is drawn: the measured modes at λ*, where every point is there.
    fn lay(
        &self,
        description: &Description<'_>,
        sampler: &Sampler,
        measured: &[f32],
        path: &mut [f32],
    ) -> Result<(), Error> {
        if !self.is_whole() {
            return Ok(());
        }
        checked::zip(path.iter_mut(), measured).for_each(|(to, value)| *to = *value);
        description.process.damp(&description.grid, sampler.lambda, path)
    }

    /// Frames of which every point is there start as they are; where points are dead, the predictor
    /// draws at λ* what they leave open.
    fn origin<'o>(&self, observation: &Observation<'o>) -> Origin<'o> {
        let start = if self.is_whole() {
            Origin::coarse(Coarse::Clean)
        } else {
            Origin::start(Start::Rollout)
        };
        start.observed(Some(observation))
    }
}
