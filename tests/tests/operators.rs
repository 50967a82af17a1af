//! Packed operators against shifts of the field, which are translation-invariant operators known in
//! closed form.

use std::f64::consts::TAU;

use finescale::spectral::operator::{ComplexMode, apply, complex_modes, pack, unpack};
use finescale::spectral::{forward, scratch_len};
use finescale::{Axis, Boundary, Error, Field, Grid, Modes};
use finescale_tests::{field, grids, relative_error, widen};

fn transformed(grid: &Grid, field: &[f32]) -> Vec<f32> {
    let mut values = field.to_vec();
    forward(grid, Field::from_mut(&mut values), &mut vec![f32::NAN; scratch_len(grid)])
        .expect("a valid field");
    values
}

/// Signed wavenumber along an axis, in units of the axis: the second row of a quadruple is −q_y.
fn signed(axis: &Axis, index: usize) -> f64 {
    axis.mode(index) as f64
}

/// The packed operator that shifts a field by (dy, dx) points along its periodic axes: factors
/// exp(−i k·d).
fn shift(grid: &Grid, (dy, dx): (usize, usize)) -> Vec<f32> {
    let mut operator = vec![0.0; grid.points()];
    for ComplexMode { re, im } in complex_modes(grid) {
        let (j, i) = (re / grid.nx(), re % grid.nx());
        let turn = |axis: &Axis, index: usize, by: usize| match axis.boundary() {
            Boundary::Periodic => TAU * signed(axis, index) * by as f64 / axis.points() as f64,
            Boundary::Reflecting => 0.0,
        };
        let y = grid.y().map_or(0.0, |y| turn(&y, j, dy));
        let x = turn(&grid.x(), i, dx);
        // A mode whose real part stands in a sine row is the one with −k_y.
        let in_sine_row =
            grid.y().is_some_and(|y| y.boundary() == Boundary::Periodic && j > 1 && j % 2 == 1);
        let angle = if in_sine_row { x - y } else { x + y };
        operator[re] = angle.cos() as f32;
        match im {
            Some(im) => operator[im] = -angle.sin() as f32,
            None => assert!(angle.sin().abs() < 1e-9, "a mode without partner is real"),
        }
    }
    operator
}

fn shifted(grid: &Grid, field: &[f32], (dy, dx): (usize, usize)) -> Vec<f32> {
    let (ny, nx) = (grid.ny(), grid.nx());
    let periodic = |axis: Option<Axis>| axis.is_some_and(|a| a.boundary() == Boundary::Periodic);
    let dy = if periodic(grid.y()) { dy } else { 0 };
    let dx = if periodic(Some(grid.x())) { dx } else { 0 };
    let at = |point: usize| {
        let (y, x) = (point / nx, point % nx);
        field[(y + ny - dy % ny) % ny * nx + (x + nx - dx % nx) % nx]
    };
    (0..ny * nx).map(at).collect()
}

fn small_grids() -> impl Iterator<Item = Grid> {
    grids().into_iter().filter(|grid| grid.points() <= 4096)
}

#[test]
fn a_shift_is_the_operator_with_its_phase_factors() {
    for grid in small_grids() {
        for by in [(0, 0), (1, 0), (0, 1), (3, 5)] {
            let field = field(grid.points(), 3);
            let mut got = vec![0.0; grid.points()];
            apply(
                &grid,
                &shift(&grid, by),
                Modes::new(&transformed(&grid, &field)),
                Modes::from_mut(&mut got),
            )
            .expect("fits");
            let expected = widen(&transformed(&grid, &shifted(&grid, &field, by)));
            let error = relative_error(&got, &expected);
            assert!(error < 1e-6, "{grid:?} {by:?}: {error:e}");
        }
    }
}

#[test]
fn packed_values_are_the_complex_modes() {
    // A packed operator multiplies a packed spectrum as complex numbers, and packing is
    // orthonormal.
    for grid in small_grids() {
        let n = grid.points();
        let (a, u) = (field(n, 5), field(n, 6));
        let mut product = vec![0.0; n];
        apply(&grid, &a, Modes::new(&u), Modes::from_mut(&mut product)).expect("fits");
        let (mut packed, mut packed_product) = (u.clone(), product.clone());
        pack(&grid, Modes::from_mut(&mut packed)).expect("a spectrum");
        pack(&grid, Modes::from_mut(&mut packed_product)).expect("a spectrum");
        let mut seen = vec![false; n];
        let mut expected = vec![0.0; n];
        for ComplexMode { re, im } in complex_modes(&grid) {
            let at = |values: &[f32], index: usize| f64::from(values[index]);
            let part = |values: &[f32]| im.map_or(0.0, |im| at(values, im));
            let (a, u) = ((at(&a, re), part(&a)), (at(&packed, re), part(&packed)));
            expected[re] = a.0 * u.0 - a.1 * u.1;
            assert!(!std::mem::replace(&mut seen[re], true));
            if let Some(im) = im {
                expected[im] = a.0 * u.1 + a.1 * u.0;
                assert!(!std::mem::replace(&mut seen[im], true));
            }
        }
        assert!(seen.iter().all(|seen| *seen), "{grid:?}");
        assert!(relative_error(&packed_product, &expected) < 1e-6, "{grid:?}");
        unpack(&grid, &mut packed).expect("packed");
        assert!(relative_error(&packed, &widen(&u)) < 2e-7, "{grid:?}");
    }
}

#[test]
fn a_packed_pair_is_the_complex_mode_of_its_signs() {
    // exp(i (k·x)) with k = (−2, 3): all of it in the mode of −k_y, nothing in that of +k_y.
    let axis = Axis::periodic(16).expect("an axis");
    let grid = Grid::plane(axis, axis).expect("a plane");
    let wave: Vec<f32> = (0..256)
        .map(|p| (TAU * (3.0 * (p % 16) as f64 - 2.0 * (p / 16) as f64) / 16.0 + 0.4).cos() as f32)
        .collect();
    let mut packed = transformed(&grid, &wave);
    pack(&grid, Modes::from_mut(&mut packed)).expect("a spectrum");
    // √2 û = √2 · 16 · ½ exp(0.4 i).
    let (re, im) = (packed[5 * 16 + 6], packed[5 * 16 + 7]);
    let scale = 128.0_f64.sqrt();
    assert!((f64::from(re) - scale * 0.4_f64.cos()).abs() < 1e-5);
    assert!((f64::from(im) - scale * 0.4_f64.sin()).abs() < 1e-5);
    packed[5 * 16 + 6] = 0.0;
    packed[5 * 16 + 7] = 0.0;
    assert!(packed.iter().all(|value| value.abs() < 1e-5));
}

#[test]
fn only_single_channels_are_taken() {
    let grid = Grid::line(Axis::periodic(8).expect("an axis"));
    let refused = apply(&grid, &[0.0; 8], Modes::new(&[0.0; 16]), Modes::from_mut(&mut [0.0; 8]));
    assert_eq!(refused, Err(Error::FieldLength { values: 16, points: 8 }));
    assert!(
        apply(&grid, &[0.0; 8], Modes::new(&[0.0; 8]), Modes::from_mut(&mut [0.0; 7])).is_err()
    );
    assert!(pack(&grid, Modes::from_mut(&mut [0.0; 12])).is_err());
}
