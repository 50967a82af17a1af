//! Clones: two reverse paths that part at one time. How often they end in the same cluster says
//! whether that was decided before.
//!
//! Data are two clusters ±m of variance σ² in every direction. Along m a noised state is ±C|m| + √Γ
//! ξ, Γ = Σ + C²σ². It came from a cluster with probability p, logit p = 2 s + 2 √s ξ with s =
//! C²|m|²/Γ. Clones are in one cluster with probability φ = E[p² + (1 − p)²]. At s = 1 that is
//! 0.7752: the rule φ = 0.775 of Biroli and others (arXiv 2402.18491) is a signal as strong as the
//! noise.

use finescale_field::emergence::Process;

use crate::root::falling_from;

/// φ at the speciation time, where signal and noise are equally strong.
pub const AT_SPECIATION: f64 = 0.7752;

/// φ, the probability that clones of a state with signal over noise `s` end in one cluster.
///
/// By the trapezoidal rule, whose error falls faster than any power here.
pub fn same_cluster(s: f64) -> f64 {
    let root = s.max(0.0).sqrt();
    let step = 0.02 / root.max(1.0);
    let count = (12.0 / step) as i64;
    let value = |i: i64| {
        let xi = i as f64 * step;
        let p = 1.0 / (1.0 + (-2.0 * root * (root + xi)).exp());
        (p * p + (1.0 - p) * (1.0 - p)) * (-0.5 * xi * xi).exp()
    };
    (-count..=count).map(value).sum::<f64>() * step / std::f64::consts::TAU.sqrt()
}

/// Two clusters ±m under the forward process of one mode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoClusters {
    /// |m|².
    pub separation2: f64,
    /// σ², within a cluster.
    pub variance: f64,
    /// The forward process.
    pub process: Process,
    /// κ.
    pub kappa: f64,
}

impl TwoClusters {
    /// C of |m|, and Γ.
    pub fn noised(&self, t: f64) -> (f64, f64) {
        let damping = self.process.damping(self.kappa, t);
        let noise = self.process.noise_variance(self.kappa, t);
        (damping * self.separation2.sqrt(), noise + damping * damping * self.variance)
    }

    /// s = C²|m|²/Γ.
    pub fn signal_to_noise(&self, t: f64) -> f64 {
        let (distance, variance) = self.noised(t);
        distance * distance / variance
    }

    /// φ of clones that part at `t`.
    pub fn same_cluster(&self, t: f64) -> f64 {
        same_cluster(self.signal_to_noise(t))
    }

    /// Where φ falls through `threshold`; `None` if not before `horizon`.
    pub fn crossing(&self, threshold: f64, horizon: f64) -> Option<f64> {
        falling_from(threshold, 1e-6, horizon, |t| self.same_cluster(t))
    }
}
