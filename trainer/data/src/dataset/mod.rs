//! The one data-set format: a Zarr v3 group with one array per channel, statistics, splits and a
//! manifest.
//!
//! [`Writer`] makes it, [`Reader`] streams it, xarray opens it as it is; `docs/dataset.md` has the
//! specification. Fields are `f32`, row-major `[frame][channel][y][x]` (on a line
//! `[frame][channel][x]`).

mod climatology;

mod fields;
mod frames;
mod manifest;
mod reader;
mod spec;
mod split;
pub mod staging;
mod statistics;
pub mod store;
mod writer;

pub use climatology::Climatology;
pub use frames::{SpectralFrames, spread, windows};
pub use manifest::{Manifest, SourceFile};
pub use reader::Reader;
pub use spec::{Attributes, Channel, SpatialAxis, Spec, TimeAxis};
pub(crate) use spec::{check_points, most_points};
pub use split::{GAP, Segment, Split, SplitRule, Splits};
pub use statistics::{ChannelStatistics, Statistics};
pub use writer::Writer;

/// Version of the format, in the attribute `finescale_format`.
pub(crate) const FORMAT_VERSION: u64 = 1;
