//! Products of int16 tensors, in integers.

use super::requantize::saturate;
use super::{LANES, Point};
use crate::Error;
use crate::checked::{self, Place};
use crate::layer::shape::check_len;

/// Bits beyond an int16's that a sum keeps until it is rounded.
const GUARD: i32 = 6;
/// Bits of a product of two int16 beyond an int16's own, less those that the exponent of q stands
/// for: see [`multiply16`].
const EXCESS: i32 = 13;
/// By how much the exponent of p may be above that of the result.
pub(crate) const FACTOR_EXCESS_MAX: i32 = EXCESS - GUARD;

/// h ← h + p · q, in place.
///
/// `factors`: a tensor of twice as many channels, p before q. Its integers count q in units of
/// 2^-13, so that ±4 is where they saturate, and p in units of 2^(`p_exponent` − 15). `values`: h,
/// from one exponent to another. The channels of h are a multiple of four. With integers h, p, q
/// and r = 13 + `to` − `p_exponent`, which must be at least 6:
///
/// h ← saturate(⌊(⌊p q / 2^(r−6)⌋ + ⌊h · 2^(6 + `from` − `to`)⌋ + 32) / 64⌋)
///
/// # Errors
/// [`Error::LengthMismatch`] unless there are two factors for each value; [`Error::Conflict`] if r
/// is below 6.
pub fn multiply16(
    factors: &[Point],
    p_exponent: i32,
    values: &mut [Point],
    from: i32,
    to: i32,
) -> Result<(), Error> {
    check_len(values.len().saturating_mul(2), factors.len())?;
    let by = to.saturating_sub(p_exponent).saturating_add(FACTOR_EXCESS_MAX);
    if by < 0 {
        return Err(Error::Conflict {
            name: "p_exponent",
            expected: "at most 7 above that of the result",
        });
    }
    let by = by.min(31) as u32;
    let rescale = from.saturating_sub(to).saturating_add(GUARD);
    let (left, right) = (rescale.clamp(0, 13) as u32, rescale.saturating_neg().clamp(0, 31) as u32);
    let (p, q) = factors.split_at_checked(values.len()).unwrap_or_default();
    for ((h, p), q) in checked::zip(checked::zip(values, p), q) {
        let (p, q) = (lanes(*p), lanes(*q));
        let mut sum = lanes(*h);
        for n in 0..LANES {
            let product = i32::from(p[n]).times(i32::from(q[n])).wrapping_shr(by);
            let h = i32::from(sum[n]).wrapping_shl(left).wrapping_shr(right);
            sum[n] = saturate(product.plus(h).plus(1 << (GUARD - 1)) >> GUARD);
        }
        *h = bytemuck::must_cast(sum);
    }
    Ok(())
}

/// Vector-Jacobian product of [`multiply16`] with respect to its factors, which become v · q and v
/// · p, the latter 0 where q is saturated; ⌊(v q + 2^14) / 2^15⌋, saturated. Their exponent is the
/// cotangent's plus `p_exponent`, if the epilogue that made them is meant.
///
/// # Errors
/// [`Error::LengthMismatch`] unless there are two factors for each value.
pub fn multiply16_vjp(factors: &mut [Point], cotangent: &[Point]) -> Result<(), Error> {
    check_len(cotangent.len().saturating_mul(2), factors.len())?;
    let (p, q) = factors.split_at_mut_checked(cotangent.len()).unwrap_or_default();
    for ((p, q), v) in checked::zip(checked::zip(p, q), cotangent) {
        let (mut of_p, mut of_q, v) = (lanes(*p), lanes(*q), lanes(*v));
        for n in 0..LANES {
            let (p, q, v) = (of_p[n], of_q[n], i32::from(v[n]));
            let product = |factor: i16| saturate(v.times(i32::from(factor)).plus(1 << 14) >> 15);
            of_p[n] = product(q);
            of_q[n] = if q == i16::MAX || q == i16::MIN { 0 } else { product(p) };
        }
        (*p, *q) = (bytemuck::must_cast(of_p), bytemuck::must_cast(of_q));
    }
    Ok(())
}

fn lanes(point: Point) -> [i16; LANES] {
    bytemuck::must_cast(point)
}
