//! How members are drawn, piece by piece, once it is known what was measured: the one place that
//! asks a sampler.

use super::correction::Correction;
use super::{Fine, moments};
use crate::predictor::{Description, Trained};
use crate::sampler::{Coarse, Drawing, Health, Observation, Origin, Start, Workspace};
use crate::{Error, Modes, NoiseStream, Path, Predictor, Sampler, checked};

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
    pub(super) seen: Seen,
    /// Modes: of every frame that is seen, and of the path.
    pub(super) measured: &'d mut [f32],
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
        if self.drawing.is_none() {
            self.lay()?;
        }
        // Member 0 comes last, so that it is what the path holds in the end.
        let member = self.members.saturating_sub(self.drawn).saturating_sub(1);
        let noise = NoiseStream { seed: self.seed, member, frame: 0, draw: 0 };
        let description = self.predictor.describe();
        let observation = self.seen.observation(self.correction, description, self.measured)?;
        let origin = self.seen.origin(self.correction, &observation);
        let drawing = self.drawing.get_or_insert_with(|| Drawing::new(self.sampler, &noise));
        if !drawing.advance_in(
            self.predictor,
            &origin,
            Path::modes_mut(self.path),
            &mut self.workspace,
        )? {
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
    pub fn finish(mut self) -> Result<Fine<'d>, Error> {
        let (drawn, mut health, mut unfinished) = (self.drawn, self.health, None);
        // Between two members the path is that of the one before, in units.
        if drawn < self.members && (drawn == 0 || self.drawing.is_some()) {
            let noise = NoiseStream { seed: self.seed, member: 0, frame: 0, draw: 0 };
            if self.drawing.is_none() {
                self.lay()?;
            }
            let drawing = self.drawing.unwrap_or_else(|| Drawing::new(self.sampler, &noise));
            let description = self.predictor.describe();
            let observation = self.seen.observation(self.correction, description, self.measured)?;
            let origin = self.seen.origin(self.correction, &observation);
            unfinished = drawing.estimate(description, &origin, Path::modes_mut(self.path))?;
            self.correction.restore(self.path, self.workspace.work)?;
            if drawn == 0 {
                health = drawing.health();
            }
        }
        let Self { path, mean, spread, .. } = self;
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

impl Downscaling<'_, '_> {
    /// What the path holds before it is drawn: the measured modes at λ*, where every point is there.
    fn lay(&mut self) -> Result<(), Error> {
        if !self.seen.starts_coarse(self.correction) {
            return Ok(());
        }
        checked::zip(self.path.iter_mut(), &*self.measured).for_each(|(to, value)| *to = *value);
        let description = self.predictor.describe();
        description.process.damp(&description.grid, self.sampler.lambda, Modes::from_mut(self.path))
    }
}

/// What a path is drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Coarse frames, one for each frame of the path.
    Measured,
    /// Fine frames, the first of the path.
    Known,
}

impl Seen {
    /// Frames of which every point is there start as they are; elsewhere the predictor draws at λ*
    /// what is left open.
    fn starts_coarse(self, correction: &Correction<'_>) -> bool {
        self == Self::Measured && correction.is_whole()
    }

    fn observation<'o>(
        self,
        correction: &Correction<'o>,
        description: &Description<'_>,
        measured: &'o [f32],
    ) -> Result<Observation<'o>, Error> {
        let (grid, measured) = (&description.grid, Path::modes(measured));
        match self {
            Self::Measured => Observation::new(grid, measured, correction.variances),
            Self::Known => Observation::known(grid, description.channels, measured),
        }
    }

    fn origin<'o>(self, correction: &Correction<'_>, observation: &Observation<'o>) -> Origin<'o> {
        let start = if self.starts_coarse(correction) {
            Origin::coarse(Coarse::Clean)
        } else {
            Origin::start(Start::Rollout)
        };
        start.observed(Some(observation))
    }
}
