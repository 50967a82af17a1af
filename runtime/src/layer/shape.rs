//! Sizes of a convolution, and the packing of its weights.

use super::weight::Weight;
use crate::checked::{OrBug, Place, product, sum};
use crate::{Axis, Error, Grid};

/// Channels that stand side by side in packed weights, and that a tile computes together.
pub(super) const LANES: usize = 4;

/// Sizes of a convolution: grid, channels, taps, distance between taps.
///
/// On a plane the kernel is taps × taps, on a line it has `taps` weights. Tap `k` of an axis reads
/// (k − (taps − 1)/2) · dilation points away; beyond the ends it reads what [`crate::Boundary`]
/// says is there.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ConvShape {
    grid: Grid,
    inputs: usize,
    outputs: usize,
    taps: usize,
    dilation: usize,
}

impl ConvShape {
    /// Most channels on either side.
    pub const CHANNELS_MAX: usize = 1024;

    /// A convolution from `inputs` to `outputs` channels.
    ///
    /// # Errors
    /// [`Error::Count`] unless the grid has rows of a multiple of eight points, which kernels
    /// compute together, `inputs` and `outputs` are 1 … 1024, `taps` is 1, 3, 5 or 7, `dilation` is
    /// at least 1, and the outermost tap reads no further away than an axis is long.
    pub fn new(
        grid: Grid,
        inputs: usize,
        outputs: usize,
        taps: usize,
        dilation: usize,
    ) -> Result<Self, Error> {
        let (columns, eights) = (grid.nx(), grid.nx().is_multiple_of(8));
        Error::count("the row length", columns, eights, "a multiple of 8 points for a network")?;
        for (name, channels) in [("inputs", inputs), ("outputs", outputs)] {
            let holds = (1..=Self::CHANNELS_MAX).contains(&channels);
            Error::count(name, channels, holds, "from 1 to 1024")?;
        }
        Error::count("taps", taps, matches!(taps, 1 | 3 | 5 | 7), "1, 3, 5 or 7")?;
        let shortest = grid.y().map_or(grid.nx(), |y: Axis| y.points().min(grid.nx()));
        let reached = dilation > 0 && product(&[taps / 2, dilation]) <= shortest;
        let expected =
            "at least 1, and such that the outermost tap reaches no further than an axis";
        Error::count("dilation", dilation, reached, expected)?;
        Ok(Self { grid, inputs, outputs, taps, dilation })
    }

    /// The grid.
    pub const fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Input channels.
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// Output channels.
    pub const fn outputs(&self) -> usize {
        self.outputs
    }

    /// Taps along x, and along y on a plane.
    pub const fn taps(&self) -> usize {
        self.taps
    }

    /// Distance between taps, in points.
    pub const fn dilation(&self) -> usize {
        self.dilation
    }

    /// Taps along y: 1 on a line.
    pub const fn taps_y(&self) -> usize {
        if self.grid.is_line() { 1 } else { self.taps }
    }

    /// Points between the middle tap and the outermost.
    pub const fn reach(&self) -> usize {
        product(&[self.taps / 2, self.dilation])
    }

    /// Points from the middle tap to tap `tap`, which is one of the shape's.
    pub(super) fn offset(&self, tap: usize) -> isize {
        (tap.times(self.dilation) as isize).minus(self.reach() as isize)
    }

    /// Values of an input, `[channel][y][x]`.
    pub const fn input_len(&self) -> usize {
        product(&[self.inputs, self.grid.points()])
    }

    /// Values of an output, `[channel][y][x]`.
    pub const fn output_len(&self) -> usize {
        product(&[self.outputs, self.grid.points()])
    }

    /// Bytes of the signs that [`super::Conv::forward`] can keep: one bit a value of the output.
    pub const fn signs_len(&self) -> usize {
        self.output_len() / 8
    }

    /// Weights, `[out][in][ky][kx]` (on a line `[out][in][kx]`), as training frameworks order them.
    pub const fn weights_len(&self) -> usize {
        product(&[self.outputs, self.inputs, self.taps_y(), self.taps])
    }

    /// Packed weights: see [`ConvShape::pack`].
    pub const fn packed_len(&self) -> usize {
        product(&[self.output_groups(), self.group_len()])
    }

    /// Multiply-accumulate operations of one evaluation; `usize::MAX` if there are more, as 32 bits
    /// may have too few.
    pub const fn macs(&self) -> usize {
        product(&[self.weights_len(), self.grid.points()])
    }

    /// Values of scratch for either direction: for each of `taps_y` rows of every channel `taps`
    /// copies, shifted, and one row with its halo.
    pub const fn scratch_len(&self) -> usize {
        let channels = if self.inputs > self.outputs { self.inputs } else { self.outputs };
        let rows = product(&[self.taps_y(), channels, self.taps, self.grid.nx()]);
        sum(&[rows, self.padded_row_len()])
    }

    /// Output, input, ky and kx of every weight in the order `[out][in][ky][kx]`, as training
    /// frameworks have it.
    pub fn weight_indices(&self) -> impl Iterator<Item = [usize; 4]> + use<> {
        let Self { inputs, outputs, taps, .. } = *self;
        let taps_y = self.taps_y();
        (0..outputs).flat_map(move |out| {
            (0..inputs).flat_map(move |input| {
                (0..taps_y).flat_map(move |ky| (0..taps).map(move |kx| [out, input, ky, kx]))
            })
        })
    }

    /// Where the weight of output, input, ky and kx stands among packed weights,
    /// `[out/4][ky][in][kx][4]`, the 4 being output channels; `None` if the shape does not have it.
    pub fn place(&self, index: [usize; 4]) -> Option<usize> {
        let sizes = [self.outputs, self.inputs, self.taps_y(), self.taps];
        let inside = index.iter().zip(&sizes).all(|(index, size)| index < size);
        inside.then(|| self.place_of(index))
    }

    /// The same of a weight that the shape has.
    fn place_of(&self, [out, input, ky, kx]: [usize; 4]) -> usize {
        let row = (out / LANES).times(self.group_len()).plus(ky.times(self.ky_len()));
        row.plus(input.times(self.taps).plus(kx).times(LANES)).plus(out % LANES)
    }

    /// Packs weights `[out][in][ky][kx]` as the kernels read them: see [`ConvShape::place`].
    ///
    /// Both numbers of channels are rounded up to fours; weights of channels that are not there are
    /// zeros.
    ///
    /// # Errors
    /// [`Error::LengthMismatch`] unless `plain` has [`ConvShape::weights_len`] and `packed`
    /// [`ConvShape::packed_len`] values.
    pub fn pack<W: Weight>(&self, plain: &[W], packed: &mut [W]) -> Result<(), Error> {
        check_len(self.weights_len(), plain.len())?;
        check_len(self.packed_len(), packed.len())?;
        packed.fill(W::default());
        let rows = plain.chunks_exact(self.taps.max(1));
        let first_taps = self.weight_indices().step_by(self.taps.max(1));
        for (row, index) in rows.zip(first_taps) {
            let places = packed.get_mut(self.place_of(index)..).or_bug();
            // The taps of the next input lie behind.
            for (from, to) in row.iter().zip(places.iter_mut().step_by(LANES)) {
                *to = *from;
            }
        }
        Ok(())
    }

    pub(super) const fn output_groups(&self) -> usize {
        self.outputs.div_ceil(LANES)
    }

    /// Packed weights of four output channels.
    pub(super) const fn group_len(&self) -> usize {
        product(&[self.taps_y(), self.ky_len()])
    }

    /// Packed weights of four output channels for one ky.
    pub(super) const fn ky_len(&self) -> usize {
        product(&[self.inputs.div_ceil(LANES), LANES, self.taps, LANES])
    }

    /// A row with what lies within reach of its ends.
    pub(super) const fn padded_row_len(&self) -> usize {
        sum(&[self.grid.nx(), self.reach(), self.reach()])
    }
}

/// Refuses a slice of another length.
pub(super) fn check_len(left: usize, right: usize) -> Result<(), Error> {
    if left == right { Ok(()) } else { Err(Error::LengthMismatch { left, right }) }
}
