//! Rows of a tensor as the taps read them: taken back through the epilogue, and extended beyond their ends.

use super::super::kernel::Sources;
use super::super::shape::ConvShape;
use super::pass::lane;
use super::requantize::saturate;
use super::{LANES, Point};
use crate::Boundary;

/// What a pass convolves.
pub(super) enum Source<'a> {
    /// Numbers `[channel][y][x]`, in units of 1/`unit`, times a factor for each channel where there is one.
    Fields { values: &'a [f32], scale: Option<&'a [f32]>, unit: f32 },
    /// A tensor.
    Points(&'a [Point]),
    /// A tensor whose values are multiplied by a factor for each channel, one above zero and one below: 2^-30 of the number.
    Cotangent { points: &'a [Point], above: &'a [i32], below: &'a [i32], signs: &'a [u8] },
}

/// One row of all channels with its halo: `[channel/4][x]`.
#[derive(Default)]
pub(super) struct Slot<'a> {
    /// The rows whose sum it holds.
    rows: Option<Sources>,
    pub(super) points: &'a mut [Point],
}

impl<'a> Slot<'a> {
    pub(super) fn new(points: &'a mut [Point]) -> Self {
        Self { rows: None, points }
    }

    /// Fills the slot from `channels` channels of `source`, unless it holds these rows already.
    pub(super) fn fill(
        &mut self,
        shape: &ConvShape,
        adjoint: bool,
        source: &Source<'_>,
        channels: usize,
        rows: Sources,
    ) {
        if self.rows == Some(rows) {
            return;
        }
        self.rows = Some(rows);
        let (nx, reach, folds) = (shape.grid().nx(), shape.reach(), shape.folds(adjoint));
        // Folded rows have sums beyond their ends, which read further still.
        let halo = if folds { 2 * reach } else { reach };
        let pitch = shape.int16_pitch(adjoint);
        for (group, row) in self.points.chunks_exact_mut(pitch.max(1)).enumerate() {
            let Some((left, rest)) = row.split_at_mut_checked(halo) else { return };
            let Some((middle, right)) = rest.split_at_mut_checked(nx) else { return };
            let mut empty = true;
            for y in rows.into_iter().flatten() {
                if empty {
                    source.load(shape, group, channels, y, middle, |to, value| *to = value);
                } else {
                    source.load(shape, group, channels, y, middle, |to, value| {
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
                continue;
            }
            let (first, last) = (middle.iter(), middle.iter().rev());
            let outwards = left.iter_mut().rev();
            match shape.grid().x().boundary() {
                Boundary::Periodic => {
                    outwards.zip(last).for_each(|(to, from)| *to = *from);
                    right.iter_mut().zip(first).for_each(|(to, from)| *to = *from);
                }
                Boundary::Reflecting => {
                    outwards.zip(first).for_each(|(to, from)| *to = *from);
                    right.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
                }
            }
        }
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
        let at = group * points + y * nx;
        match self {
            Self::Points(values) => {
                // Only the forward direction reads a tensor as it is, and it never adds rows.
                let from = values.get(at..at + nx).unwrap_or_default();
                row.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
            Self::Fields { values, scale, unit } => {
                for n in 0..LANES {
                    let channel = group * LANES + n;
                    let at = channel * points + y * nx;
                    let field = values.get(at..at + nx).filter(|_| channel < channels);
                    let scale =
                        scale.map_or(1.0, |scale| scale.get(channel).copied().unwrap_or(0.0));
                    let scale = scale * unit;
                    let zeros = core::iter::repeat(&0.0);
                    let field = field.unwrap_or_default().iter().chain(zeros);
                    for (to, value) in row.iter_mut().zip(field) {
                        if let Some(to) = lane(to, n) {
                            put(to, round(scale * value));
                        }
                    }
                }
            }
            Self::Cotangent { points: values, above, below, signs } => {
                let from = values.get(at..at + nx).unwrap_or_default();
                for n in 0..LANES {
                    let channel = group * LANES + n;
                    // Channels that are not there have no factors: they become zeros.
                    let factor = |all: &[i32]| all.get(channel).copied().unwrap_or(0);
                    let factors = [factor(above), factor(below)];
                    let signs = signs.get((channel * points + y * nx) / 8..).unwrap_or_default();
                    for (x, (to, from)) in row.iter_mut().zip(from).enumerate() {
                        let bit = signs.get(x / 8).copied().unwrap_or(0) >> (x % 8) & 1;
                        let [above, below] = factors;
                        let factor = if bit == 0 { above } else { below };
                        let values: [i16; LANES] = bytemuck::must_cast(*from);
                        let value = values.get(n).copied().unwrap_or(0);
                        // Four bits more than the result has, to round it to nearest.
                        let product = (i64::from(i32::from(value) << 6) * i64::from(factor)) >> 32;
                        if let Some(to) = lane(to, n) {
                            put(to, saturate((product as i32 + 8) >> 4));
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
