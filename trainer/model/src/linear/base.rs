//! The linear predictor of all modes of a data set at one λ: the base that a network corrects.

use anyhow::Result;
use finescale::{ForwardProcess, Grid};
use nalgebra::{Complex, DMatrix};
use rayon::prelude::*;

use super::{LinearPredictor, PackedAutocovariance};
use finescale_data::dataset::SpectralFrames;
use finescale_field::emergence::{Process, kappas};
use finescale_field::modes::Group;

/// Everything that the linear predictor needs at any λ.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearBase {
    /// The grid.
    pub grid: Grid,
    /// The forward process.
    pub process: ForwardProcess,
    /// Second moments of the clean data; of coupled channels those of their combinations.
    pub autocovariance: PackedAutocovariance,
}

/// The linear predictor at one λ. Operators are packed (see [`finescale_field::modes`]).
#[derive(Clone, Debug)]
pub struct BaseAt {
    /// `[frames available − 1][lag][channel out][channel in][mode]`, W × W × C × C × modes: û^{n+1}
    /// is predicted as the sum of lag j's operator on û^{n−j}; zero where j is not available. The
    /// increment is that less û^n.
    pub coefficients: Vec<f32>,
    /// S of every real mode, `[frames available − 1][channel][mode]`.
    pub innovation: Vec<f64>,
    /// As `coefficients`, for ε^n, the unit noise of the newest frame.
    pub noise_coefficients: Vec<f32>,
    /// Variance of that estimate's error, as `innovation`.
    pub noise_residual: Vec<f64>,
}

impl LinearBase {
    /// Measures the data; where the process couples channels, frames of their combinations.
    ///
    /// # Errors
    /// If no segment has `window + 1` frames.
    pub fn fit(frames: &SpectralFrames, process: ForwardProcess, window: usize) -> Result<Self> {
        let autocovariance = PackedAutocovariance::estimate(frames, window)?;
        Ok(Self { grid: frames.grid, process, autocovariance })
    }

    /// The second moments of the channels themselves, coupled or not.
    pub fn channels(&self) -> PackedAutocovariance {
        if self.process.is_coupled() {
            self.autocovariance.mixed()
        } else {
            self.autocovariance.clone()
        }
    }

    /// P of every real mode, `[channel][mode]`.
    pub fn power(&self) -> Vec<f32> {
        self.autocovariance.power(&Group::all(&self.grid), self.grid.points())
    }

    /// Solves every mode at one λ > 0.
    ///
    /// # Errors
    /// If a mode has neither power nor noise, which λ > 0 excludes.
    pub fn at(&self, lambda: f64) -> Result<BaseAt> {
        let (c, w, points) =
            (self.autocovariance.channels, self.autocovariance.window, self.grid.points());
        let groups = Group::all(&self.grid);
        let solved: Vec<Vec<[Option<LinearPredictor>; 2]>> =
            groups.par_iter().map(|group| self.solve(group, lambda)).collect::<Result<_>>()?;
        let of_all = |covariance: fn(&LinearPredictor) -> &Matrix| {
            (0..w)
                .flat_map(|available| {
                    let modes = solved.iter().map(|windows| &windows[available]);
                    variances(groups.iter().zip(modes), c, points, covariance)
                })
                .collect()
        };
        let mut at = BaseAt {
            coefficients: vec![0.0; w * w * c * c * points],
            innovation: of_all(LinearPredictor::innovation),
            noise_coefficients: vec![0.0; w * w * c * c * points],
            noise_residual: of_all(LinearPredictor::noise_residual),
        };
        for (group, windows) in groups.iter().zip(&solved) {
            for (available, modes) in windows.iter().enumerate() {
                let blocks = available * w * c * c * points..(available + 1) * w * c * c * points;
                pack_blocks(
                    group,
                    modes,
                    c,
                    points,
                    LinearPredictor::coefficients,
                    &mut at.coefficients[blocks.clone()],
                );
                pack_blocks(
                    group,
                    modes,
                    c,
                    points,
                    LinearPredictor::noise_coefficients,
                    &mut at.noise_coefficients[blocks],
                );
            }
        }
        Ok(at)
    }

    /// For every number of available frames, the predictor of each complex mode of a group.
    pub(crate) fn solve(
        &self,
        group: &Group,
        lambda: f64,
    ) -> Result<Vec<[Option<LinearPredictor>; 2]>> {
        let process = Process::from(&self.process);
        let noised: Vec<(f64, f64)> = (0..self.autocovariance.channels)
            .map(|channel| {
                let mut kappas = kappas(&self.process, &self.grid, channel);
                let kappa = kappas.nth(group.members()[0]).unwrap_or(0.0.into());
                (process.damping(kappa, lambda), process.noise_variance(kappa, lambda))
            })
            .collect();
        let points = self.grid.points();
        let clean = (0..group.complex_modes())
            .map(|mode| self.autocovariance.of(group, mode, points))
            .collect::<Result<Vec<_>>>()?;
        (1..=self.autocovariance.window)
            .map(|window| {
                let mut modes = [None, None];
                for (mode, clean) in modes.iter_mut().zip(&clean) {
                    *mode = Some(LinearPredictor::fit_channels(clean, &noised, window)?);
                }
                Ok(modes)
            })
            .collect()
    }
}

type Matrix = DMatrix<Complex<f64>>;

/// `[lag][channel out][channel in][mode]`.
fn pack_blocks(
    group: &Group,
    modes: &[Option<LinearPredictor>; 2],
    channels: usize,
    points: usize,
    blocks: fn(&LinearPredictor) -> &[Matrix],
    out: &mut [f32],
) {
    for (plane, packed) in out.chunks_exact_mut(points).enumerate() {
        let (lag, entry) = (plane / (channels * channels), plane % (channels * channels));
        let at = |mode: &Option<LinearPredictor>| {
            let matrix = mode.as_ref().and_then(|predictor| blocks(predictor).get(lag));
            matrix.map_or(Complex::default(), |m| m[(entry / channels, entry % channels)])
        };
        group.pack([at(&modes[0]), at(&modes[1])], packed);
    }
}

/// Variances of an estimate's error, `[channel][mode]`: a real mode has the mean of its group's
/// complex modes.
pub(crate) fn variances<'a>(
    groups: impl Iterator<Item = (&'a Group, &'a [Option<LinearPredictor>; 2])>,
    channels: usize,
    points: usize,
    covariance: fn(&LinearPredictor) -> &Matrix,
) -> Vec<f64> {
    let mut out = vec![0.0; channels * points];
    for (group, modes) in groups {
        for (channel, row) in out.chunks_exact_mut(points).enumerate() {
            let of = |mode: &LinearPredictor| covariance(mode)[(channel, channel)].re;
            let sum: f64 = modes.iter().flatten().map(of).sum();
            for &mode in group.members() {
                row[mode] = sum / group.complex_modes() as f64;
            }
        }
    }
    out
}
