//! Which points a tap reads beyond the ends of an axis, and which points read a given one.

use crate::{Axis, Boundary};

/// Up to two indices on an axis.
pub(in super::super) type Sources = [Option<usize>; 2];

/// The point that stands for the one `offset` away from `at`, at most an axis' length beyond the ends.
pub(in super::super) fn neighbour(axis: &Axis, at: usize, offset: isize) -> usize {
    let n = axis.points();
    // The mirror image has the period 2 n, a power of two.
    let index = at.wrapping_add_signed(offset) & (2 * n - 1);
    match axis.boundary() {
        Boundary::Reflecting if index >= n => 2 * n - 1 - index,
        _ => index & (n - 1),
    }
}

/// The points whose neighbour at `offset` is `at`: one if the axis is periodic; else none, one or two.
pub(in super::super) fn readers(axis: &Axis, at: usize, offset: isize) -> Sources {
    let n = axis.points();
    match axis.boundary() {
        Boundary::Periodic => [Some(neighbour(axis, at, offset.wrapping_neg())), None],
        Boundary::Reflecting => {
            let direct = at.wrapping_add_signed(offset.wrapping_neg()) & (2 * n - 1);
            let mirrored = (!at).wrapping_add_signed(offset.wrapping_neg()) & (2 * n - 1);
            [direct, mirrored].map(|index| (index < n).then_some(index))
        }
    }
}
