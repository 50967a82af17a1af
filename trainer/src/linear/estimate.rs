//! Autocovariances of a data set's modes.

use anyhow::Result;
use nalgebra::{Complex, DMatrix};
use rayon::prelude::*;

use super::Autocovariance;
use super::modes::Group;
use super::predictor::positive;
use crate::dataset::SpectralFrames;

/// Autocovariances of every complex mode, packed (see [`super::modes`]) as `[lag][channel][channel][mode]` f32: what a
/// model stores. `[l][a][b]` is E[û_a^{n+l} conj(û_b^n)].
#[derive(Clone, Debug, PartialEq)]
pub struct PackedAutocovariance {
    /// Largest lag, which is the longest window.
    pub window: usize,
    /// Channels.
    pub channels: usize,
    /// `[lag 0 … window][channel][channel][mode]`.
    pub values: Vec<f32>,
}

impl PackedAutocovariance {
    /// Estimates lags 0 … `window` from all pairs of frames inside segments.
    ///
    /// Every lag is divided by its own number of pairs, so none is biased towards zero; the estimate may then be no
    /// autocovariance of any process, and each mode's lags are tapered just as far as makes it one.
    ///
    /// # Errors
    /// If no segment has `window + 1` frames.
    pub fn estimate(frames: &SpectralFrames, window: usize) -> Result<Self> {
        frames.windows(window + 1)?;
        let points = frames.grid.points();
        let channels = frames.channels;
        let groups = Group::all(&frames.grid);
        let fitted: Vec<[Vec<DMatrix<Complex<f64>>>; 2]> = groups
            .par_iter()
            .map(|group| {
                let sums = mode_lags(frames, group, window);
                sums.map(|lags| if lags.is_empty() { lags } else { tapered(lags) })
            })
            .collect();
        let mut values = vec![0.0; (window + 1) * channels * channels * points];
        for (group, [plus, minus]) in groups.iter().zip(&fitted) {
            for (plane, packed) in values.chunks_exact_mut(points).enumerate() {
                let (lag, entry) = (plane / (channels * channels), plane % (channels * channels));
                let at = |lags: &[DMatrix<Complex<f64>>]| {
                    lags.get(lag)
                        .map_or(Complex::default(), |m| m[(entry / channels, entry % channels)])
                };
                group.pack([at(plus), at(minus)], packed);
            }
        }
        Ok(Self { window, channels, values })
    }

    /// The lags of one complex mode of a group: 0, or 1 for the second of a quadruple.
    ///
    /// # Errors
    /// Never for arrays of the right size.
    pub fn of(&self, group: &Group, mode: usize, points: usize) -> Result<Autocovariance> {
        let c = self.channels;
        let plane = |lag: usize, a: usize, b: usize| {
            &self.values[((lag * c + a) * c + b) * points..][..points]
        };
        let lags = (0..=self.window)
            .map(|lag| DMatrix::from_fn(c, c, |a, b| group.unpack(plane(lag, a, b))[mode]));
        Autocovariance::new(lags.collect())
    }

    /// Power of every real mode, `[channel][mode]`: the mean over a group, as a real mode is a mixture of its complex ones.
    pub fn power(&self, groups: &[Group], points: usize) -> Vec<f32> {
        let mut power = vec![0.0; self.channels * points];
        for (channel, power) in power.chunks_exact_mut(points).enumerate() {
            let plane = &self.values[channel * (self.channels + 1) * points..][..points];
            for group in groups {
                let [plus, minus] = group.unpack(plane);
                let mean = (plus.re + minus.re) / group.complex_modes() as f64;
                for &mode in group.members() {
                    power[mode] = mean.max(0.0) as f32;
                }
            }
        }
        power
    }
}

/// Lags of the complex modes of a group, averaged over every pair of frames.
fn mode_lags(
    frames: &SpectralFrames,
    group: &Group,
    window: usize,
) -> [Vec<DMatrix<Complex<f64>>>; 2] {
    let (c, points) = (frames.channels, frames.grid.points());
    let modes = group.complex_modes();
    let mut sums = vec![vec![DMatrix::<Complex<f64>>::zeros(c, c); window + 1]; modes];
    let mut pairs = vec![0_usize; window + 1];
    for segment in &frames.segments {
        let path: Vec<Vec<[Complex<f64>; 2]>> = segment
            .clone()
            .map(|n| {
                frames.frame(n).chunks_exact(points).map(|field| group.of_spectrum(field)).collect()
            })
            .collect();
        for lag in 0..=window {
            pairs[lag] += path.len().saturating_sub(lag);
            for (later, earlier) in path.iter().skip(lag).zip(&path) {
                for (mode, sums) in sums.iter_mut().enumerate() {
                    for a in 0..c {
                        for b in 0..c {
                            sums[lag][(a, b)] += later[a][mode] * earlier[b][mode].conj();
                        }
                    }
                }
            }
        }
    }
    let mut means = sums.into_iter().map(|sums| {
        let mean = |(sum, &n): (DMatrix<Complex<f64>>, &usize)| sum / Complex::from(n as f64);
        sums.into_iter().zip(&pairs).map(mean).collect()
    });
    [means.next().unwrap_or_default(), means.next().unwrap_or_default()]
}

/// Lag l times τ^l with the τ nearest to 1 that makes the block Toeplitz matrix of all lags positive. A mode without any
/// power stays as it is.
fn tapered(lags: Vec<DMatrix<Complex<f64>>>) -> Vec<DMatrix<Complex<f64>>> {
    let c = lags[0].nrows();
    let power = lags[0].trace().re;
    if power <= 0.0 {
        return lags;
    }
    // A little of the power on the diagonal: rounding to f32 must not undo what the taper has reached.
    let floor = DMatrix::identity(c, c) * Complex::from(1e-6 * power / c as f64);
    let with = |epsilon: f64| -> Vec<_> {
        let taper =
            |(l, lag): (usize, &DMatrix<_>)| lag * Complex::from((1.0 - epsilon).powi(l as i32));
        lags.iter().enumerate().map(taper).collect()
    };
    let valid = |lags: &[DMatrix<Complex<f64>>]| {
        let n = lags.len();
        let mut toeplitz = DMatrix::zeros(n * c, n * c);
        for i in 0..n {
            for j in 0..n {
                let block = if j >= i { lags[j - i].clone() } else { lags[i - j].adjoint() };
                let block = if i == j { block - &floor } else { block };
                toeplitz.view_mut((i * c, j * c), (c, c)).copy_from(&block);
            }
        }
        positive(toeplitz).is_some()
    };
    let steps = (0..24).map(|step| 1e-6 * f64::from(1 << step));
    let epsilon = std::iter::once(0.0).chain(steps.filter(|e| *e < 1.0)).find(|&e| valid(&with(e)));
    match epsilon {
        Some(epsilon) => with(epsilon),
        // Nothing but lag 0 can be trusted.
        None => with(1.0),
    }
}
