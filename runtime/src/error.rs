//! What can be wrong with an input, each with the sentence that mends it.

use core::fmt;

use crate::Axis;
use crate::model::Invalid;

/// What a function of this crate refuses.
///
/// Inputs are checked before the first write: after an error that names an input no output has
/// changed. The one error that can come later is [`Error::NotFinite`] of what a network gives in
/// the middle of a sampling; the function that returns it says what its output is then.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// An axis has a number of points that no transform exists for.
    AxisPoints {
        /// The number asked for.
        points: usize,
        /// The largest number allowed here: 4096 on a line, 2048 on a plane.
        most: usize,
    },
    /// A field, spectrum or noise slice is not a whole number of channels of its grid.
    FieldLength {
        /// Values in the slice.
        values: usize,
        /// Points of one channel.
        points: usize,
    },
    /// The memory that a predictor or an online sampler keeps is too short.
    MemoryLength {
        /// Values in the slice.
        values: usize,
        /// Values needed; `usize::MAX` if the number does not fit.
        needed: usize,
    },
    /// The scratch slice is too short.
    ScratchLength {
        /// Values in the slice.
        values: usize,
        /// Values needed; `usize::MAX` if the number does not fit.
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
    /// The companions are not those of the frames that a predictor sees them of: see
    /// [`Prepared::given`](crate::predictor::Prepared::given).
    Companions {
        /// Values in the slice.
        values: usize,
        /// Values needed; 0 where the predictor sees none.
        needed: usize,
    },
    /// Two grids do not cover the same domain with the same boundaries, or the coarse one is finer.
    GridMismatch,
    /// The predictor has no score head.
    NoScoreHead,
    /// A [`Wrapper`](crate::predictor::Wrapper) has ended the task, as somebody asked it to.
    Stopped,
    /// A value that must be a number is infinite or NaN.
    NotFinite {
        /// What has the value, as in the documentation.
        name: &'static str,
        /// Where it stands there.
        index: usize,
    },
    /// A number of things is outside its range.
    Count {
        /// Its name, as in the documentation.
        name: &'static str,
        /// The number given; `usize::MAX` if it does not fit.
        value: usize,
        /// What it should have been.
        expected: &'static str,
    },
    /// Two arguments, or an argument and the object that it is given to, exclude each other.
    Conflict {
        /// The name of the argument, as in the documentation.
        name: &'static str,
        /// What it should have been.
        expected: &'static str,
    },
    /// The bytes are no model.
    Model(Invalid),
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

    /// Checks the number of something, with its name and what it should be.
    pub(crate) fn count(
        name: &'static str,
        value: usize,
        holds: bool,
        expected: &'static str,
    ) -> Result<usize, Self> {
        if holds { Ok(value) } else { Err(Self::Count { name, value, expected }) }
    }

    /// Checks that all values are numbers, and names the first that is none.
    pub(crate) fn finite(name: &'static str, values: &[f32]) -> Result<(), Self> {
        match values.iter().position(|value| !value.is_finite()) {
            Some(index) => Err(Self::NotFinite { name, index }),
            None => Ok(()),
        }
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Self::Model(invalid)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AxisPoints { points, most } => {
                let nearest = Axis::nearest_points(points, most);
                write!(f, "an axis of {points} points has no transform: use an even product of 2, \
                           3 and 5 from 8 to {most}, such as {nearest}")
            }
            Self::FieldLength { values, points } => {
                write!(f, "a slice of {values} values is no field on this grid: use a whole, \
                           positive number of channels of {points} points")
            }
            Self::MemoryLength { values, needed } => short(f, "memory", values, needed),
            Self::ScratchLength { values, needed } => short(f, "scratch", values, needed),
            Self::OutputLength { values, needed } => short(f, "output", values, needed),
            Self::LengthMismatch { left, right } => {
                write!(f, "two slices that belong together have {left} and {right} values: make \
                           them equally long")
            }
            Self::Companions { values, needed: 0 } => {
                write!(f, "the companions have {values} values, and this predictor sees none: \
                           leave them out")
            }
            Self::Companions { values, needed } => {
                write!(f, "the companions have {values} values: give {needed}, the fields that \
                           this predictor sees of every frame")
            }
            Self::GridMismatch => f.write_str(
                "the two grids differ in domain or boundary, or the coarse one is finer on some axis: \
                 give grids that differ in their number of points only",
            ),
            Self::NoScoreHead => {
                f.write_str("this predictor estimates no noise: use the path score, or a model \
                             with a score head")
            }
            Self::Stopped => f.write_str("the task was stopped: start it again"),
            Self::NotFinite { name, index } => {
                write!(f, "{name}: the value at index {index} is infinite or NaN: give a number, \
                           or say that it is missing")
            }
            Self::Count { name, value: usize::MAX, expected } => {
                write!(f, "{name} is more than this processor can count: it must be {expected}")
            }
            Self::Count { name, value, expected } => {
                write!(f, "{name} is {value}: it must be {expected}")
            }
            Self::Conflict { name, expected } => write!(f, "{name} must be {expected}"),
            Self::Model(invalid) => invalid.fmt(f),
            Self::Parameter { name, value, expected } => {
                write!(f, "{name} is {value}: it must be {expected}")
            }
        }
    }
}

fn short(f: &mut fmt::Formatter<'_>, name: &str, values: usize, needed: usize) -> fmt::Result {
    if needed == usize::MAX {
        write!(
            f,
            "the {name} would need more values than this processor can address: use fewer frames \
             or channels"
        )
    } else {
        write!(f, "the {name} has {values} values: give it at least {needed}")
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Model(invalid) => Some(invalid),
            _ => None,
        }
    }
}
