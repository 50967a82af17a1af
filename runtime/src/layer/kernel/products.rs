//! Products of shifted inputs with a cotangent, summed over the grid: the inner loops of a weight gradient.
//!
//! A tile is four output channels × two shifts of eight input channels, which lie side by side in memory.

use super::super::shape::{ConvShape, LANES};
use super::boundary::neighbour;

/// Input channels of a tile: what AVX2 adds at once.
pub(in super::super) const INPUTS: usize = 8;
/// Shifts of a tile.
pub(in super::super) const SHIFTS: usize = 2;
/// Points whose products are summed in registers before they are added to the sums: few enough for the first-level
/// cache, and for the rounding errors of a long sum not to add up.
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
    shape.inputs().div_ceil(INPUTS) * padded_plane(shape)
}

const fn padded_plane(shape: &ConvShape) -> usize {
    let grid = shape.grid();
    let rows = if grid.is_line() { 1 } else { grid.ny() + 2 * shape.reach() };
    rows * shape.padded_row_len()
}

/// Tiles for four output channels.
pub(in super::super) const fn tiles(shape: &ConvShape) -> usize {
    let groups = shape.inputs().div_ceil(INPUTS);
    (groups * shape.taps_y() * shape.taps()).div_ceil(SHIFTS)
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
            let planes = cotangent.chunks(LANES * points);
            for (planes, sums) in planes.zip(sums.chunks_exact_mut(tiles.max(1))) {
                // Beyond the last channel, and the last shift, a tile repeats the last.
                let last = planes.len() / points - 1;
                let block = (rows * nx).min(points);
                let cotangents = core::array::from_fn(|lane| {
                    let at = lane.min(last) * points + y * nx;
                    planes.get(at..at + block).unwrap_or_default()
                });
                for (tile, sums) in sums.iter_mut().enumerate() {
                    let inputs = core::array::from_fn(|i| {
                        let at = shift(shape, tile * SHIFTS + i) + y * stride;
                        padded.get(at..).unwrap_or_default()
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
        let planes = self.padded.chunks_exact_mut(padded_plane(shape).max(1));
        for (channels, plane) in self.input.chunks(INPUTS * points).zip(planes) {
            let rows = plane.chunks_exact_mut(shape.padded_row_len().max(1));
            for (y, row) in rows.enumerate() {
                let y = grid.y().map_or(0, |axis| neighbour(&axis, y, -(reach as isize)));
                let Some(middle) = row.get_mut(reach..reach + nx) else { return };
                if channels.len() < INPUTS * points {
                    middle.fill([0.0; INPUTS]);
                }
                for (lane, channel) in channels.chunks_exact(points).enumerate() {
                    let values = channel.get(y * nx..(y + 1) * nx).unwrap_or_default();
                    for (lanes, value) in middle.iter_mut().zip(values) {
                        if let Some(to) = lanes.get_mut(lane) {
                            *to = *value;
                        }
                    }
                }
                for x in (0..reach).chain(reach + nx..nx + 2 * reach) {
                    let from = reach + neighbour(&grid.x(), x, -(reach as isize));
                    let lanes = row.get(from).copied().unwrap_or_default();
                    if let Some(to) = row.get_mut(x) {
                        *to = lanes;
                    }
                }
            }
        }
    }
}

/// Where in the padded input shift `[in/8][ky][kx]` starts to read; the last one's place beyond the last.
fn shift(shape: &ConvShape, index: usize) -> usize {
    let (taps_y, taps) = (shape.taps_y(), shape.taps());
    let count = shape.inputs().div_ceil(INPUTS) * taps_y * taps;
    let index = index.min(count - 1);
    let (rest, kx) = (index / taps.max(1), index % taps.max(1));
    let (group, ky) = (rest / taps_y.max(1), rest % taps_y.max(1));
    let offset = (ky * shape.padded_row_len() + kx) * shape.dilation();
    group * padded_plane(shape) + offset
}

/// Adds the products of two inputs with four cotangents, summed over some rows.
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
