//! The transforms against their definition, against rustfft, and their exact properties.

use finescale::spectral::{forward, inverse, scratch_len};
use finescale::{Axis, Boundary, Field, Grid, Modes};
use finescale_tests::{
    BOUNDARIES, ROUND_TRIP, TRANSFORM, all_lengths, basis, field, grids, relative_error,
    slow_forward, widen,
};
use rustfft::FftPlanner;
use rustfft::num_complex::Complex;

fn transformed(grid: &Grid, field: &[f32]) -> Vec<f32> {
    let mut values = field.to_vec();
    forward(grid, Field::from_mut(&mut values), &mut vec![f32::NAN; scratch_len(grid)])
        .expect("a valid field");
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
        inverse(&grid, Modes::from_mut(&mut back), &mut vec![f32::NAN; scratch_len(&grid)])
            .expect("a spectrum");
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
        let axis = Axis::new(60, boundary).expect("an axis");
        for a in 0..60 {
            for b in 0..60 {
                let product: f64 = (0..60).map(|j| basis(&axis, a, j) * basis(&axis, b, j)).sum();
                let expected = if a == b { 1.0 } else { 0.0 };
                assert!((product - expected).abs() < 1e-12, "{boundary:?} {a} {b}");
            }
        }
    }
}

/// Modes of a line in f64, by rustfft. A reflecting line is half a periodic one, whose other half
/// is its mirror image.
fn modes_of_rustfft(planner: &mut FftPlanner<f64>, axis: &Axis, line: &[f64]) -> Vec<f64> {
    let mut complex: Vec<_> = line.iter().map(|v| Complex::new(*v, 0.0)).collect();
    if axis.boundary() == Boundary::Reflecting {
        complex.extend_from_within(..);
        complex[line.len()..].reverse();
    }
    planner.plan_fft_forward(complex.len()).process(&mut complex);
    let n = line.len();
    let single = (1.0 / n as f64).sqrt();
    let paired = single * std::f64::consts::SQRT_2;
    match axis.boundary() {
        Boundary::Periodic => {
            let pairs = complex[1..n / 2].iter().flat_map(|mode| [mode.re, mode.im]);
            let singles = [complex[0].re * single, complex[n / 2].re * single];
            singles.into_iter().chain(pairs.map(|part| part * paired)).collect()
        }
        Boundary::Reflecting => {
            let half = |m: usize| {
                let turn = Complex::cis(-std::f64::consts::PI * m as f64 / (2 * n) as f64);
                0.5 * (turn * complex[m]).re
            };
            (0..n).map(|m| half(m) * if m == 0 { single } else { paired }).collect()
        }
    }
}

#[test]
fn lines_of_every_length_agree_with_rustfft_and_come_back() {
    let mut planner = FftPlanner::<f64>::new();
    let (mut forth, mut there_and_back) = ((0.0, 0), (0.0, 0));
    for (n, boundary) in all_lengths().into_iter().flat_map(|n| BOUNDARIES.map(|b| (n, b))) {
        let grid = Grid::line(Axis::new(n, boundary).expect("an axis"));
        let field = field(n, n as u64);
        let mut modes = transformed(&grid, &field);
        let expected = modes_of_rustfft(&mut planner, &grid.x(), &widen(&field));
        let error = relative_error(&modes, &expected);
        assert!(error < TRANSFORM, "{n} {boundary:?}: {error:e}");
        let squares = |values: &[f64]| values.iter().map(|v| v * v).sum::<f64>();
        let ratio = squares(&widen(&modes)) / squares(&widen(&field));
        assert!((ratio - 1.0).abs() < 1e-6, "{n} {boundary:?}: {ratio}");
        inverse(&grid, Modes::from_mut(&mut modes), &mut vec![f32::NAN; scratch_len(&grid)])
            .expect("a spectrum");
        let back = relative_error(&modes, &widen(&field));
        assert!(back < ROUND_TRIP, "{n} {boundary:?}: {back:e}");
        if error > forth.0 {
            forth = (error, n);
        }
        if back > there_and_back.0 {
            there_and_back = (back, n);
        }
    }
    println!("largest errors (of points): forward {forth:?}, round trip {there_and_back:?}");
}

#[test]
fn large_planes_agree_with_rustfft_and_come_back() {
    use Boundary::{Periodic, Reflecting};
    let mut planner = FftPlanner::<f64>::new();
    for (y, x) in [
        ((360, Reflecting), (720, Periodic)),
        ((1000, Periodic), (270, Reflecting)),
        ((2048, Periodic), (18, Periodic)),
        ((10, Reflecting), (2000, Reflecting)),
    ] {
        let axis = |(n, boundary)| Axis::new(n, boundary).expect("an axis");
        let grid = Grid::plane(axis(y), axis(x)).expect("a plane");
        let (ny, nx) = (grid.ny(), grid.nx());
        let field = field(grid.points(), 3);
        let rows: Vec<f64> = widen(&field)
            .chunks_exact(nx)
            .flat_map(|row| modes_of_rustfft(&mut planner, &grid.x(), row))
            .collect();
        let mut expected = vec![0.0; rows.len()];
        for i in 0..nx {
            let column: Vec<f64> = rows.iter().skip(i).step_by(nx).copied().collect();
            let modes = modes_of_rustfft(&mut planner, &axis(y), &column);
            assert_eq!(modes.len(), ny);
            let places = expected.iter_mut().skip(i).step_by(nx);
            places.zip(modes).for_each(|(place, mode)| *place = mode);
        }
        let mut modes = transformed(&grid, &field);
        let error = relative_error(&modes, &expected);
        assert!(error < TRANSFORM, "{grid:?}: {error:e}");
        inverse(&grid, Modes::from_mut(&mut modes), &mut vec![f32::NAN; scratch_len(&grid)])
            .expect("a spectrum");
        let error = relative_error(&modes, &widen(&field));
        assert!(error < ROUND_TRIP, "{grid:?}: {error:e}");
    }
}

#[test]
fn planes_agree_with_the_complex_modes_of_rustfft() {
    // The four real products of wavenumbers (ky, kx) are the two complex modes (±ky, kx).
    let (ny, nx) = (24, 40);
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
