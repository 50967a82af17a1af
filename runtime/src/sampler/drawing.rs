//! A sampling in small pieces.

use super::estimate::Unfinished;
use super::observation::measured_are_finite;
use super::reverse::Reverse;
use super::tasks::{CoarseFrames, of_frame};
use super::{Coarse, Health, Observation, Sampler, Start, Workspace, rollout};
use crate::checked::OrBug;
use crate::predictor::{Description, whole_frames};
use crate::{Error, Modes, NoiseStream, Path, Predictor};

/// Where a path comes from at λ_max, and what was measured of it.
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    pub(super) beginning: Beginning<'a>,
    pub(super) observation: Option<Observation<'a>>,
}

/// What the path holds before it is drawn.
#[derive(Clone, Debug)]
pub(super) enum Beginning<'a> {
    /// A path at λ_max.
    Path,
    /// Nothing.
    Start(Start),
    /// Coarse frames.
    Coarse(CoarseFrames<'a>),
}

impl<'a> Origin<'a> {
    /// A path that is at λ_max already, as [`Sampler::reverse`] takes it.
    pub const fn path() -> Self {
        Self { beginning: Beginning::Path, observation: None }
    }

    /// A start, as [`Sampler::generate`] makes it.
    pub const fn start(start: Start) -> Self {
        Self { beginning: Beginning::Start(start), observation: None }
    }

    /// Coarse frames, as [`Sampler::super_resolve`] takes them.
    pub const fn coarse(coarse: Coarse<'a>) -> Self {
        Self::frames(CoarseFrames { coarse, missing: &[], judged: 0..u32::MAX })
    }

    /// Coarse frames of which some are missing.
    pub(super) const fn frames(coarse: CoarseFrames<'a>) -> Self {
        Self { beginning: Beginning::Coarse(coarse), observation: None }
    }

    /// The same where modes were measured, if they were.
    pub fn observed(self, observation: Option<&Observation<'a>>) -> Self {
        Self { observation: observation.copied(), ..self }
    }
}

/// A path that is being drawn, piece by piece.
///
/// A piece is at most one evaluation of the network for one frame, one pull-back of one frame, or
/// the tables of one λ. Between two pieces the caller does what it has to: it feeds a watchdog,
/// lets other tasks run, looks at the time. The path has the same bits as that of a task of
/// [`Sampler`] that runs to its end, and dropping a drawing costs nothing.
///
/// ```
/// use finescale::sampler::{Drawing, Origin, Start};
/// # use finescale::{Error, Modes, NoiseStream, Path, Predictor, Sampler};
/// # fn draw(
/// #     predictor: &mut dyn Predictor, path: &mut Path<Modes>, scratch: &mut [f32], late: bool,
/// # ) -> Result<(), Error> {
/// let noise = NoiseStream { seed: 1, member: 0, frame: 0, draw: 0 };
/// let origin = Origin::start(Start::Rollout);
/// let mut drawing = Drawing::new(Sampler::ancestral(0.1), &noise);
/// while !drawing.advance(predictor, &origin, path, scratch)? {
///     if late {
///         break;
///     }
/// }
/// let unfinished = drawing.estimate(predictor.describe(), &origin, path)?;
/// # let _ = unfinished;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Drawing {
    sampler: Sampler,
    stream: NoiseStream,
    health: Health,
    at: At,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    Begin,
    /// This frame is taken to λ_max.
    Frame(u32),
    /// From there to 0.
    Reverse(Reverse),
    Done,
}

impl Drawing {
    /// Nothing drawn yet. `stream`: where the path's noise starts; see [the module](super).
    pub fn new(sampler: Sampler, stream: &NoiseStream) -> Self {
        Self { sampler, stream: *stream, health: Health::default(), at: At::Begin }
    }

    /// Draws the next piece; gives whether it was the last one.
    ///
    /// `predictor`, `origin`, `path` and `scratch` are those of the first piece, and nobody else
    /// writes to the path and the scratch before the last one. `path` and `scratch` are those of
    /// the task of [`Sampler`] whose origin it is.
    ///
    /// # Errors
    /// Those of the task. After an error the drawing cannot go on.
    pub fn advance(
        &mut self,
        predictor: &mut dyn Predictor,
        origin: &Origin<'_>,
        path: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<bool, Error> {
        self.advance_in(predictor, origin, path, &mut Workspace::new(scratch, path.len()))
    }

    /// The same with scratch in two parts, for boards with a small memory that is fast and a large
    /// one that is slow.
    ///
    /// # Errors
    /// As [`Drawing::advance`].
    pub fn advance_in(
        &mut self,
        predictor: &mut dyn Predictor,
        origin: &Origin<'_>,
        path: &mut Path<Modes>,
        workspace: &mut Workspace<'_>,
    ) -> Result<bool, Error> {
        let observation = origin.observation.as_ref();
        let description = predictor.describe();
        let frames = self.sampler.check(description, observation, path.len(), workspace)?;
        self.at = match self.at {
            At::Begin => self.begin(predictor, origin, frames, path)?,
            At::Frame(n) => {
                self.frame(predictor, origin, n, path, workspace)?;
                let next = n.saturating_add(1);
                if (next as usize) < frames {
                    At::Frame(next)
                } else {
                    Error::finite("path", path)?;
                    self.reverse(predictor.describe(), origin)
                }
            }
            At::Reverse(mut reverse) => {
                let done =
                    reverse.advance(&self.sampler, predictor, observation, path, workspace)?;
                self.health.clipped = reverse.clipped();
                if done { At::Done } else { At::Reverse(reverse) }
            }
            At::Done => At::Done,
        };
        Ok(matches!(self.at, At::Done))
    }

    /// All pieces that are left.
    pub(super) fn finish(
        mut self,
        predictor: &mut dyn Predictor,
        origin: &Origin<'_>,
        path: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<Health, Error> {
        while !self.advance(predictor, origin, path, scratch)? {}
        Ok(self.health)
    }

    /// How well the measurement fits the model; complete once every frame is at λ_max, but for
    /// [`Health::clipped`].
    pub const fn health(&self) -> Health {
        self.health
    }

    /// The λ of the path: λ_max until every frame is there, and 0 in the end.
    pub const fn lambda(&self) -> f32 {
        match self.at {
            At::Begin | At::Frame(_) => self.sampler.lambda,
            At::Reverse(reverse) => reverse.lambda(),
            At::Done => 0.0,
        }
    }

    /// Makes the best of a path whose time is up: of a drawing that is not done, each mode becomes
    /// what its value at this λ, or the measurement, says of the clean one under the model's
    /// climate; modes that were measured exactly have their value. A path that is done stays as it
    /// is, and there is nothing to say of it.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `path` is a positive number of frames; what the observation
    /// refuses.
    pub fn estimate(
        self,
        description: &Description<'_>,
        origin: &Origin<'_>,
        path: &mut Path<Modes>,
    ) -> Result<Option<Unfinished>, Error> {
        let frame = description.frame_len();
        whole_frames(path.len(), frame)?;
        if let Some(observation) = &origin.observation {
            observation.check(frame, path.len())?;
        }
        let ready = match self.at {
            At::Done => return Ok(None),
            At::Begin if !matches!(origin.beginning, Beginning::Path) => 0,
            At::Frame(n) => n,
            At::Begin | At::Reverse(_) => u32::MAX,
        };
        Ok(Some(Unfinished::of(description, origin, self.lambda(), ready, path)))
    }

    /// Checks what each task refuses.
    fn begin(
        &self,
        predictor: &mut dyn Predictor,
        origin: &Origin<'_>,
        frames: usize,
        path: &Path<Modes>,
    ) -> Result<At, Error> {
        let frame = predictor.describe().frame_len();
        match &origin.beginning {
            Beginning::Path => Error::finite("path", path)?,
            Beginning::Start(_) => (),
            Beginning::Coarse(coarse) => {
                let uncertainty = coarse.uncertainty();
                uncertainty.check(frame, frames)?;
                let variance = |n, index| uncertainty.variance(frame, n, index);
                measured_are_finite("path", path, frame, variance)?;
            }
        }
        predictor.prepare(self.sampler.lambda)?.check_given(frames)?;
        Ok(match origin.beginning {
            Beginning::Path => self.reverse(predictor.describe(), origin),
            Beginning::Start(_) | Beginning::Coarse(_) => At::Frame(0),
        })
    }

    fn reverse(&self, description: &Description<'_>, origin: &Origin<'_>) -> At {
        let varies = origin.observation.is_some_and(|o| o.varies(description.frame_len()));
        At::Reverse(Reverse::new(&self.sampler, varies, &self.stream))
    }

    /// Takes frame `n` to λ_max; the frames before it are there.
    fn frame(
        &mut self,
        predictor: &mut dyn Predictor,
        origin: &Origin<'_>,
        n: u32,
        path: &mut Path<Modes>,
        workspace: &mut Workspace<'_>,
    ) -> Result<(), Error> {
        let Self { sampler, health, .. } = self;
        let (stream, observation) = (of_frame(&self.stream, n), origin.observation.as_ref());
        let prepared = predictor.prepare(sampler.lambda)?;
        let frame = prepared.frame_len();
        match &origin.beginning {
            Beginning::Path => (),
            Beginning::Start(start) => {
                if n > 0 && *start == Start::Rollout {
                    let work = &mut *workspace.work;
                    rollout::roll_frame(&prepared, n as usize, Some(&stream), path, work)?;
                } else {
                    let frame = path.chunks_exact_mut(frame).nth(n as usize).or_bug();
                    sampler.draw_frame(&prepared, *start, &stream, frame);
                }
                if let Some(observation) = observation {
                    health.observe(&prepared, observation, n);
                }
            }
            Beginning::Coarse(coarse) => {
                // What is known exactly takes the place of a coarse frame.
                let known = observation.is_some_and(|o| o.is_known(n));
                if !known {
                    sampler.noise_coarse(&prepared, coarse, n, &stream, path, workspace)?;
                }
                let frame = path.chunks_exact(frame).nth(n as usize).or_bug();
                if coarse.judged.contains(&n) && !known && !coarse.uncertainty().is_missing(n) {
                    health.observe_noised(&prepared, frame);
                }
            }
        }
        if let Some(observation) = observation {
            let frame = path.chunks_exact_mut(frame).nth(n as usize).or_bug();
            observation.impose(&prepared, n, &stream, frame);
        }
        Ok(())
    }
}
