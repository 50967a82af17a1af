//! Readings that are missing or worse than others: a fill is not a measurement.

use finescale::sampler::{
    Coarse, Health, NoiseRule, Observation, Online, Reading, Schedule, Sensor, Start, StepRule,
    Uncertainty, pixel_measurement, pixel_measurement_scratch_len,
};
use finescale::{
    Axis, Boundary, Error, Field, Grid, Modes, NoiseStream, Path, Predictor, Sampler, spectral,
};
use finescale_tests::linear::System;
use finescale_tests::moments::process;
use finescale_tests::{basis, field};
use nalgebra::{DMatrix, DVector};

const POINTS: usize = 32;
const WINDOW: usize = 3;

fn system() -> System {
    let grid = Grid::line(Axis::periodic(POINTS).expect("an axis"));
    System::new(&grid, f64::from(0.1_f32), 2.0).with_unit_variance()
}

fn sampler() -> Sampler {
    Sampler {
        lambdas: Schedule::Geometric { steps: 6, smallest: 2e-3 },
        step: StepRule::Ancestral(NoiseRule::Linear),
        ..Sampler::ancestral(0.2)
    }
}

/// Fine frames, and the health of each.
fn streamed(
    system: &System,
    sensor: Sensor<'_>,
    lag: usize,
    member: u32,
    readings: &[Reading<'_>],
) -> Vec<(Vec<f32>, Health)> {
    system.with_predictor(WINDOW, |linear| {
        let sampler = sampler();
        let mut memory = vec![f32::NAN; Online::memory_len(linear.describe(), &sensor, lag)];
        let mut scratch = vec![f32::NAN; Online::scratch_len(&sampler, linear.describe(), lag)];
        let noise = NoiseStream { seed: 5, member, ..NoiseStream::default() };
        let mut stream = Online::new(sampler, linear.describe(), sensor, lag, noise, &mut memory)
            .expect("a stream");
        let mut fine = Vec::new();
        for reading in readings {
            let given = stream.push(linear, *reading, &mut scratch).expect("a push");
            fine.extend(given.map(|given| (given.values.to_vec(), given.health)));
        }
        fine
    })
}

/// Mean square of a − b over the modes where `which` holds.
fn error(a: &[f32], b: &[f32], variances: &[f32], which: impl Fn(f32) -> bool) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for ((a, b), r) in a.iter().zip(b).zip(variances) {
        if which(*r) {
            sum += f64::from(a - b).powi(2);
            count += 1.0;
        }
    }
    sum / count
}

#[test]
fn a_missing_frame_is_drawn_and_the_stream_goes_on() {
    let system = system();
    let variances = system.low_modes(0.0);
    let lost = 7;
    let (mut drawn, mut climate, mut held, members) = (0.0, 0.0, 0.0, 12);
    for member in 0..members {
        let truth = system.trajectory(12, u64::from(member) + 40);
        let readings: Vec<_> = truth
            .chunks_exact(POINTS)
            .enumerate()
            .map(|(n, u)| if n == lost { Reading::Missing } else { Reading::Frame(Modes::new(u)) })
            .collect();
        for sensor in [Sensor::Measured(&variances), Sensor::Coarse(Coarse::Clean)] {
            let fine = streamed(&system, sensor, 1, member, &readings);
            assert_eq!(fine.len(), 11);
            for (n, (fine, health)) in fine.iter().enumerate() {
                assert!(fine.iter().all(|u| u.is_finite()));
                assert_eq!(health.measured == 0, n == lost, "frame {n}");
                assert!(health.clipped < 3, "{health:?}");
            }
            if matches!(sensor, Sensor::Measured(_)) {
                let at = |n: usize| &truth[n * POINTS..(n + 1) * POINTS];
                let low = |r: f32| r == 0.0;
                drawn += error(&fine[lost].0, at(lost), &variances, low) / f64::from(members);
                let zero = vec![0.0; POINTS];
                climate += error(&zero, at(lost), &variances, low) / f64::from(members);
                held += error(&fine[lost + 1].0, at(lost + 1), &variances, low);
            }
        }
    }
    // Drawn from its neighbours it is far nearer to the truth than the climate is, but it is not
    // held; the next frame is.
    println!("error of the lost frame over the climate's: {:.3}", drawn / climate);
    assert!(drawn < 0.5 * climate && drawn > 1e-4 * climate, "{drawn} {climate}");
    assert!(held < 1e-9);
}

#[test]
fn a_missing_frame_is_no_fill() {
    // A frame of zeros that is a measurement is followed; a missing frame is not one of zeros.
    let system = system();
    let variances = system.low_modes(0.0);
    let truth = system.trajectory(10, 3);
    let zeros = vec![0.0; POINTS];
    let with = |lost: Reading<'static>| {
        let readings: Vec<_> = truth
            .chunks_exact(POINTS)
            .enumerate()
            .map(|(n, u)| if n == 6 { lost } else { Reading::Frame(Modes::new(u)) })
            .collect();
        streamed(&system, Sensor::Measured(&variances), 1, 0, &readings)
    };
    let filled = with(Reading::Frame(Modes::new(&[0.0; POINTS])));
    let missing = with(Reading::Missing);
    let low = |r: f32| r == 0.0;
    assert!(error(&filled[6].0, &zeros, &variances, low) < 1e-12);
    assert!(error(&missing[6].0, &zeros, &variances, low) > 0.05);
}

#[test]
fn variances_of_each_frame_are_those_of_all_where_they_are_equal() {
    let system = system();
    let variances = system.low_modes(0.01);
    let truth = system.trajectory(9, 8);
    let frames = || truth.chunks_exact(POINTS);
    let alike: Vec<_> = frames().map(|values| Reading::Frame(Modes::new(values))).collect();
    let each: Vec<_> = frames()
        .map(|values| Reading::Varying { values: Modes::new(values), variances: &variances })
        .collect();
    let values = |fine: Vec<(Vec<f32>, Health)>| fine.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    let one = values(streamed(&system, Sensor::Measured(&variances), 1, 0, &alike));
    let other = values(streamed(&system, Sensor::MeasuredVarying, 1, 0, &each));
    assert_eq!(one, other);
    // A frame of which nothing was measured is a missing one.
    let nothing = [f32::INFINITY; POINTS];
    let lost = |n: usize, reading: Reading<'static>, each: &[Reading<'static>]| {
        let mut each = each.to_vec();
        each[n] = reading;
        each
    };
    let truth: &'static [f32] = Box::leak(truth.clone().into_boxed_slice());
    let variances: &'static [f32] = Box::leak(variances.clone().into_boxed_slice());
    let nothing: &'static [f32] = Box::leak(Box::new(nothing));
    let each: Vec<Reading<'static>> = truth
        .chunks_exact(POINTS)
        .map(|values| Reading::Varying { values: Modes::new(values), variances })
        .collect();
    let blind = Reading::Varying { values: Modes::new(&truth[..POINTS]), variances: nothing };
    let missing =
        streamed(&system, Sensor::MeasuredVarying, 1, 0, &lost(4, Reading::Missing, &each));
    let blind = streamed(&system, Sensor::MeasuredVarying, 1, 0, &lost(4, blind, &each));
    assert_eq!(values(missing), values(blind));
}

#[test]
fn coarse_frames_with_errors_have_the_noise_that_is_left() {
    // √r of error and √(Σ − r) of noise are the √Σ of a clean frame.
    let system = system();
    let truth = system.trajectory(5, 1);
    let mut coarse = truth.clone();
    let process = process(&system);
    for frame in coarse.chunks_exact_mut(POINTS) {
        process.damp(&system.grid, 0.2, Modes::from_mut(frame)).expect("a spectrum");
    }
    let stream = NoiseStream { seed: 3, ..NoiseStream::default() };
    system.with_predictor(WINDOW, |linear| {
        let sampler = sampler();
        let mut scratch = vec![0.0; sampler.scratch_len(linear.describe(), 5)];
        let mut run = |coarse: Coarse<'_>, path: &[f32]| {
            let mut path = path.to_vec();
            sampler
                .super_resolve(
                    linear,
                    coarse,
                    None,
                    &stream,
                    Path::modes_mut(&mut path),
                    &mut scratch,
                )
                .expect("a path");
            path
        };
        let clean = run(Coarse::Clean, &coarse);
        let exact = Uncertainty::default();
        assert_eq!(clean, run(Coarse::Uncertain(exact), &coarse));
        // As noisy as λ itself: that noise is taken as it is.
        let noise: Vec<f32> = system
            .grid
            .kappas(process.laplacian())
            .map(|kappa| process.noise_variance(kappa, 0.2))
            .collect();
        let full = Uncertainty { variances: &noise, missing: &[] };
        assert_eq!(run(Coarse::Noised, &coarse), run(Coarse::Uncertain(full), &coarse));
        // Noisier than λ: what the path holds is not read, not even where it is no number.
        let nothing = vec![f32::INFINITY; POINTS];
        let blind = Uncertainty { variances: &nothing, missing: &[] };
        let empty = vec![f32::NAN; 5 * POINTS];
        let drawn = run(Coarse::Uncertain(blind), &empty);
        assert_eq!(drawn, run(Coarse::Uncertain(blind), &coarse));
        assert!(drawn.iter().all(|u| u.is_finite()));
        let missing = [true; 5];
        let lost = Uncertainty { variances: &[], missing: &missing };
        assert_eq!(drawn, run(Coarse::Uncertain(lost), &empty));
    });
}

#[test]
fn a_frame_with_its_own_variance_gets_its_own_weight() {
    // Of two frames the noisier one is followed less: an observation of frames that differ.
    let system = system();
    let truth = system.trajectory(4, 2);
    let worse: Vec<f32> = system.low_modes(0.05);
    let exact: Vec<f32> = system.low_modes(0.0);
    let variances = [exact.clone(), worse.clone(), exact.clone(), exact.clone()].concat();
    let observation =
        Observation::new(&system.grid, Path::modes(&truth), &variances).expect("an observation");
    system.with_predictor(WINDOW, |linear| {
        let sampler = sampler();
        let mut scratch = vec![0.0; sampler.scratch_len(linear.describe(), 4)];
        let mut path = vec![f32::NAN; 4 * POINTS];
        let stream = NoiseStream { seed: 9, ..NoiseStream::default() };
        let seen = Some(&observation);
        let health = sampler
            .generate(
                linear,
                Start::Rollout,
                seen,
                &stream,
                Path::modes_mut(&mut path),
                &mut scratch,
            )
            .expect("a path");
        assert_eq!(health.measured, 4 * 9);
        for (n, (fine, truth)) in
            path.chunks_exact(POINTS).zip(truth.chunks_exact(POINTS)).enumerate()
        {
            let off = error(fine, truth, &exact, |r| r == 0.0);
            if n == 1 {
                assert!(off > 1e-5 && off < 0.2, "frame 1: {off}");
            } else {
                assert!(off < 1e-10, "frame {n}: {off}");
            }
        }
    });
}

#[test]
fn a_wrong_kind_of_reading_is_named() {
    let system = system();
    let variances = system.low_modes(0.0);
    let values = [0.0; POINTS];
    system.with_predictor(WINDOW, |linear| {
        let sampler = sampler();
        let mut scratch = vec![0.0; Online::scratch_len(&sampler, linear.describe(), 1)];
        let mut refused = |sensor: Sensor<'_>, reading: Reading<'_>| {
            let mut memory = vec![0.0; Online::memory_len(linear.describe(), &sensor, 1)];
            let noise = NoiseStream::default();
            let mut stream = Online::new(sampler, linear.describe(), sensor, 1, noise, &mut memory)
                .expect("one");
            stream.push(linear, reading, &mut scratch).err()
        };
        let varying = |variances| Reading::Varying { values: Modes::new(&values), variances };
        let conflict = Some("reading");
        let name = |error: Option<Error>| match error {
            Some(Error::Conflict { name, .. }) => Some(name),
            _ => None,
        };
        assert_eq!(name(refused(Sensor::Measured(&variances), varying(&variances))), conflict);
        assert_eq!(
            name(refused(Sensor::MeasuredVarying, Reading::Frame(Modes::new(&values)))),
            conflict
        );
        let short = refused(Sensor::MeasuredVarying, varying(&variances[..9]));
        assert!(matches!(short, Some(Error::FieldLength { values: 9, .. })));
        let mut negative = variances.clone();
        negative[3] = -1.0;
        let said = refused(Sensor::CoarseVarying, varying(&negative));
        assert!(matches!(said, Some(Error::Parameter { name: "variances", .. })));
    });
}

/// Q, mode by point, in f64.
fn transform(grid: &Grid) -> DMatrix<f64> {
    let (nx, ny) = (grid.nx(), grid.ny());
    DMatrix::from_fn(grid.points(), grid.points(), |mode, point| {
        let y = grid.y().map_or(1.0, |y| basis(&y, mode / nx, point / nx));
        assert!(ny * nx == grid.points());
        y * basis(&grid.x(), mode % nx, point % nx)
    })
}

#[test]
fn pixels_give_the_posterior_of_every_mode() {
    let axis = |n, boundary| Axis::new(n, boundary).expect("an axis");
    let grids = [
        Grid::line(axis(16, Boundary::Periodic)),
        Grid::line(axis(32, Boundary::Reflecting)),
        Grid::plane(axis(8, Boundary::Reflecting), axis(8, Boundary::Periodic)).expect("a plane"),
    ];
    for grid in grids {
        let n = grid.points();
        let power: Vec<f32> =
            grid.wavenumbers().map(|(ky, kx)| 4.0 / (1.0 + (ky.hypot(kx) / 2.0).powi(4))).collect();
        let pixels = field(n, 6);
        // Nearly exact pixels, noisy ones, and both with some missing and some worse.
        for (r, missing, worse) in
            [(1e-4, 0, 0), (0.1, 0, 0), (1e-4, 3, 0), (0.1, 5, 2), (0.0, 1, 3)]
        {
            let mut variances = vec![r; n];
            let mut values = pixels.clone();
            for m in 0..missing {
                variances[(5 * m + 2) % n] = f32::INFINITY;
                values[(5 * m + 2) % n] = f32::NAN;
            }
            for w in 0..worse {
                variances[(7 * w + 4) % n] += 0.5 + w as f32;
            }
            // Mean and variance of every mode given the pixels that are there.
            let there: Vec<usize> = (0..n).filter(|n| variances[*n].is_finite()).collect();
            let q = transform(&grid);
            let prior = DMatrix::from_diagonal(&DVector::from_iterator(
                n,
                power.iter().map(|p| f64::from(*p)),
            ));
            let seen = DMatrix::from_fn(there.len(), n, |i, mode| q[(mode, there[i])]);
            let mut covariance = &seen * &prior * seen.transpose();
            for (i, at) in there.iter().enumerate() {
                covariance[(i, i)] += f64::from(variances[*at]);
            }
            let y =
                DVector::from_iterator(there.len(), there.iter().map(|n| f64::from(values[*n])));
            let inverse = covariance.try_inverse().expect("positive");
            let gain = &prior * seen.transpose() * inverse;
            let mean = &gain * y;
            let posterior = &prior - &gain * &seen * &prior;

            let mut scratch = vec![f32::NAN; pixel_measurement_scratch_len(&grid, &variances)];
            pixel_measurement(
                &grid,
                &power,
                Field::coarse_mut(&mut values),
                &mut variances,
                &mut scratch,
            )
            .expect("modes");
            for k in 0..n {
                let (p, y, r) =
                    (f64::from(power[k]), f64::from(values[k]), f64::from(variances[k]));
                let left = posterior[(k, k)];
                let found = if r.is_finite() { p * r / (p + r) } else { p };
                let at = if r.is_finite() { y * p / (p + r) } else { 0.0 };
                let scale = p.sqrt();
                let (off, wide) = ((at - mean[k]).abs() / scale, (found - left).abs() / p);
                assert!(
                    off < 2e-3 && wide < 1e-3,
                    "{grid:?} {k}: {off} {wide} ({missing} missing)"
                );
            }
        }
    }
}

#[test]
fn equal_pixels_are_their_spectrum() {
    let grid = Grid::line(Axis::periodic(16).expect("an axis"));
    let (power, pixels) = (vec![1.0; 16], field(16, 2));
    let mut spectrum = pixels.clone();
    spectral::forward(&grid, Field::from_mut(&mut spectrum), &mut [0.0; 16]).expect("a field");
    let (mut values, mut variances) = (pixels.clone(), vec![0.25; 16]);
    let mut scratch = vec![0.0; pixel_measurement_scratch_len(&grid, &variances)];
    pixel_measurement(&grid, &power, Field::coarse_mut(&mut values), &mut variances, &mut scratch)
        .expect("modes");
    assert_eq!(values, spectrum);
    assert!(variances.iter().all(|r| (r - 0.25).abs() < 1e-6));
    // Nothing measured: nothing known.
    let (mut values, mut variances) = (vec![f32::NAN; 16], vec![f32::INFINITY; 16]);
    pixel_measurement(&grid, &power, Field::coarse_mut(&mut values), &mut variances, &mut scratch)
        .expect("modes");
    assert!(values.iter().all(|y| *y == 0.0) && variances.iter().all(|r| r.is_infinite()));
    // A pixel that is no number, and is not said to be missing.
    let (mut values, mut variances) = (pixels, vec![0.25; 16]);
    values[9] = f32::NAN;
    let said = pixel_measurement(
        &grid,
        &power,
        Field::coarse_mut(&mut values),
        &mut variances,
        &mut scratch,
    );
    assert_eq!(said, Err(Error::NotFinite { name: "pixels", index: 9 }));
    assert!(variances.iter().all(|r| *r == 0.25));
}

#[test]
fn variances_go_between_grids_as_fields_do() {
    let line = |n| Grid::line(Axis::periodic(n).expect("an axis"));
    let (fine, coarse) = (line(32), line(8));
    let power: Vec<f32> = (0..32).map(|k| 1.0 / (1.0 + k as f32)).collect();
    let mut seen = [0.0; 8];
    spectral::coarsen_variances(&fine, &power, &coarse, &mut seen).expect("grids fit");
    let mut back = [0.0; 32];
    spectral::refine_variances(&coarse, &seen, &fine, &mut back).expect("grids fit");
    for (k, (back, power)) in back.iter().zip(&power).enumerate() {
        // Index 1 of the coarse grid is its Nyquist.
        let told = k < 8 && k != 1;
        assert!(if told { (back / power - 1.0).abs() < 1e-6 } else { back.is_infinite() }, "{k}");
    }
    // A unit mode, refined, has the power that a unit variance has.
    let mut unit = [0.0; 8];
    unit[4] = 1.0;
    let (mut mode, mut variance) = ([0.0; 32], [0.0; 32]);
    spectral::refine(&coarse, Modes::coarse(&unit), &fine, Modes::from_mut(&mut mode))
        .expect("grids fit");
    spectral::refine_variances(&coarse, &[1.0; 8], &fine, &mut variance).expect("grids fit");
    assert!((mode[4] * mode[4] - variance[4]).abs() < 1e-5);
}
