//! What a function says: that it did what it was asked, or why not.

use core::ffi::{CStr, c_char};

use finescale::model::Invalid;
use finescale::{Error, Fault};

/// What every function returns. After anything but FINESCALE_CODE_OK nothing was given out; a handle
/// whose parse or begin function refused has not begun, and every other one goes on as before.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinescaleCode {
    /// It was done.
    Ok = 0,
    /// A pointer is null.
    Null = 1,
    /// A pointer does not lie at a multiple of its type's alignment.
    Misaligned = 2,
    /// A length is larger than memory can be.
    Length = 3,
    /// The handle has not begun.
    NotBegun = 4,
    /// Coarse frames lie in the memory of the handle.
    Overlap = 5,
    /// A field of the instrument or of the settings has a value that it cannot have.
    Field = 6,

    /// The instrument has a number of points that no transform exists for.
    AxisPoints = 10,
    /// The coarse values are no whole, positive number of frames; of a stream, not one.
    FieldLength = 11,
    /// The memory is too short.
    MemoryLength = 12,
    /// `dead` has another number of points than the instrument.
    LengthMismatch = 13,
    /// A value is infinite or NaN.
    NotFinite = 14,
    /// A number of members, steps or frames is out of range.
    Count = 15,
    /// The instrument does not fit the model.
    Conflict = 16,
    /// A parameter is out of range.
    Parameter = 17,
    /// Anything else that the runtime refuses.
    Refused = 18,

    /// The file has too few bytes or too many.
    ModelLength = 30,
    /// The bytes are no such model.
    ModelMagic = 31,
    /// The file's format has another version.
    ModelVersion = 32,
    /// Weights are ordered for other kernels.
    ModelKernelLayout = 33,
    /// The file is damaged.
    ModelChecksum = 34,
    /// The file does not lie at a multiple of FINESCALE_MODEL_ALIGNMENT bytes.
    ModelAlignment = 35,
    /// A field of the file has a value that it cannot have.
    ModelField = 36,
    /// The library was built without the kind of weights that the model has.
    ModelWeights = 37,
    /// This processor is big-endian.
    ModelEndianness = 38,

    /// Sums are not rounded to the nearest value.
    Rounding = 50,
    /// Subnormal numbers become zero.
    FlushToZero = 51,
    /// Products are not rounded before they are added to.
    Contraction = 52,
    /// A transform has other bits.
    Transform = 53,
}

impl FinescaleCode {
    /// All of them.
    const ALL: [Self; 29] = [
        Self::Ok,
        Self::Null,
        Self::Misaligned,
        Self::Length,
        Self::NotBegun,
        Self::Overlap,
        Self::Field,
        Self::AxisPoints,
        Self::FieldLength,
        Self::MemoryLength,
        Self::LengthMismatch,
        Self::NotFinite,
        Self::Count,
        Self::Conflict,
        Self::Parameter,
        Self::Refused,
        Self::ModelLength,
        Self::ModelMagic,
        Self::ModelVersion,
        Self::ModelKernelLayout,
        Self::ModelChecksum,
        Self::ModelAlignment,
        Self::ModelField,
        Self::ModelWeights,
        Self::ModelEndianness,
        Self::Rounding,
        Self::FlushToZero,
        Self::Contraction,
        Self::Transform,
    ];

    fn text(self) -> &'static CStr {
        match self {
            Self::Ok => c"done",
            Self::Null => c"a pointer is null: give one to what the header says",
            Self::Misaligned => {
                c"a pointer does not lie at a multiple of its type's alignment: declare what it points to with its own type"
            }
            Self::Length => c"a length is larger than memory can be: give the number of values",
            Self::NotBegun => c"the handle has not begun: call its parse or begin function first",
            Self::Overlap => {
                c"the coarse frames lie in the memory of the handle: copy them to a place of their own"
            }
            Self::Field => {
                c"a field of the instrument or of the settings has a value that it cannot have: see the header"
            }
            Self::AxisPoints => {
                c"the instrument has a number of points that has no transform: use an even product of 2, 3 and 5, from 8 on"
            }
            Self::FieldLength => {
                c"the coarse values are no whole, positive number of frames (of a stream, not one): give rows * columns values for each channel"
            }
            Self::MemoryLength => {
                c"the memory is too short: give as many values as the memory function says"
            }
            Self::LengthMismatch => {
                c"dead has another number of points than the instrument: give one for each point, or none"
            }
            Self::NotFinite => {
                c"a value is infinite or NaN: give a number, say that the point is dead, or push a missing frame"
            }
            Self::Count => {
                c"a number of members, steps or frames of lag is out of range: see the header"
            }
            Self::Conflict => {
                c"the instrument does not fit the model: give the points and values of a sensor that the model is for"
            }
            Self::Parameter => {
                c"a parameter is out of range: noise must be finite and not negative, lambda from 0 to 1"
            }
            Self::Refused => c"the runtime refused it for a reason that has no code of its own",
            Self::ModelLength => {
                c"the file is cut off or has bytes after its end: copy it again, or parse a prefix"
            }
            Self::ModelMagic => {
                c"the bytes are no such model: export a predictor or a conditional mean, and parse it as what it is"
            }
            Self::ModelVersion => {
                c"the file has another version than this library reads: export the model again"
            }
            Self::ModelKernelLayout => {
                c"the weights are ordered for other kernels: export the model again"
            }
            Self::ModelChecksum => {
                c"the checksum does not match: the file is damaged, copy it again"
            }
            Self::ModelAlignment => {
                c"the model does not lie at a multiple of 16 bytes: align its array"
            }
            Self::ModelField => {
                c"a field of the file has a value that it cannot have: export the model again"
            }
            Self::ModelWeights => {
                c"the library was built without this model's kind of weights: turn its feature on, f32, int8 or int16"
            }
            Self::ModelEndianness => {
                c"models are little-endian, this processor is not: use another"
            }
            Self::Rounding => {
                c"sums are not rounded to the nearest value: set the processor's rounding mode to nearest"
            }
            Self::FlushToZero => {
                c"subnormal numbers become zero: turn flush to zero off in the floating-point unit"
            }
            Self::Contraction => {
                c"products are not rounded before they are added to: build without contraction"
            }
            Self::Transform => {
                c"a transform has other bits than it should: build the library again, with other optimisations"
            }
        }
    }
}

impl From<Error> for FinescaleCode {
    fn from(error: Error) -> Self {
        match error {
            Error::AxisPoints { .. } => Self::AxisPoints,
            Error::FieldLength { .. } => Self::FieldLength,
            Error::MemoryLength { .. } => Self::MemoryLength,
            Error::LengthMismatch { .. } => Self::LengthMismatch,
            Error::NotFinite { .. } => Self::NotFinite,
            Error::Count { .. } => Self::Count,
            Error::Conflict { .. } => Self::Conflict,
            Error::Parameter { .. } => Self::Parameter,
            Error::Model(invalid) => invalid.into(),
            _ => Self::Refused,
        }
    }
}

impl From<Invalid> for FinescaleCode {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::Length => Self::ModelLength,
            Invalid::Magic => Self::ModelMagic,
            Invalid::Version { .. } => Self::ModelVersion,
            Invalid::KernelLayout { .. } => Self::ModelKernelLayout,
            Invalid::Checksum => Self::ModelChecksum,
            Invalid::Alignment => Self::ModelAlignment,
            Invalid::Field { .. } => Self::ModelField,
            Invalid::Weights { .. } => Self::ModelWeights,
            Invalid::Endianness => Self::ModelEndianness,
            _ => Self::Refused,
        }
    }
}

impl From<Fault> for FinescaleCode {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Rounding => Self::Rounding,
            Fault::FlushToZero => Self::FlushToZero,
            Fault::Contraction => Self::Contraction,
            Fault::Transform => Self::Transform,
            _ => Self::Refused,
        }
    }
}

impl From<Result<(), FinescaleCode>> for FinescaleCode {
    fn from(result: Result<(), FinescaleCode>) -> Self {
        result.err().unwrap_or(Self::Ok)
    }
}

/// A sentence for a code, which says how to mend it; it lives for ever.
#[allow(unsafe_code)] // C finds the function by its name.
#[unsafe(no_mangle)]
pub extern "C" fn finescale_text(code: u32) -> *const c_char {
    let known = FinescaleCode::ALL.into_iter().find(|known| *known as u32 == code);
    known.map_or(c"this number is no code", FinescaleCode::text).as_ptr()
}
