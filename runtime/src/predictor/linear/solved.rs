//! The linear predictor at the λ that was solved.

use super::super::prepared::first_coefficient;
use super::super::{Dynamics, Tables};
use crate::checked::{self, OrBug};
use crate::spectral::operator::accumulate;
use crate::{Error, Field, Grid, Modes, Path};

/// Coefficients and variances, and what is computed with them.
#[derive(Debug)]
pub(in super::super) struct Solved<'a> {
    pub(super) grid: Grid,
    pub(super) channels: usize,
    /// S: `[frames − 1][channel][mode]`.
    pub(super) innovation: &'a mut [f32],
    /// A_j for a window of w frames: `[w (w − 1)/2 + j][channel out][channel in][mode]`, packed.
    pub(super) coefficients: &'a mut [f32],
    /// The same of the estimate of the newest frame's noise; empty without one.
    pub(super) noise_coefficients: &'a mut [f32],
    /// The variance that ε has left given the whole window, `[channel][mode]`; empty without an
    /// estimate.
    pub(super) noise_residual: &'a mut [f32],
}

impl Solved<'_> {
    pub(super) fn tables(&self, lambda: f32) -> Tables<'_> {
        Tables { lambda, innovation: self.innovation, coefficients: self.coefficients }
    }

    /// S from the whole window, then the variance that ε has left given it, if there is a score
    /// head: `[channel][mode]` both.
    pub(in super::super) fn errors(&self) -> impl Iterator<Item = &[f32]> {
        let points = self.grid.points();
        let innovation = self.innovation.chunks_exact(self.frame_len()).next_back().or_bug();
        innovation.chunks_exact(points).chain(self.noise_residual.chunks_exact(points))
    }

    /// Values of a frame; not 0, which the compiler sees.
    #[inline]
    pub(super) fn frame_len(&self) -> usize {
        checked::product(&[self.channels, self.grid.points()]).max(1)
    }

    /// Values of the operators of one lag; not 0.
    #[inline]
    pub(super) fn lag_len(&self) -> usize {
        checked::product(&[self.channels, self.frame_len()]).max(1)
    }

    /// The operators of a window of `frames` frames, the newest frame's first.
    fn operators<'s>(
        &self,
        operators: &'s [f32],
        frames: usize,
    ) -> core::iter::Take<core::iter::Skip<core::slice::ChunksExact<'s, f32>>> {
        operators.chunks_exact(self.lag_len()).skip(first_coefficient(frames)).take(frames)
    }

    /// Adds Σ_j A_j û^{n−j} of a window.
    fn apply(&self, operators: &[f32], window: &[f32], out: &mut [f32]) {
        let points = self.grid.points();
        let newest_first = window.chunks_exact(self.frame_len()).rev();
        let operators = self.operators(operators, newest_first.len());
        for (frame, operator) in newest_first.zip(operators) {
            let rows = operator.chunks_exact(self.frame_len());
            for (row, out) in checked::zip(rows, out.chunks_exact_mut(points)) {
                let inputs = frame.chunks_exact(points);
                for (operator, u) in checked::zip(row.chunks_exact(points), inputs) {
                    accumulate(&self.grid, 1.0, operator, u, out);
                }
            }
        }
    }
}

impl Dynamics for Solved<'_> {
    fn increment(
        &self,
        window: &Path<Modes>,
        _: &Field,
        out: &mut Modes,
        _: &mut [f32],
    ) -> Result<(), Error> {
        let newest = window.chunks_exact(self.frame_len()).next_back().or_bug();
        for (value, u) in checked::zip(&mut *out, newest) {
            *value = -u;
        }
        self.apply(self.coefficients, window, out);
        Ok(())
    }

    fn noise(&self, window: &Path<Modes>, noise: &mut Modes, _: &mut [f32]) -> Result<(), Error> {
        noise.fill(0.0);
        self.apply(self.noise_coefficients, window, noise);
        Ok(())
    }

    fn vjp(&self, cotangent: &Modes, grad: &mut Path<Modes>, _: &mut [f32]) -> Result<(), Error> {
        let points = self.grid.points();
        if let Some(newest) = grad.chunks_exact_mut(self.frame_len()).next_back() {
            for (g, v) in checked::zip(newest, cotangent) {
                *g -= v;
            }
        }
        let newest_first = grad.chunks_exact_mut(self.frame_len()).rev();
        let operators = self.operators(self.coefficients, newest_first.len());
        for (frame, operator) in newest_first.zip(operators) {
            let rows = operator.chunks_exact(self.frame_len());
            for (row, v) in checked::zip(rows, cotangent.chunks_exact(points)) {
                let gradients = frame.chunks_exact_mut(points);
                for (operator, g) in checked::zip(row.chunks_exact(points), gradients) {
                    accumulate(&self.grid, -1.0, operator, v, g);
                }
            }
        }
        Ok(())
    }
}
