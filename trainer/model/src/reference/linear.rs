//! The linear base of a reference at one λ: complex numbers, mode by mode.

use anyhow::Result;
use nalgebra::Complex;

use crate::linear::{LinearBase, LinearPredictor, variances};
use finescale_field::modes::Group;

/// The linear predictors of every complex mode, for each number of frames.
pub(super) struct LinearAt {
    groups: Vec<(Group, Vec<[Option<LinearPredictor>; 2]>)>,
    channels: usize,
    points: usize,
}

/// What is estimated from a window.
#[derive(Clone, Copy)]
pub(super) enum Estimate {
    /// û^{n+1} − û^n.
    Increment,
    /// ε^n.
    Noise,
}

impl LinearAt {
    pub(super) fn new(base: &LinearBase, lambda: f64) -> Result<Self> {
        let groups = Group::all(&base.grid)
            .into_iter()
            .map(|group| {
                let solved = base.solve(&group, lambda)?;
                Ok((group, solved))
            })
            .collect::<Result<_>>()?;
        Ok(Self { groups, channels: base.autocovariance.channels, points: base.grid.points() })
    }

    /// From a window `[frame][channel][mode]`, one frame.
    pub(super) fn apply(&self, estimate: Estimate, window: &[f64]) -> Vec<f64> {
        let (c, m) = (self.channels, self.points);
        let frames = window.len() / (c * m);
        let mut out = vec![0.0; c * m];
        self.terms(estimate, frames, |group, mode, j, a, b, factor| {
            let u = complex(group, &window[((frames - 1 - j) * c + b) * m..][..m])[mode];
            add(group, mode, factor * u, &mut out[a * m..][..m]);
        });
        out
    }

    /// The adjoint of [`Self::apply`]: one frame to a window.
    pub(super) fn adjoint(&self, estimate: Estimate, cotangent: &[f64], frames: usize) -> Vec<f64> {
        let (c, m) = (self.channels, self.points);
        let mut out = vec![0.0; frames * c * m];
        self.terms(estimate, frames, |group, mode, j, a, b, factor| {
            let v = complex(group, &cotangent[a * m..][..m])[mode];
            let place = ((frames - 1 - j) * c + b) * m;
            add(group, mode, factor.conj() * v, &mut out[place..][..m]);
        });
        out
    }

    /// Variances of an estimate's error from `frames` frames, `[channel][mode]`.
    pub(super) fn variance(&self, estimate: Estimate, frames: usize) -> Vec<f64> {
        let groups = self.groups.iter().map(|(group, solved)| (group, &solved[frames - 1]));
        let covariance = match estimate {
            Estimate::Increment => LinearPredictor::innovation,
            Estimate::Noise => LinearPredictor::noise_residual,
        };
        variances(groups, self.channels, self.points, covariance)
    }

    /// Every (group, complex mode, lag, channel out, channel in, factor).
    fn terms(
        &self,
        estimate: Estimate,
        frames: usize,
        mut term: impl FnMut(&Group, usize, usize, usize, usize, Complex<f64>),
    ) {
        for (group, solved) in &self.groups {
            for (mode, predictor) in solved[frames - 1].iter().enumerate() {
                let Some(predictor) = predictor else { continue };
                let blocks = match estimate {
                    Estimate::Increment => predictor.coefficients(),
                    Estimate::Noise => predictor.noise_coefficients(),
                };
                for (j, block) in blocks.iter().enumerate() {
                    for a in 0..self.channels {
                        for b in 0..self.channels {
                            let newest = matches!(estimate, Estimate::Increment) && j == 0;
                            let identity = f64::from(u8::from(newest && a == b));
                            term(group, mode, j, a, b, block[(a, b)] - identity);
                        }
                    }
                }
            }
        }
    }
}

/// The complex modes of a group.
fn complex(group: &Group, spectrum: &[f64]) -> [Complex<f64>; 2] {
    group.complex(|place| spectrum[place])
}

/// Adds the real modes of a complex one.
fn add(group: &Group, mode: usize, value: Complex<f64>, spectrum: &mut [f64]) {
    let mut values = [Complex::default(); 2];
    values[mode] = value;
    group.real(values, |place, value| spectrum[place] += value);
}
