//! What can be wrong with a model file.

use core::fmt;

/// Why bytes are no model that this crate can use. Nothing of them was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Invalid {
    /// Fewer bytes than there should be, or more.
    Length,
    /// The first bytes are those of another kind of file.
    Magic,
    /// The format is of another version.
    Version {
        /// The file's.
        version: u16,
        /// The one that this program reads.
        reads: u16,
    },
    /// Weights are ordered for other kernels.
    KernelLayout {
        /// The file's.
        layout: u16,
    },
    /// The checksum is another: the file is damaged.
    Checksum,
    /// The bytes do not lie at a multiple of [`super::ADDRESS_ALIGNMENT`].
    Alignment,
    /// A field has a value that it cannot have.
    Field {
        /// Its name in `docs/format.md`.
        name: &'static str,
    },
    /// The crate was built without the kind of weights that the model has.
    Weights {
        /// The cargo feature that it needs.
        feature: &'static str,
    },
    /// This processor is big-endian, files are not.
    Endianness,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Length => {
                f.write_str("the file is cut off or has bytes after its end: copy it again")
            }
            Self::Magic => {
                f.write_str("this is no finescale model: make one with `finescale export`")
            }
            Self::Version { version, reads } => {
                write!(
                    f,
                    "the file has format version {version}, this program reads {reads}: export \
                     the model again"
                )
            }
            Self::KernelLayout { layout } => {
                write!(
                    f,
                    "the weights have layout {layout}, the kernels read {}: export the model again",
                    super::KERNEL_LAYOUT
                )
            }
            Self::Checksum => {
                f.write_str("the checksum does not match: the file is damaged, copy it again")
            }
            Self::Alignment => {
                write!(
                    f,
                    "the model does not lie at a multiple of {} bytes: put it in an `Aligned`",
                    super::ADDRESS_ALIGNMENT
                )
            }
            Self::Field { name } => write!(
                f,
                "the field `{name}` has a value that it cannot have: export the model again"
            ),
            Self::Weights { feature } => write!(
                f,
                "the weights need the feature `{feature}`, which this program was built without: \
                 turn it on for the crate `finescale`, or export the model in another precision"
            ),
            Self::Endianness => {
                f.write_str("models are little-endian, this processor is not: use another")
            }
        }
    }
}

impl core::error::Error for Invalid {}
