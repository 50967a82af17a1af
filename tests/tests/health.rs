//! What was measured is kept whatever its size, and what does not fit the model is told.

use finescale::sampler::{Clip, Coarse, Health, Observation, Online, Sensor, Start};
use finescale::{Axis, Field, Grid, Modes, NoiseStream, Path, Predictor, Sampler, spectral};
use finescale_tests::linear::System;
use finescale_tests::moments::process;

const POINTS: usize = 32;
const WINDOW: usize = 3;
const FRAMES: usize = 6;

fn system() -> System {
    let grid = Grid::line(Axis::periodic(POINTS).expect("an axis"));
    System::new(&grid, f64::from(0.1_f32), 2.0).with_unit_variance()
}

/// Pushes frames of a field in modes; gives fine frames with their health.
fn streamed(system: &System, sensor: Sensor<'_>, frames: &[f32]) -> Vec<(Vec<f32>, Health)> {
    system.with_predictor(WINDOW, |linear| {
        let sampler = Sampler::ancestral(0.2);
        let mut memory = vec![0.0; Online::memory_len(linear.describe(), &sensor, 1)];
        let mut scratch = vec![0.0; Online::scratch_len(&sampler, linear.describe(), 1)];
        let noise = NoiseStream { seed: 4, ..NoiseStream::default() };
        let mut stream = Online::new(sampler, linear.describe(), sensor, 1, noise, &mut memory)
            .expect("a stream");
        let mut fine = Vec::new();
        for frame in frames.chunks_exact(POINTS) {
            let given = stream.push(linear, Modes::new(frame), &mut scratch).expect("a push");
            fine.extend(given.map(|given| (given.values.to_vec(), given.health)));
        }
        fine
    })
}

/// Adds a constant field.
fn offset(frames: &mut [f32], offset: f32) {
    for frame in frames.chunks_exact_mut(POINTS) {
        frame[0] += offset * (POINTS as f32).sqrt();
    }
}

#[test]
fn kelvins_for_degrees_are_kept_and_told() {
    let system = system();
    for r in [0.0, 1e-4] {
        let variances = system.low_modes(r);
        let mut truth = system.trajectory(FRAMES, 3);
        offset(&mut truth, 273.15);
        for (n, (fine, health)) in
            streamed(&system, Sensor::Measured(&variances), &truth).iter().enumerate()
        {
            let mean = fine[0] / (POINTS as f32).sqrt();
            let measured = truth[n * POINTS] / (POINTS as f32).sqrt();
            // What was measured with the variance r may move by a few of its standard deviations.
            let moved = (mean - measured).abs();
            assert!(moved <= 1e-4 + 6.0 * r.sqrt(), "r = {r}, frame {n}: {mean} for {measured}");
            assert!(health.is_alarming(), "{health:?}");
            assert!(health.chi2_per_mode().is_some_and(|chi2| chi2 > 1000.0));
        }
    }
    // The same fields in the right units raise none.
    let variances = system.low_modes(0.0);
    let truth = system.trajectory(40, 3);
    let given = streamed(&system, Sensor::Measured(&variances), &truth);
    let chi2: Vec<f32> = given.iter().filter_map(|(_, health)| health.chi2_per_mode()).collect();
    let mean = chi2.iter().sum::<f32>() / chi2.len() as f32;
    println!("χ² per mode: mean {mean:.2}, largest {:.2}", chi2.iter().fold(0.0, |a, b| b.max(a)));
    assert!((0.6..1.5).contains(&mean), "{mean}");
    for (_, health) in &given {
        assert!(!health.is_alarming() && health.clipped == 0 && health.measured == 9, "{health:?}");
    }
}

#[test]
fn a_broken_pixel_raises_the_alarm_in_its_own_frame() {
    let system = system();
    let variances = system.low_modes(0.0);
    let mut truth = system.trajectory(12, 3);
    let frame = &mut truth[5 * POINTS..6 * POINTS];
    let mut scratch = vec![0.0; spectral::scratch_len(&system.grid)];
    spectral::inverse(&system.grid, Modes::from_mut(frame), &mut scratch).expect("a spectrum");
    frame[13] = 1e4;
    spectral::forward(&system.grid, Field::from_mut(frame), &mut scratch).expect("a field");
    for sensor in [Sensor::Measured(&variances), Sensor::Coarse(Coarse::Clean)] {
        let mut input = truth.clone();
        if matches!(sensor, Sensor::Coarse(_)) {
            for frame in input.chunks_exact_mut(POINTS) {
                process(&system)
                    .damp(&system.grid, 0.2, Modes::from_mut(frame))
                    .expect("a spectrum");
            }
        }
        for (n, (fine, health)) in streamed(&system, sensor, &input).iter().enumerate() {
            assert_eq!(health.is_alarming(), n == 5, "frame {n}: {health:?}");
            assert!(fine.iter().all(|u| u.is_finite()));
        }
    }
}

#[test]
fn bounds_leave_held_modes_where_they_are() {
    // Both samplers' bounds, on a measurement a hundred standard deviations out.
    let system = system();
    let variances = system.low_modes(0.0);
    let mut values = system.trajectory(FRAMES, 8);
    offset(&mut values, 100.0);
    let observation =
        Observation::new(&system.grid, Path::modes(&values), &variances).expect("an observation");
    let clip = Some(Clip { state: 0.5, score: 4.0 });
    let paper =
        Sampler { lambdas: Sampler::ancestral(0.2).lambdas, ..Sampler::published(0.2, 0.3) };
    let clamped = Sampler { clamp: Some(3.0), ..Sampler::ancestral(0.2) };
    for sampler in
        [Sampler::ancestral(0.2), Sampler { clip, ..Sampler::ancestral(0.2) }, clamped, paper]
    {
        system.with_predictor(WINDOW, |linear| {
            let mut scratch = vec![0.0; sampler.scratch_len(linear.describe(), FRAMES)];
            let mut path = vec![0.0; FRAMES * POINTS];
            let stream = NoiseStream { seed: 2, ..NoiseStream::default() };
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
            for ((u, y), r) in path.iter().zip(&values).zip(variances.iter().cycle()) {
                assert!(*r > 0.0 || (u - y).abs() < 1e-4 * (1.0 + y.abs()), "{sampler:?}: {u} {y}");
            }
            assert!(health.is_alarming());
            if sampler.clip == clip {
                assert!(health.clipped > 0, "half a standard deviation was never reached");
            }
        });
    }
}

#[test]
fn health_counts_what_was_measured() {
    let nothing = Health::default();
    assert_eq!(nothing.chi2_per_mode(), None);
    assert!(!nothing.is_alarming());
    let health = Health { chi2: 41.0, measured: 10, clipped: 0 };
    assert_eq!(health.chi2_per_mode(), Some(4.1));
    assert!(health.is_alarming());
    // A measurement of the largest size is no infinite χ².
    let system = system();
    let values = vec![f32::MAX; POINTS];
    let variances = vec![0.0; POINTS];
    let observation =
        Observation::new(&system.grid, Path::modes(&values), &variances).expect("an observation");
    system.with_predictor(WINDOW, |linear| {
        let sampler = Sampler::ancestral(0.2);
        let mut scratch = vec![0.0; sampler.scratch_len(linear.describe(), 1)];
        let mut path = vec![0.0; POINTS];
        let stream = NoiseStream::default();
        let given = sampler.generate(
            linear,
            Start::Gaussian,
            Some(&observation),
            &stream,
            Path::modes_mut(&mut path),
            &mut scratch,
        );
        if let Ok(health) = given {
            assert!(health.chi2.is_finite() && health.is_alarming());
        }
    });
}
