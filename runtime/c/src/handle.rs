//! Handles: memory of the caller's in which something of Rust lies.

use core::ops::Range;

use finescale::downscaler::{MeanStream, Stream};
use finescale::model::{MeanModel, Model};
use finescale::{Downscaler, MeanDownscaler};

use crate::code::FinescaleCode;
use crate::pointer::{Opaque, place};

/// Words of a FinescaleModel.
pub const FINESCALE_MODEL_WORDS: usize = 128;
/// Words of a FinescaleDownscaler.
pub const FINESCALE_DOWNSCALER_WORDS: usize = 352;
/// Words of a FinescaleStream.
pub const FINESCALE_STREAM_WORDS: usize = 384;
/// Words of a FinescaleMeanModel.
pub const FINESCALE_MEAN_MODEL_WORDS: usize = 128;
/// Words of a FinescaleMean.
pub const FINESCALE_MEAN_WORDS: usize = 352;
/// Words of a FinescaleMeanStream.
pub const FINESCALE_MEAN_STREAM_WORDS: usize = 352;
/// Where a model file must lie in memory: at multiples of so many bytes.
pub const FINESCALE_MODEL_ALIGNMENT: usize = 16;
const _: () = assert!(FINESCALE_MODEL_ALIGNMENT == finescale::model::ALIGNMENT);

/// A predictor's file that was checked. Its bytes must live, and not change, as long as the model
/// and everything that was begun with it are used; the model itself only until then.
#[repr(C)]
#[derive(Debug)]
pub struct FinescaleModel {
    mark: u64,
    words: [usize; FINESCALE_MODEL_WORDS],
}

/// Makes fine frames of coarse ones, several at once. The model's bytes, the instrument's `noise`
/// and `dead`, and the memory must live as long as it is used; the FinescaleModel and the
/// FinescaleInstrument need not.
#[repr(C)]
#[derive(Debug)]
pub struct FinescaleDownscaler {
    mark: u64,
    words: [usize; FINESCALE_DOWNSCALER_WORDS],
}

/// One coarse frame in, one fine frame out. What must live how long is as for a downscaler.
#[repr(C)]
#[derive(Debug)]
pub struct FinescaleStream {
    mark: u64,
    words: [usize; FINESCALE_STREAM_WORDS],
}

/// A conditional mean's file that was checked; see FinescaleModel.
#[repr(C)]
#[derive(Debug)]
pub struct FinescaleMeanModel {
    mark: u64,
    words: [usize; FINESCALE_MEAN_MODEL_WORDS],
}

/// What FinescaleDownscaler is, of a conditional mean.
#[repr(C)]
#[derive(Debug)]
pub struct FinescaleMean {
    mark: u64,
    words: [usize; FINESCALE_MEAN_WORDS],
}

/// What FinescaleStream is, of a conditional mean.
#[repr(C)]
#[derive(Debug)]
pub struct FinescaleMeanStream {
    mark: u64,
    words: [usize; FINESCALE_MEAN_STREAM_WORDS],
}

/// Something that has memory of its own, which nobody else may touch.
#[derive(Debug)]
pub struct Holder<T> {
    pub(crate) value: T,
    /// Where it lies.
    pub(crate) memory: Range<usize>,
}

impl<T> Holder<T> {
    /// Refuses values in its memory.
    pub(crate) fn apart(&self, values: &[f32]) -> Result<(), FinescaleCode> {
        let Range { start, end } = place(values);
        if start < self.memory.end && self.memory.start < end {
            Err(FinescaleCode::Overlap)
        } else {
            Ok(())
        }
    }
}

impl Opaque for FinescaleModel {
    type Value = Model<'static>;
    const MARK: u64 = mark(1);
}
impl Opaque for FinescaleDownscaler {
    type Value = Holder<Downscaler<'static>>;
    const MARK: u64 = mark(2);
}
impl Opaque for FinescaleStream {
    type Value = Holder<Stream<'static>>;
    const MARK: u64 = mark(3);
}
impl Opaque for FinescaleMeanModel {
    type Value = MeanModel<'static>;
    const MARK: u64 = mark(4);
}
impl Opaque for FinescaleMean {
    type Value = Holder<MeanDownscaler<'static>>;
    const MARK: u64 = mark(5);
}
impl Opaque for FinescaleMeanStream {
    type Value = Holder<MeanStream<'static>>;
    const MARK: u64 = mark(6);
}

/// The mark of a kind of handle.
const fn mark(kind: u8) -> u64 {
    u64::from_be_bytes([b'f', b'i', b'n', b'e', 0x89, 0xF5, 0xC0, kind])
}
