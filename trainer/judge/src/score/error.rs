//! Errors of every member and of the ensemble mean.
//!
//! | score | definition |
//! |---|---|
//! | RMSE | √ mean (x − u)², in the channel's units |
//! | relative L² | √(Σ (x − u)² / Σ (u − m)²), m the channel's mean; 1 for a prediction of the mean, about √2 for another field of the same climate |
//! | VRMSE | of every frame √(⟨(x − u)²⟩ / ⟨(u − ⟨u⟩)²⟩), ⟨⟩ over space, then the mean over frames (Ohana et al. 2024, The Well, arXiv 2412.00568) |
//!
//! Sums run over trajectories, frames, points and, for the score of "a member", members; "of the
//! mean" is the ensemble mean's. Over all channels, each is divided by its standard deviation
//! first.

use serde::Serialize;

use super::pointwise::{Pass, Pick, Sums};

/// Errors of a result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Errors {
    /// Of a member, in the channel's units; over all channels in standard deviations.
    pub rmse: f64,
    /// Of the ensemble mean.
    pub rmse_of_mean: f64,
    /// Of a member.
    pub relative_l2: f64,
    /// Of the ensemble mean.
    pub relative_l2_of_mean: f64,
    /// Of a member.
    pub vrmse: f64,
    /// Of the ensemble mean.
    pub vrmse_of_mean: f64,
    /// Of a member, by lead time.
    pub relative_l2_by_lead: Vec<f64>,
    /// Of the ensemble mean, by lead time.
    pub relative_l2_of_mean_by_lead: Vec<f64>,
    /// Of a member's part in a band against the truth's.
    pub relative_l2_by_band: Vec<f64>,
    /// Of the ensemble mean's part in a band against the truth's.
    pub relative_l2_of_mean_by_band: Vec<f64>,
}

impl Errors {
    pub(super) fn new(pass: &Pass, pick: Pick) -> Self {
        let all = pass.total(pick, 0);
        let member = |sums: Sums| (sums.member_error / sums.truth).sqrt();
        let mean = |sums: Sums| (sums.mean_error / sums.truth).sqrt();
        let in_bands =
            |score: fn(Sums) -> f64| pass.bands().map(|b| score(pass.total(pick, b + 1))).collect();
        let unit = pass.unit(pick);
        let [vrmse, vrmse_of_mean] = pass.vrmse(pick);
        Self {
            rmse: (all.member_error / all.values).sqrt() * unit,
            rmse_of_mean: (all.mean_error / all.values).sqrt() * unit,
            relative_l2: member(all),
            relative_l2_of_mean: mean(all),
            vrmse,
            vrmse_of_mean,
            relative_l2_by_lead: pass.by_lead(pick, member),
            relative_l2_of_mean_by_lead: pass.by_lead(pick, mean),
            relative_l2_by_band: in_bands(member),
            relative_l2_of_mean_by_band: in_bands(mean),
        }
    }
}
