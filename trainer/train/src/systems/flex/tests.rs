use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use finescale::{Axis, Boundary, Grid};
use finescale_data::dataset::SpectralFrames;
use finescale_model::flex::{Method, TaskEncoder};
use finescale_peers::flex::{Target, angle, state, velocity};

use super::base::Base;
use super::loss::Objective;
use super::settings;
use super::settings::{Norm, Task};
use crate::config::Config;
use crate::engine::backend::Cpu;
use crate::engine::frames::{Frames, numbers, seeded_normal};
use crate::networks::dropout::Dropout;
use crate::networks::{Kind, Network};
use crate::systems::conditional_mean::sensor::Sensor;
use crate::systems::windows::batch::{Draw, Held};
use crate::systems::windows::fields::{evaluate, full};
use crate::systems::windows::single::Single as _;
use crate::systems::windows::testing::{A, stirred, wave};

const POINTS: usize = 16;
const CHANNELS: usize = 2;

/// A small system, and frames of it.
fn objective(grid: Grid, change: impl Fn(&mut Config)) -> (Objective, Held<A>) {
    let mut config = Config::default();
    config.network.tiny.channels = 6;
    config.network.tiny.dilations = vec![1, 2, 1];
    config.network.flex.channels = vec![8];
    config.network.flex.blocks = vec![1];
    config.network.flex.groups = 4;
    config.training.batch = 6;
    config.flex.task_encoder = TaskEncoder::None;
    change(&mut config);
    let about = settings::about(&config, vec![1.0; CHANNELS]);
    let values = (0..30 * CHANNELS * grid.points()).map(wave).collect();
    let frames = SpectralFrames { grid, channels: CHANNELS, segments: vec![0..10, 10..30], values };
    let frames = Frames::new(&frames, 3, &Default::default()).unwrap();
    let base = Base::new(&about, &grid).unwrap();
    let sides = about.sides(grid, CHANNELS);
    let held = Held { train: frames.clone(), valid: frames };
    (Objective { sides, about, base, config }, held)
}

fn line() -> Grid {
    Grid::line(Axis::new(POINTS, Boundary::Periodic).unwrap())
}

fn plane() -> Grid {
    let [y, x] = [8, POINTS].map(|points| Axis::new(points, Boundary::Periodic).unwrap());
    Grid::plane(y, x).unwrap()
}

fn fresh(objective: &Objective) -> Network<A> {
    objective.sides.fresh(&objective.config.network, 1, &Default::default()).unwrap()
}

/// If it failed, the network would be trained on another process than it is sampled with, or would
/// see other frames.
#[test]
fn batches_have_the_noise_of_the_exact_process() {
    let times = [0.0, 0.3, 0.9];
    for residual in [true, false] {
        let (mut objective, held) = objective(line(), |config| config.flex.residual = residual);
        objective.about.scales = vec![0.5, 4.0];
        let draw = Draw { starts: vec![0, 3, 12], steps: vec![0; 3], symmetries: Vec::new() };
        let frames = draw.first(&held.train, &line(), objective.frames());
        let noise: Tensor<Cpu, 4> = seeded_normal([3, CHANNELS, 1, POINTS], 8, &Default::default());
        let noised = objective.noised(frames.clone(), &times, 8);
        let (frames, noise) = (numbers(frames), numbers(noise));
        let (seen, target) = (numbers(noised.seen), numbers(noised.target));
        let len = CHANNELS * POINTS;
        for (n, time) in times.into_iter().enumerate() {
            let sample = &frames[n * 3 * len..][..3 * len];
            let seen = &seen[n * 3 * len..][..3 * len];
            assert_eq!(&seen[len..], &sample[..2 * len], "the known frames");
            for at in 0..len {
                let base = if residual { sample[len + at] } else { 0.0 };
                let scale = [0.5, 4.0][at / POINTS];
                let field = f64::from(sample[2 * len + at] - base) / scale;
                let noise = f64::from(noise[n * len + at]);
                for (found, wanted) in [
                    (seen[at], state(time, field, noise)),
                    (target[n * len + at], velocity(time, field, noise)),
                ] {
                    assert!((f64::from(found) - wanted).abs() < 1e-5, "{found} {wanted}");
                }
            }
        }
    }
}

/// If it failed, a network would be trained on another base than it is used with.
#[test]
fn a_sensor_shows_a_batch_what_it_shows_a_board() {
    for grid in [line(), plane()] {
        let (objective, held) = objective(grid, |config| {
            config.flex.task = Task::SuperResolve;
            config.sensor.ratio = 2;
        });
        let draw = Draw { starts: vec![0, 5], steps: vec![0; 2], symmetries: Vec::new() };
        let frames = draw.first(&held.train, &grid, objective.frames());
        let sensor = Sensor::new(&grid, objective.config.sensor.kind, 2).unwrap();
        let wanted = sensor.fields(&sensor.values(&numbers(frames.clone())).unwrap());
        let (known, field) = objective.parts(frames.clone());
        let (known, field, frames) = (numbers(known), numbers(field), numbers(frames));
        for at in 0..wanted.len() {
            assert!((known[at] - wanted[at]).abs() < 1e-4, "{} {}", known[at], wanted[at]);
            assert!((field[at] - (frames[at] - wanted[at])).abs() < 1e-4);
        }
    }
}

/// A network that gives zeros has v itself as its error. Of r = 0 that is cos φ |ε|: 0.508 in the
/// mean, and the squares ½; less where the errors are of the noise or the residual.
#[test]
fn a_network_that_says_nothing_has_a_known_loss() {
    let mean = |of: &dyn Fn(f64) -> f64| {
        (0..1000).map(|n| of(angle((f64::from(n) + 0.5) / 1000.0))).sum::<f64>() / 1000.0
    };
    let (half, norm) = ((2.0 / std::f64::consts::PI).sqrt(), 0.508);
    let cases = [
        (Norm::Absolute, Target::Velocity, norm),
        (Norm::Squared, Target::Velocity, 0.5),
        (Norm::Absolute, Target::Noise, half * mean(&|phi| phi.cos().powi(2))),
        (Norm::Absolute, Target::Residual, half * mean(&|phi| phi.cos() * phi.sin())),
    ];
    for (loss, target, wanted) in cases {
        let (mut objective, held) = objective(line(), |config| {
            config.flex.loss = loss;
            config.flex.target = target;
            config.training.batch = 1500;
        });
        // Next to nothing is left of the field.
        objective.about.scales = vec![1e9; CHANNELS];
        let value = numbers(objective.loss(&held, &fresh(&objective), 3).total)[0];
        assert!((f64::from(value) - wanted).abs() < 0.03, "{loss:?} {target:?}: {value} {wanted}");
    }
}

/// If it failed, a control would see noise, or time.
#[test]
fn a_regression_learns_the_field_itself() {
    let (objective, held) = objective(line(), |config| config.flex.method = Method::Regression);
    let draw = Draw { starts: vec![1], steps: vec![0], symmetries: Vec::new() };
    let frames = draw.first(&held.train, &line(), objective.frames());
    let noised = objective.noised(frames.clone(), &[0.4], 1);
    assert!(numbers(noised.seen)[..CHANNELS * POINTS].iter().all(|value| *value == 0.0));
    assert_eq!(numbers(noised.target), numbers(objective.parts(frames).1));
    let value = |time| {
        let frames = draw.first(&held.valid, &line(), objective.frames());
        numbers(objective.at_time(&fresh(&objective).valid(), frames, time, 0))
    };
    assert_eq!(value(0.1), value(0.9));
}

/// If it failed, an encoder of the known frames would be there and change nothing, or be there where
/// it is not asked for.
#[test]
fn an_encoder_of_known_frames_is_where_it_is_asked_for() {
    let mut seen = Vec::new();
    for encoder in [TaskEncoder::None, TaskEncoder::Weak, TaskEncoder::Strong, TaskEncoder::Both] {
        let (objective, _) = objective(line(), |config| {
            config.network.kind = Kind::Flex;
            config.flex.task_encoder = encoder;
        });
        let network = stirred(fresh(&objective)).valid();
        let out = |known: f32| {
            let z = seeded_normal([1, CHANNELS, 1, POINTS], 1, &Default::default());
            let known =
                seeded_normal::<Cpu>([1, 2 * CHANNELS, 1, POINTS], 2, &Default::default()) * known;
            let mut dropout = Dropout::OFF;
            let (fields, how) = (Tensor::cat(vec![z, known], 1), full(&mut dropout));
            numbers(evaluate(&network, fields, std::iter::once(0.5), how))
        };
        let (one, other) = (out(1.0), out(0.5));
        let furthest = one.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(furthest > 1e-3, "{encoder:?}: {furthest}");
        assert!(!seen.contains(&one), "{encoder:?}");
        seen.push(one);
    }
}
