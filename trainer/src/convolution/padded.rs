//! Channels with what their boundaries put beyond the ends, eight side by side.

use finescale::layer::ConvShape;
use finescale::{Axis, Boundary};

use super::weight::LANES;

/// `[channel/8][y][x][8]` with as many more rows and columns on every side as a kernel reaches. Channels that are not there
/// are zeros.
pub(super) struct Padded {
    pub(super) values: Vec<[f32; LANES]>,
    /// Points of a row.
    pub(super) stride: usize,
    /// Points of a channel.
    pub(super) plane: usize,
}

impl Padded {
    #[inline(always)]
    pub(super) fn new(shape: &ConvShape, input: &[f32]) -> Self {
        let grid = shape.grid();
        let (nx, points) = (grid.nx(), grid.points());
        let columns = indices(&grid.x(), shape.reach());
        let rows = grid.y().map_or_else(|| vec![0], |y| indices(&y, shape.reach()));
        let (stride, plane) = (columns.len(), rows.len() * columns.len());
        let mut values = vec![[0.0; LANES]; shape.inputs().div_ceil(LANES) * plane];
        for (channels, values) in input.chunks(LANES * points).zip(values.chunks_exact_mut(plane)) {
            for (&y, values) in rows.iter().zip(values.chunks_exact_mut(stride)) {
                let (left, rest) = values.split_at_mut(shape.reach());
                let (middle, right) = rest.split_at_mut(nx);
                for (lane, channel) in channels.chunks_exact(points).enumerate() {
                    let row = &channel[y * nx..][..nx];
                    middle.iter_mut().zip(row).for_each(|(to, value)| to[lane] = *value);
                }
                let at = |column: &usize| middle[*column];
                left.iter_mut().zip(&columns).for_each(|(to, column)| *to = at(column));
                let columns = &columns[shape.reach() + nx..];
                right.iter_mut().zip(columns).for_each(|(to, column)| *to = at(column));
            }
        }
        Self { values, stride, plane }
    }
}

/// The points of an axis with `reach` more on both ends, each as the index of the point that it repeats.
fn indices(axis: &Axis, reach: usize) -> Vec<usize> {
    let n = axis.points();
    let index = |i: usize| {
        let mirrored = (i + 2 * n - reach) % (2 * n);
        match axis.boundary() {
            Boundary::Periodic => mirrored % n,
            Boundary::Reflecting => mirrored.min(2 * n - 1 - mirrored),
        }
    };
    (0..n + 2 * reach).map(index).collect()
}
