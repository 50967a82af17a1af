//! What can be wrong with an input, each with the sentence that mends it.

use core::fmt;

/// An input that a function of this crate refuses. Nothing was computed and no output was written.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// An axis has a number of points that no transform exists for.
    AxisPoints {
        /// The number asked for.
        points: usize,
        /// The largest number allowed here: 1024 on a line, 256 on a plane.
        most: usize,
    },
    /// A field, spectrum or noise slice is not a whole number of channels of its grid.
    FieldLength {
        /// Values in the slice.
        values: usize,
        /// Points of one channel.
        points: usize,
    },
    /// The scratch slice is too short.
    ScratchLength {
        /// Values in the slice.
        values: usize,
        /// Values needed.
        needed: usize,
    },
    /// An output slice is too short.
    OutputLength {
        /// Values in the slice.
        values: usize,
        /// Values needed.
        needed: usize,
    },
    /// Two slices that belong together differ in length.
    LengthMismatch {
        /// Values in the first.
        left: usize,
        /// Values in the second.
        right: usize,
    },
    /// Two grids do not cover the same domain with the same boundaries, or the coarse one is finer.
    GridMismatch,
    /// A predictor was used before [`prepare`](crate::Predictor::prepare) has succeeded.
    NotPrepared,
    /// The predictor has no score head.
    NoScoreHead,
    /// A parameter is outside its range.
    Parameter {
        /// Its name, as in the documentation.
        name: &'static str,
        /// The value given.
        value: f32,
        /// What it should have been.
        expected: &'static str,
    },
}

impl Error {
    /// Checks `value` with `holds` and names the parameter when it fails; NaN always fails.
    pub(crate) fn check(
        name: &'static str,
        value: f32,
        holds: bool,
        expected: &'static str,
    ) -> Result<f32, Self> {
        if holds && value.is_finite() {
            Ok(value)
        } else {
            Err(Self::Parameter { name, value, expected })
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AxisPoints { points, most } => {
                write!(f, "an axis of {points} points has no transform: use a power of two from 8 to {most}")
            }
            Self::FieldLength { values, points } => {
                write!(f, "a slice of {values} values is no field on this grid: use a whole, positive number of channels of {points} points")
            }
            Self::ScratchLength { values, needed } => {
                write!(f, "the scratch has {values} values: give it at least {needed}")
            }
            Self::OutputLength { values, needed } => {
                write!(f, "the output has {values} values: give it at least {needed}")
            }
            Self::LengthMismatch { left, right } => {
                write!(f, "two slices that belong together have {left} and {right} values: make them equally long")
            }
            Self::GridMismatch => f.write_str(
                "the two grids differ in domain or boundary, or the coarse one is finer on some axis: \
                 give grids that differ in their number of points only",
            ),
            Self::NotPrepared => f.write_str("the predictor is not ready: call `prepare` with a λ first"),
            Self::NoScoreHead => {
                f.write_str("this predictor estimates no noise: use the path score, or a model with a score head")
            }
            Self::Parameter { name, value, expected } => {
                write!(f, "{name} is {value}: it must be {expected}")
            }
        }
    }
}

impl core::error::Error for Error {}
