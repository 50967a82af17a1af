//! What a sampler refuses it refuses before it has written anything, in a sentence that names what
//! was given.

use finescale::predictor::{Linear, Prepared};
use finescale::sampler::{
    Clip, Coarse, Langevin, Observation, Online, Schedule, Score, Sensor, Start, simulate,
};
use finescale::{
    Axis, Error, ForwardProcess, Grid, Laplacian, Modes, NoiseStream, Path, Predictor, Sampler,
};
use finescale_tests::changed::{Changed, Changes};
use finescale_tests::linear::System;
use finescale_tests::moments::process;

const POINTS: usize = 16;
const FRAMES: usize = 4;
const WINDOW: usize = 2;

fn system() -> System {
    System::new(&Grid::line(Axis::periodic(POINTS).expect("an axis")), f64::from(0.1_f32), 2.0)
}

fn with_predictor<T>(use_it: impl FnOnce(&mut Linear<'_>, &mut [f32]) -> T) -> T {
    system().with_predictor(WINDOW, |linear| {
        let mut scratch =
            vec![0.0; Sampler::published(1.0, 0.7).scratch_len(linear.describe(), FRAMES)];
        use_it(linear, &mut scratch)
    })
}

/// Samplers that no task may start with, and the name that the refusal must begin with.
fn refused() -> Vec<(Sampler, &'static str)> {
    let ours = Sampler::ancestral(0.3);
    let geometric =
        |steps, smallest| Sampler { lambdas: Schedule::Geometric { steps, smallest }, ..ours };
    let power = |steps, exponent| Sampler { lambdas: Schedule::Power { steps, exponent }, ..ours };
    let equal = |step| Sampler { lambdas: Schedule::Equal { step }, ..ours };
    let clip = |state, score| Sampler { clip: Some(Clip { state, score }), ..ours };
    let snr = |snr| Sampler { correctors: Some(Langevin { count: 1, snr }), ..ours };
    let clamp = |clamp| Sampler { clamp: Some(clamp), ..ours };
    let mut refused = vec![
        (geometric(8, 0.3), "smallest"),
        (geometric(8, 0.5), "smallest"),
        (geometric(8, f32::INFINITY), "smallest"),
        (geometric(8, 1e-30), "smallest"),
        (geometric(u32::MAX, 1e-3), "steps"),
        (geometric(0, 1e-3), "steps"),
        (power(8, 200), "exponent"),
        (power(1000, 5), "exponent"),
        (power(8, 0), "exponent"),
        (equal(1e-9), "step"),
        (equal(0.0), "step"),
        (equal(f32::NAN), "step"),
        (Sampler { score: Score::Head, ..ours }, "this predictor estimates no noise"),
    ];
    for bad in [f32::NAN, f32::INFINITY, -1.0, 0.0] {
        refused.push((Sampler { lambda: bad, ..ours }, "lambda"));
        refused.push((clip(bad, 4.0), "clip.state"));
        refused.push((clip(5.0, bad), "clip.score"));
        refused.push((snr(bad), "correctors.snr"));
        refused.push((clamp(bad), "clamp"));
    }
    refused.push((Sampler { lambda: f32::MAX, ..ours }, "lambda"));
    refused.push((Sampler { lambda: f32::MAX, ..Sampler::published(1.0, 0.7) }, "lambda"));
    refused
}

#[test]
fn nothing_is_written_by_what_is_refused() {
    let grid = system().grid;
    let before = finescale_tests::field(FRAMES * POINTS, 3);
    let known = finescale_tests::field(POINTS, 4);
    let observation = Observation::known(&grid, 1, Path::modes(&known)).expect("an observation");
    let stream = NoiseStream::default();
    for (sampler, name) in refused() {
        with_predictor(|linear, scratch| {
            let mut path = before.clone();
            let check = |task: &str, result: Result<(), Error>, path: &[f32]| {
                let said = result.expect_err(&format!("{task} took {sampler:?}")).to_string();
                assert!(said.starts_with(name), "{task}, {sampler:?}: {said}");
                assert!(
                    !said.contains("inf") || said.contains("at most") || said.contains("finite")
                );
                assert_eq!(path, before, "{task} wrote before it refused {sampler:?}");
            };
            let seen = Some(&observation);
            let said = sampler.generate(
                linear,
                Start::Rollout,
                seen,
                &stream,
                Path::modes_mut(&mut path),
                scratch,
            );
            check("generate", said.map(drop), &path);
            let said = sampler.forecast(
                linear,
                &observation,
                &stream,
                Path::modes_mut(&mut path),
                scratch,
            );
            check("forecast", said.map(drop), &path);
            let said = sampler.super_resolve(
                linear,
                Coarse::Clean,
                None,
                &stream,
                Path::modes_mut(&mut path),
                scratch,
            );
            check("super_resolve", said.map(drop), &path);
            let said = sampler.reverse(linear, None, &stream, Path::modes_mut(&mut path), scratch);
            check("reverse", said.map(drop), &path);
            let prepared = linear.prepare(0.3).expect("a λ");
            let said = sampler.step(
                &prepared,
                0.1,
                None,
                Some(&stream),
                Path::modes_mut(&mut path),
                scratch,
            );
            check("step", said.map(drop), &path);
            let sensor = Sensor::Coarse(Coarse::Clean);
            let mut memory = vec![0.0; Online::memory_len(linear.describe(), &sensor, 1)];
            let said = Online::new(sampler, linear.describe(), sensor, 1, stream, &mut memory);
            check("a stream", said.map(drop), &path);
        });
    }
}

#[test]
fn short_scratch_and_bad_lambda_leave_a_simulation_as_it_was() {
    let before = finescale_tests::field(FRAMES * POINTS, 3);
    let memory = Linear::memory_len(&system().grid, 1, WINDOW);
    assert!(memory > 0);
    with_predictor(|linear, scratch| {
        let stream = NoiseStream::default();
        let mut path = before.clone();
        for (lambda, given) in [(f32::MAX, 2), (f32::NAN, 2), (-1.0, 2), (0.1, 0), (0.1, 5)] {
            simulate(linear, lambda, given, true, &stream, Path::modes_mut(&mut path), scratch)
                .expect_err("a refusal");
            assert_eq!(path, before, "λ = {lambda}, {given} given");
        }
        path[POINTS + 3] = f32::NAN;
        let said = simulate(linear, 0.1, 2, true, &stream, Path::modes_mut(&mut path), scratch);
        assert_eq!(said, Err(Error::NotFinite { name: "path", index: POINTS + 3 }));
        assert_eq!(path[..POINTS], before[..POINTS]);
        // Frames that are still to be rolled may hold anything.
        path.copy_from_slice(&before);
        path[2 * POINTS..].fill(f32::NAN);
        simulate(linear, 0.1, 2, true, &stream, Path::modes_mut(&mut path), scratch)
            .expect("a simulation");
        assert!(path.iter().all(|u| u.is_finite()));
    });
}

#[test]
fn short_scratch_leaves_a_trained_simulation_as_it_was() {
    // The linear predictor needs no scratch; a trained one does.
    for file in finescale_tests::model_file::seeds() {
        finescale_tests::model_file::with_trained(&file, |trained, scratch| {
            let frame = trained.describe().frame_len();
            let before = finescale_tests::field(3 * frame, 3);
            let (mut path, needed) = (before.clone(), trained.describe().scratch_len);
            if needed == 0 {
                return;
            }
            let stream = NoiseStream::default();
            let short = &mut scratch[..needed - 1];
            let said = simulate(trained, 0.1, 1, true, &stream, Path::modes_mut(&mut path), short);
            assert_eq!(said, Err(Error::ScratchLength { values: needed - 1, needed }));
            assert_eq!(path, before);
        });
    }
}

#[test]
fn a_small_lambda_needs_no_other_grid() {
    with_predictor(|linear, scratch| {
        for lambda in [1e-6, 1e-3, 2e-3, 3e-3, 4e-3, 1.0] {
            let sampler = Sampler::ancestral(lambda);
            let mut path = finescale_tests::field(FRAMES * POINTS, 3);
            let stream = NoiseStream::default();
            sampler
                .reverse(linear, None, &stream, Path::modes_mut(&mut path), scratch)
                .expect("a path");
            assert!(path.iter().all(|u| u.is_finite()), "λ = {lambda}");
        }
    });
}

#[test]
fn what_is_no_number_is_named_with_its_place() {
    let grid = system().grid;
    let before = finescale_tests::field(FRAMES * POINTS, 3);
    let stream = NoiseStream::default();
    let sampler = Sampler::ancestral(0.3);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        with_predictor(|linear, scratch| {
            let mut path = before.clone();
            path[2 * POINTS + 5] = bad;
            let place = |name| Error::NotFinite { name, index: 2 * POINTS + 5 };
            let bits = |path: &[f32]| path.iter().map(|u| u.to_bits()).collect::<Vec<_>>();
            let kept = bits(&path);
            for coarse in [Coarse::Clean, Coarse::Noised] {
                let said = sampler.super_resolve(
                    linear,
                    coarse,
                    None,
                    &stream,
                    Path::modes_mut(&mut path),
                    scratch,
                );
                assert_eq!(said, Err(place("path")));
            }
            let said = sampler.reverse(linear, None, &stream, Path::modes_mut(&mut path), scratch);
            assert_eq!(said, Err(place("path")));
            let prepared = linear.prepare(0.3).expect("a λ");
            let said =
                sampler.step(&prepared, 0.1, None, None, Path::modes_mut(&mut path), scratch);
            assert_eq!(said, Err(place("path")));
            assert_eq!(bits(&path), kept);
            // Of an observation, where it was measured; elsewhere any number will do.
            let mut variances = vec![f32::INFINITY; POINTS];
            variances[5] = 0.1;
            let values = path.clone();
            let seen =
                Observation::new(&grid, Path::modes(&values), &variances).expect("an observation");
            let mut fine = before.clone();
            let said = sampler.generate(
                linear,
                Start::Rollout,
                Some(&seen),
                &stream,
                Path::modes_mut(&mut fine),
                scratch,
            );
            assert_eq!(said, Err(place("observation")));
            assert_eq!(fine, before);
            variances[5] = f32::INFINITY;
            let seen =
                Observation::new(&grid, Path::modes(&values), &variances).expect("an observation");
            sampler
                .generate(
                    linear,
                    Start::Rollout,
                    Some(&seen),
                    &stream,
                    Path::modes_mut(&mut fine),
                    scratch,
                )
                .expect("a path");
            assert!(fine.iter().all(|u| u.is_finite()));
            // A window.
            let mut increment = vec![0.0; POINTS];
            let prepared = linear.prepare(0.3).expect("a λ");
            let said = prepared.increment(
                Path::modes(&path[2 * POINTS..]),
                Modes::from_mut(&mut increment),
                &mut [],
            );
            assert_eq!(said, Err(Error::NotFinite { name: "window", index: 5 }));
            assert_eq!(increment, vec![0.0; POINTS]);
        });
    }
}

#[test]
fn what_a_network_gives_must_be_numbers_too() {
    let system = system();
    let autocovariance = system.autocovariance(WINDOW);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut memory = vec![f32::NAN; Linear::memory_len(&system.grid, 1, WINDOW)];
        let linear = Linear::new(&system.grid, &process(&system), 1, &autocovariance, &mut memory)
            .expect("a predictor");
        // A network that breaks at small λ.
        let break_it = move |linear: &Prepared<'_>, increment: &mut [f32]| {
            if linear.lambda() < 0.1 {
                increment[6] = bad;
            }
        };
        let changes = Changes { increment: Box::new(break_it), noise: None };
        let mut predictor = Changed { linear, changes };
        for sampler in
            [Sampler::ancestral(0.3), Sampler { clamp: Some(3.0), ..Sampler::ancestral(0.3) }]
        {
            let mut scratch = vec![0.0; sampler.scratch_len(predictor.describe(), FRAMES)];
            let mut path = finescale_tests::field(FRAMES * POINTS, 3);
            let stream = NoiseStream::default();
            let said = sampler.reverse(
                &mut predictor,
                None,
                &stream,
                Path::modes_mut(&mut path),
                &mut scratch,
            );
            assert!(matches!(said, Err(Error::NotFinite { name: "score", .. })), "{said:?}");
        }
        let mut path = finescale_tests::field(FRAMES * POINTS, 3);
        let stream = NoiseStream::default();
        let said =
            simulate(&mut predictor, 0.05, 2, true, &stream, Path::modes_mut(&mut path), &mut []);
        assert_eq!(said, Err(Error::NotFinite { name: "rollout", index: 6 }));
    }
}

#[test]
fn weights_that_overflow_are_told_in_every_precision() {
    // Every bias becomes 3e38: sums of what a layer gives are infinite in the next one. Integers
    // saturate instead.
    let (mut tried, mut told) = (0, 0);
    for file in finescale_tests::model_file::seeds() {
        let Some(broken) = finescale_tests::model_file::with_biases(&file, f32::MAX) else {
            continue;
        };
        finescale_tests::model_file::with_trained(&broken, |trained, scratch| {
            let trained = trained.prepare(0.03).expect("a λ");
            let frame = trained.frame_len();
            let window = finescale_tests::field(frame, 3);
            let mut increment = vec![0.0; frame];
            let said =
                trained.increment(Path::modes(&window), Modes::from_mut(&mut increment), scratch);
            let numbers = increment.iter().all(|u| u.is_finite());
            assert!(said.is_err() || numbers, "what is no number was let through");
            tried += 1;
            told += u32::from(matches!(said, Err(Error::NotFinite { name: "network output", .. })));
        });
    }
    assert!(tried > 3 && told > 3, "{told} of {tried} networks overflow");
}

#[test]
fn a_process_without_noise_has_no_score() {
    let system = system();
    let silent = ForwardProcess::new(0.1, 0.0, Laplacian::Spectral).expect("a process");
    let autocovariance = system.autocovariance(WINDOW);
    let mut memory = vec![f32::NAN; Linear::memory_len(&system.grid, 1, WINDOW)];
    let mut linear =
        Linear::new(&system.grid, &silent, 1, &autocovariance, &mut memory).expect("a predictor");
    let sampler = Sampler::ancestral(0.3);
    let mut scratch = vec![0.0; sampler.scratch_len(linear.describe(), FRAMES)];
    let before = finescale_tests::field(FRAMES * POINTS, 3);
    let mut path = before.clone();
    let stream = NoiseStream::default();
    let said =
        sampler.reverse(&mut linear, None, &stream, Path::modes_mut(&mut path), &mut scratch);
    assert!(matches!(said, Err(Error::Parameter { name: "beta2", .. })), "{said:?}");
    assert_eq!(path, before);
    // What was measured exactly is held to the end, whatever the noise; anything else never.
    assert_eq!(Observation::release(&silent, 4.0, 0.0), 0.0);
    assert_eq!(Observation::release(&silent, 4.0, 0.1), f32::INFINITY);
}

#[test]
fn quiet_steps_are_quiet_in_parts_too() {
    // The observation is released within the second step, which is then made in two parts.
    let grid = system().grid;
    let values = finescale_tests::field(FRAMES * POINTS, 4);
    let variances = vec![0.1_f32; POINTS];
    let observation =
        Observation::new(&grid, Path::modes(&values), &variances).expect("an observation");
    for quiet_steps in [3, 4, u32::MAX] {
        let sampler = Sampler {
            lambdas: Schedule::Geometric { steps: 3, smallest: 0.01 },
            quiet_steps,
            ..Sampler::ancestral(0.3)
        };
        with_predictor(|linear, scratch| {
            let mut run = |seed| {
                let mut path = finescale_tests::field(FRAMES * POINTS, 5);
                let stream = NoiseStream { seed, ..NoiseStream::default() };
                sampler
                    .reverse(
                        linear,
                        Some(&observation),
                        &stream,
                        Path::modes_mut(&mut path),
                        scratch,
                    )
                    .expect("a path");
                path
            };
            assert_eq!(run(1), run(2), "{quiet_steps} quiet steps");
        });
    }
}

#[test]
fn lengths_that_do_not_fit_are_refused() {
    let grid = system().grid;
    with_predictor(|linear, _| {
        let sensor = Sensor::MeasuredVarying;
        for lag in [usize::MAX, usize::MAX / 2, usize::MAX / POINTS] {
            assert_eq!(Online::memory_len(linear.describe(), &sensor, lag), usize::MAX);
            assert_eq!(
                Online::scratch_len(&Sampler::ancestral(0.3), linear.describe(), lag),
                usize::MAX
            );
            let mut memory = [0.0; 64];
            let stream = NoiseStream::default();
            let said = Online::new(
                Sampler::ancestral(0.3),
                linear.describe(),
                sensor,
                lag,
                stream,
                &mut memory,
            );
            assert!(matches!(said.err(), Some(Error::Count { name: "lag", .. })));
        }
        assert_eq!(Sampler::ancestral(0.3).scratch_len(linear.describe(), usize::MAX), usize::MAX);
    });
    for channels in [usize::MAX, usize::MAX / POINTS + 1, 0] {
        assert!(
            Observation::known(&grid, channels, Path::modes(&[0.0; POINTS])).is_err(),
            "{channels}"
        );
    }
}
