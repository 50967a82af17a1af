//! Predictors of the next frame of a noised path.
//!
//! Everything is in modes (see [`crate::spectral`]). A frame is `[channel][y mode][x mode]`; a window or a path is
//! frame after frame, oldest first.
//!
//! ```text
//!  û^{n−w+1} … û^{n−1}  û^n   ──increment──▶  F,   û^{n+1} = û^n + F + e,   E|e|² = S per mode
//!  gradient of the window     ◀────vjp─────   cotangent of F
//! ```
//!
//! Source: Yasuda and Bischoff, arXiv 2604.00327, sections 3 and 4; S per mode is ours.

mod calibration;
mod linear;
mod normal;
mod path_score;
mod trained;

pub use calibration::{Calibration, Moments, Position, ScoreTables};
pub use linear::Linear;
pub use path_score::{
    FirstFrame, Innovation, PathDensity, head_score, path_score, path_score_scratch_len,
};
pub use trained::{CORRECTION_MAX, Trained};

use crate::{Error, ForwardProcess, Grid, checked};

/// Predicts the increment F of the noised path from a causal window, and pulls gradients back through it.
///
/// `prepare` fixes λ and does everything that depends on λ alone; the other functions then take `&self`, so threads
/// can share a prepared predictor, each with scratch of its own.
pub trait Predictor {
    /// The grid of every channel.
    fn grid(&self) -> &Grid;

    /// The forward process that noises the path.
    fn process(&self) -> &ForwardProcess;

    /// Channels of a frame.
    fn channels(&self) -> usize;

    /// W, the longest window in frames. A window of fewer frames is one that starts at the path's first frame.
    fn window(&self) -> usize;

    /// Values of scratch for [`Predictor::increment`], [`Predictor::vjp`] and [`Predictor::noise`].
    fn scratch_len(&self) -> usize;

    /// Makes the predictor ready for λ.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless λ is from 0 to [`ForwardProcess::LAMBDA_MAX`].
    fn prepare(&mut self, lambda: f32) -> Result<(), Error>;

    /// The λ it is ready for; NaN before the first [`Predictor::prepare`].
    fn lambda(&self) -> f32;

    /// P, the power of the clean data, `[channel][y mode][x mode]`: E û_0² of every real mode.
    fn power(&self) -> &[f32];

    /// S, the variance of the one-step error from `frames` frames, `[channel][y mode][x mode]`; of min(`frames`, W).
    /// Every value is at least Σ. Empty before the first [`Predictor::prepare`] or without frames.
    fn innovation(&self, frames: usize) -> &[f32];

    /// A_j, the linear part of the predictor from `frames` frames, `[channel out][channel in][y mode][x mode]`, packed (see
    /// [`crate::spectral::operator`]); it multiplies û^{n−j}. Empty unless 1 ≤ `frames` ≤ W and `j` < `frames`.
    fn coefficient(&self, frames: usize, j: usize) -> &[f32];

    /// What was measured on the trained predictor.
    fn calibration(&self) -> &Calibration<'_>;

    /// F from a window of 1 … W frames; leaves in `scratch` what [`Predictor::vjp`] needs.
    ///
    /// `window`: `[frame][channel][y mode][x mode]`, `increment`: one frame.
    ///
    /// # Errors
    /// [`Error::NotPrepared`], [`Error::FieldLength`], [`Error::ScratchLength`]; [`Error::Count`] for a window of more
    /// than W frames; [`Error::NotFinite`] for a value of the window that is no number and, after the increment was
    /// written, for an output of the network that is none.
    fn increment(
        &self,
        window: &[f32],
        increment: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error>;

    /// Gradient += (∂F/∂window)ᵀ cotangent, after [`Predictor::increment`] with the same scratch and an equally long
    /// window; at most once for each increment.
    ///
    /// `cotangent`: one frame, `gradient`: shaped like the window.
    ///
    /// # Errors
    /// As [`Predictor::increment`].
    fn vjp(
        &self,
        cotangent: &[f32],
        gradient: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error>;

    /// Whether there is a score head, so that [`Predictor::noise`] gives an estimate.
    fn has_score_head(&self) -> bool {
        false
    }

    /// The score head: ε̂, the estimate of the newest frame's unit noise from its window.
    ///
    /// # Errors
    /// As [`Predictor::increment`]; [`Error::NoScoreHead`] if the predictor has none, as most do.
    fn noise(&self, window: &[f32], noise: &mut [f32], scratch: &mut [f32]) -> Result<(), Error> {
        let _ = (window, noise, scratch);
        Err(Error::NoScoreHead)
    }
}

/// Values of a frame; written so that the compiler sees that it is not 0.
pub(crate) fn frame_len(predictor: &(impl Predictor + ?Sized)) -> usize {
    checked::product(&[predictor.channels(), predictor.grid().points()]).max(1)
}

/// Checks a window, or the gradient of one, and one frame beside it; gives the number of frames in the window.
pub(crate) fn window_frames(
    predictor: &(impl Predictor + ?Sized),
    window: &[f32],
    frame: &[f32],
) -> Result<usize, Error> {
    if predictor.lambda().is_nan() {
        return Err(Error::NotPrepared);
    }
    let values = frame_len(predictor);
    if frame.len() != values {
        return Err(Error::FieldLength { values: frame.len(), points: values });
    }
    let frames = whole_frames(window.len(), values)?;
    let holds = frames <= predictor.window();
    Error::count("window", frames, holds, "at most as many frames as the predictor's")?;
    Ok(frames)
}

/// As [`window_frames`]; the window's values must be numbers.
pub(crate) fn input_frames(
    predictor: &(impl Predictor + ?Sized),
    window: &[f32],
    frame: &[f32],
) -> Result<usize, Error> {
    let frames = window_frames(predictor, window, frame)?;
    Error::finite("window", window)?;
    Ok(frames)
}

/// Frames of `frame` values in a path of `values` values.
pub(crate) fn whole_frames(values: usize, frame: usize) -> Result<usize, Error> {
    let refused = Error::FieldLength { values, points: frame };
    let frames = values.checked_div(frame).ok_or(refused)?;
    if frames == 0 || checked::product(&[frames, frame]) != values {
        Err(refused)
    } else {
        Ok(frames)
    }
}
