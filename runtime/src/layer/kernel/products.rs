//! Products of shifted inputs with a cotangent, summed over the grid: the inner loops of a weight
//! gradient.
//!
//! A tile is four output channels × two shifts of eight input channels, which lie side by side in
//! memory.
//!
//! ```text
//!                        eight input channels of one point     of the point a shift further
//!   output channel 0     Σ Σ Σ Σ Σ Σ Σ Σ                       Σ Σ Σ Σ Σ Σ Σ Σ
//!   output channel 1     Σ Σ Σ Σ Σ Σ Σ Σ                       Σ Σ Σ Σ Σ Σ Σ Σ
//!   output channel 2     …                                     …
//!   output channel 3     …        each Σ += cotangent of its output channel × its input
//! ```

use super::super::shape::{ConvShape, LANES};
use super::boundary::neighbour;
use crate::checked::{self, OrBug, Place, bug, product, sum};

/// Input channels of a tile: what AVX2 adds at once.
pub(in super::super) const INPUTS: usize = 8;
/// Shifts of a tile.
pub(in super::super) const SHIFTS: usize = 2;
/// Points whose products are summed in registers before they are added to the sums: few enough for
/// the first-level cache, and for the rounding errors of a long sum not to add up.
const BLOCK: usize = 256;

/// A point of eight channels.
type Lanes = [f32; INPUTS];
/// Sums of a tile.
pub(in super::super) type Sums = [[Lanes; SHIFTS]; LANES];

/// A sample, and the sums that it is added to, `[out/4][shift/2]`.
pub(in super::super) struct Products<'a> {
    pub(in super::super) shape: &'a ConvShape,
    pub(in super::super) input: &'a [f32],
    pub(in super::super) cotangent: &'a [f32],
    pub(in super::super) sums: &'a mut [Sums],
    /// [`padded_points`] points.
    pub(in super::super) padded: &'a mut [Lanes],
}

/// Points of the input with what its boundaries put beyond the ends, in groups of eight channels.
pub(in super::super) const fn padded_points(shape: &ConvShape) -> usize {
    product(&[shape.inputs().div_ceil(INPUTS), padded_plane(shape)])
}

const fn padded_plane(shape: &ConvShape) -> usize {
    let grid = shape.grid();
    let reach = shape.reach();
    let rows = if grid.is_line() { 1 } else { sum(&[grid.ny(), reach, reach]) };
    product(&[rows, shape.padded_row_len()])
}

/// Tiles for four output channels.
pub(in super::super) const fn tiles(shape: &ConvShape) -> usize {
    let groups = shape.inputs().div_ceil(INPUTS);
    product(&[groups, shape.taps_y(), shape.taps()]).div_ceil(SHIFTS)
}

impl Products<'_> {
    #[inline(always)]
    pub(super) fn add(mut self) {
        self.pad();
        let Self { shape, cotangent, sums, padded, .. } = self;
        let (nx, points) = (shape.grid().nx(), shape.grid().points());
        let (stride, tiles) = (shape.padded_row_len(), tiles(shape));
        let rows = (BLOCK / nx).max(1);
        for y in (0..shape.grid().ny()).step_by(rows) {
            let planes = cotangent.chunks(points.times(LANES).max(1));
            for (planes, sums) in checked::zip(planes, sums.chunks_exact_mut(tiles.max(1))) {
                // Beyond the last channel, and the last shift, a tile repeats the last.
                let last = (planes.len() / points).minus(1);
                let block = rows.min(shape.grid().ny().minus(y)).times(nx);
                let cotangents = core::array::from_fn(|lane| {
                    let at = lane.min(last).times(points).plus(y.times(nx));
                    planes.get(at..at.plus(block)).or_bug()
                });
                for (tile, sums) in sums.iter_mut().enumerate() {
                    let inputs = core::array::from_fn(|i| {
                        let at = shift(shape, tile.times(SHIFTS).plus(i)).plus(y.times(stride));
                        padded.get(at..).or_bug()
                    });
                    add_tile(nx, stride, inputs, cotangents, sums);
                }
            }
        }
    }

    /// Fills the padded input, `[in/8][y][x][8]`; channels that are not there are zeros.
    #[inline(always)]
    fn pad(&mut self) {
        let (shape, grid) = (self.shape, self.shape.grid());
        let (nx, points, reach) = (grid.nx(), grid.points(), shape.reach());
        let back = (reach as isize).wrapping_neg();
        let planes = self.padded.chunks_exact_mut(padded_plane(shape).max(1));
        let inputs = self.input.chunks(points.times(INPUTS).max(1));
        for (channels, plane) in checked::zip(inputs, planes) {
            let rows = plane.chunks_exact_mut(shape.padded_row_len().max(1));
            for (y, row) in rows.enumerate() {
                let y = grid.y().map_or(0, |axis| neighbour(&axis, y, back));
                let middle = row.get_mut(reach..reach.plus(nx)).or_bug();
                if channels.len() < points.times(INPUTS) {
                    middle.fill([0.0; INPUTS]);
                }
                for (lane, channel) in channels.chunks_exact(points).enumerate() {
                    let values = channel.chunks_exact(nx).nth(y).or_bug();
                    for (lanes, value) in checked::zip(&mut *middle, values) {
                        lanes[lane % INPUTS] = *value;
                    }
                }
                for x in (0..reach).chain(reach.plus(nx)..shape.padded_row_len()) {
                    let from = reach.plus(neighbour(&grid.x(), x, back));
                    let lanes = row.get(from).copied().or_bug();
                    match row.get_mut(x) {
                        Some(to) => *to = lanes,
                        None => bug(),
                    }
                }
            }
        }
    }
}

/// Where in the padded input shift `[in/8][ky][kx]` starts to read; the last one's place beyond the
/// last.
fn shift(shape: &ConvShape, index: usize) -> usize {
    let (taps_y, taps) = (shape.taps_y(), shape.taps());
    let count = shape.inputs().div_ceil(INPUTS).times(taps_y).times(taps);
    let index = index.min(count.minus(1));
    let (rest, kx) = (index / taps.max(1), index % taps.max(1));
    let (group, ky) = (rest / taps_y.max(1), rest % taps_y.max(1));
    let offset = ky.times(shape.padded_row_len()).plus(kx).times(shape.dilation());
    group.times(padded_plane(shape)).plus(offset)
}

/// Adds the products of two inputs with four cotangents, summed over some rows. Inputs go on behind
/// the last row that is read, and rows of them behind the last point.
#[inline(always)]
fn add_tile(
    nx: usize,
    stride: usize,
    inputs: [&[Lanes]; SHIFTS],
    cotangents: [&[f32]; LANES],
    sums: &mut Sums,
) {
    let mut products = Sums::default();
    let [a, b] = inputs.map(|input| input.chunks(stride.max(1)));
    let [i, j, k, l] = cotangents.map(|rows| rows.chunks_exact(nx.max(1)));
    for ((a, b), (((i, j), k), l)) in a.zip(b).zip(i.zip(j).zip(k).zip(l)) {
        let inputs = a.iter().zip(b);
        let cotangents = i.iter().zip(j).zip(k).zip(l);
        for ((a, b), (((i, j), k), l)) in inputs.zip(cotangents) {
            let (inputs, cotangents) = ([*a, *b], [*i, *j, *k, *l]);
            for (sums, cotangent) in products.iter_mut().zip(&cotangents) {
                for (sums, input) in sums.iter_mut().zip(&inputs) {
                    for (sum, input) in sums.iter_mut().zip(input) {
                        *sum += input * cotangent;
                    }
                }
            }
        }
    }
    for (sums, products) in sums.as_flattened_mut().iter_mut().zip(products.as_flattened()) {
        sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
    }
}
