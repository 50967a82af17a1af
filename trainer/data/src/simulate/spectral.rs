//! Fourier transforms on a periodic grid, and spectra cut to another grid.

use num_complex::Complex64;
use rustfft::{Fft, FftPlanner};
use std::sync::Arc;

/// Signed wavenumber of DFT index `index` on `points` points; the Nyquist index counts as positive.
pub(crate) fn wavenumber(index: usize, points: usize) -> f64 {
    if index <= points / 2 { index as f64 } else { index as f64 - points as f64 }
}

/// Complex transforms of an `[ny][nx]` plane (ny = 1 for a line), unnormalised both ways.
pub(crate) struct Plane {
    ny: usize,
    nx: usize,
    forward: [Arc<dyn Fft<f64>>; 2],
    inverse: [Arc<dyn Fft<f64>>; 2],
    column: Vec<Complex64>,
}

impl Plane {
    /// Plans the transforms of an `[ny][nx]` plane.
    pub(crate) fn new(ny: usize, nx: usize) -> Self {
        let mut planner = FftPlanner::new();
        Self {
            ny,
            nx,
            forward: [nx, ny].map(|n| planner.plan_fft_forward(n)),
            inverse: [nx, ny].map(|n| planner.plan_fft_inverse(n)),
            column: vec![Complex64::ZERO; ny],
        }
    }

    /// û(k) = Σ u(x) e^{−ik·x}, in place.
    pub(crate) fn forward(&mut self, plane: &mut [Complex64]) {
        let [x, y] = self.forward.clone();
        self.apply(plane, &*x, &*y);
    }

    /// u(x) = Σ û(k) e^{ik·x}, in place.
    pub(crate) fn inverse(&mut self, plane: &mut [Complex64]) {
        let [x, y] = self.inverse.clone();
        self.apply(plane, &*x, &*y);
    }

    fn apply(&mut self, plane: &mut [Complex64], x: &dyn Fft<f64>, y: &dyn Fft<f64>) {
        assert_eq!(plane.len(), self.ny * self.nx);
        x.process(plane);
        if self.ny == 1 {
            return;
        }
        for column in 0..self.nx {
            for row in 0..self.ny {
                self.column[row] = plane[row * self.nx + column];
            }
            y.process(&mut self.column);
            for row in 0..self.ny {
                plane[row * self.nx + column] = self.column[row];
            }
        }
    }
}

/// Index of wavenumber `k` on a grid of `points`, or none where the grid is too coarse for it.
///
/// Both signs of the Nyquist wavenumber of an even grid have one index: a caller that *adds* there
/// keeps a real field real and its amplitude right (as `scipy.signal.resample` does).
pub(crate) fn index_of(k: i64, points: usize) -> Option<usize> {
    let points = points as i64;
    (2 * k.abs() <= points).then(|| k.rem_euclid(points) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverse_undoes_forward_and_signs_follow_the_convention() {
        let (ny, nx) = (6, 8);
        let mut transform = Plane::new(ny, nx);
        let mut plane: Vec<_> =
            (0..ny * nx).map(|i| Complex64::new((i as f64).sin(), (i as f64).cos())).collect();
        let before = plane.clone();
        transform.forward(&mut plane);
        transform.inverse(&mut plane);
        for (after, before) in plane.iter().zip(&before) {
            assert!((after / (ny * nx) as f64 - before).norm() < 1e-14);
        }
        // e^{i(2x + y)} belongs to row 1, column 2: fails if axes or signs are swapped.
        let tau = std::f64::consts::TAU;
        let mut wave: Vec<_> = (0..ny * nx)
            .map(|i| {
                let (y, x) = ((i / nx) as f64 / ny as f64, (i % nx) as f64 / nx as f64);
                Complex64::cis(tau * (2.0 * x + y))
            })
            .collect();
        transform.forward(&mut wave);
        assert!((wave[nx + 2] - (ny * nx) as f64).norm() < 1e-12);
        assert!(wave.iter().map(|w| w.norm()).sum::<f64>() < (ny * nx) as f64 + 1e-9);
    }

    #[test]
    fn nyquist_aliases_meet_and_finer_waves_are_dropped() {
        assert_eq!(index_of(4, 8), Some(4));
        assert_eq!(index_of(-4, 8), Some(4));
        assert_eq!(index_of(-3, 8), Some(5));
        assert_eq!(index_of(5, 8), None);
        assert_eq!(wavenumber(4, 8), 4.0);
        assert_eq!(wavenumber(5, 8), -3.0);
    }
}
