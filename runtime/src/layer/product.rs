//! Products of fields: what a rectifier can only imitate.

use super::shape::check_len;
use crate::{Error, checked};

/// A product's second factor is held within so much of zero.
pub const FACTOR_MAX: f32 = 4.0;

/// h ← h + p · clamp(q, −4, 4), value by value; what is no number stays none.
///
/// `factors`: p of every channel, then q of every channel, `[2][channel][y][x]`; `values`: h,
/// `[channel][y][x]`. Two roundings, 6e-8 of the product and of the sum.
///
/// # Errors
/// [`Error::LengthMismatch`] unless there are two factors for each value.
pub fn multiply(factors: &[f32], values: &mut [f32]) -> Result<(), Error> {
    check_len(values.len().saturating_mul(2), factors.len())?;
    let (p, q) = factors.split_at_checked(values.len()).unwrap_or_default();
    for ((h, p), q) in checked::zip(checked::zip(values, p), q) {
        *h += p * held(*q);
    }
    Ok(())
}

/// Vector-Jacobian product of [`multiply`] with respect to its factors: they become v · clamp(q)
/// and v · p, the latter 0 where q is held. That with respect to h is the cotangent v itself.
///
/// # Errors
/// As [`multiply`].
pub fn multiply_vjp(factors: &mut [f32], cotangent: &[f32]) -> Result<(), Error> {
    check_len(cotangent.len().saturating_mul(2), factors.len())?;
    let (p, q) = factors.split_at_mut_checked(cotangent.len()).unwrap_or_default();
    for ((p, q), v) in checked::zip(checked::zip(p, q), cotangent) {
        let free = *q > -FACTOR_MAX && *q < FACTOR_MAX;
        (*p, *q) = (v * held(*q), if free { v * *p } else { 0.0 });
    }
    Ok(())
}

/// Unlike `max` and `min` this keeps what is no number.
#[inline(always)]
fn held(q: f32) -> f32 {
    q.clamp(-FACTOR_MAX, FACTOR_MAX)
}
