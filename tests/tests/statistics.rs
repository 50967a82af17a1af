//! The forward process as a random process: empirical mean and covariance against C and Σ.

use std::f32::consts::PI;

use finescale::spectral::{RadialBins, forward, inverse, power_spectrum, scratch_len};
use finescale::{Axis, Boundary, Field, ForwardProcess, Grid, Laplacian, Modes, NoiseStream};
use finescale_tests::{BOUNDARIES, field};

const MEMBERS: u32 = 20_000;
const LAMBDA: f32 = 0.2;
/// 64 modes are looked at; two-sided 5.2 standard errors leave 1.3e-5 for a false alarm in any.
const SIGMAS: f64 = 5.2;

fn process() -> ForwardProcess {
    ForwardProcess::new(0.1, 2.0, Laplacian::Spectral).expect("valid parameters")
}

#[test]
fn mean_and_covariance_of_the_modes_are_c_and_sigma() {
    let axis = Axis::periodic(8).expect("x");
    let grid = Grid::plane(Axis::reflecting(8).expect("y"), axis).expect("a plane");
    let start = field(64, 3);
    let (mut sum, mut products) = (vec![0.0; 64], vec![0.0; 64 * 64]);
    for member in 0..MEMBERS {
        let mut modes = start.clone();
        let stream = NoiseStream { seed: 5, member, ..Default::default() };
        process()
            .apply_stream(&grid, LAMBDA, Modes::from_mut(&mut modes), &stream)
            .expect("a spectrum");
        let deviations: Vec<f64> = modes
            .iter()
            .zip(&start)
            .zip(grid.kappas(Laplacian::Spectral))
            .map(|((u, s), kappa)| f64::from(*u) - f64::from(process().damping(kappa, LAMBDA) * s))
            .collect();
        for (i, d) in deviations.iter().enumerate() {
            sum[i] += d;
            for (product, e) in products[i * 64..][..64].iter_mut().zip(&deviations) {
                *product += d * e;
            }
        }
    }
    let n = f64::from(MEMBERS);
    let variance: Vec<f64> = grid
        .kappas(Laplacian::Spectral)
        .map(|kappa| f64::from(process().noise_variance(kappa, LAMBDA)))
        .collect();
    for i in 0..64 {
        let mean = sum[i] / n;
        assert!(mean.abs() < SIGMAS * (variance[i] / n).sqrt(), "mean of mode {i}: {mean}");
        for j in 0..64 {
            let covariance = products[i * 64 + j] / n;
            let (expected, spread) = if i == j { (variance[i], 2.0_f64) } else { (0.0, 1.0) };
            // 4096 entries: one more standard error.
            let error = (SIGMAS + 1.0) * (spread * variance[i] * variance[j] / n).sqrt();
            assert!((covariance - expected).abs() < error, "modes {i}, {j}: {covariance}");
        }
    }
}

#[test]
fn two_noisy_steps_have_the_variance_of_one() {
    let grid = Grid::line(Axis::reflecting(64).expect("x"));
    let mut squares = vec![0.0; 64];
    for member in 0..MEMBERS {
        let mut modes = vec![0.0; 64];
        for (step, lambda) in [(0, 0.15), (1, 0.05)] {
            let stream = NoiseStream { seed: 6, member, frame: 0, draw: step };
            process()
                .apply_stream(&grid, lambda, Modes::from_mut(&mut modes), &stream)
                .expect("a spectrum");
        }
        for (sum, u) in squares.iter_mut().zip(&modes) {
            *sum += f64::from(*u).powi(2);
        }
    }
    let n = f64::from(MEMBERS);
    for (i, kappa) in grid.kappas(Laplacian::Spectral).enumerate() {
        let expected = f64::from(process().noise_variance(kappa, LAMBDA));
        let ratio = squares[i] / n / expected;
        assert!((ratio - 1.0).abs() < SIGMAS * (2.0 / n).sqrt(), "mode {i}: {ratio}");
    }
}

#[test]
fn white_noise_in_the_modes_is_white_on_the_grid() {
    // At κ = 0 throughout (α = 0) the process adds β²λ to every point and correlates none.
    let grid = Grid::plane(Axis::periodic(16).expect("y"), Axis::reflecting(8).expect("x"))
        .expect("a plane");
    let white = ForwardProcess::new(0.0, 4.0, Laplacian::Spectral).expect("valid parameters");
    let mut scratch = vec![0.0; scratch_len(&grid)];
    let (mut variance, mut neighbours) = (vec![0.0; 128], vec![0.0; 127]);
    let n = 4000;
    for member in 0..n {
        let mut noise = vec![0.0; 128];
        let stream = NoiseStream { seed: 8, member, ..Default::default() };
        white.apply_stream(&grid, 0.25, Modes::from_mut(&mut noise), &stream).expect("a spectrum");
        inverse(&grid, Modes::from_mut(&mut noise), &mut scratch).expect("a spectrum");
        for (i, v) in noise.iter().enumerate() {
            variance[i] += f64::from(v * v) / f64::from(n);
        }
        for (i, pair) in noise.windows(2).enumerate() {
            neighbours[i] += f64::from(pair[0] * pair[1]) / f64::from(n);
        }
    }
    let error = SIGMAS / f64::from(n).sqrt();
    assert!(variance.iter().all(|v| (v - 1.0).abs() < error * 2.0_f64.sqrt()), "{variance:?}");
    assert!(neighbours.iter().all(|v| v.abs() < error), "{neighbours:?}");
}

#[test]
fn power_spectra_add_up_and_sit_in_their_shells() {
    // No shell may be empty, whatever the lengths of the axes.
    let stretched = BOUNDARIES.map(|by| {
        [0.3, 1.7, PI, 9.0].map(|length| {
            let y = Axis::new(32, by).and_then(|axis| axis.with_length(length)).expect("y");
            Grid::plane(y, Axis::periodic(64).expect("x")).expect("a plane")
        })
    });
    for grid in finescale_tests::grids().into_iter().chain(stretched.into_iter().flatten()) {
        let bins = RadialBins::new(&grid);
        let mut spectrum = field(grid.points(), 2);
        forward(&grid, Field::from_mut(&mut spectrum), &mut vec![0.0; scratch_len(&grid)])
            .expect("a field");
        let (mut power, mut modes) = (vec![0.0; bins.count()], vec![0; bins.count()]);
        power_spectrum(&grid, &bins, Modes::new(&spectrum), &mut power, &mut modes)
            .expect("a spectrum");
        assert_eq!(modes.iter().sum::<u32>() as usize, grid.points());
        assert!(modes.iter().all(|n| *n > 0), "{grid:?}: an empty shell in {modes:?}");
        let total: f64 = power.iter().zip(&modes).map(|(p, n)| f64::from(*p) * f64::from(*n)).sum();
        let squares: f64 = spectrum.iter().map(|u| f64::from(*u).powi(2)).sum();
        assert!((total / squares - 1.0).abs() < 2e-6, "{grid:?}");
        // The mean of each shell in f64.
        for bin in 0..bins.count() {
            let members =
                spectrum.iter().zip(grid.wavenumbers()).filter(|(_, k)| bins.bin(*k) == bin);
            let mean =
                members.map(|(u, _)| f64::from(*u).powi(2)).sum::<f64>() / f64::from(modes[bin]);
            assert!((f64::from(power[bin]) / mean - 1.0).abs() < 2e-6, "{grid:?} shell {bin}");
        }
    }
}

#[test]
fn shells_are_round_of_the_wavenumber() {
    let plane = Grid::plane(Axis::periodic(16).expect("y"), Axis::periodic(16).expect("x"))
        .expect("a plane");
    let bins = RadialBins::new(&plane);
    // The corner mode has |k| = 8√2 = 11.3.
    assert_eq!((bins.count(), bins.width()), (12, 1.0));
    assert_eq!(bins.bin((3.0, 4.0)), 5);
    assert_eq!(bins.bin((0.0, 0.4)), 0);
    // From pole to pole beside once around: one unit for both. Shorter than that, its unit is the
    // width.
    let with_latitudes = |length| {
        let y = Axis::reflecting(8).and_then(|axis| axis.with_length(length)).expect("y");
        RadialBins::new(&Grid::plane(y, Axis::periodic(16).expect("x")).expect("a plane"))
    };
    assert_eq!((with_latitudes(PI).count(), with_latitudes(PI).width()), (12, 1.0));
    assert_eq!(with_latitudes(PI).bin((3.0, 4.0)), 5);
    assert_eq!(
        (with_latitudes(PI / 2.0).width(), with_latitudes(PI / 2.0).bin((6.0, 8.0))),
        (2.0, 5)
    );
    // A reflecting line has a mode in every half wavenumber.
    let line = RadialBins::new(&Grid::line(Axis::reflecting(16).expect("x")));
    assert_eq!((line.count(), line.width(), line.wavenumber(3)), (16, 0.5, 1.5));
}

/// One step of the heat equation by differences, on the grid alone: isotropic where the points are
/// equally far apart.
fn diffused(grid: &Grid, field: &[f32]) -> Vec<f32> {
    let neighbour = |axis: &Axis, at: usize, step: isize| {
        let (at, n) = (at as isize + step, axis.points() as isize);
        match axis.boundary() {
            Boundary::Periodic => at.rem_euclid(n) as usize,
            Boundary::Reflecting => at.clamp(0, n - 1) as usize,
        }
    };
    let (y, x) = (grid.y().expect("a plane"), grid.x());
    (0..field.len())
        .map(|point| {
            let (j, i) = (point / x.points(), point % x.points());
            let rows = [-1, 1].map(|step| field[neighbour(&y, j, step) * x.points() + i]);
            let columns = [-1, 1].map(|step| field[j * x.points() + neighbour(&x, i, step)]);
            let around: f32 = rows.iter().chain(&columns).sum();
            0.6 * field[point] + 0.1 * around
        })
        .collect()
}

#[test]
fn an_isotropic_filter_has_one_spectrum_along_both_axes() {
    // Half as many points on half the length: if |k| were wrong along y, equal wavenumbers would
    // differ in power.
    for boundary in BOUNDARIES {
        let y = Axis::new(32, boundary).and_then(|axis| axis.with_length(PI)).expect("y");
        let x = Axis::periodic(64).expect("x");
        let grid = Grid::plane(y, x).expect("a plane");
        let bins = RadialBins::new(&grid);
        let mut scratch = vec![0.0; scratch_len(&grid)];
        // White: equal power in every mode.
        let mut field = vec![1.0; grid.points()];
        inverse(&grid, Modes::from_mut(&mut field), &mut scratch).expect("a spectrum");
        for _ in 0..4 {
            field = diffused(&grid, &field);
        }
        forward(&grid, Field::from_mut(&mut field), &mut scratch).expect("a field");
        let along_y = (0..32).map(|j| (y.wavenumber(j), field[j * 64].powi(2)));
        let along_x = |k: f32| (0..64).find(|&i| x.wavenumber(i) == k).expect("a wavenumber of x");
        for (k, power) in along_y {
            let other = field[along_x(k)].powi(2);
            assert!((power - other).abs() < 1e-5 * other, "{boundary:?} k = {k}: {power} {other}");
            assert_eq!(bins.bin((k, 0.0)), bins.bin((0.0, k)));
            // exp(−2 · 4 · 0.1 k²h²) in the limit of small k, h = 2π/64.
            let expected = (-0.8 * (k * 2.0 * PI / 64.0).powi(2)).exp();
            assert!(
                k > 4.0 || (power / expected - 1.0).abs() < 0.02,
                "k = {k}: {power} {expected}"
            );
        }
    }
}
