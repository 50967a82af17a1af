//! The reverse step on a system whose moments are known: matrices of the runtime's own steps,
//! multiplied in f64.

use finescale::sampler::{NoiseRule, Schedule, StepRule};
use finescale::{Axis, Grid, Sampler};
use finescale_tests::linear::{Matrix, System};
use finescale_tests::moments::{Passage, Tables, spectrum_error};
use nalgebra::Complex;

const FRAMES: usize = 16;
const WINDOW: usize = 3;

fn line(alpha: f64) -> System {
    let grid = Grid::line(Axis::periodic(64).expect("an axis"));
    System::new(&grid, alpha, 2.0).with_unit_variance()
}

fn cubic(lambda: f32, rule: NoiseRule, steps: u32) -> Sampler {
    Sampler {
        lambdas: Schedule::Power { steps, exponent: 3 },
        step: StepRule::Ancestral(rule),
        ..Sampler::ancestral(lambda)
    }
}

/// Error of the spectrum of paths generated from a rollout at λ = 1.
fn generation_error(system: &System, sampler: &Sampler) -> f64 {
    let tables = Tables::new(system, sampler, FRAMES, WINDOW);
    let passage = Passage::new(system, sampler, Some(&tables), (FRAMES, WINDOW));
    let precision = |mode| system.path_precision(mode, 1.0, FRAMES, WINDOW);
    let rollout = |mode| precision(mode).try_inverse().expect("positive");
    let start: Vec<Matrix> = system.modes().iter().map(rollout).collect();
    spectrum_error(system, &passage.covariance(&start))
}

#[test]
fn generation_has_the_known_error_of_the_spectrum() {
    // α, rule, and the largest error over modes after 4, 8, 16, 32, 64 steps of λ = (i/n)³. Rules V
    // and R: figures of an independent implementation. Rule L: what an error of three frames of
    // history leaves is 0.060 and 0.078.
    let table = [
        (0.1, NoiseRule::Variance, [0.355, 0.237, 0.163, 0.114, 0.088]),
        (0.1, NoiseRule::Residual, [0.476, 0.331, 0.221, 0.146, 0.104]),
        (0.1, NoiseRule::Linear, [0.338, 0.062, 0.058, 0.060, 0.060]),
        (0.3, NoiseRule::Variance, [0.468, 0.349, 0.223, 0.154, 0.114]),
        (0.3, NoiseRule::Linear, [0.510, 0.291, 0.075, 0.077, 0.078]),
    ];
    for (alpha, rule, expected) in table {
        let system = line(alpha);
        print!("α = {alpha}, {rule:?}:");
        for (steps, expected) in [4, 8, 16, 32, 64].into_iter().zip(expected) {
            let error = generation_error(&system, &cubic(1.0, rule, steps));
            print!(" {error:.3}");
            assert!((error - expected).abs() < 0.002, "{alpha} {rule:?} {steps}: {error:.4}");
        }
        println!();
    }
}

#[test]
fn rule_m_keeps_the_variance_of_every_mode() {
    for alpha in [0.1, 0.3] {
        let system = line(alpha);
        for steps in [4, 8, 16] {
            let sampler = cubic(1.0, NoiseRule::Matched, steps);
            let tables = Tables::new(&system, &sampler, FRAMES, WINDOW);
            let passage = Passage::new(&system, &sampler, Some(&tables), (FRAMES, WINDOW));
            let start = |mode: &_| system.path_covariance(mode, 1.0, FRAMES);
            let start: Vec<Matrix> = system.modes().iter().map(start).collect();
            let error = spectrum_error(&system, &passage.covariance(&start));
            println!("α = {alpha}, {steps} steps: {error:.1e}");
            assert!(error < 1e-3, "{alpha} {steps}: {error}");
        }
    }
}

#[test]
fn the_papers_step_needs_far_more_steps() {
    // With S per mode and without correctors, so that it is linear. 1000 steps give 0.628, too slow
    // to repeat here.
    let sampler = Sampler {
        lambdas: Schedule::Equal { step: 0.01 },
        step: StepRule::Exponential { exact_noise: false },
        clip: None,
        quiet_steps: 2,
        ..Sampler::ancestral(1.0)
    };
    let error = generation_error(&line(0.1), &sampler);
    println!("exponential step, 100: {error:.1}");
    assert!(error > 10.0, "{error}");
}

/// The largest errors over modes of the super-resolution of paths from `lambda`: of the mean, root
/// mean square over frames relative to the data's standard deviation; of the covariance, relative
/// to the data's.
fn super_resolution_errors(system: &System, sampler: &Sampler, window: usize) -> (f64, f64) {
    let lambda = f64::from(sampler.lambda);
    let tables = Tables::new(system, sampler, FRAMES, window);
    let passage = Passage::new(system, sampler, Some(&tables), (FRAMES, window));
    let mut worst = (0.0_f64, 0.0_f64);
    for ((mode, map), noise) in system.modes().iter().zip(&passage.map).zip(&passage.noise) {
        // Mean C Γ G⁻¹ û and covariance Γ − C² Γ G⁻¹ Γ, at λ₀ = 0.
        let (c, _) = system.forward(mode, lambda);
        let coarse = system.path_covariance(mode, lambda, FRAMES);
        let clean = system.path_covariance(mode, 0.0, FRAMES);
        let cross = &clean * Complex::from(c);
        let mean = &cross * coarse.clone().try_inverse().expect("positive");
        let posterior = &clean - &mean * cross.adjoint();
        let off = map - &mean;
        let mean_square = (&off * coarse * off.adjoint()).trace().re / FRAMES as f64;
        worst.0 = worst.0.max((mean_square / mode.power).sqrt());
        worst.1 = worst.1.max((noise - posterior).norm() / clean.norm());
    }
    worst
}

#[test]
fn super_resolution_draws_from_the_posterior() {
    for alpha in [0.1, 0.3] {
        let system = line(alpha);
        // With full history and noise as the model says, mean and covariance are those of the
        // posterior.
        let (mean, covariance) =
            super_resolution_errors(&system, &cubic(0.2, NoiseRule::Linear, 16), FRAMES - 1);
        assert!(mean < 1e-4 && covariance < 2e-3, "{alpha}: {mean} {covariance}");
        // With noise that is white over frames the mean is as good, and the covariance needs steps.
        for rule in [NoiseRule::Variance, NoiseRule::Residual, NoiseRule::Matched] {
            let few = super_resolution_errors(&system, &cubic(0.2, rule, 16), FRAMES - 1);
            let many = super_resolution_errors(&system, &cubic(0.2, rule, 64), FRAMES - 1);
            assert!(few.0 < 1e-4 && many.0 < 1e-4, "{alpha} {rule:?}: {few:?} {many:?}");
            assert!(many.1 < 0.1 && many.1 < 0.4 * few.1, "{alpha} {rule:?}: {few:?} {many:?}");
        }
    }
}

/// The number of steps against the error of the posterior's covariance, for ours and for the
/// paper's step without correctors: the table of `docs/method.md`.
#[test]
fn the_covariance_error_falls_with_the_steps() {
    let system = line(0.1);
    let error = |step, lambdas| {
        let sampler = Sampler { lambdas, step, clip: None, ..Sampler::ancestral(0.2) };
        super_resolution_errors(&system, &sampler, FRAMES - 1).1
    };
    for (rule, expected) in [
        (NoiseRule::Variance, [0.514, 0.327, 0.193, 0.103]),
        (NoiseRule::Residual, [0.523, 0.356, 0.223, 0.125]),
        (NoiseRule::Matched, [0.513, 0.330, 0.191, 0.099]),
        (NoiseRule::Linear, [0.195, 0.005, 0.000, 0.000]),
    ] {
        for (steps, expected) in [4, 8, 16, 32].into_iter().zip(expected) {
            let found = error(StepRule::Ancestral(rule), Schedule::Power { steps, exponent: 3 });
            assert!((found - expected).abs() < 0.002, "{rule:?}, {steps} steps: {found:.4}");
        }
    }
    // 200 steps from λ = 0.2 are the paper's own.
    for (steps, expected) in [(32.0, 5.25), (64.0, 1.92), (200.0, 0.503)] {
        let step = StepRule::Exponential { exact_noise: false };
        let found = error(step, Schedule::Equal { step: 0.2 / steps });
        assert!((found / expected - 1.0).abs() < 0.01, "the paper's, {steps} steps: {found:.4}");
    }
}

#[test]
fn planes_and_reflecting_axes_are_the_same_sampler() {
    let (periodic, reflecting) =
        (Axis::periodic(8).expect("an axis"), Axis::reflecting(8).expect("an axis"));
    let plane = |y, x| Grid::plane(y, x).expect("a plane");
    for grid in [
        Grid::line(reflecting),
        plane(periodic, periodic),
        plane(reflecting, periodic),
        plane(periodic, reflecting),
    ] {
        let system = System::new(&grid, 0.1, 2.0).with_unit_variance();
        let sampler = cubic(0.2, NoiseRule::Linear, 8);
        let (mean, covariance) = super_resolution_errors(&system, &sampler, FRAMES - 1);
        assert!(mean < 1e-4 && covariance < 1e-3, "{grid:?}: {mean} {covariance}");
    }
}
