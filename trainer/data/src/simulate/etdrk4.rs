//! Exponential time differencing of fourth order for u_t = L u + N(u) with a diagonal real L.
//!
//! Cox and Matthews (2002), with the coefficients as contour integrals: Kassam and Trefethen,
//! SIAM J. Sci. Comput. 26 (2005). The formulas cancel catastrophically for small L·dt; the mean
//! over a circle of radius 1 around L·dt does not.

use num_complex::Complex64;

const CONTOUR_POINTS: usize = 32;

/// Coefficients for one mode and one time step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Etdrk4 {
    /// e^{L dt}
    pub(super) whole: f64,
    /// e^{L dt/2}
    pub(super) half: f64,
    /// Weight of N in the half steps, (e^{L dt/2} − 1)/L.
    pub(super) stage: f64,
    /// Weights in the whole step: of N(u), of N(a) + N(b), and of N(c).
    pub(super) weights: [f64; 3],
}

impl Etdrk4 {
    pub(super) fn new(rate: f64, dt: f64) -> Self {
        let z0 = rate * dt;
        let mut stage = 0.0;
        let mut weights = [0.0; 3];
        // Upper half circle: the values on the lower half are the conjugates.
        for point in 0..CONTOUR_POINTS {
            let angle = std::f64::consts::PI * (point as f64 + 0.5) / CONTOUR_POINTS as f64;
            let z = z0 + Complex64::cis(angle);
            let (e, cube) = (z.exp(), z * z * z);
            stage += (((z / 2.0).exp() - 1.0) / z).re;
            weights[0] += ((-4.0 - z + e * (4.0 - 3.0 * z + z * z)) / cube).re;
            weights[1] += ((2.0 + z + e * (z - 2.0)) / cube).re;
            weights[2] += ((-4.0 - 3.0 * z - z * z + e * (4.0 - z)) / cube).re;
        }
        let mean = dt / CONTOUR_POINTS as f64;
        Self {
            whole: z0.exp(),
            half: (z0 / 2.0).exp(),
            stage: stage * mean,
            weights: [weights[0] * mean, 2.0 * weights[1] * mean, weights[2] * mean],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_are_those_of_rk4_without_a_linear_part() {
        // dt/6, dt/3 (for each of a and b), dt/6: the limit that the plain formulas lose.
        let [first, middle, last] = Etdrk4::new(0.0, 0.3).weights;
        assert!((first - 0.05).abs() < 1e-15);
        assert!((middle - 0.1).abs() < 1e-15);
        assert!((last - 0.05).abs() < 1e-15);
        assert!((Etdrk4::new(0.0, 0.3).stage - 0.15).abs() < 1e-15);
    }

    #[test]
    fn coefficients_match_the_closed_forms_where_those_are_sound() {
        for rate in [-40.0, -7.0, 3.0f64] {
            let dt = 1.0;
            let (z, e) = (rate * dt, (rate * dt).exp());
            let c = Etdrk4::new(rate, dt);
            let cube = z.powi(3);
            let expected = [
                (-4.0 - z + e * (4.0 - 3.0 * z + z * z)) / cube,
                2.0 * (2.0 + z + e * (z - 2.0)) / cube,
                (-4.0 - 3.0 * z - z * z + e * (4.0 - z)) / cube,
            ];
            for (got, expected) in c.weights.into_iter().zip(expected) {
                assert!((got - expected).abs() < 1e-13 * expected.abs().max(1.0), "{rate}");
            }
            assert!((c.stage - ((z / 2.0).exp() - 1.0) / z).abs() < 1e-13);
        }
    }
}
