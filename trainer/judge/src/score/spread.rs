//! Spread-skill ratio: whether an ensemble knows how wrong it is.
//!
//! ```text
//! ratio = √((M + 1)/M) · √(mean variance of the members) / √(mean squared error of the ensemble mean)
//! ```
//!
//! with the unbiased variance (over M − 1); means run over trajectories, frames and points. If
//! truth and members are draws of one distribution of variance σ², the error of the mean has the
//! variance σ²(1 + 1/M), so the ratio is 1 (Fortin et al. 2014, doi 10.1175/JHM-D-14-0008.1). Below
//! 1 the ensemble is too sure of itself. A Gaussian stands for infinitely many members.

use serde::Serialize;

use super::pointwise::{Pass, Pick, Sums};

/// Errors below this share of the truth's variance are those of f32.
const NOTHING: f64 = 1e-9;

/// Spread and skill of a result of at least two members, or of a Gaussian.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// √ of the mean variance of the members, in the channel's units.
    pub spread: f64,
    /// The ratio.
    pub ratio: f64,
    /// By lead time.
    pub ratio_by_lead: Vec<f64>,
    /// Of the fields' parts in a band.
    /// None where the ensemble has neither spread nor error, as where it agrees with its input, and
    /// for a Gaussian, which says nothing of bands.
    pub ratio_by_band: Vec<Option<f64>>,
}

impl Spread {
    pub(super) fn new(pass: &Pass, pick: Pick) -> Option<Self> {
        let members = pass.members as f64;
        if pass.members < 2 && !pass.gaussian {
            return None;
        }
        let finite = if pass.gaussian { 1.0 } else { (members + 1.0) / members };
        let ratio = |sums: Sums| (finite * sums.spread / sums.mean_error).sqrt();
        // A ratio of rounding errors says nothing.
        let meant = |sums: Sums| {
            let nothing = NOTHING * sums.truth;
            let some = sums.spread > nothing || sums.mean_error > nothing;
            (some && !pass.gaussian).then(|| ratio(sums))
        };
        let all = pass.total(pick, 0);
        Some(Self {
            spread: (all.spread / all.values).sqrt() * pass.unit(pick),
            ratio: ratio(all),
            ratio_by_lead: pass.by_lead(pick, ratio),
            ratio_by_band: pass.bands().map(|band| meant(pass.total(pick, band + 1))).collect(),
        })
    }
}
