//! Paths that the f32 sampler draws: their moments, within sampling error, and what must hold to
//! the bit.

use finescale::predictor::Linear;
use finescale::sampler::{Coarse, NoiseRule, Schedule, Start, StepRule, rollout, simulate};
use finescale::spectral::operator::pack;
use finescale::{Axis, Error, Grid, Modes, NoiseStream, Path, Predictor, Sampler};
use finescale_tests::linear::{Matrix, System, mode_of};
use finescale_tests::moments::{Passage, Tables, process};
use finescale_tests::sampling::generated_power;
use nalgebra::Complex;

const WINDOW: usize = 3;

fn system(points: usize) -> System {
    let grid = Grid::line(Axis::periodic(points).expect("an axis"));
    System::new(&grid, f64::from(0.1_f32), 2.0).with_unit_variance()
}

/// A sampler that is not slow: four steps.
fn quick(rule: NoiseRule) -> Sampler {
    Sampler {
        lambdas: Schedule::Power { steps: 4, exponent: 3 },
        step: StepRule::Ancestral(rule),
        ..Sampler::ancestral(0.5)
    }
}

/// Whether the mean of |û|² over `members` paths, over P, is what `covariance` says: in standard
/// errors.
fn deviation(mean: f64, covariance: &Matrix, power: f64, real: bool, members: u32) -> f64 {
    let frames = covariance.nrows() as f64;
    let expected = covariance.trace().re / frames / power;
    // |û|² of two frames have the covariance |G_nm|², twice that where û is real.
    let squares = covariance.norm_squared() * if real { 2.0 } else { 1.0 };
    let error = (squares / f64::from(members)).sqrt() / frames / power;
    (mean - expected) / error
}

#[test]
fn drawn_paths_have_the_exact_moments() {
    let (system, frames, members) = (system(64), 16, 100);
    for rule in [NoiseRule::Variance, NoiseRule::Residual, NoiseRule::Matched, NoiseRule::Linear] {
        let sampler = quick(rule);
        let tables = Tables::new(&system, &sampler, frames, WINDOW);
        let passage = Passage::new(&system, &sampler, Some(&tables), (frames, WINDOW));
        for start in [Start::Noise, Start::Gaussian, Start::Rollout] {
            let covariance = |mode| {
                let (c, sigma2) = system.forward(mode, f64::from(sampler.lambda));
                let white =
                    |variance: f64| Matrix::identity(frames, frames) * Complex::from(variance);
                match start {
                    Start::Noise => white(sigma2),
                    Start::Gaussian => white(c * c * mode.power + sigma2),
                    Start::Rollout => system
                        .path_precision(mode, f64::from(sampler.lambda), frames, WINDOW)
                        .try_inverse()
                        .expect("positive"),
                }
            };
            let starts: Vec<Matrix> = system.modes().iter().map(covariance).collect();
            let result = passage.covariance(&starts);
            let tables = Some(&tables);
            let drawn =
                generated_power(&system, &sampler, tables, WINDOW, start, (frames, members));
            for ((mode, covariance), drawn) in system.modes().iter().zip(&result).zip(drawn) {
                let real = mode.place.im.is_none();
                let off = deviation(drawn, covariance, mode.power, real, members);
                // 33 modes in nine cases: five standard errors are reached by chance in one of 6000
                // runs.
                assert!(off.abs() < 5.0, "{rule:?} {start:?} κ = {}: {off:.1} σ", mode.kappa);
            }
        }
    }
}

#[test]
fn the_papers_sampler_is_the_published_one() {
    // On the linear system it loses nearly all power, which an independent implementation saw too
    // (0.979).
    let system = system(64);
    let drawn = generated_power(
        &system,
        &Sampler::published(1.0, 0.7),
        None,
        WINDOW,
        Start::Noise,
        (16, 4),
    );
    let worst = drawn.iter().map(|power| (power - 1.0).abs()).fold(0.0, f64::max);
    println!("the paper's sampler, 1000 steps: {worst:.3}");
    assert!((worst - 0.979).abs() < 0.02, "{worst}");
}

/// Runs `task` with a predictor of the system and enough scratch.
fn with_predictor<T>(
    system: &System,
    frames: usize,
    task: impl FnOnce(&mut Linear<'_>, &mut [f32]) -> T,
) -> T {
    let autocovariance = system.autocovariance(WINDOW);
    let mut memory = vec![f32::NAN; Linear::memory_len(&system.grid, 1, WINDOW)];
    let mut linear = Linear::new(&system.grid, &process(system), 1, &autocovariance, &mut memory)
        .expect("a predictor");
    let mut scratch =
        vec![f32::NAN; Sampler::published(1.0, 0.7).scratch_len(linear.describe(), frames)];
    task(&mut linear, &mut scratch)
}

fn generate(system: &System, member: u32, frames: usize, rule: NoiseRule) -> Vec<f32> {
    with_predictor(system, frames, |linear, scratch| {
        let stream = NoiseStream { seed: 3, member, ..NoiseStream::default() };
        let mut path = vec![f32::NAN; frames * system.grid.points()];
        quick(rule)
            .generate(linear, Start::Rollout, None, &stream, Path::modes_mut(&mut path), scratch)
            .expect("a path");
        path
    })
}

#[test]
fn a_member_drawn_alone_has_the_bits_of_the_ensemble() {
    let system = system(16);
    for rule in [NoiseRule::Residual, NoiseRule::Linear] {
        // One predictor for all members in turn, and one for each alone.
        let together: Vec<Vec<f32>> = with_predictor(&system, 6, |linear, scratch| {
            let member = |member| {
                let stream = NoiseStream { seed: 3, member, ..NoiseStream::default() };
                let mut path = vec![0.0; 6 * 16];
                quick(rule)
                    .generate(
                        linear,
                        Start::Rollout,
                        None,
                        &stream,
                        Path::modes_mut(&mut path),
                        scratch,
                    )
                    .expect("a path");
                path
            };
            (0..4).map(member).collect()
        });
        for (member, path) in (0..).zip(&together) {
            assert_eq!(*path, generate(&system, member, 6, rule));
        }
        assert_ne!(together[0], together[1]);
    }
}

#[test]
fn a_simulation_is_the_predictor_rolled() {
    let system = system(16);
    let (frames, n) = (7, 16);
    with_predictor(&system, frames, |linear, scratch| {
        let start = finescale_tests::field(2 * n, 5);
        let stream = NoiseStream { seed: 8, member: 2, frame: 40, draw: 0 };
        let run = |linear: &mut Linear<'_>, noise, scratch: &mut [f32]| {
            let mut path = start.clone();
            path.resize(frames * n, f32::NAN);
            simulate(linear, 0.1, 2, noise, &stream, Path::modes_mut(&mut path), scratch)
                .expect("a path");
            path
        };
        let (still, noisy) = (run(linear, false, scratch), run(linear, true, scratch));
        let linear = linear.prepare(0.1).expect("a λ");
        // The given frames are at λ with the noise of their address, in both.
        assert_eq!(still[..2 * n], noisy[..2 * n]);
        for frame in 0..2 {
            let mut expected = start[frame * n..(frame + 1) * n].to_vec();
            let stream = NoiseStream { frame: 40 + frame as u32, ..stream };
            linear
                .process
                .apply_stream(&system.grid, 0.1, Modes::from_mut(&mut expected), &stream)
                .expect("fits");
            assert_eq!(still[frame * n..(frame + 1) * n], expected);
        }
        for frame in 2..frames {
            let past = frame.min(WINDOW);
            let mut noise = vec![0.0; n];
            NoiseStream { frame: 40 + frame as u32, ..stream }.fill(&mut noise);
            for (path, amount) in [(&still, 0.0), (&noisy, 1.0)] {
                let window = &path[(frame - past) * n..frame * n];
                let mut next = vec![0.0; n];
                linear
                    .increment(Path::modes(window), Modes::from_mut(&mut next), &mut [])
                    .expect("an increment");
                for i in 0..n {
                    let s = linear.innovation(past)[i].sqrt();
                    let expected = next[i] + window[(past - 1) * n + i] + amount * s * noise[i];
                    assert!((path[frame * n + i] - expected).abs() < 1e-6, "{frame} {i}");
                }
            }
        }
        assert!(matches!(
            rollout(&linear, 0, None, Path::modes_mut(&mut [0.0; 32]), &mut []),
            Err(Error::Count { name: "given", .. })
        ));
    });
}

#[test]
fn clean_coarse_frames_get_the_noise_of_lambda() {
    // Adding it by hand and telling so gives the same bits.
    let system = system(16);
    let (frames, n) = (5, 16);
    with_predictor(&system, frames, |linear, scratch| {
        let sampler = quick(NoiseRule::Variance);
        let stream = NoiseStream { seed: 8, member: 2, frame: 4, draw: 7 };
        let mut clean = finescale_tests::field(frames * n, 5);
        let mut noised = clean.clone();
        for (frame, values) in (4..).zip(noised.chunks_exact_mut(n)) {
            let mut added = vec![0.0; n];
            let stream = NoiseStream { frame, ..stream };
            linear
                .describe()
                .process
                .apply_stream(&system.grid, 0.5, Modes::from_mut(&mut added), &stream)
                .expect("fits");
            values.iter_mut().zip(added).for_each(|(value, added)| *value += added);
        }
        let mut run = |coarse, path: &mut [f32]| {
            sampler
                .super_resolve(linear, coarse, None, &stream, Path::modes_mut(path), scratch)
                .expect("a path");
        };
        run(Coarse::Clean, &mut clean);
        run(Coarse::Noised, &mut noised);
        assert_eq!(clean, noised);
    });
}

#[test]
fn quiet_steps_draw_nothing() {
    let system = system(16);
    let sampler = Sampler { quiet_steps: 4, ..quick(NoiseRule::Linear) };
    with_predictor(&system, 4, |linear, scratch| {
        let mut run = |seed| {
            let mut path = finescale_tests::field(4 * 16, 5);
            let stream = NoiseStream { seed, ..NoiseStream::default() };
            sampler
                .reverse(linear, None, &stream, Path::modes_mut(&mut path), scratch)
                .expect("a path");
            path
        };
        assert_eq!(run(1), run(2));
    });
}

#[test]
fn a_network_that_errs_stays_within_bounds() {
    // A path far outside the data's range comes back into it.
    let system = system(16);
    for rule in [NoiseRule::Variance, NoiseRule::Linear] {
        with_predictor(&system, 4, |linear, scratch| {
            let mut path = vec![1e4; 4 * 16];
            let stream = NoiseStream::default();
            quick(rule)
                .reverse(linear, None, &stream, Path::modes_mut(&mut path), scratch)
                .expect("a path");
            pack(&system.grid, Modes::from_mut(&mut path[..16])).expect("a spectrum");
            for mode in system.modes() {
                let bound = 12.0 * (2.0 * mode.power).sqrt();
                assert!(mode_of(&path[..16], 16, mode.place)[0].norm() < bound);
            }
        });
    }
}

#[test]
fn lambda_grids_go_down_to_zero() {
    let grids = [
        (Schedule::Power { steps: 4, exponent: 3 }, vec![0.8, 0.3375, 0.1, 0.0125, 0.0]),
        (Schedule::Power { steps: 4, exponent: 2 }, vec![0.8, 0.45, 0.2, 0.05, 0.0]),
        (Schedule::Geometric { steps: 4, smallest: 0.1 }, vec![0.8, 0.4, 0.2, 0.1, 0.0]),
        (Schedule::Geometric { steps: 1, smallest: 0.1 }, vec![0.8, 0.0]),
        (Schedule::Equal { step: 0.2 }, vec![0.8, 0.6, 0.4, 0.2, 0.0]),
        (Schedule::Equal { step: 3.0 }, vec![0.8, 0.0]),
    ];
    for (grid, expected) in grids {
        assert_eq!(grid.steps(0.8) as usize, expected.len() - 1);
        for (index, expected) in (0..).zip(expected) {
            assert!((grid.lambda(0.8, index) - expected).abs() < 1e-6, "{grid:?} {index}");
        }
        assert_eq!(grid.lambda(0.8, 1000), 0.0);
    }
}

#[test]
fn refusals_name_what_is_wrong() {
    let system = system(16);
    with_predictor(&system, 4, |linear, scratch| {
        let stream = NoiseStream::default();
        let mut path = vec![0.0; 4 * 16];
        let sampler = Sampler::ancestral(0.2);
        let mut run = |sampler: Sampler, path: &mut [f32], scratch: &mut [f32]| {
            sampler
                .reverse(linear, None, &stream, Path::modes_mut(path), scratch)
                .expect_err("a refusal")
                .to_string()
        };
        let said = run(Sampler { lambda: 0.0, ..sampler }, &mut path, scratch);
        assert_eq!(said, "lambda is 0: it must be positive and at most 1e6");
        let lambdas = Schedule::Geometric { steps: 8, smallest: 0.0 };
        let said = run(Sampler { lambdas, ..sampler }, &mut path, scratch);
        assert_eq!(said, "smallest is 0: it must be at least 1e-12 and finite");
        let lambdas = Schedule::Power { steps: 0, exponent: 3 };
        let said = run(Sampler { lambdas, ..sampler }, &mut path, scratch);
        assert_eq!(said, "steps is 0: it must be from 1 to 1048576");
        let lambdas = Schedule::Power { steps: 8, exponent: 0 };
        let said = run(Sampler { lambdas, ..sampler }, &mut path, scratch);
        assert_eq!(said, "exponent is 0: it must be at least 1");
        assert!(run(sampler, &mut path[..63], scratch).contains("63 values"));
        assert!(run(sampler, &mut path, &mut scratch[..79]).contains("at least 80"));
        let linear = linear.prepare(0.1).expect("a λ");
        let refused = sampler.step(&linear, 0.1, None, None, Path::modes_mut(&mut path), scratch);
        assert!(matches!(refused, Err(Error::Parameter { name: "to", .. })));
    });
}
