//! The runtime's transforms by their definition, as matrices in f64.

use std::f64::consts::{PI, TAU};

use finescale::{Axis, Boundary, Grid};

/// The orthonormal matrices Q of a grid's axes, `[mode][point]`: a spectrum is Q_y u Q_xᵀ, a field
/// Q_yᵀ û Q_x.
#[derive(Clone, Debug)]
pub struct Basis {
    ny: usize,
    nx: usize,
    y: Option<Vec<f64>>,
    x: Vec<f64>,
}

impl Basis {
    /// Of a grid.
    pub fn new(grid: &Grid) -> Self {
        Self { ny: grid.ny(), nx: grid.nx(), y: grid.y().map(matrix), x: matrix(grid.x()) }
    }

    /// Fields `[…][y][x]` to spectra.
    pub fn forward(&self, fields: &[f64]) -> Vec<f64> {
        self.apply(fields, false)
    }

    /// Spectra to fields.
    pub fn inverse(&self, spectra: &[f64]) -> Vec<f64> {
        self.apply(spectra, true)
    }

    fn apply(&self, values: &[f64], transposed: bool) -> Vec<f64> {
        let rows: Vec<f64> =
            values.chunks_exact(self.nx).flat_map(|row| times(&self.x, row, transposed)).collect();
        let Some(y) = &self.y else { return rows };
        let mut all = vec![0.0; rows.len()];
        let planes = rows.chunks_exact(self.ny * self.nx);
        for (plane, out) in planes.zip(all.chunks_exact_mut(self.ny * self.nx)) {
            for x in 0..self.nx {
                let column: Vec<f64> = plane.iter().skip(x).step_by(self.nx).copied().collect();
                for (y, value) in times(y, &column, transposed).into_iter().enumerate() {
                    out[y * self.nx + x] = value;
                }
            }
        }
        all
    }
}

/// Q of one axis, `[mode][point]`, row-major.
pub fn matrix(axis: Axis) -> Vec<f64> {
    let n = axis.points();
    let (single, double) = ((1.0 / n as f64).sqrt(), (2.0 / n as f64).sqrt());
    let value = |index: usize, j: usize| {
        let mode = axis.mode(index);
        match (axis.boundary(), index) {
            (_, 0) => single,
            // An angle is a whole number of steps around the circle: reduced, it loses nothing.
            (Boundary::Reflecting, _) => {
                let steps = mode * (2 * j + 1) % (4 * n);
                double * (PI * steps as f64 / (2 * n) as f64).cos()
            }
            (Boundary::Periodic, 1) => single * if j.is_multiple_of(2) { 1.0 } else { -1.0 },
            (Boundary::Periodic, _) => {
                let angle = TAU * (mode * j % n) as f64 / n as f64;
                double * if index.is_multiple_of(2) { angle.cos() } else { -angle.sin() }
            }
        }
    };
    (0..n).flat_map(|index| (0..n).map(move |j| value(index, j))).collect()
}

/// Matrix times vector.
fn times(matrix: &[f64], vector: &[f64], transposed: bool) -> Vec<f64> {
    let n = vector.len();
    let entry = |i: usize, j: usize| if transposed { matrix[j * n + i] } else { matrix[i * n + j] };
    (0..n).map(|i| (0..n).map(|j| entry(i, j) * vector[j]).sum()).collect()
}
