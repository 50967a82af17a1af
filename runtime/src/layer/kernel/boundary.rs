//! Which points a tap reads beyond the ends of an axis, and which points read a given one.

use crate::checked::Place;
use crate::{Axis, Boundary};

/// Up to two indices on an axis.
pub(in super::super) type Sources = [Option<usize>; 2];

/// The point that stands for the one `offset` away from `at`, at most an axis' length beyond the
/// ends.
pub(in super::super) fn neighbour(axis: &Axis, at: usize, offset: isize) -> usize {
    let n = axis.points();
    // The mirror image has the period 2 n, a power of two.
    let last = n.times(2).minus(1);
    let index = at.wrapping_add_signed(offset) & last;
    match axis.boundary() {
        Boundary::Reflecting if index >= n => last.minus(index),
        _ => index & n.minus(1),
    }
}

/// The points whose neighbour at `offset` is `at`: one if the axis is periodic; else none, one or
/// two.
pub(in super::super) fn readers(axis: &Axis, at: usize, offset: isize) -> Sources {
    let n = axis.points();
    match axis.boundary() {
        Boundary::Periodic => [Some(neighbour(axis, at, offset.wrapping_neg())), None],
        Boundary::Reflecting => {
            let last = n.times(2).minus(1);
            let direct = at.wrapping_add_signed(offset.wrapping_neg()) & last;
            let mirrored = (!at).wrapping_add_signed(offset.wrapping_neg()) & last;
            [direct, mirrored].map(|index| (index < n).then_some(index))
        }
    }
}
