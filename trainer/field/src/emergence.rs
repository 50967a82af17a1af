//! The emergence scale λ_S of a data set's shells, where signal and noise are equally strong, C²P =
//! Σ, and the λ* that follows from it for a coarse grid of any size. The λ* of a model is that of
//! boards: [`finescale::sampler::emergence`].
//!
//! In reverse-λ sampling a mode of power P appears around λ_S. C = e^{−ακλ}, Σ = β² (1 − e^{−2ακλ})
//! / (2ακ) with the forward process's own κ (Yasuda and Bischoff 2026, arXiv 2604.00327, section
//! 2).

use std::f64::consts::PI;

use finescale::process::Kappa;
use finescale::{ForwardProcess, Grid, Laplacian};

use crate::shells::Shells;

/// The forward process in double precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Process {
    /// Damping strength α.
    pub alpha: f64,
    /// Square of the noise strength, β².
    pub beta2: f64,
    /// Whose eigenvalues κ are.
    pub laplacian: Laplacian,
    /// λ where the κ of coupled channels change; infinite where they do not.
    pub switch: f64,
}

impl From<&ForwardProcess> for Process {
    fn from(process: &ForwardProcess) -> Self {
        Self {
            alpha: process.alpha().into(),
            beta2: process.beta2().into(),
            laplacian: process.laplacian(),
            switch: match process.switch() {
                0.0 => f64::INFINITY,
                switch => f64::from(switch).abs(),
            },
        }
    }
}

impl Process {
    /// Without coupled channels.
    pub const fn new(alpha: f64, beta2: f64, laplacian: Laplacian) -> Self {
        Self { alpha, beta2, laplacian, switch: f64::INFINITY }
    }

    /// κ of every mode of the grid in storage order, with the runtime's single precision.
    pub fn kappas(self, grid: &Grid) -> impl Iterator<Item = f64> + use<> {
        grid.kappas(self.laplacian).map(f64::from)
    }

    /// C(λ) of a mode.
    pub fn damping(self, kappa: impl Into<Kappa<f64>>, lambda: f64) -> f64 {
        let kappa = kappa.into();
        let below = lambda.min(self.switch);
        (-self.alpha * kappa.below * below - self.alpha * kappa.above * (lambda - below)).exp()
    }

    /// Σ(λ) of a mode.
    pub fn noise_variance(self, kappa: impl Into<Kappa<f64>>, lambda: f64) -> f64 {
        let kappa = kappa.into();
        let below = lambda.min(self.switch);
        let first = self.constant_noise(kappa.below, below);
        if below == lambda {
            return first;
        }
        let above = lambda - below;
        let kept = (-2.0 * self.alpha * kappa.above * above).exp();
        kept * first + self.constant_noise(kappa.above, above)
    }

    /// Σ of one κ.
    fn constant_noise(self, kappa: f64, lambda: f64) -> f64 {
        let rate = 2.0 * self.alpha * kappa;
        // expm1(z)/z is exact down to z = 0, where it is 0/0.
        if rate * lambda < 1e-300 {
            self.beta2 * lambda
        } else {
            -self.beta2 * (-rate * lambda).exp_m1() / rate
        }
    }

    /// λ_S of a mode of power `power`, however large: 0 without power.
    ///
    /// With x = e^{−2ακλ}, C²P = Σ is xP = β²(1 − x)/(2ακ): λ_S = ln(1 + 2ακP/β²)/(2ακ), and P/β²
    /// at κ = 0. Beyond a switch it is the same for what is left of P there, C²P − Σ.
    pub fn speciation(self, kappa: impl Into<Kappa<f64>>, power: f64) -> f64 {
        let kappa = kappa.into();
        let first = self.constant_speciation(kappa.below, power);
        if first <= self.switch {
            return first;
        }
        let signal = self.damping(kappa, self.switch).powi(2) * power;
        let left = signal - self.noise_variance(kappa, self.switch);
        self.switch + self.constant_speciation(kappa.above, left.max(0.0))
    }

    /// λ_S of one κ.
    fn constant_speciation(self, kappa: f64, power: f64) -> f64 {
        let (rate, ratio) = (2.0 * self.alpha * kappa, power / self.beta2);
        if rate * ratio < 1e-300 { ratio } else { (rate * ratio).ln_1p() / rate }
    }

    /// λ_S in (0, 1] of a mode of power `power`; `None` if it is still stronger than its noise at λ
    /// = 1, or has no power at all.
    pub fn emergence(self, kappa: impl Into<Kappa<f64>>, power: f64) -> Option<f64> {
        let lambda = self.speciation(kappa, power);
        (power > 0.0 && lambda <= 1.0).then_some(lambda)
    }

    /// The largest power whose mode emerges at λ ≤ 1, Σ/C² at λ = 1: a stronger one has to be in the
    /// density that sampling starts from.
    pub fn admissible(self, kappa: f64) -> f64 {
        self.noise_variance(kappa, 1.0) / self.damping(kappa, 1.0).powi(2)
    }
}

/// κ of every mode of a channel in storage order, with the runtime's single precision: of coupled
/// channels, that of their sum and of their difference.
pub fn kappas(
    process: &ForwardProcess,
    grid: &Grid,
    channel: usize,
) -> impl Iterator<Item = Kappa<f64>> + use<> {
    process.kappas(grid, channel).map(Kappa::from)
}

/// Part of the variance that generation leaves to the steps in λ; a rollout decides the rest.
const LEFT_TO_STEPS: f64 = 1.0 / 3.0;

/// A λ to start generation from: where a third of the variance has yet to emerge, of the channel
/// that is decided last, and 1 at most. `power`: of every mode, `[channel][mode]`.
///
/// A rollout at λ makes what stands out of the noise there, with the errors of its predictor; what
/// has yet to emerge is left to the steps down. How good that predictor is no spectrum tells, so
/// that a model may have another λ (`docs/regimes.md` has the measurements).
pub fn generation_start(process: &ForwardProcess, grid: &Grid, power: &[f32]) -> f64 {
    let of = |(number, channel): (usize, &[f32])| {
        let modes = kappas(process, grid, number).zip(channel);
        let process = Process::from(process);
        let mut modes: Vec<(f64, f64)> = modes
            .map(|(kappa, &power)| (process.speciation(kappa, power.into()), power.into()))
            .collect();
        modes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut left = LEFT_TO_STEPS * modes.iter().map(|(_, power)| power).sum::<f64>();
        let last = modes.iter().find(|(_, power)| {
            left -= power;
            left <= 0.0
        });
        last.map_or(1.0, |(lambda, _)| *lambda)
    };
    power.chunks_exact(grid.points()).enumerate().map(of).fold(1.0, f64::min)
}

/// What emergence needs to know of the shells of |k| of a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Emergence {
    process: Process,
    /// |k| at the centre of each shell.
    wavenumbers: Vec<f64>,
    /// Mean κ over the modes of each shell.
    kappas: Vec<f64>,
}

impl Emergence {
    /// The shells of a grid, with what the process does to them.
    pub fn new(process: &ForwardProcess, grid: &Grid) -> Self {
        let (shells, process) = (Shells::new(grid), Process::from(process));
        let kappas = shells.mean(&process.kappas(grid).collect::<Vec<_>>());
        Self { process, wavenumbers: shells.wavenumbers(), kappas }
    }

    /// λ_S of a shell whose modes have the mean power `power`.
    pub fn scale(&self, shell: usize, power: f64) -> Option<f64> {
        self.process.emergence(self.kappas[shell], power)
    }

    /// λ* for coarse input: the largest λ_S of all shells from `cutoff` upwards, where nothing that
    /// the coarse grid lacks stands out of the noise. `powers`: the mean power of every shell, of
    /// each channel.
    ///
    /// `None` if some such shell is still stronger than its noise at λ = 1.
    pub fn suggested<'a>(
        &self,
        cutoff: f64,
        powers: impl IntoIterator<Item = &'a [f64]>,
    ) -> Option<f64> {
        // The shells' distance has the runtime's single precision.
        let cutoff = cutoff * (1.0 - 1e-6);
        let mut largest = 0.0_f64;
        for powers in powers {
            for (shell, &power) in powers.iter().enumerate() {
                if self.wavenumbers[shell] >= cutoff && power > 0.0 {
                    largest = largest.max(self.scale(shell, power)?);
                }
            }
        }
        Some(largest)
    }
}

/// The largest wavenumber that a coarse grid carries in every direction: π · points/length on the
/// axis where that is smallest. `axes`: points and length of each.
pub fn cutoff(axes: impl IntoIterator<Item = (usize, f64)>) -> f64 {
    let each = axes.into_iter().map(|(points, length)| PI * points as f64 / length);
    each.fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use finescale::Axis;

    const PROCESS: Process = Process::new(0.3, 2.0, Laplacian::FiniteDifference);

    /// There what is left of the mode is as strong as its noise.
    #[test]
    fn signal_and_noise_are_equal_where_a_mode_emerges() {
        for kappa in [0.0, 1e-12, 0.25, 1.0, 16.0, 81.0, 1600.0] {
            for power in [1e-8, 1e-2, 0.5] {
                let lambda = PROCESS.emergence(kappa, power).unwrap();
                let signal = PROCESS.damping(kappa, lambda).powi(2) * power;
                let noise = PROCESS.noise_variance(kappa, lambda);
                assert!((signal / noise - 1.0).abs() < 1e-12, "κ {kappa}, P {power}: {lambda}");
            }
        }
    }

    #[test]
    fn the_mean_emerges_where_brownian_noise_equals_it() {
        assert!((PROCESS.emergence(0.0, 1.0).unwrap() - 0.5).abs() < 1e-15);
        assert_eq!(PROCESS.emergence(0.0, 2.0), Some(1.0));
        assert_eq!(PROCESS.emergence(0.0, 2.1), None);
        assert_eq!(PROCESS.emergence(9.0, 0.0), None);
    }

    /// If it failed, generation would start above what its rollout can make, or leave it nothing.
    #[test]
    fn generation_starts_where_a_third_of_the_last_channel_is_left() {
        let grid = Grid::line(Axis::periodic(8).unwrap());
        let process = ForwardProcess::new(0.1, 2.0, Laplacian::Spectral).unwrap();
        let mut power = [0.0_f32; 16];
        // Modes 0, N/2, cos 1, sin 1, cos 2, sin 2, …: half of the first channel is at k = 1, and
        // all of the second at k = 3.
        (power[2], power[3], power[4], power[5]) = (1.0, 1.0, 0.6, 0.6);
        (power[14], power[15]) = (0.3, 0.3);
        let of = |kappa, power: f32| Process::from(&process).speciation(kappa, power.into());
        let found = generation_start(&process, &grid, &power);
        assert!((found / of(9.0, 0.3) - 1.0).abs() < 1e-6, "{found}");
        // 1.2 of 3.2 is more than a third, and all beyond.
        let found = generation_start(&process, &grid, &power[..8]);
        assert!((found / of(4.0, 0.6) - 1.0).abs() < 1e-6, "{found}");
        (power[4], power[5]) = (0.4, 0.4);
        let found = generation_start(&process, &grid, &power[..8]);
        assert!((found / of(1.0, 1.0) - 1.0).abs() < 1e-6, "{found}");
        assert_eq!(generation_start(&process, &grid, &[1e3; 8]), 1.0);
    }

    /// Reference values for k = 0 … 3 of the finite-difference κ, and the two ways are one.
    #[test]
    fn a_mode_of_the_admissible_power_emerges_at_one() {
        let cases = [
            (0.3, 40, 2.0, [2.00, 2.74, 8.24, 75.3]),
            (0.1, 128, 2.0, [2.00, 2.21, 3.06, 5.60]),
            (0.1, 128, 6.0, [6.00, 6.64, 9.18, 16.8]),
        ];
        for (alpha, points, beta2, expected) in cases {
            let process = Process::new(alpha, beta2, Laplacian::FiniteDifference);
            let grid = Grid::line(Axis::periodic(points).unwrap());
            // Of the first modes, one of each pair.
            let kappas: Vec<f64> = process.kappas(&grid).collect();
            for (kappa, expected) in [0, 2, 4, 6].map(|mode| kappas[mode]).into_iter().zip(expected)
            {
                let power = process.admissible(kappa);
                assert!((power / expected - 1.0).abs() < 3e-3, "α {alpha}, κ {kappa}: {power}");
                assert!((process.speciation(kappa, power) - 1.0).abs() < 1e-12);
                assert_eq!(process.emergence(kappa, 1.001 * power), None);
            }
        }
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

    /// On a line a shell is one wavenumber, whose κ is k² or (2/h)² sin²(kh/2).
    #[test]
    fn shells_have_the_eigenvalues_of_the_laplacian() {
        let grid = Grid::line(Axis::periodic(16).unwrap());
        let h = 2.0 * PI / 16.0;
        for laplacian in [Laplacian::Spectral, Laplacian::FiniteDifference] {
            let process = ForwardProcess::new(0.3, 2.0, laplacian).unwrap();
            let emergence = Emergence::new(&process, &grid);
            for k in 1..=8_u8 {
                let (shell, k) = (usize::from(k), f64::from(k));
                let kappa = match laplacian {
                    Laplacian::Spectral => k * k,
                    Laplacian::FiniteDifference => (2.0 / h * (0.5 * k * h).sin()).powi(2),
                };
                let expected = Process::from(&process).emergence(kappa, 0.1).unwrap();
                let found = emergence.scale(shell, 0.1).unwrap();
                assert!((found / expected - 1.0).abs() < 1e-5, "{laplacian:?}, k {k}");
            }
        }
    }
}
