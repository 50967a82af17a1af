//! The order of bytes for pairs of products, and the sizes that follow from a shape.

use super::super::shape::{ConvShape, check_len};
use super::{LANES, points_len};
use crate::checked::{OrBug, Place, bug, product, sum};
use crate::{Boundary, Error};

/// Bits by which a word keeps the bytes of four channels: those of the even ones first, so that one
/// instruction spreads each pair.
const PLACES: [u32; LANES] = [0, 16, 8, 24];

impl ConvShape {
    /// Words of packed bytes, forward and adjoint.
    pub const fn int16_words(&self) -> [usize; 2] {
        let (taps_y, taps) = (self.taps_y(), self.taps());
        [
            product(&[self.outputs(), taps_y, taps, self.inputs().div_ceil(LANES)]),
            product(&[self.inputs(), taps_y, taps, self.outputs().div_ceil(LANES)]),
        ]
    }

    /// Most products that a sum of either direction has.
    pub const fn products_max(&self) -> usize {
        let channels = if self.inputs() > self.outputs() { self.inputs() } else { self.outputs() };
        // At a mirror a point is read twice.
        let mirrors =
            if matches!(self.grid().x().boundary(), Boundary::Reflecting) { 2 } else { 1 };
        product(&[channels, self.taps_y(), self.taps(), mirrors])
    }

    /// Whether sums of products of int8 and int16 fit 32 bits: up to 516 products.
    pub const fn fits_int16(&self) -> bool {
        self.products_max() <= (1 << 31) / (127 << 15)
    }

    /// Values of scratch for either direction of [`super::Conv16`]: a ring of rows with their halo,
    /// sums of a row, and two numbers for each channel.
    pub const fn int16_scratch_len(&self) -> usize {
        let channels = if self.inputs() > self.outputs() { self.inputs() } else { self.outputs() };
        let (width, pitch) = (self.int16_width(true), self.int16_pitch(true));
        let rows = product(&[2, self.taps_y(), points_len(channels, pitch), 2]);
        sum(&[rows, product(&[channels, width]), product(&[2, channels])])
    }

    /// Whether values beyond the ends of a row are folded back instead of filled in.
    pub(super) const fn folds(&self, adjoint: bool) -> bool {
        adjoint && matches!(self.grid().x().boundary(), Boundary::Reflecting)
    }

    /// Sums of a row: its points, and where a row is folded those beyond its ends; in fours.
    pub(super) const fn int16_width(&self, adjoint: bool) -> usize {
        let beyond = if self.folds(adjoint) { self.reach() } else { 0 };
        product(&[sum(&[self.grid().nx(), beyond, beyond]).div_ceil(4), 4])
    }

    /// Points of a row with its halo.
    pub(super) const fn int16_pitch(&self, adjoint: bool) -> usize {
        sum(&[self.int16_width(adjoint), self.reach(), self.reach()])
    }

    /// The byte of output, input, ky and kx in the forward words of [`ConvShape::pack_int16`]; 0
    /// beyond them.
    pub fn int16_byte(&self, forward: &[u32], place: [usize; 4]) -> i8 {
        let sizes = [self.outputs(), self.inputs(), self.taps_y(), self.taps()];
        if place.iter().zip(&sizes).any(|(index, size)| index >= size) {
            return 0;
        }
        let (at, shift) = self.int16_place(self.inputs(), place);
        // The caller's words may be fewer.
        forward.get(at).copied().unwrap_or(0).wrapping_shr(shift) as i8
    }

    /// The word of a byte, and by how many bits it is shifted there, where each output has `inputs`
    /// inputs.
    fn int16_place(&self, inputs: usize, [out, input, ky, kx]: [usize; 4]) -> (usize, u32) {
        let row = out.times(self.taps_y()).plus(ky);
        let group = row.times(inputs.div_ceil(LANES)).plus(input / LANES);
        (group.times(self.taps()).plus(kx), PLACES.get(input % LANES).copied().or_bug())
    }

    /// Packs bytes `[out][in][ky][kx]` as words of four inputs, `[out][ky][in/4][kx]` for the
    /// forward direction and, with the taps from last to first and outputs and inputs changed over,
    /// `[in][ky][out/4][kx]` for the adjoint. A word has the channels 0, 2, 1, 3 from its lowest
    /// byte on; zeros stand for channels that are not there.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless `plain` has [`ConvShape::weights_len`] bytes and the others
    /// have [`ConvShape::int16_words`] words.
    pub fn pack_int16(
        &self,
        plain: &[i8],
        forward: &mut [u32],
        adjoint: &mut [u32],
    ) -> Result<(), Error> {
        let [forward_len, adjoint_len] = self.int16_words();
        check_len(self.weights_len(), plain.len())?;
        check_len(forward_len, forward.len())?;
        check_len(adjoint_len, adjoint.len())?;
        forward.fill(0);
        adjoint.fill(0);
        let (last_y, last_x) = (self.taps_y().minus(1), self.taps().minus(1));
        let put = |words: &mut [u32], count: usize, place: [usize; 4], byte: i8| {
            let (at, shift) = self.int16_place(count, place);
            match words.get_mut(at) {
                Some(word) => *word |= u32::from(byte as u8).wrapping_shl(shift),
                None => bug(),
            }
        };
        for ([out, input, ky, kx], byte) in self.weight_indices().zip(plain) {
            put(forward, self.inputs(), [out, input, ky, kx], *byte);
            put(adjoint, self.outputs(), [input, out, last_y.minus(ky), last_x.minus(kx)], *byte);
        }
        Ok(())
    }
}
