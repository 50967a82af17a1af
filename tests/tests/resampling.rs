//! Coarsening and refining between grids.

use finescale::spectral::{coarsen, forward, inverse, refine, scratch_len};
use finescale::{Axis, Boundary, Error, Field, Grid, Modes};
use finescale_tests::{BOUNDARIES, field, relative_error, widen};

fn grid(y: Option<(usize, Boundary)>, x: (usize, Boundary)) -> Grid {
    let axis = |(n, b)| Axis::new(n, b).expect("an axis");
    match y {
        Some(y) => Grid::plane(axis(y), axis(x)).expect("a plane"),
        None => Grid::line(axis(x)),
    }
}

/// Pairs (fine, coarse) of lines and planes, with each axis coarsened by 1, 2 or more.
fn pairs() -> Vec<(Grid, Grid)> {
    let mut pairs = Vec::new();
    for bx in BOUNDARIES {
        for (fine, coarse) in
            [(16, 8), (64, 8), (1024, 256), (32, 32), (24, 8), (90, 40), (40, 36), (720, 54)]
        {
            pairs.push((grid(None, (fine, bx)), grid(None, (coarse, bx))));
        }
        for by in BOUNDARIES {
            for ((ny, nx), (my, mx)) in
                [((32, 32), (8, 8)), ((16, 64), (16, 8)), ((128, 8), (32, 8)), ((24, 40), (18, 8))]
            {
                pairs.push((grid(Some((ny, by)), (nx, bx)), grid(Some((my, by)), (mx, bx))));
            }
        }
    }
    pairs
}

fn to_modes(grid: &Grid, field: &[f32]) -> Vec<f32> {
    let mut modes = field.to_vec();
    forward(grid, Field::from_mut(&mut modes), &mut vec![0.0; scratch_len(grid)]).expect("a field");
    modes
}

fn to_field(grid: &Grid, modes: &[f32]) -> Vec<f32> {
    let mut field = modes.to_vec();
    inverse(grid, Modes::from_mut(&mut field), &mut vec![0.0; scratch_len(grid)])
        .expect("a spectrum");
    field
}

#[test]
fn coarsen_after_refine_is_the_identity() {
    for (fine, coarse) in pairs() {
        // Two channels, every coarse mode, the Nyquist modes included.
        let start = field(coarse.points() * 2, 1);
        let (mut refined, mut back) = (vec![9.0; fine.points() * 2], vec![9.0; start.len()]);
        refine(&coarse, Modes::coarse(&start), &fine, Modes::from_mut(&mut refined))
            .expect("matching grids");
        coarsen(&fine, Modes::new(&refined), &coarse, Modes::coarse_mut(&mut back))
            .expect("matching grids");
        assert!(relative_error(&back, &widen(&start)) < 2e-7, "{coarse:?}");
    }
}

#[test]
fn refine_after_coarsen_is_the_identity_on_band_limited_fields() {
    for (fine, coarse) in pairs() {
        let mut start = field(fine.points(), 2);
        let limit = |axis: Axis| axis.points() as f32 * axis.wavenumber_unit();
        for (value, (ky, kx)) in start.iter_mut().zip(fine.wavenumbers()) {
            let half = |axis: Axis| match axis.boundary() {
                Boundary::Periodic => limit(axis) / 2.0,
                Boundary::Reflecting => limit(axis),
            };
            if kx >= half(coarse.x()) || coarse.y().is_some_and(|y| ky >= half(y)) {
                *value = 0.0;
            }
        }
        let (mut coarsened, mut back) = (vec![9.0; coarse.points()], vec![9.0; fine.points()]);
        coarsen(&fine, Modes::new(&start), &coarse, Modes::coarse_mut(&mut coarsened))
            .expect("matching grids");
        refine(&coarse, Modes::coarse(&coarsened), &fine, Modes::from_mut(&mut back))
            .expect("matching grids");
        assert!(relative_error(&back, &widen(&start)) < 2e-7, "{coarse:?}");
    }
}

#[test]
fn a_refined_periodic_field_passes_through_its_coarse_points() {
    // Also at the Nyquist mode: an alternating coarse field must come back at the coarse points.
    let (coarse, fine) =
        (grid(None, (8, Boundary::Periodic)), grid(None, (32, Boundary::Periodic)));
    for mut values in [field(8, 3), [1.0, -1.0].repeat(4)] {
        values[0] += 0.25;
        let mut modes = vec![0.0; 32];
        refine(
            &coarse,
            Modes::coarse(&to_modes(&coarse, &values)),
            &fine,
            Modes::from_mut(&mut modes),
        )
        .expect("matching grids");
        let refined = to_field(&fine, &modes);
        let sampled: Vec<f32> = refined.iter().step_by(4).copied().collect();
        assert!(relative_error(&sampled, &widen(&values)) < 1e-6);
    }
}

#[test]
fn smooth_functions_are_sampled_at_the_points_of_the_grid() {
    // cos(2x) on a reflecting axis, points at (j + ½)h: exact on any grid that holds the mode.
    let sample = |n: usize| -> Vec<f32> {
        let h = 2.0 * std::f64::consts::PI / n as f64;
        (0..n).map(|j| (2.0 * (j as f64 + 0.5) * h).cos() as f32).collect()
    };
    let (fine, coarse) =
        (grid(None, (64, Boundary::Reflecting)), grid(None, (16, Boundary::Reflecting)));
    let mut modes = vec![0.0; 16];
    coarsen(
        &fine,
        Modes::new(&to_modes(&fine, &sample(64))),
        &coarse,
        Modes::coarse_mut(&mut modes),
    )
    .expect("matching grids");
    assert!(relative_error(&to_field(&coarse, &modes), &widen(&sample(16))) < 1e-6);
}

#[test]
fn constants_stay_what_they_are() {
    for (fine, coarse) in pairs() {
        let mut modes = vec![0.0; coarse.points()];
        let constant = vec![3.25; fine.points()];
        coarsen(
            &fine,
            Modes::new(&to_modes(&fine, &constant)),
            &coarse,
            Modes::coarse_mut(&mut modes),
        )
        .expect("matching grids");
        let expected = vec![3.25; coarse.points()];
        assert!(relative_error(&to_field(&coarse, &modes), &expected) < 1e-6, "{coarse:?}");
    }
}

#[test]
fn grids_that_do_not_belong_together_are_refused() {
    use Boundary::{Periodic, Reflecting};
    let fine = grid(Some((16, Periodic)), (16, Periodic));
    let others = [
        grid(None, (8, Periodic)),
        grid(Some((8, Reflecting)), (8, Periodic)),
        grid(Some((8, Periodic)), (32, Periodic)),
    ];
    for other in others {
        let (modes, mut out) = (vec![1.0; fine.points()], vec![7.0; other.points()]);
        assert_eq!(
            coarsen(&fine, Modes::new(&modes), &other, Modes::coarse_mut(&mut out)),
            Err(Error::GridMismatch)
        );
        assert!(out.iter().all(|value| *value == 7.0));
    }
    let coarse = grid(Some((8, Periodic)), (8, Periodic));
    let result =
        coarsen(&fine, Modes::new(&[0.0; 512]), &coarse, Modes::coarse_mut(&mut [0.0; 64]));
    assert_eq!(result, Err(Error::LengthMismatch { left: 512, right: 64 }));
}
