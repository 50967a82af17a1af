//! Properties over random grids, fields and scales; proptest shrinks a failure to the smallest
//! case.

use finescale::spectral::{coarsen, forward, inverse, refine, scratch_len};
use finescale::{Axis, Boundary, Field, ForwardProcess, Grid, Laplacian, Modes, NoiseStream};
use finescale_tests::{ROUND_TRIP, all_lengths, relative_error, widen};
use proptest::prelude::*;

fn boundary() -> impl Strategy<Value = Boundary> {
    prop_oneof![Just(Boundary::Periodic), Just(Boundary::Reflecting)]
}

fn axis(most: usize) -> impl Strategy<Value = Axis> {
    let lengths: Vec<usize> = all_lengths().into_iter().filter(|n| *n <= most).collect();
    (prop::sample::select(lengths), boundary()).prop_map(|(n, b)| Axis::new(n, b).expect("an axis"))
}

fn grid() -> impl Strategy<Value = Grid> {
    prop_oneof![
        axis(1024).prop_map(Grid::line),
        (axis(256), axis(256)).prop_map(|(y, x)| Grid::plane(y, x).expect("a plane")),
    ]
}

/// Values of very different sizes, zeros included: each value has an exponent of its own, and the
/// field has one.
fn values(grid: Grid) -> impl Strategy<Value = (Grid, Vec<f32>)> {
    (any::<u64>(), -40_i32..40, 0_u32..24, 1_usize..3).prop_map(
        move |(seed, exponent, spread, channels)| {
            let mut values = vec![0.0; grid.points() * channels];
            NoiseStream { seed, ..Default::default() }.fill(&mut values);
            let mut state = seed | 1;
            for value in &mut values {
                // Marsaglia's xorshift.
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let own = (state >> 32) % u64::from(spread + 1);
                let zero = state >> 20 & 3 == 0;
                *value *= if zero { 0.0 } else { 2_f32.powi(exponent - own as i32) };
            }
            (grid, values)
        },
    )
}

fn grid_and_values() -> impl Strategy<Value = (Grid, Vec<f32>)> {
    grid().prop_flat_map(values)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn round_trip((grid, start) in grid_and_values()) {
        let mut scratch = vec![f32::NAN; scratch_len(&grid)];
        let mut values = start.clone();
        forward(&grid, Field::from_mut(&mut values), &mut scratch).expect("a field");
        inverse(&grid, Modes::from_mut(&mut values), &mut scratch).expect("a spectrum");
        if start.iter().any(|v| *v != 0.0) {
            prop_assert!(relative_error(&values, &widen(&start)) < ROUND_TRIP);
        }
    }

    #[test]
    fn the_transform_is_orthogonal((grid, a) in grid_and_values(), seed: u64) {
        // ⟨Qa, b⟩ = ⟨a, Qᵀb⟩ with Qᵀ the inverse.
        let mut b = vec![0.0; a.len()];
        NoiseStream { seed, ..Default::default() }.fill(&mut b);
        let mut scratch = vec![0.0; scratch_len(&grid)];
        let (mut qa, mut qtb) = (a.clone(), b.clone());
        forward(&grid, Field::from_mut(&mut qa), &mut scratch).expect("a field");
        inverse(&grid, Modes::from_mut(&mut qtb), &mut scratch).expect("a spectrum");
        let dot = |x: &[f32], y: &[f32]| -> f64 {
            x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
        };
        let scale = (dot(&a, &a) * dot(&b, &b)).sqrt();
        prop_assert!((dot(&qa, &b) - dot(&a, &qtb)).abs() <= 1e-6 * scale);
    }

    #[test]
    fn damping_never_amplifies_and_is_linear(
        (grid, start) in grid_and_values(), alpha in 0.0_f32..1.0, lambda in 0.0_f32..1.0,
    ) {
        let process = ForwardProcess::new(alpha, 2.0, Laplacian::FiniteDifference).expect("valid");
        let (mut once, mut doubled) = (start.clone(), start.iter().map(|v| 2.0 * v).collect::<Vec<_>>());
        process.damp(&grid, lambda, Modes::from_mut(&mut once)).expect("a spectrum");
        process.damp(&grid, lambda, Modes::from_mut(&mut doubled)).expect("a spectrum");
        for ((once, doubled), start) in once.iter().zip(&doubled).zip(&start) {
            prop_assert!(once.abs() <= start.abs());
            // Among subnormal numbers doubling rounds.
            if once.is_normal() {
                prop_assert_eq!(*doubled, 2.0 * once);
            }
        }
    }

    #[test]
    fn resampling_commutes_with_damping(
        (grid, start) in grid_and_values(), factors in (0_u32..3, 0_u32..3), lambda in 0.0_f32..0.5,
    ) {
        // Both are diagonal in the modes and the coarse modes have the fine ones' wavenumbers.
        let coarser = |axis: Axis, by: u32| {
            let points = Axis::nearest_points(axis.points() >> by, axis.points());
            Axis::new(points, axis.boundary()).expect("an axis")
        };
        let coarse_grid = match grid.y() {
            Some(y) => Grid::plane(coarser(y, factors.0), coarser(grid.x(), factors.1)).expect("a plane"),
            None => Grid::line(coarser(grid.x(), factors.1)),
        };
        let process = ForwardProcess::new(0.1, 2.0, Laplacian::Spectral).expect("valid");
        let values = coarse_grid.points() * (start.len() / grid.points());
        let (mut first, mut last) = (vec![0.0; values], vec![0.0; values]);
        let mut damped = start.clone();
        process.damp(&grid, lambda, Modes::from_mut(&mut damped)).expect("a spectrum");
        coarsen(&grid, Modes::new(&damped), &coarse_grid, Modes::coarse_mut(&mut first)).expect("matching grids");
        coarsen(&grid, Modes::new(&start), &coarse_grid, Modes::coarse_mut(&mut last)).expect("matching grids");
        process.damp(&coarse_grid, lambda, Modes::from_mut(&mut last)).expect("a spectrum");
        if last.iter().any(|v| *v != 0.0) {
            prop_assert!(relative_error(&first, &widen(&last)) < 1e-6);
        }
        let mut refined = vec![0.0; start.len()];
        refine(&coarse_grid, Modes::coarse(&last), &grid, Modes::from_mut(&mut refined)).expect("matching grids");
        coarsen(&grid, Modes::new(&refined), &coarse_grid, Modes::coarse_mut(&mut first)).expect("matching grids");
        if last.iter().any(|v| *v != 0.0) {
            prop_assert!(relative_error(&first, &widen(&last)) < 1e-6);
        }
    }

    #[test]
    fn noise_is_addressed_by_channel_too(grid in grid(), seed: u64, lambda in 0.001_f32..1.0) {
        // Channel 1 of two has the noise of modes points … 2 points − 1, never channel 0's.
        let process = ForwardProcess::new(0.1, 2.0, Laplacian::Spectral).expect("valid");
        let stream = NoiseStream { seed, ..Default::default() };
        let mut two = vec![0.0; 2 * grid.points()];
        process.apply_stream(&grid, lambda, Modes::from_mut(&mut two), &stream).expect("a spectrum");
        let (a, b) = two.split_at(grid.points());
        prop_assert_ne!(a, b);
        let expected = stream.normal(grid.points() as u32) * libm::sqrtf(process.noise_variance(0.0, lambda));
        prop_assert_eq!(b[0], expected);
    }
}
