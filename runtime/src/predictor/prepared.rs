//! A predictor at one λ: tables, and what computes with them.

use core::ops::Deref;

use super::{Description, whole_frames};
use crate::checked::{OrBug, Place, product, sum};
use crate::{Error, Field, Modes, Path};

/// What depends on λ alone.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'p> {
    /// The λ of the tables.
    pub lambda: f32,
    /// S for every number of frames, `[frames − 1][channel][y mode][x mode]`: see
    /// [`Prepared::innovation`].
    pub innovation: &'p [f32],
    /// A_j for a window of w frames, `[w (w − 1)/2 + j]` of what [`Prepared::coefficient`] gives.
    pub coefficients: &'p [f32],
}

/// What a predictor computes at the λ that it is prepared for.
///
/// [`Prepared`] calls it, and has checked the lengths: windows are of 1 … W whole frames, of
/// numbers, companions are those of one frame, and scratch is as long as
/// [`Description::scratch_len`] says. Where there is nothing
/// prepared there is no [`Prepared`], so an implementation belongs to a type of its own that nobody
/// else can reach.
pub trait Dynamics: Sync {
    /// See [`Prepared::increment`].
    ///
    /// # Errors
    /// [`Error::NotFinite`] for an output of the network that is no number.
    fn increment(
        &self,
        window: &Path<Modes>,
        companions: &Field,
        out: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error>;

    /// See [`Prepared::vjp`].
    ///
    /// # Errors
    /// None that is known.
    fn vjp(
        &self,
        cotangent: &Modes,
        gradient: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<(), Error>;

    /// See [`Prepared::noise`]; called only of a predictor that has a score head.
    ///
    /// # Errors
    /// As [`Dynamics::increment`].
    fn noise(
        &self,
        window: &Path<Modes>,
        noise: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let _ = (window, noise, scratch);
        Err(Error::NoScoreHead)
    }
}

/// What stands between a task and its predictor: it counts evaluations, feeds a watchdog, ends the
/// task with an error, or changes what it gets. Everything has been checked, as for [`Dynamics`].
pub trait Wrapper: Sync {
    /// In place of [`Prepared::increment`] of `inner`.
    ///
    /// # Errors
    /// Whatever it likes, [`Error::Stopped`] where it is nobody's fault; the task ends with it.
    fn increment(
        &self,
        inner: &Prepared<'_>,
        window: &Path<Modes>,
        increment: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        inner.increment(window, increment, scratch)
    }

    /// In place of [`Prepared::vjp`] of `inner`.
    ///
    /// # Errors
    /// As [`Wrapper::increment`].
    fn vjp(
        &self,
        inner: &Prepared<'_>,
        cotangent: &Modes,
        gradient: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        inner.vjp(cotangent, gradient, scratch)
    }

    /// In place of [`Prepared::noise`] of `inner`.
    ///
    /// # Errors
    /// As [`Wrapper::increment`].
    fn noise(
        &self,
        inner: &Prepared<'_>,
        window: &Path<Modes>,
        noise: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        inner.noise(window, noise, scratch)
    }
}

/// A predictor at one λ, which its tables belong to; it lasts until another λ is prepared.
///
/// Threads can share it, each with scratch of its own.
#[derive(Clone, Copy)]
pub struct Prepared<'p> {
    description: &'p Description<'p>,
    tables: Tables<'p>,
    dynamics: &'p dyn Dynamics,
    wrapper: Option<&'p dyn Wrapper>,
    /// Of the frames of a path, or of the one frame that is predicted.
    given: &'p Path<Field>,
}

impl<'p> Prepared<'p> {
    /// For predictors of one's own; [`Linear`](super::Linear) and [`Trained`](super::Trained) make
    /// it themselves.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless the power is one frame and the tables are those of every
    /// number of frames up to W.
    pub fn new(
        description: &'p Description<'p>,
        tables: Tables<'p>,
        dynamics: &'p dyn Dynamics,
    ) -> Result<Self, Error> {
        let (frame, window) = (description.frame_len(), description.window);
        let lag = product(&[description.channels, frame]);
        for (left, right) in [
            (description.power.len(), frame),
            (tables.innovation.len(), product(&[window, frame])),
            (tables.coefficients.len(), product(&[first_coefficient(sum(&[window, 1])), lag])),
        ] {
            if left != right {
                return Err(Error::LengthMismatch { left, right });
            }
        }
        Ok(Self { description, tables, dynamics, wrapper: None, given: Path::fields(&[]) })
    }

    /// The same with companions, `[frame][field][y][x]`: fields that are known beforehand, do not
    /// depend on λ, and are seen when their frame is predicted.
    ///
    /// What computes a path takes those of every frame of the path; those of frame 0, which nothing
    /// predicts, are not seen. [`Prepared::increment`] takes those of the frame that it predicts.
    /// Their number is [`Description::companions`]. For tasks see [`Given`](super::Given).
    pub const fn given(self, companions: &'p Path<Field>) -> Self {
        Self { given: companions, ..self }
    }

    /// The same with the companions of frame `n` of the path alone: what predicts this frame.
    pub fn toward(self, n: usize) -> Self {
        let len = self.companions_len();
        let (start, end) = (product(&[n, len]), product(&[sum(&[n, 1]), len]));
        // What is not there is refused where it is needed.
        let given = self.given.get(start..end).unwrap_or_default();
        Self { given: Path::fields(given), ..self }
    }

    /// Checks the companions of so many frames.
    pub(crate) fn check_given(&self, frames: usize) -> Result<(), Error> {
        let (values, needed) = (self.given.len(), product(&[frames, self.companions_len()]));
        if values != needed {
            return Err(Error::Companions { values, needed });
        }
        Error::finite("companions", self.given)
    }

    /// The same with `wrapper` around every evaluation, in place of the one that it had.
    pub const fn wrapped(self, wrapper: &'p dyn Wrapper) -> Self {
        Self { wrapper: Some(wrapper), ..self }
    }

    /// The λ that it is prepared for.
    #[inline]
    pub const fn lambda(&self) -> f32 {
        self.tables.lambda
    }

    /// All tables, for a predictor that computes otherwise from the same.
    #[inline]
    pub const fn tables(&self) -> Tables<'p> {
        self.tables
    }

    /// S, the variance of the one-step error from `frames` frames, `[channel][y mode][x mode]`; of
    /// min(`frames`, W). Every value is at least Σ. Empty without frames.
    pub fn innovation(&self, frames: usize) -> &'p [f32] {
        let Some(last) = frames.min(self.window).checked_sub(1) else { return &[] };
        self.tables.innovation.chunks_exact(self.frame_len()).nth(last).or_bug()
    }

    /// A_j, the linear part of the predictor from `frames` frames,
    /// `[channel out][channel in][y mode][x mode]`, packed (see [`crate::spectral::operator`]); it
    /// multiplies û^{n−j}. Empty unless 1 ≤ `frames` ≤ W and `j` < `frames`.
    pub fn coefficient(&self, frames: usize, j: usize) -> &'p [f32] {
        let Description { channels, window, .. } = **self;
        if frames == 0 || frames > window || j >= frames {
            return &[];
        }
        let lag = channels.times(self.frame_len()).max(1);
        let place = first_coefficient(frames).plus(j);
        self.tables.coefficients.chunks_exact(lag).nth(place).or_bug()
    }

    /// F from a window of 1 … W frames; leaves in `scratch` what [`Prepared::vjp`] needs.
    ///
    /// `window`: `[frame][channel][y mode][x mode]`, `increment`: one frame, `scratch`:
    /// [`Description::scratch_len`] values.
    ///
    /// # Errors
    /// [`Error::FieldLength`], [`Error::ScratchLength`]; [`Error::Count`] for a window of more than
    /// W frames; [`Error::Companions`] unless those of the predicted frame are given, where the
    /// predictor sees any; [`Error::NotFinite`] for a value of the window or a companion that is no
    /// number and, after the increment was written, for an output of the network that is none.
    pub fn increment(
        &self,
        window: &Path<Modes>,
        increment: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.check(window, increment)?;
        Error::finite("window", window)?;
        self.check_given(1)?;
        self.check_scratch(scratch)?;
        match self.wrapper {
            None => self.dynamics.increment(window, self.given, increment, scratch),
            Some(wrapper) => wrapper.increment(&self.bare(), window, increment, scratch),
        }
    }

    /// Gradient += (∂F/∂window)ᵀ cotangent, after [`Prepared::increment`] with the same scratch and
    /// an equally long window; at most once for each increment.
    ///
    /// `cotangent`: one frame, `gradient`: shaped like the window.
    ///
    /// # Errors
    /// As [`Prepared::increment`].
    pub fn vjp(
        &self,
        cotangent: &Modes,
        gradient: &mut Path<Modes>,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        self.check(gradient, cotangent)?;
        self.check_scratch(scratch)?;
        match self.wrapper {
            None => self.dynamics.vjp(cotangent, gradient, scratch),
            Some(wrapper) => wrapper.vjp(&self.bare(), cotangent, gradient, scratch),
        }
    }

    /// The score head: ε̂, the estimate of the newest frame's unit noise from its window.
    ///
    /// # Errors
    /// As [`Prepared::increment`]; [`Error::NoScoreHead`] if the predictor has none, as most do.
    pub fn noise(
        &self,
        window: &Path<Modes>,
        noise: &mut Modes,
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        if !self.score_head {
            return Err(Error::NoScoreHead);
        }
        self.check(window, noise)?;
        Error::finite("window", window)?;
        self.check_scratch(scratch)?;
        match self.wrapper {
            None => self.dynamics.noise(window, noise, scratch),
            Some(wrapper) => wrapper.noise(&self.bare(), window, noise, scratch),
        }
    }

    fn bare(self) -> Self {
        Self { wrapper: None, ..self }
    }

    /// Checks a window, or the gradient of one, and one frame beside it.
    fn check(&self, window: &[f32], frame: &[f32]) -> Result<(), Error> {
        let values = self.frame_len();
        if frame.len() != values {
            return Err(Error::FieldLength { values: frame.len(), points: values });
        }
        let frames = whole_frames(window.len(), values)?;
        let holds = frames <= self.window;
        let expected = "at most as many frames as the predictor's";
        Error::count("window", frames, holds, expected).map(|_| ())
    }

    fn check_scratch(&self, scratch: &[f32]) -> Result<(), Error> {
        let (values, needed) = (scratch.len(), self.scratch_len);
        if values < needed { Err(Error::ScratchLength { values, needed }) } else { Ok(()) }
    }
}

/// What the predictor is at every λ.
impl<'p> Deref for Prepared<'p> {
    type Target = Description<'p>;

    #[inline]
    fn deref(&self) -> &Description<'p> {
        self.description
    }
}

/// Operators of shorter windows before those of a window of `frames` frames.
pub(super) const fn first_coefficient(frames: usize) -> usize {
    pairs(frames.saturating_sub(1))
}

/// 1 + 2 + … + n.
pub(super) const fn pairs(n: usize) -> usize {
    let next = sum(&[n, 1]);
    if n & 1 == 0 { product(&[n / 2, next]) } else { product(&[n, next / 2]) }
}
