//! Dilated convolution over register tiles, and its transpose, with weights packed once for both.
//!
//! # Packing
//!
//! Weights lie `[out/4][ky][in][kx][4]`: the four output channels of a tile side by side. A tile is 4 output channels ×
//! [`PIXELS`] points of a row; one short stretch of an input row serves all taps along x. Sums run over ky, in, kx in
//! that order, multiply then add, for every tile width: the same bits on every target.

use super::Padded;
use crate::Error;

/// Output channels of a tile.
const LANES: usize = 4;
/// Points of a tile: 16 sums fill half of a Cortex-M's float registers, 32 fill AVX2's.
const PIXELS: usize = if cfg!(target_arch = "x86_64") { 8 } else { 4 };

/// Taps and dilation of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Kernel {
    /// Taps along y: 1 on a line, 3 on a plane.
    pub taps_y: usize,
    /// Taps along x: 3 or 5.
    pub taps_x: usize,
    /// Distance between taps: 1, 2 or 4.
    pub dilation: usize,
}

impl Kernel {
    /// Points that the kernel reaches to each side along x: the halo it needs.
    pub const fn reach(&self) -> usize {
        self.taps_x / 2 * self.dilation
    }

    fn check(&self) -> Result<(), Error> {
        let parameter = |name, value: usize, expected| {
            Err(Error::Parameter { name, value: value as f32, expected })
        };
        match (self.taps_y, self.taps_x, self.dilation) {
            (1 | 3, 3 | 5, 1 | 2 | 4) => Ok(()),
            (1 | 3, 3 | 5, dilation) => parameter("dilation", dilation, "1, 2 or 4"),
            (1 | 3, taps, _) => parameter("taps_x", taps, "3 or 5"),
            (taps, ..) => parameter("taps_y", taps, "1 or 3"),
        }
    }
}

/// A convolution with packed weights.
#[derive(Clone, Copy, Debug)]
pub struct Conv<'a> {
    kernel: Kernel,
    inputs: usize,
    weights: &'a [f32],
    bias: &'a [f32],
}

impl<'a> Conv<'a> {
    /// A convolution of `inputs` channels; `bias` has one value for each output channel, of which there are a
    /// multiple of four; `weights` are packed by [`Conv::pack`].
    ///
    /// # Errors
    /// [`Error::Parameter`] for a kernel or number of channels that there is no tile for, [`Error::LengthMismatch`]
    /// unless there are outputs × taps_y × inputs × taps_x weights.
    pub fn new(
        kernel: Kernel,
        inputs: usize,
        weights: &'a [f32],
        bias: &'a [f32],
    ) -> Result<Self, Error> {
        kernel.check()?;
        let parameter = |name, value: usize, expected| {
            Err(Error::Parameter { name, value: value as f32, expected })
        };
        if inputs == 0 {
            return parameter("inputs", inputs, "at least 1");
        }
        if bias.is_empty() || bias.len() % LANES != 0 {
            return parameter("outputs", bias.len(), "a positive multiple of 4");
        }
        let needed = bias.len() * kernel.taps_y * inputs * kernel.taps_x;
        if weights.len() != needed {
            return Err(Error::LengthMismatch { left: needed, right: weights.len() });
        }
        Ok(Self { kernel, inputs, weights, bias })
    }

    /// Orders weights `[out][in][ky][kx]`, as training frameworks keep them, for [`Conv::new`].
    ///
    /// # Errors
    /// As [`Conv::new`] would find with these sizes.
    pub fn pack(
        kernel: Kernel,
        inputs: usize,
        plain: &[f32],
        packed: &mut [f32],
    ) -> Result<(), Error> {
        kernel.check()?;
        let Kernel { taps_y, taps_x, .. } = kernel;
        let block = taps_y * inputs * taps_x * LANES;
        if plain.len() != packed.len() || block == 0 || plain.len() % block != 0 {
            return Err(Error::LengthMismatch { left: plain.len(), right: packed.len() });
        }
        for (index, value) in packed.iter_mut().enumerate() {
            let (rest, lane) = (index / LANES, index % LANES);
            let (rest, kx) = (rest / taps_x, rest % taps_x);
            let (rest, input) = (rest / inputs, rest % inputs);
            let (tile, ky) = (rest / taps_y, rest % taps_y);
            let output = tile * LANES + lane;
            let from = ((output * inputs + input) * taps_y + ky) * taps_x + kx;
            *value = plain.get(from).copied().unwrap_or(0.0);
        }
        Ok(())
    }

    /// Output channels.
    pub const fn outputs(&self) -> usize {
        self.bias.len()
    }

    /// Input channels.
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// Multiply-accumulate operations of [`Conv::forward`] for each point of the grid.
    pub const fn macs_per_point(&self) -> usize {
        self.weights.len()
    }

    /// `output` = bias + weights ∗ `input`, both `[channel][y][halo + nx + halo]`; fills the output's halos.
    ///
    /// Relative error against exact sums ≤ (taps × inputs) · 6e-8 of the sum of absolute products.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the halo is shorter than [`Kernel::reach`] or the grid is a line and the kernel is not;
    /// [`Error::LengthMismatch`] unless both slices hold all channels.
    pub fn forward(&self, layout: &Padded, input: &[f32], output: &mut [f32]) -> Result<(), Error> {
        self.check(layout, input.len(), output.len())?;
        let Kernel { taps_x, dilation, .. } = self.kernel;
        match (taps_x, dilation) {
            (3, 1) => self.rows::<3, 1, { PIXELS + 2 }>(layout, input, output),
            (3, 2) => self.rows::<3, 2, { PIXELS + 4 }>(layout, input, output),
            (3, _) => self.rows::<3, 4, { PIXELS + 8 }>(layout, input, output),
            (_, 1) => self.rows::<5, 1, { PIXELS + 4 }>(layout, input, output),
            (_, 2) => self.rows::<5, 2, { PIXELS + 8 }>(layout, input, output),
            _ => self.rows::<5, 4, { PIXELS + 16 }>(layout, input, output),
        }
        Ok(())
    }

    /// `SPAN` = PIXELS + (TAPS − 1) · DILATION.
    fn rows<const TAPS: usize, const DILATION: usize, const SPAN: usize>(
        &self,
        layout: &Padded,
        input: &[f32],
        output: &mut [f32],
    ) {
        let (stride, plane) = (layout.stride(), layout.plane_len().max(1));
        let (nx, halo) = (layout.grid().nx(), layout.halo());
        let tile_len = self.kernel.taps_y * self.inputs * TAPS * LANES;
        let tiles = self.weights.chunks_exact(tile_len.max(1));
        let groups = output.chunks_exact_mut((LANES * plane).max(1));
        for ((weights, bias), group) in tiles.zip(self.bias.as_chunks::<LANES>().0).zip(groups) {
            for y in 0..layout.grid().ny() {
                for x in (0..nx).step_by(PIXELS) {
                    let start = halo + x - self.kernel.reach();
                    let mut sums = bias.map(|bias| [bias; PIXELS]);
                    let by_row = weights.chunks_exact((self.inputs * TAPS * LANES).max(1));
                    for (ky, weights) in by_row.enumerate() {
                        let offset = self.offset(ky);
                        let at = layout.row_beyond(y, offset) * stride + start;
                        let planes = input.chunks_exact(plane);
                        let weights = weights.as_chunks::<LANES>().0.as_chunks::<TAPS>().0;
                        for (weights, plane) in weights.iter().zip(planes) {
                            if let Some(span) =
                                plane.get(at..).and_then(|s| s.first_chunk::<SPAN>())
                            {
                                tile::<TAPS, DILATION, SPAN>(&mut sums, span, weights);
                            }
                        }
                    }
                    for (sums, plane) in sums.iter().zip(group.chunks_exact_mut(plane)) {
                        let at = y * stride + halo + x;
                        if let Some(points) = plane.get_mut(at..at + PIXELS) {
                            points.copy_from_slice(sums);
                        }
                    }
                }
            }
            for row in group.chunks_exact_mut(stride.max(1)) {
                layout.fill_halo(row);
            }
        }
    }

    /// Rows between the middle tap and tap `ky`.
    fn offset(&self, ky: usize) -> isize {
        (ky as isize - (self.kernel.taps_y / 2) as isize) * self.kernel.dilation as isize
    }

    fn check(&self, layout: &Padded, input: usize, output: usize) -> Result<(), Error> {
        if layout.halo() < self.kernel.reach() {
            let (value, expected) = (layout.halo() as f32, "at least the kernel's reach");
            return Err(Error::Parameter { name: "halo", value, expected });
        }
        if layout.grid().is_line() && self.kernel.taps_y > 1 {
            let value = self.kernel.taps_y as f32;
            return Err(Error::Parameter { name: "taps_y", value, expected: "1 on a line" });
        }
        for (channels, values) in [(self.inputs, input), (self.outputs(), output)] {
            let left = channels * layout.plane_len();
            if left != values {
                return Err(Error::LengthMismatch { left, right: values });
            }
        }
        Ok(())
    }
}

#[inline(always)]
fn tile<const TAPS: usize, const DILATION: usize, const SPAN: usize>(
    sums: &mut [[f32; PIXELS]; LANES],
    span: &[f32; SPAN],
    weights: &[[f32; LANES]; TAPS],
) {
    for (tap, weights) in weights.iter().enumerate() {
        for (sums, weight) in sums.iter_mut().zip(weights) {
            for (p, sum) in sums.iter_mut().enumerate() {
                // In bounds by SPAN, which the compiler sees.
                *sum += weight * span[p + tap * DILATION];
            }
        }
    }
}
