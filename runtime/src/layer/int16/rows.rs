//! Rows of a tensor as the taps read them: taken back through the epilogue, and extended beyond
//! their ends.

use super::super::kernel::{Sources, extend};
use super::super::shape::ConvShape;
use super::pass::lane;
use super::requantize::saturate;
use super::{LANES, Point, points_len};
use crate::checked::{self, OrBug, Place, bug};

/// Most taps along an axis.
const TAPS_MAX: usize = 7;

/// What a pass convolves.
pub(super) enum Source<'a> {
    /// Numbers `[channel][y][x]`, in units of 1/`unit`, times a factor for each channel where there
    /// is one.
    Fields { values: &'a [f32], scale: Option<&'a [f32]>, unit: f32 },
    /// A tensor.
    Points(&'a [Point]),
    /// A tensor whose values are multiplied by a factor for each channel, one above zero and one
    /// below: 2^-30 of the number.
    Cotangent { points: &'a [Point], above: &'a [i32], below: &'a [i32], signs: &'a [u8] },
}

/// The rows that the taps along y read, one behind the other: `[tap][channel/4][x]`, each with its
/// halo.
///
/// Every row is there twice, as many rows apart as there are taps, so that wherever the first tap's
/// row lies the others follow it: a tile is one walk.
pub(super) struct Ring<'a> {
    shape: &'a ConvShape,
    adjoint: bool,
    channels: usize,
    /// Which rows' sum each place holds.
    held: [Option<Sources>; TAPS_MAX],
    /// The first tap's place.
    first: usize,
    points: &'a mut [Point],
}

impl<'a> Ring<'a> {
    /// Of two times as many rows as there are taps.
    pub(super) fn new(
        shape: &'a ConvShape,
        adjoint: bool,
        channels: usize,
        points: &'a mut [Point],
    ) -> Self {
        Self { shape, adjoint, channels, held: [None; TAPS_MAX], first: 0, points }
    }

    /// From the first tap's row on.
    pub(super) fn window(&self) -> &[Point] {
        self.points.get(self.first.times(self.row_len())..).or_bug()
    }

    /// Makes the second tap the first.
    pub(super) fn advance(&mut self) {
        self.first = self.first.plus(1);
        if self.first >= self.shape.taps_y() {
            self.first = 0;
        }
    }

    /// Fills the row of a tap from `source`, unless it holds these rows already.
    pub(super) fn fill(&mut self, tap: usize, source: &Source<'_>, rows: Sources) {
        let (taps, row_len, pitch) = (self.shape.taps_y(), self.row_len(), self.pitch());
        let mut place = self.first.plus(tap);
        if place >= taps {
            place = place.minus(taps);
        }
        match self.held.get_mut(place) {
            Some(held) if *held == Some(rows) => return,
            Some(held) => *held = Some(rows),
            None => return bug(),
        }
        let (points, copies) = self.points.split_at_mut_checked(taps.times(row_len)).or_bug();
        let range = place.times(row_len)..place.plus(1).times(row_len);
        let points = points.get_mut(range.clone()).or_bug();
        let copies = copies.get_mut(range).or_bug();
        for (group, row) in checked::numbered(points.chunks_exact_mut(pitch)) {
            self.shape.fill(self.adjoint, source, self.channels, group, rows, row);
        }
        checked::zip(copies, points).for_each(|(to, from)| *to = *from);
    }

    fn pitch(&self) -> usize {
        self.shape.int16_pitch(self.adjoint).max(1)
    }

    fn row_len(&self) -> usize {
        points_len(self.channels, self.pitch())
    }
}

impl ConvShape {
    /// Fills a row of four channels, and its halo.
    fn fill(
        &self,
        adjoint: bool,
        source: &Source<'_>,
        channels: usize,
        group: usize,
        rows: Sources,
        row: &mut [Point],
    ) {
        let (nx, reach, folds) = (self.grid().nx(), self.reach(), self.folds(adjoint));
        // Folded rows have sums beyond their ends, which read further still.
        let halo = if folds { reach.times(2) } else { reach };
        let (left, rest) = row.split_at_mut_checked(halo).or_bug();
        let (middle, right) = rest.split_at_mut_checked(nx).or_bug();
        let mut empty = true;
        for y in rows.into_iter().flatten() {
            if empty {
                source.load(self, group, channels, y, middle, |to, value| *to = value);
            } else {
                source.load(self, group, channels, y, middle, |to, value| {
                    *to = to.saturating_add(value);
                });
            }
            empty = false;
        }
        if empty {
            middle.fill([0; 2]);
        }
        if folds {
            left.fill([0; 2]);
            right.fill([0; 2]);
            return;
        }
        extend(self.grid().x().boundary(), left, middle, right);
    }
}

impl Source<'_> {
    /// Gives `put` every value of row `y` of a group of channels.
    #[inline(always)]
    fn load(
        &self,
        shape: &ConvShape,
        group: usize,
        channels: usize,
        y: usize,
        row: &mut [Point],
        put: impl Fn(&mut i16, i16),
    ) {
        let (nx, points) = (shape.grid().nx(), shape.grid().points());
        let at = group.times(points).plus(y.times(nx));
        match self {
            Self::Points(values) => {
                // Only the forward direction reads a tensor as it is, and it never adds rows.
                let from = values.get(at..at.plus(nx)).or_bug();
                checked::zip(row, from).for_each(|(to, from)| *to = *from);
            }
            Self::Fields { values, scale, unit } => {
                for n in 0..LANES {
                    let channel = group.times(LANES).plus(n);
                    let at = channel.times(points).plus(y.times(nx));
                    // The last four channels may be fewer: zeros stand for the others.
                    let there = channel < channels;
                    let field = if there { values.get(at..at.plus(nx)).or_bug() } else { &[] };
                    let scale = match scale {
                        Some(scale) if there => scale.get(channel).copied().or_bug(),
                        Some(_) => 0.0,
                        None => 1.0,
                    };
                    let scale = scale * unit;
                    let field = field.iter().chain(core::iter::repeat(&0.0));
                    for (to, value) in row.iter_mut().zip(field) {
                        put(lane(to, n), round(scale * value));
                    }
                }
            }
            Self::Cotangent { points: values, above, below, signs } => {
                let from = values.get(at..at.plus(nx)).or_bug();
                for n in 0..LANES {
                    let channel = group.times(LANES).plus(n);
                    // Channels that are not there have no factors: they become zeros.
                    let factor = |all: &[i32]| i64::from(all.get(channel).copied().unwrap_or(0));
                    let (above, below) = (factor(above), factor(below));
                    // Where no signs were kept both factors are the same.
                    let signs = signs.get(channel.times(points).plus(y.times(nx)) / 8..);
                    let mut signs = signs.unwrap_or_default().iter();
                    let eights = row.as_chunks_mut::<8>().0;
                    for (to, from) in checked::zip(eights, from.as_chunks::<8>().0) {
                        let bits = signs.next().copied().unwrap_or(0);
                        for (i, (to, from)) in checked::numbered(to.iter_mut().zip(from)) {
                            let factor =
                                if bits & 1_u8.wrapping_shl(i as u32) == 0 { above } else { below };
                            let values: [i16; LANES] = bytemuck::must_cast(*from);
                            let value = i32::from(values[n % LANES]);
                            // Four bits more than the result has, to round it to nearest.
                            let product = (i64::from(value << 6) * factor) >> 32;
                            put(lane(to, n), saturate((product as i32).plus(8) >> 4));
                        }
                    }
                }
            }
        }
    }
}

/// To the nearest integer, ties to even.
#[inline(always)]
fn round(value: f32) -> i16 {
    // Adding and taking away 1.5 · 2^23 leaves no room for a fraction.
    const SHIFT: f32 = 12_582_912.0;
    let value = value.clamp(-32768.0, 32767.0);
    ((value + SHIFT) - SHIFT) as i16
}
