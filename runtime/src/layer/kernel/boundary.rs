//! Which points a tap reads beyond the ends of an axis, and which points read a given one.

use crate::checked::Place;
use crate::{Axis, Boundary};

/// Up to two indices on an axis.
pub(in super::super) type Sources = [Option<usize>; 2];

/// The point that stands for the one `offset` away from `at`, at most an axis' length beyond the
/// ends.
pub(in super::super) fn neighbour(axis: &Axis, at: usize, offset: isize) -> usize {
    let n = axis.points();
    let index = round_mirrors(n, at.wrapping_add_signed(offset));
    match axis.boundary() {
        _ if index < n => index,
        Boundary::Reflecting => n.times(2).minus(1).minus(index),
        Boundary::Periodic => index.minus(n),
    }
}

/// The points whose neighbour at `offset` is `at`: one if the axis is periodic; else none, one or
/// two.
pub(in super::super) fn readers(axis: &Axis, at: usize, offset: isize) -> Sources {
    let n = axis.points();
    let back = offset.wrapping_neg();
    match axis.boundary() {
        Boundary::Periodic => [Some(neighbour(axis, at, back)), None],
        Boundary::Reflecting => [at, !at].map(|at| {
            let index = round_mirrors(n, at.wrapping_add_signed(back));
            (index < n).then_some(index)
        }),
    }
}

/// A place, at most two lengths before the first point and one beyond the last, on the circle of an
/// axis and its mirror image.
fn round_mirrors(n: usize, place: usize) -> usize {
    // Before the first point a place has wrapped around zero.
    let around = place.wrapping_add(n.times(2));
    if around < n.times(2) { around } else { place }
}
