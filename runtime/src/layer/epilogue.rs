//! What happens to a convolution's sums before they are an output, and to a cotangent before it
//! meets the weights.

use super::shape::{ConvShape, check_len};
use crate::{Error, checked};

/// The sign bit of an `f32`.
const SIGN: u32 = 1 << 31;

/// Whether eight values go through an epilogue step by step, as vectors, or one after the other
/// while their signs are at hand: which of the two compilers make the most of.
const VECTORS: bool = cfg!(target_pointer_width = "64");

/// Per-channel affine map and leaky ReLU: a = scale · sum + shift, y = a, or slope · a where a < 0.
///
/// A bias, batch normalisation and FiLM at a fixed λ all fold into `scale` and `shift`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epilogue<'a> {
    /// One factor for each output channel.
    pub scale: &'a [f32],
    /// One summand for each output channel.
    pub shift: &'a [f32],
    /// Slope of the activation below zero; 1 for none.
    pub slope: f32,
}

impl Epilogue<'_> {
    pub(super) fn check(&self, shape: &ConvShape) -> Result<(), Error> {
        check_len(shape.outputs(), self.scale.len())?;
        check_len(shape.outputs(), self.shift.len())?;
        Error::check("slope", self.slope, true, "finite")?;
        Ok(())
    }

    /// The map of one channel, identity beyond the last: a tile has four channels, also where a
    /// layer has fewer left.
    pub(super) fn channel(&self, channel: usize) -> ChannelEpilogue {
        let at = |values: &[f32], default| values.get(channel).copied().unwrap_or(default);
        ChannelEpilogue {
            scale: at(self.scale, 1.0),
            shift: at(self.shift, 0.0),
            slope: self.slope,
        }
    }
}

/// [`Epilogue`] of one channel.
#[derive(Clone, Copy)]
pub(super) struct ChannelEpilogue {
    scale: f32,
    shift: f32,
    slope: f32,
}

impl ChannelEpilogue {
    /// Maps a row of sums in place. Bit i of `signs`' byte j is set where value 8 j + i was below
    /// zero; `signs` may be empty.
    #[inline(always)]
    pub(super) fn apply(&self, row: &mut [f32], signs: &mut [u8]) {
        let Self { scale, shift, slope } = *self;
        let mut signs = signs.iter_mut();
        for values in row.as_chunks_mut::<8>().0 {
            let mut bits = 0;
            if VECTORS {
                let sums = values.map(|value| scale * value + shift);
                *values = sums.map(|a| if a.to_bits() & SIGN != 0 { slope * a } else { a });
                for (i, a) in sums.into_iter().enumerate() {
                    bits |= (a.to_bits() & SIGN) >> (7 - i);
                }
            } else {
                for value in values {
                    let a = scale * *value + shift;
                    // The sign bit is what every processor has at hand.
                    let sign = a.to_bits() & SIGN;
                    *value = if sign != 0 { slope * a } else { a };
                    bits = bits >> 1 | sign;
                }
            }
            // Not every caller keeps signs.
            if let Some(byte) = signs.next() {
                *byte = (bits >> 24) as u8;
            }
        }
    }

    /// Calls `put` with the product of a cotangent and the map's derivative, eight values at a
    /// time.
    #[inline(always)]
    pub(super) fn pull_back(
        &self,
        cotangent: &[f32],
        signs: &[u8],
        row: &mut [f32],
        mut put: impl FnMut(&mut [f32; 8], [f32; 8]),
    ) {
        let (above, below) = (self.scale, self.scale * self.slope);
        let mut signs = signs.iter();
        let cotangent = cotangent.as_chunks::<8>().0;
        for (row, values) in checked::zip(row.as_chunks_mut::<8>().0, cotangent) {
            // Where no signs were kept the slope is 1, and both factors are the same.
            let bits = signs.next().copied().unwrap_or(0);
            let mut products = *values;
            for (i, value) in products.iter_mut().enumerate() {
                *value *= if bits & (1 << i) == 0 { above } else { below };
            }
            put(row, products);
        }
    }
}
