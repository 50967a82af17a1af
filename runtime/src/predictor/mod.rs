//! Predictors of the next frame of a noised path.
//!
//! Everything is in modes (see [`crate::spectral`]). A frame is `[channel][y mode][x mode]`; a
//! window or a path is frame after frame, oldest first.
//!
//! ```text
//!  û^{n−w+1} … û^{n−1}  û^n   ──increment──▶  F,   û^{n+1} = û^n + F + e,   E|e|² = S per mode
//!  gradient of the window     ◀────vjp─────   cotangent of F
//! ```
//!
//! A [`Predictor`] says what it is, and is prepared for a λ; what that gives, [`Prepared`], has the
//! tables of this λ and computes. So nothing can be computed before a λ is prepared, and nothing
//! with the tables of another one:
//!
//! ```compile_fail,E0499
//! # use finescale::{Error, Modes, Path, Predictor};
//! # fn increments(
//! #     predictor: &mut dyn Predictor, u: &Path<Modes>, f: &mut Modes,
//! # ) -> Result<(), Error> {
//! let coarse = predictor.prepare(0.3)?;
//! let fine = predictor.prepare(0.1)?; // The tables of 0.3 are gone.
//! coarse.increment(u, f, &mut [])?;
//! # fine.increment(u, f, &mut [])
//! # }
//! ```
//!
//! Source: Yasuda and Bischoff, arXiv 2604.00327, sections 3 and 4; S per mode is this project's.

mod calibration;
mod description;
mod given;
mod linear;
mod normal;
mod path_score;
mod prepared;
mod trained;

pub use calibration::{Calibration, Moments, Position, ScoreTables};
pub use description::Description;
pub use given::Given;
pub use linear::Linear;
pub use path_score::{
    FirstFrame, Innovation, PathDensity, head_score, path_score, path_score_scratch_len,
};
pub(crate) use path_score::{ScorePiece, head_score_piece, path_score_piece};
pub use prepared::{Dynamics, Prepared, Tables, Wrapper};
pub use trained::{CORRECTION_MAX, Trained};

use crate::{Error, checked};

/// Predicts the increment F of the noised path from a causal window, and pulls gradients back
/// through it, at every λ that it is prepared for.
pub trait Predictor {
    /// What it is at every λ.
    fn describe(&self) -> &Description<'_>;

    /// Does everything that depends on λ alone. For the λ of the last time there is nothing to do.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless λ is from 0 to
    /// [`ForwardProcess::LAMBDA_MAX`](crate::ForwardProcess::LAMBDA_MAX).
    fn prepare(&mut self, lambda: f32) -> Result<Prepared<'_>, Error>;
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
