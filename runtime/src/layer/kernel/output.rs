//! Where sums go: through the epilogue, and with what is added to them, into the output.

use super::super::epilogue::{ChannelEpilogue, Epilogue};

/// Whether sums are finished tile by tile, while they are in registers, instead of row by row. On 32-bit cores that saves an instruction or
/// two a value; with long vectors it would cost a twentieth of a convolution.
const BY_TILE: bool = cfg!(target_pointer_width = "32");

/// What a pass writes.
pub(in super::super) struct Output<'a> {
    pub(in super::super) values: &'a mut [f32],
    pub(in super::super) finish: Finish<'a>,
}

/// What happens to sums before they are values of the output.
pub(in super::super) struct Finish<'a> {
    pub(in super::super) epilogue: Option<&'a Epilogue<'a>>,
    pub(in super::super) signs: Option<&'a mut [u8]>,
    pub(in super::super) add: Option<&'a [f32]>,
}

impl Output<'_> {
    /// What is done to a channel's sums besides adding to them.
    #[inline(always)]
    pub(super) fn epilogue(&self, channel: usize) -> Option<ChannelEpilogue> {
        self.finish.epilogue.map(|epilogue| epilogue.channel(channel))
    }

    /// Puts down the sums of tile `index` of all channels' rows; nothing beyond the last channel.
    #[inline(always)]
    pub(super) fn tile<const P: usize>(
        &mut self,
        epilogue: Option<ChannelEpilogue>,
        index: usize,
        mut sums: [f32; P],
    ) {
        let Some(values) = self.values.as_chunks_mut().0.get_mut(index) else { return };
        if BY_TILE {
            if let Some(epilogue) = epilogue {
                let signs = self.finish.signs.as_deref_mut().unwrap_or_default();
                let signs = signs.get_mut(index * (P / 8)..).unwrap_or_default();
                epilogue.apply(&mut sums, signs);
            }
            let add = self.finish.add.and_then(|add| add.as_chunks().0.get(index));
            if let Some::<&[f32; P]>(add) = add {
                sums.iter_mut().zip(add).for_each(|(sum, add)| *sum += add);
            }
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
        let Some(sums) = self.values.get_mut(at..at + len) else { return };
        if let Some(epilogue) = self.finish.epilogue {
            let signs = self.finish.signs.as_deref_mut().unwrap_or_default();
            let signs = signs.get_mut(at / 8..).unwrap_or_default();
            epilogue.channel(channel).apply(sums, signs);
        }
        if let Some(add) = self.finish.add.and_then(|add| add.get(at..at + len)) {
            sums.iter_mut().zip(add).for_each(|(sum, add)| *sum += add);
        }
    }
}
