//! What a model's tasks need, known from the first bytes of its file; of both kinds of file.

use super::header::{FOOTPRINT_AT, HEADER_LEN, MAGIC};
use super::mean::{MEAN_MAGIC, MEAN_VERSION};
use super::{KERNEL_LAYOUT, VERSION};
use crate::checked::product;

/// What tasks take from their caller, as the exporter computed it; a task checks what it is given
/// by itself.
///
/// A simulation needs `memory` and `predictor`, and its path; reverse sampling (super-resolution,
/// generation, forecast) of T frames needs `memory` + `reverse` + T · `frame`, its path and the
/// sampler's own part of the scratch included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Footprint {
    /// Bytes of the predictor's tables at one λ: [`crate::predictor::Trained::memory_len`].
    pub memory: u32,
    /// Bytes of scratch of an increment and its vector-Jacobian product.
    pub predictor: u32,
    /// Bytes of scratch of a path score.
    pub reverse: u32,
    /// Bytes for each frame of a path: the frame, its score, and its companions where the model
    /// sees any.
    pub frame: u32,
    /// Points along y, 0 on a line, and along x.
    pub points: [u16; 2],
    /// Channels of a frame.
    pub channels: u8,
    /// W, the longest window in frames.
    pub window: u8,
}

impl Footprint {
    /// Larger than any memory: what bytes have that are no model.
    const NONE: Self = Self {
        memory: u32::MAX,
        predictor: u32::MAX,
        reverse: u32::MAX,
        frame: u32::MAX,
        points: [u16::MAX; 2],
        channels: u8::MAX,
        window: u8::MAX,
    };

    /// From a file's bytes, of which only the header is read, so that a constant can have it: see
    /// [`include_model!`](crate::include_model). No memory is large enough for bytes that are no
    /// predictor of this version.
    pub const fn of(bytes: &[u8]) -> Self {
        if !is_file(bytes, &MAGIC, VERSION) {
            return Self::NONE;
        }
        Self {
            memory: u32_at(bytes, FOOTPRINT_AT),
            predictor: u32_at(bytes, FOOTPRINT_AT + 4),
            reverse: u32_at(bytes, FOOTPRINT_AT + 8),
            frame: u32_at(bytes, FOOTPRINT_AT + 12),
            points: [u16_at(bytes, 20), u16_at(bytes, 22)],
            channels: byte(bytes, 48),
            window: byte(bytes, 49),
        }
    }

    /// Values of a frame, `[channel][y][x]`.
    pub const fn frame_len(&self) -> usize {
        values(self.channels, self.points)
    }
}

/// What a conditional mean and its errors take from their caller, as the exporter computed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MeanFootprint {
    /// Bytes of memory of a mean: [`crate::mean::ConditionalMean::memory_len`].
    pub memory: u32,
    /// Bytes of scratch of an evaluation: [`crate::mean::ConditionalMean::scratch_len`].
    pub scratch: u32,
    /// Bytes of memory of draws of errors: [`crate::mean::Errors::memory_len`].
    pub errors: u32,
    /// Bytes for each frame of a path of errors.
    pub frame: u32,
    /// Points along y, 0 on a line, and along x.
    pub points: [u16; 2],
    /// Points of the sensor, likewise.
    pub sensor: [u16; 2],
    /// Channels of a frame.
    pub channels: u8,
    /// a + 1 + b: coarse frames that are seen.
    pub frames: u8,
}

impl MeanFootprint {
    /// As [`Footprint::NONE`].
    const NONE: Self = Self {
        memory: u32::MAX,
        scratch: u32::MAX,
        errors: u32::MAX,
        frame: u32::MAX,
        points: [u16::MAX; 2],
        sensor: [u16::MAX; 2],
        channels: u8::MAX,
        frames: u8::MAX,
    };

    /// From a file's bytes, as [`Footprint::of`].
    pub const fn of(bytes: &[u8]) -> Self {
        if !is_file(bytes, &MEAN_MAGIC, MEAN_VERSION) {
            return Self::NONE;
        }
        Self {
            memory: u32_at(bytes, FOOTPRINT_AT),
            scratch: u32_at(bytes, FOOTPRINT_AT + 4),
            errors: u32_at(bytes, FOOTPRINT_AT + 8),
            frame: u32_at(bytes, FOOTPRINT_AT + 12),
            points: [u16_at(bytes, 20), u16_at(bytes, 22)],
            sensor: [u16_at(bytes, 36), u16_at(bytes, 38)],
            channels: byte(bytes, 27),
            frames: byte(bytes, 40).saturating_add(1).saturating_add(byte(bytes, 41)),
        }
    }

    /// Values of a fine frame, `[channel][y][x]`.
    pub const fn fine_len(&self) -> usize {
        values(self.channels, self.points)
    }

    /// Values of a coarse frame, `[channel][y][x]`.
    pub const fn coarse_len(&self) -> usize {
        values(self.channels, self.sensor)
    }
}

/// Values of a frame whose lines have no points along y.
const fn values(channels: u8, [ny, nx]: [u16; 2]) -> usize {
    let rows = if ny == 0 { 1 } else { ny as usize };
    product(&[channels as usize, rows, nx as usize])
}

/// Whether bytes start as a file of a predictor or of a conditional mean of this version does, and
/// are as many as it says.
pub const fn is_model(bytes: &[u8]) -> bool {
    is_file(bytes, &MAGIC, VERSION) || is_file(bytes, &MEAN_MAGIC, MEAN_VERSION)
}

const fn is_file(bytes: &[u8], magic: &[u8; 8], version: u16) -> bool {
    let mut at = 0;
    while at < magic.len() {
        if byte(bytes, at) != magic[at] {
            return false;
        }
        at += 1;
    }
    let known = u16_at(bytes, 8) == version && u16_at(bytes, 10) == KERNEL_LAYOUT;
    known && bytes.len() >= HEADER_LEN && u32_at(bytes, 12) as usize == bytes.len()
}

/// A slot in the file that its header tells of, and what is behind it. Where no length is to be had,
/// all of it is the file, and parsing says what is wrong.
pub(super) fn split_slot(slot: &[u8]) -> (&[u8], &[u8]) {
    let len = if slot.len() < HEADER_LEN { None } else { Some(u32_at(slot, 12) as usize) };
    len.and_then(|len| slot.split_at_checked(len)).unwrap_or((slot, &[]))
}

/// The byte there, 0 beyond the end.
const fn byte(bytes: &[u8], at: usize) -> u8 {
    if at < bytes.len() { bytes[at] } else { 0 }
}

const fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([byte(bytes, at), byte(bytes, at.saturating_add(1))])
}

const fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let [low, high] = [u16_at(bytes, at), u16_at(bytes, at.saturating_add(2))];
    low as u32 | (high as u32) << 16
}
