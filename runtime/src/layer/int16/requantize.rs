//! From sums in 32 bits to int16: a factor and a shift for each channel, the rectifier, the
//! residual.

use super::super::epilogue::Epilogue;
use super::{LANES, Point, power_of_two};
use crate::checked::{self, OrBug, Place};

/// Most bits beyond an int16's that results keep until they are rounded.
const GUARD: i32 = 6;

/// Factors and shifts of channels.
#[derive(Clone, Copy)]
pub(super) struct Factors<'a> {
    factors: &'a [i32],
    shifts: &'a [i32],
    /// Bits beyond an int16's that a sum times a factor has, over 2^32.
    guard: i32,
}

/// Room for two numbers for each channel.
pub(super) struct Affine<'s> {
    factors: &'s mut [i32],
    shifts: &'s mut [i32],
}

impl<'s> Affine<'s> {
    /// Takes the room for `channels` channels from the scratch.
    pub(super) fn split(channels: usize, scratch: &'s mut [f32]) -> (Self, &'s mut [f32]) {
        let (numbers, rest) = scratch.split_at_mut_checked(channels.times(2)).or_bug();
        let numbers: &mut [i32] = bytemuck::must_cast_slice_mut(numbers);
        let (factors, shifts) = numbers.split_at_mut_checked(channels).or_bug();
        (Self { factors, shifts }, rest)
    }

    /// An epilogue from sums of inputs of one exponent to outputs of another.
    pub(super) fn epilogue(self, epilogue: &Epilogue<'_>, from: i32, to: i32) -> Factors<'s> {
        let largest = epilogue.scale.iter().fold(0.0_f32, |most, scale| most.max(scale.abs()));
        // A factor must stay below 2^31.
        let by = from.saturating_sub(to);
        let largest = super::exponent(largest).saturating_add(1);
        let guard = by.saturating_add(largest).saturating_neg().clamp(0, GUARD);
        let scale = power_of_two(by.saturating_add(32 + guard));
        let unit = power_of_two((15 + guard).saturating_sub(to));
        // Conversions saturate; a shift leaves room for what is added to it.
        const MOST: f32 = (1 << 29) as f32;
        for (to, value) in checked::zip(&mut *self.factors, epilogue.scale) {
            *to = (value * scale) as i32;
        }
        for (to, value) in checked::zip(&mut *self.shifts, epilogue.shift) {
            *to = (value * unit).clamp(-MOST, MOST) as i32;
        }
        Factors { factors: self.factors, shifts: self.shifts, guard }
    }

    /// What takes a cotangent of one exponent back through an epilogue, above zero and below, as
    /// numbers of another exponent: 2^30 stands for one.
    pub(super) fn pull_back(
        self,
        epilogue: &Epilogue<'_>,
        from: i32,
        to: i32,
    ) -> (&'s [i32], &'s [i32]) {
        let one = power_of_two(from.saturating_sub(to).saturating_add(30));
        // There is room for the channels of either side.
        let rows = self.factors.iter_mut().zip(self.shifts.iter_mut());
        for ((above, below), scale) in rows.zip(epilogue.scale) {
            *above = (scale * one) as i32;
            *below = (scale * epilogue.slope * one) as i32;
        }
        let channels = epilogue.scale.len();
        let (above, below) = (&*self.factors, &*self.shifts);
        (above.get(..channels).or_bug(), below.get(..channels).or_bug())
    }

    /// The same power of two for every channel.
    pub(super) fn power(exponent: i32) -> Factors<'static> {
        // 2^30 at most.
        let guard = exponent.saturating_add(2).saturating_neg().clamp(0, GUARD);
        let power = exponent.saturating_add(32 + guard).clamp(0, 30) as usize;
        Factors { factors: POWERS.get(power..=power).or_bug(), shifts: &[], guard }
    }
}

/// Powers of two.
static POWERS: [i32; 31] = {
    let mut powers = [1; 31];
    let mut n = 1;
    while n < powers.len() {
        powers[n] = 2 * powers[n - 1];
        n += 1;
    }
    powers
};

/// What makes int16 of sums.
pub(super) struct Requantize<'a> {
    factors: Factors<'a>,
    /// 2^32 times the rectifier's slope, which is below a half, at least 1; 0 for no rectifier.
    slope: i32,
    residual: Option<(&'a [Point], i32)>,
    signs: &'a mut [u8],
    points: &'a mut [Point],
}

impl<'a> Requantize<'a> {
    pub(super) fn new(
        factors: Factors<'a>,
        slope: f32,
        residual: Option<(&'a [Point], i32)>,
        exponent: i32,
        signs: &'a mut [u8],
        points: &'a mut [Point],
    ) -> Self {
        let guard = factors.guard;
        Self {
            factors,
            slope: if slope == 1.0 { 0 } else { ((slope * power_of_two(32)) as i32).max(1) },
            residual: residual.map(|(points, from)| {
                (points, from.saturating_sub(exponent).saturating_add(guard))
            }),
            signs,
            points,
        }
    }

    /// Takes row `y`, of every channel `width` sums.
    pub(super) fn row(&mut self, nx: usize, points: usize, y: usize, width: usize, sums: &[i32]) {
        // The loop is compiled for each case: what a layer does not have costs it nothing.
        let usual = self.factors.guard == GUARD;
        let group_of = match (self.slope != 0, self.residual.is_some(), usual) {
            (true, true, true) => Self::group::<true, true, true>,
            (true, false, true) => Self::group::<true, false, true>,
            (false, true, true) => Self::group::<false, true, true>,
            (false, false, true) => Self::group::<false, false, true>,
            (true, true, false) => Self::group::<true, true, false>,
            (true, false, false) => Self::group::<true, false, false>,
            (false, true, false) => Self::group::<false, true, false>,
            (false, false, false) => Self::group::<false, false, false>,
        };
        for (group, sums) in checked::numbered(sums.chunks(width.times(LANES).max(1))) {
            let at = group.times(points).plus(y.times(nx));
            group_of(self, group, at..at.plus(nx), points / 8, width, sums);
        }
    }

    /// Takes four channels' sums of a row in the given places; a channel's signs lie `signs_pitch`
    /// bytes behind the one's before.
    // By itself, its loop keeps everything in registers.
    #[inline(never)]
    fn group<const RECTIFIED: bool, const RESIDUAL: bool, const USUAL: bool>(
        &mut self,
        group: usize,
        places: core::ops::Range<usize>,
        signs_pitch: usize,
        width: usize,
        sums: &[i32],
    ) {
        let Factors { factors, shifts, guard } = self.factors;
        let guard = if USUAL { GUARD } else { guard };
        let guard = guard as u32;
        let half = 1_i32.wrapping_shl(guard) >> 1;
        let slope = i64::from(self.slope);
        let (added, by) = self.residual.unwrap_or_default();
        // Where a row is scaled down, what is added loses bits before it is added.
        let (left, right) = (by.clamp(0, 13), by.saturating_neg().clamp(0, 31));
        let added: &[[i16; LANES]] = bytemuck::must_cast_slice(added);
        let added = if RESIDUAL { added.get(places.clone()).or_bug() } else { &[] };
        let added = added.as_chunks::<8>().0;
        let first_sign = group.times(LANES - 1).times(signs_pitch).plus(places.start / 8);
        let row = self.points.get_mut(places).or_bug();
        let row: &mut [[i16; LANES]] = bytemuck::must_cast_slice_mut(row);
        let row = row.as_chunks_mut::<8>().0;
        for (n, sums) in sums.chunks_exact(width.max(1)).enumerate().take(LANES) {
            let channel = group.times(LANES).plus(n);
            // A gradient has one factor for all channels, and no shifts.
            let factor = i64::from(factors.get(channel).or(factors.first()).copied().or_bug());
            let shift = shifts.get(channel).copied().unwrap_or(0);
            // Not every caller keeps signs.
            let signs = first_sign.plus(n.times(signs_pitch));
            let signs = self.signs.get_mut(signs..).unwrap_or_default();
            let (mut signs, mut added) = (signs.iter_mut(), added.iter());
            // Behind the row's points lie the sums that fill up fours.
            for (row, sums) in row.iter_mut().zip(sums.as_chunks::<8>().0) {
                let mut bits = 0;
                let added = if RESIDUAL { added.next() } else { None };
                debug_assert_eq!(added.is_some(), RESIDUAL, "a residual is too short");
                let added = added.unwrap_or(&[[0; LANES]; 8]);
                // From the last to the first, so that the first one's sign ends up lowest.
                for i in (0..8).rev() {
                    let mut a = high(sums[i], factor).plus(shift);
                    if RECTIFIED {
                        a = a.max(high(a, slope));
                        // A slope leaves the sign, because it is not 0 and results are rounded
                        // down.
                        bits = bits << 1 | a as u32 >> 31;
                    }
                    if RESIDUAL {
                        a = a.plus(i32::from(added[i][n]) << left >> right);
                    }
                    row[i][n] = saturate(a.plus(half).wrapping_shr(guard));
                }
                if RECTIFIED && let Some(byte) = signs.next() {
                    *byte = bits as u8;
                }
            }
        }
    }
}

/// The upper 32 bits of a product.
#[inline(always)]
fn high(a: i32, b: i64) -> i32 {
    ((i64::from(a) * b) >> 32) as i32
}

/// To the nearest int16.
#[inline(always)]
pub(super) fn saturate(value: i32) -> i16 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}
