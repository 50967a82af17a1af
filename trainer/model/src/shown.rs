//! From a sensor's values to the field that they show.

use std::f64::consts::{PI, TAU};

use finescale::{Axis, Boundary, Grid};
use nalgebra::DMatrix;

use finescale_field::coarsening::SensorKind;

/// The linear maps of both axes, `[fine point][coarse point]`: the waves that the coarse axis
/// resolves, Nyquist among them, of such sizes that their values at the coarse points, or their
/// means over the pixels, are those of the sensor.
#[derive(Clone, Debug)]
pub struct Shown {
    y: Option<DMatrix<f64>>,
    x: DMatrix<f64>,
}

impl Shown {
    /// Of a sensor with so many points along y and along x.
    pub fn new(fine: &Grid, [y, x]: [usize; 2], kind: SensorKind) -> Self {
        let y = fine.y().map(|fine| axis(&fine, y, kind));
        Self { y, x: axis(&fine.x(), x, kind) }
    }

    /// The map along y, row by row; empty on a line.
    pub fn along_y(&self) -> Vec<f64> {
        self.y.as_ref().map_or_else(Vec::new, |y| y.transpose().as_slice().to_vec())
    }

    /// The map along x, row by row.
    pub fn along_x(&self) -> Vec<f64> {
        self.x.transpose().as_slice().to_vec()
    }

    /// Coarse fields `[…][y][x]` to fine ones.
    pub fn field(&self, coarse: &[f64]) -> Vec<f64> {
        let nx = self.x.ncols();
        let ny = self.y.as_ref().map_or(1, DMatrix::ncols);
        let of = |field: &[f64]| {
            let rows = DMatrix::from_row_slice(ny, nx, field) * self.x.transpose();
            let field = self.y.as_ref().map_or_else(|| rows.clone(), |y| y * &rows);
            // Row by row.
            field.transpose().as_slice().to_vec()
        };
        coarse.chunks_exact(ny * nx).flat_map(of).collect()
    }
}

/// Waves on the fine points times the inverse of what the sensor sees of them.
fn axis(fine: &Axis, m: usize, kind: SensorKind) -> DMatrix<f64> {
    let n = fine.points();
    let ratio = n as f64 / m as f64;
    let average = kind == SensorKind::BlockMean;
    // Where fine point j lies, in coarse points from the first one's value.
    let place = |j: usize| match fine.boundary() {
        Boundary::Periodic if average => (j as f64 - 0.5 * (ratio - 1.0)) / ratio,
        Boundary::Periodic => j as f64 / ratio,
        Boundary::Reflecting => (j as f64 + 0.5) / ratio - 0.5,
    };
    let wave = |place: f64, k: usize| match fine.boundary() {
        Boundary::Reflecting => (PI * k as f64 * (place + 0.5) / m as f64).cos(),
        // cos 0, cos 1, sin 1, … and the cosine of Nyquist.
        Boundary::Periodic => {
            let angle = TAU * k.div_ceil(2) as f64 * place / m as f64;
            if k % 2 == 1 {
                angle.cos()
            } else if k == 0 {
                1.0
            } else {
                angle.sin()
            }
        }
    };
    let waves = DMatrix::from_fn(n, m, |j, k| wave(place(j), k));
    let seen = if average {
        let block = n / m;
        DMatrix::from_fn(m, m, |i, k| {
            (0..block).map(|b| waves[(i * block + b, k)]).sum::<f64>() / block as f64
        })
    } else {
        DMatrix::from_fn(m, m, |i, k| wave(i as f64, k))
    };
    let inverse = seen.try_inverse().unwrap_or_else(|| DMatrix::zeros(m, m));
    waves * inverse
}
