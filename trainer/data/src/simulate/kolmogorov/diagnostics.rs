//! Means over the domain that the equations conserve or balance.

use super::Flow;
use num_complex::Complex64;

impl Flow {
    /// Kinetic energy, ½⟨|u|²⟩.
    pub fn energy(&self) -> f64 {
        0.5 * self.mean(|k2, w| w.norm_sqr() / k2)
    }

    /// Enstrophy, ½⟨ω²⟩.
    #[cfg(test)]
    pub fn enstrophy(&self) -> f64 {
        0.5 * self.mean(|_, w| w.norm_sqr())
    }

    /// Σ over all k ≠ 0 of `term(|k|², ω̂)`.
    fn mean(&self, term: impl Fn(f64, Complex64) -> f64) -> f64 {
        let m = self.cutoff() as i64;
        let mut sum = 0.0;
        for kx in 0..=m {
            for ky in -m..=m {
                // Every mode with k_x > 0 stands for its conjugate too.
                let weight = if kx > 0 { 2.0 } else { 1.0 };
                if (kx, ky) != (0, 0) {
                    let square = (kx * kx + ky * ky) as f64;
                    sum += weight * term(square, self.amplitude(kx, ky));
                }
            }
        }
        sum
    }
}
