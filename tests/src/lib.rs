//! What the suites share: slow, exact oracles in f64, and inputs.

pub mod changed;
pub mod layers;
pub mod linear;
pub mod model_file;
pub mod moments;
pub mod sampling;

use finescale::{Axis, Boundary, Grid};

/// Bound of a transform's relative error, as the documentation of `finescale::spectral` has it.
pub const TRANSFORM: f64 = 2.5e-7;
/// The same of a round trip.
pub const ROUND_TRIP: f64 = 4e-7;
/// Axis lengths: every power of two that microfft transforms, then others of every kind of step.
pub const LENGTHS: [usize; 24] = [
    8, 16, 32, 64, 128, 256, 512, 1024, //
    10, 12, 18, 24, 30, 40, 48, 50, 54, 72, 90, 144, 250, 486, 720, 1350,
];
/// Both boundaries.
pub const BOUNDARIES: [Boundary; 2] = [Boundary::Periodic, Boundary::Reflecting];

/// Every length that an axis can have.
pub fn all_lengths() -> Vec<usize> {
    (0..=2 * Axis::POINTS_MAX).filter(|n| Axis::has_transform(*n)).collect()
}

/// Lines of [`LENGTHS`] and planes of mixed shapes, with every pairing of boundaries.
pub fn grids() -> Vec<Grid> {
    let axis = |n, b| Axis::new(n, b).expect("a valid axis");
    let mut grids = Vec::new();
    for bx in BOUNDARIES {
        grids.extend(LENGTHS.map(|n| Grid::line(axis(n, bx))));
        for by in BOUNDARIES {
            let powers = [(8, 8), (8, 64), (64, 16), (32, 32), (128, 32), (256, 256)];
            for (ny, nx) in powers.into_iter().chain([(10, 18), (24, 40), (40, 40), (300, 72)]) {
                grids.push(Grid::plane(axis(ny, by), axis(nx, bx)).expect("a valid plane"));
            }
        }
    }
    grids
}

/// Basis function of the mode stored at `index`, at point `j`: the definition, in f64.
pub fn basis(axis: &Axis, index: usize, j: usize) -> f64 {
    use std::f64::consts::PI;
    let n = axis.points() as f64;
    let (mode, j) = (axis.mode(index) as f64, j as f64);
    let single = n.recip().sqrt();
    let paired = (2.0_f64 / n).sqrt();
    match (axis.boundary(), index) {
        (_, 0) => single,
        (Boundary::Reflecting, _) => paired * (PI * mode * (j + 0.5) / n).cos(),
        (Boundary::Periodic, 1) => single * (PI * j).cos(),
        (Boundary::Periodic, even) if even % 2 == 0 => paired * (2.0 * PI * mode * j / n).cos(),
        (Boundary::Periodic, _) => -paired * (2.0 * PI * mode * j / n).sin(),
    }
}

/// The transform by its definition, O(N²) per line, in f64. Layout as the field's.
pub fn slow_forward(grid: &Grid, field: &[f32]) -> Vec<f64> {
    let matrix = |axis: &Axis| -> Vec<Vec<f64>> {
        let n = axis.points();
        (0..n).map(|index| (0..n).map(|j| basis(axis, index, j)).collect()).collect()
    };
    let (ny, nx) = (grid.ny(), grid.nx());
    let (mx, my) = (matrix(&grid.x()), grid.y().map(|y| matrix(&y)));
    let mut result = Vec::with_capacity(field.len());
    for channel in field.chunks_exact(grid.points()) {
        let rows: Vec<Vec<f64>> = channel
            .chunks_exact(nx)
            .map(|row| {
                mx.iter().map(|b| b.iter().zip(row).map(|(b, v)| b * f64::from(*v)).sum()).collect()
            })
            .collect();
        let Some(my) = &my else {
            result.extend(rows.into_iter().flatten());
            continue;
        };
        for b in my {
            result.extend((0..nx).map(|x| (0..ny).map(|y| b[y] * rows[y][x]).sum::<f64>()));
        }
    }
    result
}

/// A rough field with every mode present, of `values` values, different for every `seed`.
pub fn field(values: usize, seed: u64) -> Vec<f32> {
    let mut field = vec![0.0; values];
    finescale::NoiseStream { seed, member: 9, frame: 9, draw: 9 }.fill(&mut field);
    field
}

/// ‖a − b‖₂ / ‖b‖₂ in f64.
pub fn relative_error(a: &[f32], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let (mut error, mut norm) = (0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        error += (f64::from(*a) - b).powi(2);
        norm += b * b;
    }
    (error / norm).sqrt()
}

/// As f64.
pub fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}
