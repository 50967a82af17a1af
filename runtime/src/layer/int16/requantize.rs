//! From sums in 32 bits to int16: a factor and a shift for each channel, the rectifier, the residual.

use super::super::epilogue::Epilogue;
use super::super::shape::ConvShape;
use super::pass::lane;
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

/// Room for three numbers for each channel.
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
    /// 2^32 times the rectifier's slope; 0 for none.
    slope: i64,
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
            slope: if slope == 1.0 { 0 } else { (slope * power_of_two(32)) as i64 },
            residual: residual.map(|(points, from)| (points, from - exponent + guard)),
            signs,
            points,
        }
    }

    /// Takes row `y` of a channel.
    pub(super) fn row(&mut self, shape: &ConvShape, channel: usize, y: usize, sums: &[i32]) {
        let (nx, points) = (shape.grid().nx(), shape.grid().points());
        let (at, n) = (channel / LANES * points + y * nx, channel % LANES);
        let Factors { factors, shifts, guard } = self.factors;
        let factor = factors.get(channel).or(factors.first()).copied().unwrap_or(0);
        let shift = shifts.get(channel).copied().unwrap_or(0);
        let half = if guard > 0 { 1 << (guard - 1) } else { 0 };
        let row = self.points.get_mut(at..at + nx).unwrap_or_default();
        let signs = self.signs.get_mut((channel * points + y * nx) / 8..).unwrap_or_default();
        let mut signs = signs.iter_mut();
        let (added, by) = self.residual.unwrap_or_default();
        let added = added.get(at..at + nx).unwrap_or_default();
        let mut added = added.as_chunks::<8>().0.iter();
        let rows = row.as_chunks_mut::<8>().0.iter_mut().zip(sums.as_chunks::<8>().0);
        for (row, sums) in rows {
            let mut bits = 0;
            let added = added.next().unwrap_or(&[[0; 2]; 8]);
            for (i, ((to, sum), added)) in row.iter_mut().zip(sums).zip(added).enumerate() {
                let mut a = high(*sum, i64::from(factor)) + shift;
                if self.slope != 0 {
                    let negative = a < 0;
                    bits |= u32::from(negative) << i;
                    if negative {
                        a = high(a, self.slope);
                    }
                }
                let added: [i16; LANES] = bytemuck::must_cast(*added);
                let added = i32::from(added.get(n).copied().unwrap_or(0));
                if let Some(to) = lane(to, n) {
                    *to = saturate((a + shifted(added, by) + half) >> guard);
                }
            }
            if let Some(byte) = signs.next() {
                *byte = bits as u8;
            }
        }
    }
}

/// The upper 32 bits of a product.
#[inline(always)]
fn high(a: i32, b: i64) -> i32 {
    ((i64::from(a) * b) >> 32) as i32
}

/// `value` · 2^`by`, rounded down; an int16 stays within 29 bits.
#[inline(always)]
fn shifted(value: i32, by: i32) -> i32 {
    if by >= 0 { value << by.min(13) } else { value >> by.unsigned_abs().min(31) }
}

/// To the nearest int16.
#[inline(always)]
pub(super) fn saturate(value: i32) -> i16 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}
