//! Derivatives of fields by centred differences.

use crate::checked::{OrBug, Place};
use crate::{Axis, Boundary, Grid};

/// What lies beyond a reflecting end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extension {
    /// The mirror image, as of a field.
    Even,
    /// Its negative: what the transpose of a difference of fields has there.
    Odd,
}

/// Every value v\[i\] along x (or along y) becomes (v\[i+1\] − v\[i−1\]) · `factor`, in place, for
/// one field `[y][x]`.
pub(crate) fn difference(
    grid: &Grid,
    along_y: bool,
    extension: Extension,
    factor: f32,
    field: &mut [f32],
) {
    let (nx, ny) = (grid.nx(), grid.ny());
    match grid.y() {
        Some(y) if along_y => {
            for x in 0..nx {
                line(&y, extension, factor, field.get_mut(x..).or_bug(), nx);
            }
        }
        _ => {
            for row in field.chunks_exact_mut(nx.max(1)).take(ny) {
                line(&grid.x(), extension, factor, row, 1);
            }
        }
    }
}

/// One line, whose values lie `stride` apart.
fn line(axis: &Axis, extension: Extension, factor: f32, values: &mut [f32], stride: usize) {
    let end = axis.points().minus(1).times(stride);
    let at = |values: &[f32], place: usize| values.get(place).copied().or_bug();
    let (first, last) = (at(values, 0), at(values, end));
    let (mut before, behind) = match (axis.boundary(), extension) {
        (Boundary::Periodic, _) => (last, first),
        (Boundary::Reflecting, Extension::Even) => (first, last),
        (Boundary::Reflecting, Extension::Odd) => (-first, -last),
    };
    let mut here = first;
    for n in 0..axis.points() {
        let place = n.times(stride);
        let ahead = if place == end { behind } else { at(values, place.plus(stride)) };
        if let Some(value) = values.get_mut(place) {
            *value = (ahead - before) * factor;
        }
        (before, here) = (here, ahead);
    }
}
