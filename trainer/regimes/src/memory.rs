//! Memorisation: from which λ on a perfect score of the training windows would know which of them
//! a noised window came from, and lead back to it.
//!
//! A network sees a window of frames within its receptive field. Of Gaussian data with the
//! autocovariance of the linear base, such a window has the information ½ ln det(1 + C²G/Σ), in
//! nats; of the whole field the receptive field has its share of the points. It is compared with ln
//! n of the windows that there are, times the places that are as good as other windows to a network
//! that knows no place. This is a bound for the exact score of the samples: a smooth network does
//! not reach it.

use anyhow::Result;
use finescale_field::emergence::Process;
use finescale_field::modes::Group;
use finescale_model::linear::LinearBase;
use rayon::prelude::*;

use crate::collapse::collapse;

/// The information of a window of all points of a field.
pub struct WindowInformation {
    process: Process,
    /// κ, half the number of real modes that share it, and the variances of a window's independent
    /// combinations.
    modes: Vec<(f64, f64, Vec<f64>)>,
}

impl WindowInformation {
    /// Of a linear base, for windows of its own length.
    ///
    /// # Errors
    /// If the base's arrays do not fit its grid.
    pub fn new(base: &LinearBase) -> Result<Self> {
        let (process, points) = (Process::from(&base.process), base.grid.points());
        let kappas: Vec<f64> = process.kappas(&base.grid).collect();
        let packed = &base.autocovariance;
        let of = |group: &Group| -> Result<Vec<(f64, f64, Vec<f64>)>> {
            let share = group.members().len() as f64 / group.complex_modes() as f64;
            (0..group.complex_modes())
                .map(|mode| {
                    let window = packed.of(group, mode, points)?.of_window(packed.window);
                    let powers = window.symmetric_eigenvalues();
                    let powers = powers.iter().map(|power| power.max(0.0)).collect();
                    Ok((kappas[group.members()[0]], 0.5 * share, powers))
                })
                .collect()
        };
        let modes: Vec<_> = Group::all(&base.grid).par_iter().map(of).collect::<Result<_>>()?;
        Ok(Self { process, modes: modes.into_iter().flatten().collect() })
    }

    /// In nats, at λ > 0.
    pub fn at(&self, lambda: f64) -> f64 {
        let of = |(kappa, half, powers): &(f64, f64, Vec<f64>)| {
            let damping2 = self.process.damping(*kappa, lambda).powi(2);
            let ratio = damping2 / self.process.noise_variance(*kappa, lambda);
            half * powers.iter().map(|power| (ratio * power).ln_1p()).sum::<f64>()
        };
        self.modes.iter().map(of).sum()
    }
}

/// Frames as good as independent: of each run of frames, by its correlation from one to the next,
/// (1 − ρ)/(1 + ρ) of them, and at least one.
pub fn independent(runs: impl IntoIterator<Item = usize>, lag1: f64) -> f64 {
    let rho = lag1.clamp(0.0, 1.0);
    runs.into_iter().map(|frames| (frames as f64 * (1.0 - rho) / (1.0 + rho)).max(1.0)).sum()
}

/// Correlation of the standardised fields from one frame to the next.
pub fn lag1(base: &LinearBase) -> f64 {
    let groups = Group::all(&base.grid);
    let sum = |lag| -> f64 {
        base.autocovariance.diagonal(lag, &groups, base.grid.points()).iter().sum()
    };
    sum(1) / sum(0)
}

/// Points of the receptive field of convolutions along one axis; (points of the kernel, dilation)
/// of each.
pub fn receptive_field(layers: impl IntoIterator<Item = (usize, usize)>) -> usize {
    1 + layers.into_iter().map(|(kernel, dilation)| (kernel - 1) * dilation).sum::<usize>()
}

/// λ_C of patches of so many of a field's points, for so many independent windows: below it a
/// perfect score replays. 1 if it does at every λ up to 1.
pub fn bound(information: &WindowInformation, windows: f64, patch: usize, points: usize) -> f64 {
    let share = (patch as f64 / points as f64).min(1.0);
    collapse(windows / share, 1.0, |lambda| share * information.at(lambda)).unwrap_or(1.0)
}
