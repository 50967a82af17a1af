//! Channels with what their boundaries put beyond the ends.

use finescale::layer::ConvShape;
use finescale::{Axis, Boundary};

/// `[channel][y][x]` with as many more rows and columns on every side as a kernel reaches.
pub(super) struct Padded {
    pub(super) values: Vec<f32>,
    /// Values of a row.
    pub(super) stride: usize,
    /// Values of a channel.
    pub(super) plane: usize,
}

impl Padded {
    pub(super) fn new(shape: &ConvShape, input: &[f32]) -> Self {
        let grid = shape.grid();
        let (nx, points) = (grid.nx(), grid.points());
        let columns = indices(&grid.x(), shape.reach());
        let rows = grid.y().map_or_else(|| vec![0], |y| indices(&y, shape.reach()));
        let mut values = Vec::with_capacity(shape.inputs() * rows.len() * columns.len());
        for channel in input.chunks_exact(points) {
            for &y in &rows {
                let row = &channel[y * nx..][..nx];
                let (left, rest) = columns.split_at(shape.reach());
                values.extend(left.iter().map(|&x| row[x]));
                values.extend_from_slice(row);
                values.extend(rest[nx..].iter().map(|&x| row[x]));
            }
        }
        Self { values, stride: columns.len(), plane: rows.len() * columns.len() }
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
