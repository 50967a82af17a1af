//! Sums of products of int8 weights with int16 values, four points at a time.
//!
//! ```text
//!                    points of a row
//!                0     1     2     3        a point is four channels, 16 bits each
//!   one channel  Σ     Σ     Σ     Σ     += word of four weights · the point a tap later
//! ```
//!
//! The four sums of 32 bits stay in registers over all taps and fours of channels. A word of
//! weights (8 bits each) is loaded once for the four points.
//!
//! The safe function here is what every processor without a kernel of its own runs, and what that
//! kernel must equal.

use super::super::int16::Point;
use crate::checked::{self, OrBug, Place, bug, product, sum};

/// How weights and rows lie in memory: groups of rows, `pitch` points apart, each read by `taps`
/// words of weights.
#[derive(Clone, Copy)]
pub(in super::super) struct Walk {
    /// Fours of channels of every tap along y.
    pub(in super::super) groups: usize,
    pub(in super::super) taps: usize,
    /// Points from a tap to the next.
    pub(in super::super) dilation: usize,
    /// Points from a group to the next.
    pub(in super::super) pitch: usize,
}

impl Walk {
    /// Words of weights of a channel.
    pub(in super::super) const fn words(&self) -> usize {
        product(&[self.groups, self.taps])
    }

    /// Points that four sums read, from the first one's first tap on.
    pub(super) const fn span(&self) -> usize {
        let groups = product(&[self.groups.saturating_sub(1), self.pitch]);
        let taps = product(&[self.taps.saturating_sub(1), self.dilation]);
        sum(&[groups, taps, POINTS])
    }
}

/// Points of a tile.
pub(super) const POINTS: usize = 4;

/// Sums of a row, `width` for each channel, from `points`, what its first point's first tap reads
/// first.
pub(in super::super) fn row(
    points: &[Point],
    weights: &[u32],
    walk: &Walk,
    width: usize,
    sums: &mut [i32],
) {
    #[cfg(smlad)]
    if let Some(row) = super::smlad::row(walk) {
        return row(points, weights, walk, width, sums);
    }
    let span = walk.span();
    let weights = weights.chunks_exact(walk.words().max(1));
    for (weights, sums) in checked::zip(weights, sums.chunks_exact_mut(width.max(1))) {
        for (tile, sums) in sums.as_chunks_mut::<POINTS>().0.iter_mut().enumerate() {
            let at = tile.times(POINTS);
            let Some(points) = points.get(at..at.plus(span)) else { return bug() };
            *sums = dot(points, weights, walk);
        }
    }
}

/// Four sums.
fn dot(points: &[Point], weights: &[u32], walk: &Walk) -> [i32; POINTS] {
    let mut sums = [0_i32; POINTS];
    let groups = weights.chunks_exact(walk.taps.max(1));
    // The last group's points end with those that the last tap reads.
    for (words, group) in checked::zip(groups, points.chunks(walk.pitch.max(1))) {
        for (tap, word) in words.iter().enumerate() {
            let points = group.get(tap.times(walk.dilation)..).or_bug();
            let Some::<&[Point; POINTS]>(points) = points.first_chunk() else {
                bug();
                break;
            };
            let [a, c, b, d] = word.to_le_bytes().map(|byte| i32::from(byte as i8));
            for (sum, point) in sums.iter_mut().zip(points) {
                let [w, x, y, z]: [i16; 4] = bytemuck::must_cast(*point);
                let pair = |a: i32, x: i16, b: i32, y: i16| {
                    a.times(i32::from(x)).plus(b.times(i32::from(y)))
                };
                *sum = sum.wrapping_add(pair(a, w, b, x)).wrapping_add(pair(c, y, d, z));
            }
        }
    }
    sums
}
