//! Sums of products of int8 weights with int16 values, four points at a time.
//!
//! The safe function here is what every processor without a kernel of its own runs, and what that kernel must equal.

use super::super::int16::Point;

/// How weights and rows lie in memory.
#[derive(Clone, Copy)]
pub(in super::super) struct Walk {
    /// Fours of channels.
    pub(in super::super) groups: usize,
    pub(in super::super) taps: usize,
    /// Points from a tap to the next.
    pub(in super::super) dilation: usize,
    /// Points from a group's row to the next.
    pub(in super::super) pitch: usize,
}

impl Walk {
    /// Words of weights of a row.
    pub(in super::super) const fn words(&self) -> usize {
        self.groups * self.taps
    }

    /// Points of a slot that four sums read, from the first one's first tap on.
    pub(super) const fn span(&self) -> usize {
        self.groups.saturating_sub(1) * self.pitch
            + self.taps.saturating_sub(1) * self.dilation
            + POINTS
    }
}

/// Points of a tile.
pub(super) const POINTS: usize = 4;

/// Sums of one channel: for each tap along y a row and `words` weights.
pub(in super::super) fn row<'a>(
    rows: impl Iterator<Item = &'a [Point]> + Clone,
    weights: &[u32],
    walk: &Walk,
    sums: &mut [i32],
) {
    #[cfg(smlad)]
    if let Some(dot) = super::smlad::kernel(walk) {
        return tiles(rows, weights, walk, sums, dot);
    }
    tiles(rows, weights, walk, sums, dot);
}

#[inline(always)]
fn tiles<'a>(
    rows: impl Iterator<Item = &'a [Point]> + Clone,
    weights: &[u32],
    walk: &Walk,
    sums: &mut [i32],
    dot: impl Fn(&mut [i32; POINTS], &[Point], &[u32], &Walk),
) {
    for (tile, sums) in sums.as_chunks_mut::<POINTS>().0.iter_mut().enumerate() {
        let mut tile_sums = [0; POINTS];
        for (row, weights) in rows.clone().zip(weights.chunks_exact(walk.words().max(1))) {
            let points = row.get(tile * POINTS..).unwrap_or_default();
            dot(&mut tile_sums, points, weights, walk);
        }
        *sums = tile_sums;
    }
}

/// Adds the products of one row to four sums.
#[inline(always)]
fn dot(sums: &mut [i32; POINTS], points: &[Point], weights: &[u32], walk: &Walk) {
    let Some(points) = points.get(..walk.span()) else { return };
    let groups = weights.chunks_exact(walk.taps.max(1));
    for (words, group) in groups.zip(points.chunks(walk.pitch.max(1))) {
        for (tap, word) in words.iter().enumerate() {
            let at = tap * walk.dilation;
            let Some(points) = group.get(at..).and_then(|points| points.first_chunk()) else {
                return;
            };
            let points: &[Point; POINTS] = points;
            let [a, c, b, d] = word.to_le_bytes().map(|byte| i32::from(byte as i8));
            for (sum, point) in sums.iter_mut().zip(points) {
                let [w, x, y, z]: [i16; 4] = bytemuck::must_cast(*point);
                let pair = |a: i32, x: i16, b: i32, y: i16| a * i32::from(x) + b * i32::from(y);
                *sum = sum.wrapping_add(pair(a, w, b, x)).wrapping_add(pair(c, y, d, z));
            }
        }
    }
}
