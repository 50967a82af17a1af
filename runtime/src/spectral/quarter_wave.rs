//! cos and sin of πm/2N from a table made at compile time: exact to rounding, and the same on every
//! target.
//!
//! The table divides the quarter wave into 1024 parts. Between two of its angles lies at most half
//! a part, δ ≤ π/4096, and cos(θ + δ) = cos θ − (sin θ sin δ + cos θ (1 − cos δ)) needs two terms
//! of each series.

use core::f32::consts::FRAC_PI_2;
use core::num::NonZero;

use crate::checked::{OrBug, Place};

const QUARTERS: usize = 1024;

static COS: [f32; QUARTERS + 1] = table();

/// cos(πm / 2N) and sin(πm / 2N) for 0 ≤ m ≤ N, N an axis length. Each is at most 6e-8 off, and
/// 2e-7 of itself.
pub(crate) fn cos_sin(m: usize, n: usize) -> (f32, f32) {
    let at = |index: usize| COS.get(index).copied().or_bug();
    if n.is_power_of_two() && n <= QUARTERS {
        // Part of the table: its stride is a shift.
        let stride = QUARTERS.trailing_zeros().wrapping_sub(n.trailing_zeros());
        return (at(m.wrapping_shl(stride)), at(n.minus(m).wrapping_shl(stride)));
    }
    // Numbers of 32 bits, which boards divide in one instruction.
    let n = NonZero::new(n as u32).unwrap_or(NonZero::<u32>::MIN);
    let place = (m as u32).wrapping_mul(QUARTERS as u32);
    let index = place.wrapping_add(n.get() / 2) / n;
    let rest = place.wrapping_sub(index.wrapping_mul(n.get())) as i32;
    let (cos, sin) = (at(index as usize), at(QUARTERS.minus(index as usize)));
    let delta = rest as f32 * (FRAC_PI_2 / QUARTERS as f32) / n.get() as f32;
    let square = delta * delta;
    let (delta_sin, delta_versine) = (delta - delta * square * (1.0 / 6.0), 0.5 * square);
    (cos - (sin * delta_sin + cos * delta_versine), sin + (cos * delta_sin - sin * delta_versine))
}

/// sin(πm / 2N); 0 beyond m = N.
pub(crate) fn sin(m: usize, n: usize) -> f32 {
    // Only an index that a caller gave to `Axis::kappa` can be beyond N; no mode is there.
    if m > n { 0.0 } else { cos_sin(m, n).1 }
}

/// exp(−2πij / N) for 0 ≤ j < N/2, N an axis length.
pub(super) fn turn(j: usize, n: usize) -> [f32; 2] {
    let quarters = j.times(4);
    if quarters <= n {
        let (cos, sin) = cos_sin(quarters, n);
        [cos, -sin]
    } else {
        let (cos, sin) = cos_sin(n.times(2).minus(quarters), n);
        [-cos, -sin]
    }
}

const fn table() -> [f32; QUARTERS + 1] {
    let mut values = [0.0; QUARTERS + 1];
    let mut m = 0;
    while m < QUARTERS {
        let angle = core::f64::consts::FRAC_PI_2 * (m as f64 / QUARTERS as f64);
        values[m] = cos_taylor(angle) as f32;
        m += 1;
    }
    values
}

/// Taylor series in f64; the first term left out is below 1e-19 on [0, π/2].
const fn cos_taylor(angle: f64) -> f64 {
    let square = angle * angle;
    let (mut sum, mut term, mut i) = (1.0, 1.0, 1.0);
    while i < 24.0 {
        term *= -square / (i * (i + 1.0));
        sum += term;
        i += 2.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Axis;

    #[test]
    fn the_table_is_rounded_from_the_exact_values() {
        for (m, value) in COS.iter().enumerate() {
            let exact = libm::cos(core::f64::consts::FRAC_PI_2 * m as f64 / QUARTERS as f64);
            assert!(
                (f64::from(*value) - exact).abs() <= 6e-8 * exact.max(1e-8),
                "{m}: {value} {exact}"
            );
        }
    }

    #[test]
    fn between_the_table_s_angles_values_are_exact_to_rounding() {
        for n in (Axis::POINTS_MIN..=Axis::POINTS_MAX).filter(|n| Axis::has_transform(*n)) {
            for m in 0..=n {
                let (sin, cos) = libm::sincos(core::f64::consts::FRAC_PI_2 * m as f64 / n as f64);
                let (cos_f32, sin_f32) = cos_sin(m, n);
                for (value, exact) in [(cos_f32, cos), (sin_f32, sin)] {
                    let error = (f64::from(value) - exact).abs();
                    // cos(π/2) in f64 is not 0.
                    let bound = (2e-7 * exact.abs()).clamp(1e-15, 6.1e-8);
                    assert!(error <= bound, "{m} of {n}: {value} {exact}");
                }
            }
        }
    }

    #[test]
    fn turns_go_half_around_the_circle() {
        for n in [10, 24, 720, 4096] {
            for j in 0..n / 2 {
                let (sin, cos) = libm::sincos(core::f64::consts::TAU * j as f64 / n as f64);
                let [re, im] = turn(j, n);
                assert!((f64::from(re) - cos).abs() <= 6.1e-8, "{j} of {n}");
                assert!((f64::from(im) + sin).abs() <= 6.1e-8, "{j} of {n}");
            }
        }
    }
}
