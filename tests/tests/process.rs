//! The forward process against closed forms in f64, and its exact properties.

use finescale::spectral::{forward, inverse, scratch_len};
use finescale::{
    Axis, Boundary, Error, Field, ForwardProcess, Grid, Laplacian, Modes, NoiseStream,
};
use finescale_tests::{BOUNDARIES, basis, field, grids, relative_error, widen};

fn process(alpha: f32, beta2: f32) -> ForwardProcess {
    ForwardProcess::new(alpha, beta2, Laplacian::Spectral).expect("valid parameters")
}

/// (α, κ, λ) with ακλ from 1e-12 to 50, in many splittings of the product.
fn products() -> impl Iterator<Item = (f32, f32, f32)> {
    (0..=2000).flat_map(|i| {
        let z = 1e-12_f64 * 5e13_f64.powf(f64::from(i) / 2000.0);
        [(0.1_f32, 0.37_f32), (0.3, 1.0), (1.7, 1e-3), (0.05, 0.9)].map(|(alpha, lambda)| {
            (alpha, (z / f64::from(alpha) / f64::from(lambda)) as f32, lambda)
        })
    })
}

fn relative(got: f32, exact: f64) -> f64 {
    (f64::from(got) / exact - 1.0).abs()
}

#[test]
fn coefficients_have_a_relative_error_below_1e_6() {
    let mut worst = [0.0_f64; 2];
    for (alpha, kappa, lambda) in products() {
        let (p, beta2) = (process(alpha, 2.5), 2.5_f64);
        let (a, k, l) = (f64::from(alpha), f64::from(kappa), f64::from(lambda));
        let c = (-a * k * l).exp();
        let sigma2 = -beta2 * (-2.0 * a * k * l).exp_m1() / (2.0 * a * k);
        let errors = [
            relative(p.damping(kappa, lambda), c),
            relative(p.noise_variance(kappa, lambda), sigma2),
        ];
        for (worst, error) in worst.iter_mut().zip(errors) {
            *worst = worst.max(error);
        }
    }
    // The bounds of the documentation.
    assert!(worst[0] <= 4e-7 && worst[1] <= 6e-7, "{worst:?}");
}

#[test]
fn the_limits_at_zero_are_exact() {
    let p = process(0.3, 2.0);
    assert_eq!(p.damping(0.0, 0.7), 1.0);
    assert_eq!(p.noise_variance(0.0, 0.7), 2.0 * 0.7);
    assert_eq!(p.damping(9.0, 0.0), 1.0);
    assert_eq!(p.noise_variance(9.0, 0.0), 0.0);
    assert_eq!(process(0.0, 2.0).noise_variance(9.0, 0.5), 1.0);
    // Nothing overflows where nothing of the signal is left.
    assert_eq!(p.damping(1e6, 1.0), 0.0);
    assert!(relative(p.noise_variance(1e6, 1.0), 2.0 / 6e5) < 1e-6);
}

#[test]
fn a_step_from_lambda_to_lambda_plus_delta_is_exact() {
    for (alpha, kappa, lambda) in products().filter(|(a, k, l)| a * k * l < 25.0) {
        let p = process(alpha, 2.0);
        for delta in [lambda, 0.5 * lambda, 1e-3 * lambda] {
            let (c, cd) = (f64::from(p.damping(kappa, lambda)), f64::from(p.damping(kappa, delta)));
            let (s, sd) = (
                f64::from(p.noise_variance(kappa, lambda)),
                f64::from(p.noise_variance(kappa, delta)),
            );
            // λ + δ rounds, so compare with the closed form at the exact sum.
            let (a, k) = (f64::from(alpha), f64::from(kappa));
            let total = f64::from(lambda) + f64::from(delta);
            let exact_c = (-a * k * total).exp();
            let exact_s = -2.0 * (-2.0 * a * k * total).exp_m1() / (2.0 * a * k);
            assert!((c * cd / exact_c - 1.0).abs() < 1e-6, "{alpha} {kappa} {lambda} {delta}");
            assert!(
                ((cd * cd * s + sd) / exact_s - 1.0).abs() < 1e-6,
                "{alpha} {kappa} {lambda} {delta}"
            );
        }
    }
}

#[test]
fn two_steps_are_one_step() {
    // The semigroup on whole fields, without noise; 2⁻⁴ + 2⁻⁵ is exact.
    for grid in grids() {
        let p = process(0.1, 2.0);
        let start = field(grid.points(), 11);
        let (mut two, mut one) = (start.clone(), start);
        p.damp(&grid, 0.0625, Modes::from_mut(&mut two)).expect("a spectrum");
        p.damp(&grid, 0.03125, Modes::from_mut(&mut two)).expect("a spectrum");
        p.damp(&grid, 0.09375, Modes::from_mut(&mut one)).expect("a spectrum");
        assert!(relative_error(&two, &widen(&one)) < 5e-7, "{grid:?}");
    }
}

#[test]
fn a_single_mode_obeys_the_heat_equation() {
    // A basis function decays as exp(−ακλ) and keeps its shape, in grid space.
    for boundary in BOUNDARIES {
        let axis = Axis::new(32, boundary).expect("an axis");
        let grid = Grid::plane(axis, axis).expect("a plane");
        let mut scratch = vec![0.0; scratch_len(&grid)];
        for (j, i) in [(0, 0), (0, 3), (5, 0), (2, 7), (9, 12), (1, 1)] {
            let mode: Vec<f64> = (0..32 * 32)
                .map(|point| basis(&axis, j, point / 32) * basis(&axis, i, point % 32))
                .collect();
            let mut field: Vec<f32> = mode.iter().map(|value| *value as f32).collect();
            let lambda = 0.05;
            forward(&grid, Field::from_mut(&mut field), &mut scratch).expect("a field");
            process(0.3, 2.0).damp(&grid, lambda, Modes::from_mut(&mut field)).expect("a spectrum");
            inverse(&grid, Modes::from_mut(&mut field), &mut scratch).expect("a spectrum");
            let k2 = |index| f64::from(axis.wavenumber(index)).powi(2);
            let decay = (-0.3 * (k2(j) + k2(i)) * f64::from(lambda)).exp();
            let expected: Vec<f64> = mode.iter().map(|value| value * decay).collect();
            // Rounding of the transform is relative to the start, not to what decay has left.
            let error = relative_error(&field, &expected) * decay;
            assert!(error < 1e-6, "{boundary:?} {j} {i}: {error:e}");
        }
    }
}

#[test]
fn a_mode_of_a_short_axis_is_damped_by_its_true_wavenumber() {
    // cos(my) cos(nx) from pole to pole and once around: κ = m² + n², as on the sphere's map.
    use std::f64::consts::PI;
    let short = Axis::reflecting(32).and_then(|axis| axis.with_length(PI as f32)).expect("y");
    let grid = Grid::plane(short, Axis::periodic(64).expect("x")).expect("a plane");
    let h = PI / 32.0;
    let mut scratch = vec![0.0; scratch_len(&grid)];
    for (m, n) in [(1, 0), (0, 1), (3, 4), (7, 2), (12, 9)] {
        let wave = |point: usize| {
            let (y, x) = ((point / 64) as f64 + 0.5, (point % 64) as f64);
            (f64::from(m) * y * h).cos() * (f64::from(n) * x * h).cos()
        };
        let mut field: Vec<f32> = (0..32 * 64).map(|point| wave(point) as f32).collect();
        forward(&grid, Field::from_mut(&mut field), &mut scratch).expect("a field");
        process(0.3, 2.0).damp(&grid, 0.05, Modes::from_mut(&mut field)).expect("a spectrum");
        inverse(&grid, Modes::from_mut(&mut field), &mut scratch).expect("a spectrum");
        let decay = (-0.3 * f64::from(m * m + n * n) * f64::from(0.05_f32)).exp();
        let expected: Vec<f64> = (0..32 * 64).map(|point| decay * wave(point)).collect();
        let error = relative_error(&field, &expected) * decay;
        assert!(error < 1e-6, "{m} {n}: {error:e}");
    }
}

#[test]
fn the_finite_difference_symbol_is_the_difference_operator() {
    // −Δ_h applied to a basis function by differences, against κ times the function.
    for boundary in BOUNDARIES {
        let axis = Axis::new(16, boundary).expect("an axis").with_length(3.0).expect("a length");
        let h = 3.0 / 16.0;
        for index in 0..16 {
            let kappa = f64::from(axis.kappa(Laplacian::FiniteDifference, index));
            for j in 0..16_usize {
                let at = |j: isize| {
                    let j = match boundary {
                        Boundary::Periodic => j.rem_euclid(16),
                        Boundary::Reflecting => j.clamp(0, 15),
                    };
                    basis(&axis, index, j as usize)
                };
                let j = j as isize;
                let minus_laplacian = (2.0 * at(j) - at(j - 1) - at(j + 1)) / (h * h);
                assert!((minus_laplacian - kappa * at(j)).abs() < 1e-4, "{boundary:?} {index}");
            }
        }
    }
}

#[test]
fn eigenvalues_have_the_documented_error() {
    // κ of both symbols against the closed forms in f64, for every length of axis and both
    // boundaries.
    use std::f64::consts::PI;
    for boundary in BOUNDARIES {
        for n in finescale_tests::LENGTHS {
            let axis = Axis::new(n, boundary).expect("an axis");
            let unit = if boundary == Boundary::Periodic { 1.0 } else { 0.5 };
            let h = 2.0 * PI / n as f64;
            for index in 1..n {
                let k = axis.mode(index) as f64 * unit;
                let difference = (2.0 / h * (k * h / 2.0).sin()).powi(2);
                for (laplacian, exact) in
                    [(Laplacian::Spectral, k * k), (Laplacian::FiniteDifference, difference)]
                {
                    let error = relative(axis.kappa(laplacian, index), exact);
                    assert!(error < 5e-7, "{axis:?} {laplacian:?} {index}: {error:e}");
                }
            }
        }
    }
}

#[test]
fn wavenumbers_follow_the_length_of_the_axis() {
    let latitudes =
        Axis::reflecting(32).and_then(|axis| axis.with_length(std::f32::consts::PI)).expect("y");
    assert_eq!(latitudes.wavenumber(31), 31.0);
    assert_eq!(Axis::reflecting(32).expect("y").wavenumber(31), 15.5);
    let short = Axis::periodic(16).and_then(|axis| axis.with_length(1.0)).expect("x");
    assert!((short.wavenumber(2) - std::f32::consts::TAU).abs() < 1e-6);
    assert_eq!(Axis::periodic(16).expect("x").wavenumber(1), 8.0);
    assert!((short.length() - 1.0).abs() < 1e-7);
}

#[test]
fn given_noise_and_generated_noise_are_the_same() {
    for grid in grids().into_iter().filter(|grid| grid.points() <= 1024) {
        let stream = NoiseStream { seed: 1 << 40, member: 1, frame: 2, draw: 3 };
        let mut noise = vec![0.0; grid.points() * 2];
        stream.fill(&mut noise);
        let (mut given, mut generated) = (field(noise.len(), 4), field(noise.len(), 4));
        let p = process(0.1, 2.0);
        p.apply(&grid, 0.2, Modes::from_mut(&mut given), &noise).expect("a spectrum");
        p.apply_stream(&grid, 0.2, Modes::from_mut(&mut generated), &stream).expect("a spectrum");
        assert_eq!(given, generated, "{grid:?}");
    }
}

#[test]
fn refusals_name_the_parameter_and_change_nothing() {
    let grid = Grid::line(Axis::periodic(8).expect("an axis"));
    let p = process(0.1, 2.0);
    let sentence = |result: Result<(), Error>| result.expect_err("a refusal").to_string();
    let mut values = field(16, 1);
    let before = values.clone();
    for (lambda, shown) in [(-0.5, "-0.5"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let said = sentence(p.damp(&grid, lambda, Modes::from_mut(&mut values)));
        assert_eq!(said, format!("lambda is {shown}: it must be not negative and at most 1e6"));
    }
    assert!(sentence(p.damp(&grid, 0.1, Modes::from_mut(&mut values[..15]))).contains("15 values"));
    assert!(
        sentence(p.apply(&grid, 0.1, Modes::from_mut(&mut values), &[0.0; 8])).contains("16 and 8")
    );
    let transformed = |values: &mut [f32], scratch: &mut [f32]| {
        sentence(forward(&grid, Field::from_mut(values), scratch).map(|_| ()))
    };
    assert!(transformed(&mut values, &mut [0.0; 7]).contains("at least 8"));
    assert!(transformed(&mut [], &mut [0.0; 8]).contains("channels of 8 points"));
    assert_eq!(values, before);
    for points in [0, 1, 4, 6, 7, 9, 14, 22, 45, 4098, 8192, usize::MAX] {
        assert_eq!(Axis::periodic(points), Err(Error::AxisPoints { points, most: 4096 }));
    }
    let long = Axis::periodic(2160).expect("an axis");
    assert_eq!(Grid::plane(long, long), Err(Error::AxisPoints { points: 2160, most: 2048 }));
    for (points, nearest) in [(0, 8), (9, 8), (37, 36), (73, 72), (721, 720), (usize::MAX, 4096)] {
        let said = Axis::periodic(points).expect_err("a refusal").to_string();
        assert!(said.ends_with(&format!("from 8 to 4096, such as {nearest}")), "{said}");
    }
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        assert!(ForwardProcess::new(bad, 2.0, Laplacian::Spectral).is_err());
        assert!(ForwardProcess::new(0.1, bad, Laplacian::Spectral).is_err());
        assert!(long.with_length(bad).is_err());
    }
    assert!(long.with_length(0.0).is_err());
}
