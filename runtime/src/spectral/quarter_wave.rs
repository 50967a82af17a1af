//! cos and sin of πm/2N from a table made at compile time: exact to rounding, and the same on every
//! target.

use crate::Axis;

const QUARTERS: usize = Axis::POINTS_MAX;

static COS: [f32; QUARTERS + 1] = table();

/// cos(πm / 2N) for 0 ≤ m ≤ N, N an axis length.
pub(crate) fn cos(m: usize, n: usize) -> f32 {
    // N is a power of two, so the table's stride is a shift.
    let stride = QUARTERS.trailing_zeros().wrapping_sub(n.trailing_zeros());
    // Only an index that a caller gave to `Axis::kappa` can be beyond the table; no mode is there.
    COS.get(m.wrapping_shl(stride)).copied().unwrap_or(0.0)
}

/// sin(πm / 2N) for 0 ≤ m ≤ N, N an axis length.
pub(crate) fn sin(m: usize, n: usize) -> f32 {
    cos(n.wrapping_sub(m), n)
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
}
