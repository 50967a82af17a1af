//! Memorisation: from which λ on a perfect score of the training windows would know which of them
//! a noised window came from, and lead back to it.
//!
//! A network sees a window of frames within its receptive field. Of Gaussian data with the
//! autocovariance of the linear base, such a window has the information ½ ln det(1 + C²G/Σ), in
//! nats, and ½ ln det(1 + Σ⁻¹ E G Eᵀ) with E and Σ of every frame where channels are coupled; of the whole field the receptive field has its share of the points. It is compared with ln
//! n of the windows that there are, times the places that are as good as other windows to a network
//! that knows no place. This is a bound for the exact score of the samples: a smooth network does
//! not reach it.

use anyhow::Result;
use finescale_field::emergence::Process;
use finescale_field::modes::Group;
use finescale_model::linear::LinearBase;
use nalgebra::{Complex, DMatrix};
use rayon::prelude::*;

use crate::collapse::collapse;
use crate::shells::Coupling;

/// The information of a window of all points of a field.
pub struct WindowInformation {
    process: Process,
    coupling: Coupling,
    channels: usize,
    modes: Vec<Mode>,
}

/// A complex mode of a window.
struct Mode {
    kappa: f64,
    /// Half the number of real modes that share κ.
    half: f64,
    window: Window,
}

enum Window {
    /// Variances of the window's independent combinations: whatever damps all channels alike leaves
    /// them independent.
    Independent(Vec<f64>),
    /// The covariance of `[frame][channel]`, of channels that are coupled.
    Coupled(DMatrix<Complex<f64>>),
}

impl WindowInformation {
    /// Of the linear base of independent channels, for windows of its own length, in a process that
    /// couples them.
    ///
    /// # Errors
    /// If the base's arrays do not fit its grid.
    pub fn new(base: &LinearBase, coupling: Coupling) -> Result<Self> {
        let (process, points) = (Process::from(&base.process), base.grid.points());
        let kappas: Vec<f64> = process.kappas(&base.grid).collect();
        let packed = &base.autocovariance;
        let of = |group: &Group| -> Result<Vec<Mode>> {
            let share = group.members().len() as f64 / group.complex_modes() as f64;
            (0..group.complex_modes())
                .map(|mode| {
                    let window = packed.of(group, mode, points)?.of_window(packed.window);
                    let window = if coupling.c == 0.0 {
                        let powers = window.symmetric_eigenvalues();
                        Window::Independent(powers.iter().map(|power| power.max(0.0)).collect())
                    } else {
                        Window::Coupled(window)
                    };
                    Ok(Mode { kappa: kappas[group.members()[0]], half: 0.5 * share, window })
                })
                .collect()
        };
        let modes: Vec<_> = Group::all(&base.grid).par_iter().map(of).collect::<Result<_>>()?;
        let modes = modes.into_iter().flatten().collect();
        Ok(Self { process, coupling, channels: packed.channels, modes })
    }

    /// In nats, at λ > 0.
    pub fn at(&self, lambda: f64) -> f64 {
        let of = |mode: &Mode| {
            let information = match &mode.window {
                Window::Independent(powers) => {
                    let damping2 = self.process.damping(mode.kappa, lambda).powi(2);
                    let ratio = damping2 / self.process.noise_variance(mode.kappa, lambda);
                    powers.iter().map(|power| (ratio * power).ln_1p()).sum::<f64>()
                }
                Window::Coupled(covariance) => {
                    self.coupling
                        .process(self.process, self.channels, mode.kappa)
                        .window_information(covariance, lambda)
                        * 2.0
                }
            };
            mode.half * information
        };
        // In their order, so that the number of threads changes no bit.
        self.modes.par_iter().map(of).collect::<Vec<_>>().iter().sum()
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
