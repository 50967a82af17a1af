//! A noised frame at one λ: its spectrum.

use super::LinearBase;
use super::shrink::mean;
use finescale_field::emergence::{Process, kappas};

/// Second moments of the frames of a path at one λ.
#[derive(Clone, Debug, PartialEq)]
pub struct Noised {
    /// C, `[channel][mode]`.
    pub damping: Vec<f64>,
    /// Σ, `[channel][mode]`.
    pub noise_variance: Vec<f64>,
    /// C²P, `[channel][mode]`.
    pub signal: Vec<f64>,
    /// V = C²P + Σ, `[channel][mode]`.
    pub variance: Vec<f64>,
}

impl LinearBase {
    /// The frames of the paths at one λ > 0.
    pub fn noised(&self, lambda: f64) -> Noised {
        let process = Process::from(&self.process);
        let (damping, noise_variance): (Vec<f64>, Vec<f64>) = (0..self.autocovariance.channels)
            .flat_map(|channel| kappas(&self.process, &self.grid, channel))
            .map(|kappa| (process.damping(kappa, lambda), process.noise_variance(kappa, lambda)))
            .unzip();
        let power = self.power();
        let modes = power.iter().zip(&damping);
        let signal: Vec<f64> = modes.map(|(p, c)| c * c * f64::from(*p)).collect();
        let modes = signal.iter().zip(&noise_variance);
        let variance: Vec<f64> = modes.map(|(s, n)| s + n).collect();
        Noised { damping, noise_variance, signal, variance }
    }
}

impl Noised {
    /// v, the mean of Σ over modes.
    pub fn mean_noise(&self) -> f64 {
        mean(self.noise_variance.iter().copied())
    }
}

/// Of each channel, the standard deviation of a grid value, from the variances of its modes,
/// `[channel][mode]`.
pub fn deviations(variances: &[f64], points: usize) -> impl Iterator<Item = f64> {
    variances.chunks_exact(points).map(|channel| mean(channel.iter().copied()).sqrt())
}
