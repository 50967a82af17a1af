//! Collapse: from which time on the exact score of n samples leads back to one of them.
//!
//! A noised state tells its sample from the n − 1 others once it has more than ln n of information
//! on them. For Gaussian data that is ½ ln det(1 + Σ⁻¹ E C₀ Eᵀ) = ln n. All modes share the
//! samples, so that they have one time together, and not one each. Source: Biroli and others (arXiv
//! 2402.18491) for one field; the joint form is ours.

use finescale_field::emergence::Process;

use crate::root::falling_from;

/// The time where `information`, which falls, is ln `samples`; `None` if not before `horizon`.
pub fn collapse(samples: f64, horizon: f64, information: impl Fn(f64) -> f64) -> Option<f64> {
    falling_from(samples.max(1.0).ln(), 1e-9 * horizon, horizon, information)
}

/// Independent Gaussian variables of one power, in one mode of the forward process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// How many.
    pub dimensions: usize,
    /// Variance of each.
    pub power: f64,
    /// κ.
    pub kappa: f64,
}

impl Field {
    /// C²P/Σ.
    pub fn signal_to_noise(&self, process: Process, t: f64) -> f64 {
        let damping = process.damping(self.kappa, t);
        damping * damping * self.power / process.noise_variance(self.kappa, t)
    }

    /// The information in nats.
    pub fn information(&self, process: Process, t: f64) -> f64 {
        0.5 * self.dimensions as f64 * self.signal_to_noise(process, t).ln_1p()
    }
}

/// The time of all fields together.
pub fn joint_collapse(
    process: Process,
    fields: &[Field],
    samples: f64,
    horizon: f64,
) -> Option<f64> {
    let information = |t| fields.iter().map(|field| field.information(process, t)).sum::<f64>();
    collapse(samples, horizon, information)
}

/// f/α: the part of ln n that a state does not know of its sample at `t`, in an infinitely large
/// field.
pub fn excess_entropy(process: Process, fields: &[Field], samples: f64, t: f64) -> f64 {
    let known: f64 = fields.iter().map(|field| field.information(process, t)).sum();
    (1.0 - known / samples.ln()).max(0.0)
}
