//! Where sums go: through the epilogue, and with what is added to them, into the output.

use super::super::epilogue::{ChannelEpilogue, Epilogue};
use crate::checked::{self, OrBug, Place};

/// Whether sums are finished tile by tile, while they are in registers, instead of row by row. On
/// 32-bit cores that saves an instruction or two a value; with long vectors it would cost a
/// twentieth of a convolution.
const BY_TILE: bool = cfg!(target_pointer_width = "32");

/// What a pass writes.
pub(in super::super) struct PassSink<'a> {
    pub(in super::super) values: &'a mut [f32],
    pub(in super::super) finish: Finish<'a>,
}

/// What happens to sums before they are values of the output.
pub(in super::super) struct Finish<'a> {
    pub(in super::super) epilogue: Option<&'a Epilogue<'a>>,
    pub(in super::super) signs: Option<&'a mut [u8]>,
    pub(in super::super) add: Option<&'a [f32]>,
}

impl PassSink<'_> {
    /// What is done to a channel's sums besides adding to them.
    #[inline(always)]
    pub(super) fn epilogue(&self, channel: usize) -> Option<ChannelEpilogue> {
        self.finish.epilogue.map(|epilogue| epilogue.channel(channel))
    }

    /// Puts down the sums of tile `index` of all channels' rows; nothing beyond the last channel.
    #[inline(always)]
    pub(super) fn tile<const POINTS: usize>(
        &mut self,
        epilogue: Option<ChannelEpilogue>,
        index: usize,
        mut sums: [f32; POINTS],
    ) {
        let Some(values) = self.values.as_chunks_mut().0.get_mut(index) else { return };
        if BY_TILE {
            self.finish.apply(epilogue, index.times(POINTS), &mut sums);
        }
        *values = sums;
    }

    /// After all tiles of a row, `len` values from `at` on.
    #[inline(always)]
    pub(super) fn row(&mut self, channel: usize, at: usize, len: usize) {
        if !BY_TILE {
            self.finish_row(channel, at, len);
        }
    }

    /// Finishes the sums that stand in a row.
    #[inline(always)]
    pub(super) fn finish_row(&mut self, channel: usize, at: usize, len: usize) {
        let epilogue = self.epilogue(channel);
        // Nothing is there beyond the last channel.
        if let Some(sums) = self.values.get_mut(at..at.plus(len)) {
            self.finish.apply(epilogue, at, sums);
        }
    }
}

impl Finish<'_> {
    /// Of sums that become the values from `at` on, a multiple of eight.
    #[inline(always)]
    fn apply(&mut self, epilogue: Option<ChannelEpilogue>, at: usize, sums: &mut [f32]) {
        if let Some(epilogue) = epilogue {
            // Without signs there is nothing to keep.
            let signs = self.signs.as_deref_mut().unwrap_or_default();
            epilogue.apply(sums, signs.get_mut(at / 8..).unwrap_or_default());
        }
        if let Some(add) = self.add {
            let add = add.get(at..at.plus(sums.len())).or_bug();
            checked::zip(sums, add).for_each(|(sum, add)| *sum += add);
        }
    }
}
