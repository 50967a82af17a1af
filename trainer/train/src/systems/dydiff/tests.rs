use burn::tensor::{Tensor, TensorData};
use finescale::{Axis, Boundary, Grid};
use finescale_data::dataset::SpectralFrames;
use finescale_peers::dydiff::{Method, Noise};

use super::loss::Objective;
use crate::config::Config;
use crate::engine::backend::Cpu;
use crate::engine::frames::{Frames, numbers};
use crate::networks::Network;
use crate::systems::windows::batch::{Held, draw};
use crate::systems::windows::single::Single as _;
use crate::systems::windows::testing::{A, wave};

const POINTS: usize = 16;
const CHANNELS: usize = 2;

/// A small system on a line, and frames of it.
fn objective(change: impl Fn(&mut Config)) -> (Objective, Held<A>) {
    let mut config = Config::default();
    config.network.tiny.channels = 6;
    config.network.tiny.dilations = vec![1, 2, 1];
    config.training.batch = 6;
    config.dydiff.horizon = 4;
    change(&mut config);
    let grid = Grid::line(Axis::new(POINTS, Boundary::Periodic).unwrap());
    let about = config.dydiff.about();
    let values = (0..30 * CHANNELS * POINTS).map(wave).collect();
    let frames = SpectralFrames { grid, channels: CHANNELS, segments: vec![0..10, 10..30], values };
    let frames = Frames::new(&frames, about.frames() - 1, &Default::default()).unwrap();
    let (sides, chain) = (about.sides(grid, CHANNELS), about.chain().unwrap());
    let held = Held { train: frames.clone(), valid: frames };
    (Objective { sides, about, chain, config }, held)
}

/// If it failed, the network would be trained on another process than it is sampled with.
#[test]
fn batches_have_the_noise_and_the_loss_of_the_exact_process() {
    let cases = [
        (Method::Dydiff, Noise::Filtered, 0.5),
        (Method::Dydiff, Noise::Filtered, 0.0),
        (Method::Dydiff, Noise::White, 0.5),
        (Method::OuterFilter, Noise::Filtered, 0.9),
        (Method::FilteredLoss, Noise::Filtered, 0.5),
    ];
    let steps = [0, 320, 981];
    let len = CHANNELS * POINTS;
    for (method, noise, rho) in cases {
        let (objective, _) = objective(|config| {
            config.dydiff.method = method;
            config.dydiff.noise = noise;
            config.dydiff.rho = rho;
        });
        let frames = objective.about.frames();
        let all = |shift: usize| (shift..).map(wave).take(steps.len() * frames * len);
        let batch = |shift: usize| {
            let data: Vec<f32> = all(shift).collect();
            let shape = [steps.len(), frames * CHANNELS, 1, POINTS];
            Tensor::<Cpu, 4>::from_data(TensorData::new(data, shape), &Default::default())
        };
        let (state, target) = objective.pair(batch(0), batch(31), &steps);
        let error = objective.weighed(batch(7), &steps);
        let of = |tensor: Tensor<Cpu, 4>, n: usize| {
            numbers(tensor)[n * frames * len..][..frames * len].to_vec()
        };
        for (n, step) in steps.into_iter().enumerate() {
            let exact = |shift: usize| -> Vec<f64> {
                all(shift).skip(n * frames * len).take(frames * len).map(f64::from).collect()
            };
            let (seen, told) = objective.chain.pair(step, &exact(0), &exact(31), len);
            let mut weighed = exact(7);
            objective.chain.weigh(step, &mut weighed, len);
            for (found, wanted) in [(&state, seen), (&target, told), (&error, weighed)] {
                for (a, b) in of(found.clone(), n).iter().zip(&wanted) {
                    assert!((f64::from(*a) - b).abs() < 1e-5, "{method:?} {noise:?} {a} {b}");
                }
            }
        }
    }
}

/// A network that gives zeros has the noise itself as its error: filtered noise has the variance of
/// white noise, and that of the control's loss too.
#[test]
fn a_network_that_says_nothing_has_a_loss_of_one() {
    for method in [Method::Dydiff, Method::OuterFilter, Method::FilteredLoss] {
        let (objective, held) = objective(|config| {
            config.dydiff.method = method;
            config.training.batch = 200;
        });
        let device = Default::default();
        let network: Network<A> =
            objective.sides.fresh(&objective.config.network, 1, &device).unwrap();
        let loss = objective.loss(&held, &network, 3);
        let value = numbers(loss.total)[0];
        assert!((value - 1.0).abs() < 0.05, "{method:?}: {value}");
    }
}

/// If it failed, the clean frames behind the state would be others than the known ones.
#[test]
fn the_known_frames_are_seen_without_noise() {
    let (objective, held) = objective(|_| ());
    let draw = draw(&held.train, &objective.config, &objective.sides.grid, &(0..1000), [0, 9]);
    let frames = draw.first(&held.train, &objective.sides.grid, objective.about.frames());
    let noised = objective.noised(frames.clone(), &draw.steps, 4);
    let (fields, known) = (objective.about.frames() * CHANNELS, objective.about.history * CHANNELS);
    assert_eq!(noised.seen.dims()[1], objective.sides.seen * CHANNELS);
    let behind = noised.seen.clone().narrow(1, fields, known);
    assert_eq!(numbers(behind), numbers(frames.clone().narrow(1, 0, known)));
    assert_ne!(numbers(noised.seen.narrow(1, 0, known)), numbers(frames.narrow(1, 0, known)));
}
