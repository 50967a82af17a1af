//! The emergence scale λ_S(k), where signal and noise are equally strong: C² P_k = Σ_k.
//!
//! In reverse-λ sampling the modes of shell k appear around λ_S(k). C = e^{−ακλ}, Σ = β² (1 − e^{−2ακλ}) / (2ακ),
//! κ = k² (Yasuda and Bischoff 2026, arXiv 2604.00327, section 2).

use std::f64::consts::PI;

use super::{Spec, Statistics};

/// Strengths of the forward process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Process {
    /// Damping strength α.
    pub alpha: f64,
    /// Square of the noise strength, β².
    pub beta2: f64,
}

impl Process {
    /// C(λ) of a mode with κ = k².
    pub fn damping(self, kappa: f64, lambda: f64) -> f64 {
        (-self.alpha * kappa * lambda).exp()
    }

    /// Σ(λ) of a mode with κ = k².
    pub fn noise_variance(self, kappa: f64, lambda: f64) -> f64 {
        let rate = 2.0 * self.alpha * kappa;
        // expm1(z)/z is exact down to z = 0, where it is 0/0.
        if rate * lambda < 1e-300 {
            self.beta2 * lambda
        } else {
            -self.beta2 * (-rate * lambda).exp_m1() / rate
        }
    }

    /// λ in (0, 1] where a mode of power `power` equals its noise; `None` if it is still stronger at λ = 1, or has no
    /// power at all.
    pub fn emergence(self, wavenumber: f64, power: f64) -> Option<f64> {
        let kappa = wavenumber * wavenumber;
        let excess = |lambda: f64| {
            self.damping(kappa, lambda).powi(2) * power - self.noise_variance(kappa, lambda)
        };
        if power <= 0.0 || excess(1.0) > 0.0 {
            return None;
        }
        // The excess falls with λ: bisect to the last bit.
        let (mut low, mut high) = (0.0, 1.0);
        loop {
            let middle = 0.5 * (low + high);
            if middle <= low || middle >= high {
                return Some(high);
            }
            if excess(middle) > 0.0 { low = middle } else { high = middle }
        }
    }
}

/// λ* for coarse input with so many points per axis: the scale at which every mode beyond the coarse grid's cut-off,
/// k = π·points/length on the axis where that is smallest, has gone under in noise. That is λ_S of the largest wavenumber
/// that the coarse grid carries in every direction.
///
/// `None` if some such mode is still stronger than its noise at λ = 1.
pub fn suggested_lambda(
    process: Process,
    spec: &Spec,
    statistics: &Statistics,
    coarse: &[usize],
) -> Option<f64> {
    let cutoffs = spec.axes().zip(coarse).map(|(axis, &n)| PI * n as f64 / axis.length);
    // The shells' distance has the runtime's single precision.
    let cutoff = cutoffs.fold(f64::INFINITY, f64::min) * (1.0 - 1e-6);
    let shells = &statistics.shells;
    let beyond = (0..shells.modes.len()).filter(|&s| shells.wavenumber(s) >= cutoff);
    let mut largest = 0.0_f64;
    for shell in beyond {
        for channel in &statistics.channels {
            let power = channel.power[shell];
            if power > 0.0 {
                largest = largest.max(process.emergence(shells.wavenumber(shell), power)?);
            }
        }
    }
    Some(largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROCESS: Process = Process { alpha: 0.3, beta2: 2.0 };

    /// Closed form: with x = e^{−2ακλ}, xP = β²(1−x)/(2ακ), so λ = ln(1 + 2ακP/β²)/(2ακ).
    #[test]
    fn agrees_with_the_closed_form() {
        for k in [0.5_f64, 1.0, 4.0, 9.0, 40.0] {
            for power in [1e-8, 1e-2, 0.5] {
                let rate = 2.0 * PROCESS.alpha * k * k;
                let exact = (rate * power / PROCESS.beta2).ln_1p() / rate;
                let found = PROCESS.emergence(k, power).unwrap();
                assert!((found / exact - 1.0).abs() < 1e-12, "k {k}, P {power}: {found}, {exact}");
            }
        }
    }

    #[test]
    fn the_mean_emerges_where_brownian_noise_equals_it() {
        assert!((PROCESS.emergence(0.0, 1.0).unwrap() - 0.5).abs() < 1e-15);
        assert_eq!(PROCESS.emergence(0.0, 2.1), None);
        assert_eq!(PROCESS.emergence(3.0, 0.0), None);
    }

    /// Reference values of the noise variance for α = 0.3, β² = 2.
    #[test]
    fn noise_variance_has_the_known_values() {
        for (k, lambda, sigma2) in [(1.0, 0.2, 0.37693), (4.0, 0.2, 0.17779), (9.0, 0.05, 0.03753)]
        {
            let found = PROCESS.noise_variance(k * k, lambda);
            assert!((found - sigma2).abs() < 6e-6, "k {k}: {found}, {sigma2}");
        }
    }
}
