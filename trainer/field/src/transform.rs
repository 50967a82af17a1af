//! The runtime's transforms in f64, by the host's fast transforms.
//!
//! The basis is real and orthonormal: cosines and sines on periodic axes, the DCT-II on reflecting
//! ones. The sum of squares over all modes is that of the field, and the cosine and sine of a mode
//! share the power E|û_k|² of the complex transform evenly. Modes are stored in the runtime's
//! order, so its wavenumbers and shells are used as they are: what is tabulated here by shell is
//! looked up there by shell.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use rustdct::{DctPlanner, TransformType2And3};

use finescale::{Axis, Boundary, Grid};

/// The transform of one axis.
enum Line {
    Periodic(Arc<dyn RealToComplex<f64>>),
    Reflecting(Arc<dyn TransformType2And3<f64>>),
}

impl Line {
    fn new(axis: Axis) -> Self {
        let points = axis.points();
        match axis.boundary() {
            Boundary::Periodic => Self::Periodic(RealFftPlanner::new().plan_fft_forward(points)),
            Boundary::Reflecting => Self::Reflecting(DctPlanner::new().plan_dct2(points)),
        }
    }

    /// Orthonormal, in place. Periodic: mode 0, Nyquist, then cosine and sine of modes 1, 2, …
    fn forward(&self, line: &mut [f64], spectrum: &mut Vec<Complex<f64>>) {
        let n = line.len();
        let (single, double) = ((1.0 / n as f64).sqrt(), (2.0 / n as f64).sqrt());
        match self {
            Self::Periodic(fft) => {
                spectrum.resize(n / 2 + 1, Complex::default());
                // Lengths agree by construction, which is all that this can complain about.
                fft.process(line, spectrum).expect("lengths agree");
                line[0] = spectrum[0].re * single;
                line[1] = spectrum[n / 2].re * single;
                for (pair, mode) in line[2..].chunks_exact_mut(2).zip(&spectrum[1..n / 2]) {
                    pair[0] = mode.re * double;
                    pair[1] = mode.im * double;
                }
            }
            Self::Reflecting(dct) => {
                dct.process_dct2(line);
                line[0] *= single;
                line[1..].iter_mut().for_each(|v| *v *= double);
            }
        }
    }
}

/// Transforms of the fields of a grid.
pub struct Transform {
    y: Option<Line>,
    x: Line,
    nx: usize,
}

impl Transform {
    /// The transforms of a grid.
    pub fn new(grid: &Grid) -> Self {
        Self { y: grid.y().map(Line::new), x: Line::new(grid.x()), nx: grid.nx() }
    }

    /// Field `[y][x]` to modes `[y mode][x mode]`, in place.
    pub fn forward(&self, field: &mut [f64]) {
        let mut spectrum = Vec::new();
        for row in field.chunks_exact_mut(self.nx) {
            self.x.forward(row, &mut spectrum);
        }
        let Some(y) = &self.y else { return };
        let mut column = vec![0.0; field.len() / self.nx];
        for i in 0..self.nx {
            for (value, row) in column.iter_mut().zip(field.chunks_exact(self.nx)) {
                *value = row[i];
            }
            y.forward(&mut column, &mut spectrum);
            for (value, row) in column.iter().zip(field.chunks_exact_mut(self.nx)) {
                row[i] = *value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shells::Shells;

    fn grid(y: Option<(Boundary, f64)>, x: Boundary) -> Grid {
        let x = Axis::new(16, x).unwrap();
        let Some((boundary, length)) = y else { return Grid::line(x) };
        let y = Axis::new(8, boundary).unwrap().with_length(length as f32).unwrap();
        Grid::plane(y, x).unwrap()
    }

    /// Points of an axis: j·h, or (j + ½)·h on a reflecting one.
    fn coordinates(axis: Axis) -> impl Iterator<Item = f64> {
        let shift = if axis.boundary() == Boundary::Reflecting { 0.5 } else { 0.0 };
        let spacing = f64::from(axis.length()) / axis.points() as f64;
        (0..axis.points()).map(move |j| (j as f64 + shift) * spacing)
    }

    /// A wave of known wavenumber must fall into its shell with all its power, whatever boundaries
    /// and lengths.
    #[test]
    fn a_single_wave_fills_one_shell() {
        use Boundary::{Periodic, Reflecting};
        use std::f64::consts::{PI, TAU};
        let cases = [
            (None, Periodic, 0.0, 3.0, 3),
            (None, Reflecting, 0.0, 2.5, 5),
            (Some((Periodic, TAU)), Periodic, 3.0, 4.0, 5),
            (Some((Reflecting, TAU)), Reflecting, 1.5, 2.0, 5),
            (Some((Reflecting, TAU)), Periodic, 1.5, 2.0, 3),
            // Half as long, twice the wavenumbers: units of 1, 2 and 1.
            (Some((Reflecting, PI)), Periodic, 3.0, 4.0, 5),
            (Some((Periodic, PI)), Periodic, 6.0, 8.0, 5),
            (Some((Reflecting, PI)), Reflecting, 6.0, 2.5, 7),
        ];
        for (y, x, ky, kx, shell) in cases {
            let grid = grid(y, x);
            let shells = Shells::new(&grid);
            let mut field: Vec<f64> = Vec::new();
            for y in grid.y().map_or(vec![0.0], |y| coordinates(y).collect()) {
                field.extend(coordinates(grid.x()).map(|x| (ky * y).cos() * (kx * x).cos()));
            }
            let total: f64 = field.iter().map(|v| v * v).sum();
            Transform::new(&grid).forward(&mut field);
            let inside: f64 = field
                .iter()
                .zip(&shells.of)
                .filter(|&(_, s)| *s == shell)
                .map(|(v, _)| v * v)
                .sum();
            assert!((inside - total).abs() < 1e-12 * total, "{y:?} {x:?}: {inside} of {total}");
            assert!(shells.modes.iter().all(|&n| n > 0), "an empty shell in {y:?} {x:?}");
            assert_eq!(shells.modes.iter().sum::<u64>() as usize, grid.points());
        }
    }
}
