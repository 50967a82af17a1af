//! What every result relies on, tried where the program runs.

use core::hint::black_box;

use crate::{Axis, Error, Field, Grid, Modes, spectral};

/// What a processor, its settings or its compiler does otherwise than this crate needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Fault {
    /// Sums are not rounded to the nearest value, ties to even.
    Rounding,
    /// Subnormal numbers become zero.
    FlushToZero,
    /// A product is not rounded before it is added to.
    Contraction,
    /// A transform has other bits.
    Transform,
}

/// Tries the arithmetic that every bit relies on: to be called once, when a board has started.
///
/// An interrupt handler that changes the rounding mode, a start-up file that turns flush to zero
/// on, and a compiler flag that contracts products and sums are found so. The network itself is not
/// tried: its weights have a checksum, which [`Model::parse`](crate::model::Model::parse) checks.
/// Takes as long as four transforms of 32 points.
///
/// # Errors
/// The first [`Fault`] that is found.
pub fn self_test() -> Result<(), Fault> {
    let [one, half_ulp, more] = black_box([1.0_f32, f32::EPSILON / 2.0, f32::EPSILON * 0.75]);
    let nearest = one + half_ulp == one && one + more > one && -one - half_ulp == -one;
    hold(nearest && -one - more < -one, Fault::Rounding)?;

    let [least, half, large] = black_box([f32::from_bits(1), 0.5, 1.0 / f32::EPSILON]);
    let kept = f32::MIN_POSITIVE * half > 0.0 && least * large > 0.0 && least + least > least;
    hold(kept, Fault::FlushToZero)?;

    // (1 + 2⁻¹²)² is 1 + 2⁻¹¹ + 2⁻²⁴, whose last term is lost where the product is rounded.
    let [a, b] = black_box([1.0 + f32::EPSILON * 2048.0, 1.0 + f32::EPSILON * 4096.0]);
    hold(a * a - b == 0.0, Fault::Contraction)?;

    hold(transforms() == Ok(TRANSFORMS), Fault::Transform)
}

/// A digest of the bits of [`transforms`].
const TRANSFORMS: u32 = 0xD404_2562;

/// Transforms a fixed field of each boundary; gives a digest of the bits.
fn transforms() -> Result<u32, Error> {
    let mut digest = 0_u32;
    for axis in [Axis::periodic(32)?, Axis::reflecting(30)?] {
        let (grid, mut field, mut scratch) = (Grid::line(axis), [0.0_f32; 32], [0.0; 32]);
        for (n, value) in (0..32_u8).zip(&mut field) {
            // Numbers without a pattern.
            *value = f32::from(n.wrapping_mul(37)) / 64.0 - 2.0;
        }
        let field = field.get_mut(..grid.nx()).unwrap_or_default();
        spectral::forward(&grid, Field::from_mut(field), &mut scratch)?;
        digest = field.iter().fold(digest, |all, value| all.rotate_left(5) ^ value.to_bits());
        spectral::inverse(&grid, Modes::from_mut(field), &mut scratch)?;
        digest = field.iter().fold(digest, |all, value| all.rotate_left(5) ^ value.to_bits());
    }
    Ok(digest)
}

fn hold(holds: bool, fault: Fault) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(fault) }
}
