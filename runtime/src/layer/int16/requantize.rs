//! From sums in 32 bits to int16: a factor and a shift for each channel, the rectifier, the residual.

use super::super::epilogue::Epilogue;
use super::{LANES, Point, power_of_two};
use crate::Error;

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
    pub(super) fn split(
        channels: usize,
        scratch: &'s mut [f32],
    ) -> Result<(Self, &'s mut [f32]), Error> {
        let short = Error::ScratchLength { values: scratch.len(), needed: 2 * channels };
        let (numbers, rest) = scratch.split_at_mut_checked(2 * channels).ok_or(short)?;
        let numbers: &mut [i32] = bytemuck::must_cast_slice_mut(numbers);
        let (factors, shifts) = numbers.split_at_mut_checked(channels).ok_or(short)?;
        Ok((Self { factors, shifts }, rest))
    }

    /// An epilogue from sums of inputs of one exponent to outputs of another.
    pub(super) fn epilogue(self, epilogue: &Epilogue<'_>, from: i32, to: i32) -> Factors<'s> {
        let largest = epilogue.scale.iter().fold(0.0_f32, |most, scale| most.max(scale.abs()));
        // A factor must stay below 2^31.
        let guard = (-1 - super::exponent(largest) - (from - to)).clamp(0, GUARD);
        let scale = power_of_two(from - to + 32 + guard);
        let unit = power_of_two(15 - to + guard);
        // Conversions saturate; a shift leaves room for what is added to it.
        const MOST: f32 = (1 << 29) as f32;
        for (to, value) in self.factors.iter_mut().zip(epilogue.scale) {
            *to = (value * scale) as i32;
        }
        for (to, value) in self.shifts.iter_mut().zip(epilogue.shift) {
            *to = (value * unit).clamp(-MOST, MOST) as i32;
        }
        Factors { factors: self.factors, shifts: self.shifts, guard }
    }

    /// What takes a cotangent of one exponent back through an epilogue, above zero and below, as numbers of another
    /// exponent: 2^30 stands for one.
    pub(super) fn pull_back(
        self,
        epilogue: &Epilogue<'_>,
        from: i32,
        to: i32,
    ) -> (&'s [i32], &'s [i32]) {
        let one = power_of_two(from - to + 30);
        let rows = self.factors.iter_mut().zip(self.shifts.iter_mut());
        for ((above, below), scale) in rows.zip(epilogue.scale) {
            *above = (scale * one) as i32;
            *below = (scale * epilogue.slope * one) as i32;
        }
        let channels = epilogue.scale.len();
        let (above, below) = (&*self.factors, &*self.shifts);
        (above.get(..channels).unwrap_or_default(), below.get(..channels).unwrap_or_default())
    }

    /// The same power of two for every channel.
    pub(super) fn power(exponent: i32) -> Factors<'static> {
        // 2^30 at most.
        let guard = (-2 - exponent).clamp(0, GUARD);
        let power = (exponent + 32 + guard).clamp(0, 30) as usize;
        Factors { factors: POWERS.get(power..=power).unwrap_or_default(), shifts: &[], guard }
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
            residual: residual.map(|(points, from)| (points, from - exponent + guard)),
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
        for (group, sums) in sums.chunks((LANES * width).max(1)).enumerate() {
            let at = group * points + y * nx;
            group_of(self, group, at..at + nx, points / 8, width, sums);
        }
    }

    /// Takes four channels' sums of a row in the given places; a channel's signs lie `signs_pitch` bytes behind the one's before.
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
        let half = if guard > 0 { 1 << (guard - 1) } else { 0 };
        let slope = i64::from(self.slope);
        let (added, by) = self.residual.unwrap_or_default();
        // Where a row is scaled down, what is added loses bits before it is added.
        let (left, right) = (by.clamp(0, 13), by.saturating_neg().clamp(0, 31));
        let added: &[[i16; LANES]] = bytemuck::must_cast_slice(added);
        let added = added.get(places.clone()).unwrap_or_default().as_chunks::<8>().0;
        let first_sign = (group * (LANES - 1) * signs_pitch) + places.start / 8;
        let row = self.points.get_mut(places).unwrap_or_default();
        let row: &mut [[i16; LANES]] = bytemuck::must_cast_slice_mut(row);
        let row = row.as_chunks_mut::<8>().0;
        for (n, sums) in sums.chunks_exact(width.max(1)).enumerate().take(LANES) {
            let channel = group * LANES + n;
            let factor = i64::from(factors.get(channel).or(factors.first()).copied().unwrap_or(0));
            let shift = shifts.get(channel).copied().unwrap_or(0);
            let signs = self.signs.get_mut(first_sign + n * signs_pitch..).unwrap_or_default();
            let (mut signs, mut added) = (signs.iter_mut(), added.iter());
            for (row, sums) in row.iter_mut().zip(sums.as_chunks::<8>().0) {
                let mut bits = 0;
                let added = if RESIDUAL { added.next() } else { None };
                let added = added.unwrap_or(&[[0; LANES]; 8]);
                // From the last to the first, so that the first one's sign ends up lowest.
                for i in (0..8).rev() {
                    let mut a = high(sums[i], factor) + shift;
                    if RECTIFIED {
                        a = a.max(high(a, slope));
                        // A slope leaves the sign, because it is not 0 and results are rounded down.
                        bits = bits << 1 | a as u32 >> 31;
                    }
                    if RESIDUAL {
                        a += i32::from(added[i][n]) << left >> right;
                    }
                    row[i][n] = saturate((a + half) >> guard);
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
