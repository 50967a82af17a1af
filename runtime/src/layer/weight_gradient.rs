//! Vector-Jacobian product of a convolution with respect to its weights: for training.

use super::kernel::{self, CodePath, INPUTS, Products, SHIFTS, padded_points, tiles};
use super::shape::{ConvShape, LANES, check_len};
use crate::Error;
use crate::checked::{OrBug, Place, product};

/// Gradient of the weights, Σ cotangent · shifted input, summed over the points of any number of
/// samples.
///
/// Samples are added to sums in the order that suits the processor; [`WeightGradient::unpack`]
/// sorts them into the weights' order once. Within a sample, sums run over blocks of rows of
/// together 256 points, or one longer row, and then over the blocks: the same bits on every code
/// path.
#[derive(Clone, Copy, Debug)]
pub struct WeightGradient {
    shape: ConvShape,
    path: CodePath,
}

impl WeightGradient {
    /// Of a convolution of this shape, on the fastest code path that this processor has.
    pub fn new(shape: ConvShape) -> Self {
        Self { shape, path: CodePath::fastest() }
    }

    /// The same on another code path; every path gives the same bits.
    pub const fn on(self, path: CodePath) -> Self {
        Self { path, ..self }
    }

    /// Values of the sums; they start as zeros.
    pub const fn sums_len(&self) -> usize {
        product(&[self.shape.output_groups(), tiles(&self.shape), LANES, SHIFTS, INPUTS])
    }

    /// Values of scratch: the input with what lies within reach beyond its ends, in groups of eight
    /// channels.
    pub const fn scratch_len(&self) -> usize {
        product(&[padded_points(&self.shape), INPUTS])
    }

    /// Adds a sample. `input`: `[in][y][x]`, `cotangent`: `[out][y][x]`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless the slices are of the shape's lengths and `sums` has
    /// [`WeightGradient::sums_len`] values; [`Error::ScratchLength`].
    pub fn add(
        &self,
        input: &[f32],
        cotangent: &[f32],
        sums: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let shape = &self.shape;
        check_len(shape.input_len(), input.len())?;
        check_len(shape.output_len(), cotangent.len())?;
        check_len(self.sums_len(), sums.len())?;
        let (values, needed) = (scratch.len(), self.scratch_len());
        let padded = scratch.get_mut(..needed).ok_or(Error::ScratchLength { values, needed })?;
        let (sums, _) = sums.as_chunks_mut::<INPUTS>().0.as_chunks_mut::<SHIFTS>();
        let (sums, padded) = (sums.as_chunks_mut().0, padded.as_chunks_mut().0);
        kernel::add_products(self.path, Products { shape, input, cotangent, sums, padded });
        Ok(())
    }

    /// Sorts sums into `gradient`, `[out][in][ky][kx]`.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless there are [`WeightGradient::sums_len`] sums and
    /// [`ConvShape::weights_len`] values of the gradient.
    pub fn unpack(&self, sums: &[f32], gradient: &mut [f32]) -> Result<(), Error> {
        let shape = &self.shape;
        check_len(self.sums_len(), sums.len())?;
        check_len(shape.weights_len(), gradient.len())?;
        let taps = shape.taps_y().times(shape.taps()).max(1);
        let rows = sums.as_chunks::<INPUTS>().0.as_chunks::<SHIFTS>().0;
        let tiles = tiles(shape).max(1);
        let per_output = gradient.chunks_exact_mut(shape.inputs().times(taps).max(1));
        for (output, gradient) in per_output.enumerate() {
            // The tile's rows of this output, tile after tile, are its shifts `[in/8][ky][kx]`.
            let mut groups = rows.chunks_exact(tiles.times(LANES).max(1));
            let group = groups.nth(output / LANES).or_bug();
            let shifts = group.iter().skip(output % LANES).step_by(LANES).flatten();
            let mut shifts = shifts.copied();
            for gradient in gradient.chunks_mut(taps.times(INPUTS).max(1)) {
                for (tap, sums) in shifts.by_ref().take(taps).enumerate() {
                    // The last inputs may be fewer than a tile's.
                    let to = gradient.iter_mut().skip(tap).step_by(taps);
                    to.zip(sums).for_each(|(to, sum)| *to = sum);
                }
            }
        }
        Ok(())
    }
}
