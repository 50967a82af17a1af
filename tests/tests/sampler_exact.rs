//! The reverse step on a system whose moments are known: matrices of the runtime's own steps, multiplied in f64.

use finescale::sampler::{LambdaGrid, NoiseRule, StepRule};
use finescale::{Axis, Grid, Sampler};
use finescale_tests::linear::{Matrix, System};
use finescale_tests::moments::{Tables, sampled_covariance, spectrum_error};

const FRAMES: usize = 16;
const WINDOW: usize = 3;

fn system(alpha: f64) -> System {
    let grid = Grid::line(Axis::periodic(64).expect("an axis"));
    System::new(&grid, alpha, 2.0).with_unit_variance()
}

fn cubic(rule: NoiseRule, steps: u32) -> Sampler {
    Sampler {
        lambdas: LambdaGrid::Cubic { steps },
        step: StepRule::Ancestral(rule),
        ..Sampler::ours(1.0)
    }
}

/// The covariance of a stochastic rollout at λ.
fn rollout(system: &System, lambda: f64) -> Vec<Matrix> {
    let precision = |mode| system.path_precision(mode, lambda, FRAMES, WINDOW);
    let invert = |matrix: Matrix| matrix.try_inverse().expect("positive");
    system.modes().iter().map(|mode| invert(precision(mode))).collect()
}

fn error(alpha: f64, rule: NoiseRule, steps: u32) -> f64 {
    let (system, sampler) = (system(alpha), cubic(rule, steps));
    let tables = Tables::new(&system, &sampler, FRAMES, WINDOW);
    let start = rollout(&system, 1.0);
    let result = sampled_covariance(&system, &sampler, Some(&tables), WINDOW, start);
    spectrum_error(&system, &result)
}

#[test]
fn generation_has_the_known_error_of_the_spectrum() {
    // α, rule, and the largest error over modes after 4, 8, 16, 32, 64 steps of λ = (i/n)³ from λ = 1.
    let table = [
        (0.1, NoiseRule::Variance, [0.355, 0.237, 0.163, 0.114, 0.088]),
        (0.1, NoiseRule::Residual, [0.476, 0.331, 0.221, 0.146, 0.104]),
        (0.3, NoiseRule::Variance, [0.468, 0.349, 0.223, 0.154, 0.114]),
    ];
    for (alpha, rule, expected) in table {
        for (steps, expected) in [4, 8, 16, 32, 64].into_iter().zip(expected) {
            let error = error(alpha, rule, steps);
            println!("{alpha} {rule:?} {steps}: {error:.4}");
            assert!((error - expected).abs() < 0.002, "{alpha} {rule:?} {steps}: {error:.4}");
        }
    }
}

#[test]
fn noise_as_the_linear_model_says_leaves_only_the_error_of_the_window() {
    for (alpha, steps, most) in [(0.1, 8, 0.065), (0.1, 16, 0.061), (0.3, 16, 0.077)] {
        let error = error(alpha, NoiseRule::Linear, steps);
        println!("{alpha} L {steps}: {error:.4}");
        assert!(error < most, "{alpha} {steps}: {error:.4}");
    }
}
