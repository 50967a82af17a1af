//! The transforms against their definition, against rustfft, and their exact properties.

use finescale::spectral::{forward, inverse, scratch_len};
use finescale::{Axis, Grid};
use finescale_tests::{
    LENGTHS, ROUND_TRIP, TRANSFORM, basis, field, grids, relative_error, slow_forward, widen,
};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

fn transformed(grid: &Grid, field: &[f32]) -> Vec<f32> {
    let mut values = field.to_vec();
    forward(grid, &mut values, &mut vec![f32::NAN; scratch_len(grid)]).expect("a valid field");
    values
}

#[test]
fn forward_is_its_definition() {
    for (seed, grid) in grids().into_iter().enumerate() {
        let field = field(grid.points() * 2, seed as u64);
        let error = relative_error(&transformed(&grid, &field), &slow_forward(&grid, &field));
        assert!(error < TRANSFORM, "{grid:?}: {error:e}");
    }
}

#[test]
fn inverse_undoes_forward() {
    for (seed, grid) in grids().into_iter().enumerate() {
        let field = field(grid.points() * 3, seed as u64);
        let mut back = transformed(&grid, &field);
        inverse(&grid, &mut back, &mut vec![f32::NAN; scratch_len(&grid)]).expect("a spectrum");
        let error = relative_error(&back, &widen(&field));
        assert!(error < ROUND_TRIP, "{grid:?}: {error:e}");
    }
}

#[test]
fn parseval_keeps_the_sum_of_squares() {
    let squares = |values: &[f32]| widen(values).iter().map(|v| v * v).sum::<f64>();
    for (seed, grid) in grids().into_iter().enumerate() {
        let field = field(grid.points(), seed as u64);
        let ratio = squares(&transformed(&grid, &field)) / squares(&field);
        assert!((ratio - 1.0).abs() < 1e-6, "{grid:?}: {ratio}");
    }
}

#[test]
fn the_basis_of_the_oracle_is_orthonormal() {
    for boundary in finescale_tests::BOUNDARIES {
        let axis = Axis::new(64, boundary).expect("an axis");
        for a in 0..64 {
            for b in 0..64 {
                let product: f64 = (0..64).map(|j| basis(&axis, a, j) * basis(&axis, b, j)).sum();
                let expected = if a == b { 1.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-12, "{boundary:?} {a} {b}");
            }
        }
    }
}

#[test]
fn periodic_lines_agree_with_rustfft() {
    let mut planner = FftPlanner::<f64>::new();
    for n in LENGTHS {
        let grid = Grid::line(Axis::periodic(n).expect("an axis"));
        let field = field(n, n as u64);
        let modes = transformed(&grid, &field);
        let mut complex: Vec<Complex<f64>> =
            field.iter().map(|v| Complex::new(f64::from(*v), 0.0)).collect();
        planner.plan_fft_forward(n).process(&mut complex);
        let single = (1.0 / n as f64).sqrt();
        let mut expected = vec![complex[0].re * single, complex[n / 2].re * single];
        for mode in &complex[1..n / 2] {
            let mode = mode * (single * std::f64::consts::SQRT_2);
            expected.extend([mode.re, mode.im]);
        }
        assert!(relative_error(&modes, &expected) < TRANSFORM, "{n}");
    }
}

#[test]
fn planes_agree_with_the_complex_modes_of_rustfft() {
    // The four real products of wavenumbers (ky, kx) are the two complex modes (±ky, kx).
    let (ny, nx) = (16, 32);
    let grid = Grid::plane(Axis::periodic(ny).expect("y"), Axis::periodic(nx).expect("x"))
        .expect("a plane");
    let field = field(ny * nx, 5);
    let modes = transformed(&grid, &field);
    let mut planner = FftPlanner::<f64>::new();
    let mut complex: Vec<Complex<f64>> =
        field.iter().map(|v| Complex::new(f64::from(*v), 0.0)).collect();
    for row in complex.chunks_exact_mut(nx) {
        planner.plan_fft_forward(nx).process(row);
    }
    let mut plane = vec![Complex::default(); ny * nx];
    for x in 0..nx {
        let mut column: Vec<_> = (0..ny).map(|y| complex[y * nx + x]).collect();
        planner.plan_fft_forward(ny).process(&mut column);
        for (y, value) in column.into_iter().enumerate() {
            plane[y * nx + x] = value / ((ny * nx) as f64).sqrt();
        }
    }
    for ky in 1..ny / 2 {
        for kx in 1..nx / 2 {
            let at = |j: usize, i: usize| f64::from(modes[(2 * ky + j) * nx + 2 * kx + i]);
            let (cc, cs, sc, ss) = (at(0, 0), at(0, 1), at(1, 0), at(1, 1));
            let plus = Complex::new(cc - ss, cs + sc) / 2.0;
            let minus = Complex::new(cc + ss, cs - sc) / 2.0;
            assert!((plus - plane[ky * nx + kx]).norm() < 2e-6, "{ky} {kx}");
            assert!((minus - plane[(ny - ky) * nx + kx]).norm() < 2e-6, "-{ky} {kx}");
        }
    }
}

#[test]
fn channels_do_not_touch_each_other() {
    let grid = grids().into_iter().find(|grid| !grid.is_line()).expect("a plane");
    let points = grid.points();
    let two = field(points * 2, 1);
    let both = transformed(&grid, &two);
    assert_eq!(both[..points], transformed(&grid, &two[..points]));
    assert_eq!(both[points..], transformed(&grid, &two[points..]));
}
