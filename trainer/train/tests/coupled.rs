//! Training's tables where the process couples two channels: what is learned from is what the
//! runtime makes of the same frames.

use burn::tensor::{Tensor, TensorData};
use finescale::{Axis, ForwardProcess, Grid, Laplacian, Modes, NoiseStream};
use finescale_data::dataset::SpectralFrames;
use finescale_model::linear::LinearBase;
use finescale_train::config::Config;
use finescale_train::engine::backend::Cpu;
use finescale_train::engine::frames::{Frames, numbers};
use finescale_train::networks::Kind;
use finescale_train::systems::predictor_driven::batch::{Draw, noised_by};
use finescale_train::systems::predictor_driven::tables::Tables;

const WINDOW: usize = 2;
const LAMBDA: f32 = 0.3;

fn noise(values: usize, seed: u64) -> Vec<f32> {
    let mut noise = vec![0.0; values];
    NoiseStream { seed, ..NoiseStream::default() }.fill(&mut noise);
    noise
}

/// If it failed, a network would learn paths that no sampler draws.
#[test]
fn batches_are_what_the_runtime_makes_of_coupled_channels() {
    // Everywhere, and on either side of a λ that the paths pass.
    for switch in [0.0, 0.2, -0.2] {
        batches_are_those_of(switch);
    }
}

fn batches_are_those_of(switch: f32) {
    let grid = Grid::line(Axis::periodic(16).unwrap());
    let process = ForwardProcess::new(0.1, 2.0, Laplacian::Spectral).unwrap();
    let process = process.with_coupling(0.5).unwrap().with_switch(switch).unwrap();
    let (frame, count) = (2 * grid.points(), 12);
    let mut values = noise(count * frame, 1);
    process.mix(grid.points(), &mut values);
    let data =
        SpectralFrames { grid, channels: 2, segments: std::iter::once(0..count).collect(), values };

    let mut config = Config::default();
    config.process.coupling = 0.5;
    config.process.coupling_switch = switch;
    (config.network.kind, config.predictor.window) = (Kind::Linear, WINDOW);
    let base = LinearBase::fit(&data, config.process.forward().unwrap(), WINDOW).unwrap();
    let device = Default::default();
    let tables = Tables::<Cpu>::new(&base, &config, &[LAMBDA.into()], &device).unwrap();
    let frames = Frames::<Cpu>::new(&data, WINDOW, &device).unwrap();
    let draw = Draw {
        starts: vec![4],
        lambdas: vec![0],
        available: vec![WINDOW],
        noise: 0,
        symmetries: Vec::new(),
    };
    let unit = noise((WINDOW + 1) * frame, 2);
    let shape = [1, WINDOW + 1, 2, grid.points()];
    let given = Tensor::from_data(TensorData::new(unit.clone(), shape), &device);
    let batch = noised_by(&frames, &draw, given, &tables);
    let mut found = numbers(batch.window.spectra);
    let increment = numbers(batch.increment);

    let mut path: Vec<f32> = data.values[4 * frame..(5 + WINDOW) * frame].to_vec();
    process.apply(&grid, LAMBDA, Modes::from_mut(&mut path), &unit).unwrap();
    let newest = &path[(WINDOW - 1) * frame..WINDOW * frame];
    let next = newest.iter().zip(&increment).map(|(u, f)| u + f);
    found.extend(next.collect::<Vec<_>>());
    for (found, expected) in found.iter().zip(&path) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
    // The two are damped differently, and learn a mean noise between both.
    let damping = numbers(tables.damping);
    assert!(damping[4] > 1.01 * damping[grid.points() + 4]);
    let mean: f32 = (0..2)
        .flat_map(|channel| process.kappas(&grid, channel))
        .map(|kappa| process.noise_variance(kappa, LAMBDA))
        .sum::<f32>()
        / frame as f32;
    assert!((numbers(tables.mean_noise)[0] / mean - 1.0).abs() < 1e-5);
}
