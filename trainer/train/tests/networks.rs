//! What all networks have in common: fields of every grid that fits, and a cost that is counted.

use burn::tensor::{Tensor, TensorData};
use finescale::{Axis, Grid};
use finescale_train::config::{Config, Precision};
use finescale_train::engine::backend::Cpu;
use finescale_train::networks::{Cost, Fields, Forward, Kind, Network, Settings};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

fn line() -> Grid {
    Grid::line(Axis::periodic(8).unwrap())
}

fn square() -> Grid {
    let axis = Axis::periodic(8).unwrap();
    Grid::plane(axis, axis).unwrap()
}

fn network(settings: &Settings, grid: Grid) -> Network<Cpu> {
    let fields = Fields { grid, inputs: 3, outputs: 2, lambda: true, task: None };
    settings.build(fields, &mut ChaCha8Rng::seed_from_u64(1), &Default::default()).unwrap()
}

fn settings(kind: Kind) -> Settings {
    let mut settings = Settings { kind, ..Config::default().network };
    (settings.tiny.channels, settings.tiny.dilations) = (16, vec![1, 2, 1]);
    (settings.unet.dim, settings.unet.multipliers) = (8, vec![1, 2]);
    let flex = &mut settings.flex;
    (flex.channels, flex.blocks, flex.groups) = (vec![4], vec![1], 2);
    (flex.depth, flex.heads) = (3, 2);
    settings
}

/// If it failed, equal costs in a comparison would not be equal. The numbers were counted by hand,
/// layer by layer: taps · inputs · outputs · points of a convolution, and so on.
#[test]
fn costs_are_those_of_the_layers() {
    for (kind, grid, macs) in [
        (Kind::Tiny, line(), 9168),
        (Kind::Unet, line(), 252_512),
        (Kind::Flex, line(), 10_984),
        (Kind::Flex, square(), 181_000),
    ] {
        assert_eq!(network(&settings(kind), grid).macs(grid.points()), macs, "{kind:?}");
    }
}

/// If it failed, a plane whose coarsest level is one point wide would end in a panic: it is no line.
#[test]
fn a_plane_may_be_halved_to_a_point() {
    let mut settings = settings(Kind::Unet);
    settings.unet.multipliers = vec![1; 4];
    settings.flex.channels = vec![4; 3];
    settings.flex.blocks = vec![1; 3];
    for kind in [Kind::Unet, Kind::Flex] {
        settings.kind = kind;
        let shape = [1, 3, 8, 8];
        let fields: Vec<f32> = (0..3 * 64).map(|n| (n as f32).sin()).collect();
        let fields = Tensor::from_data(TensorData::new(fields, shape), &Default::default());
        let lambda = Tensor::ones([1, 5], &Default::default());
        let out = network(&settings, square()).forward(fields, Some(lambda), Precision::Full);
        assert_eq!(out.dims(), [1, 2, 8, 8], "{kind:?}");
    }
}
