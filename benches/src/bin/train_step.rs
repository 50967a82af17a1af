//! Times training steps of the network `tiny` on the CPU; `benches/train_step.py` calls it and
//! compares.
//!
//! `train_step POINTS CHANNELS BATCH ROUNDS STEPS`: forward, mean squared error, backward, Adam, on
//! a POINTS × POINTS grid with 6 input fields and dilations 1, 2, 4, 2, 1. Prints the best
//! milliseconds a step over the rounds. `RAYON_NUM_THREADS` sets the threads.

use std::time::Instant;

use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::tensor::{Tensor, TensorData};
use finescale::{Axis, Grid};
use finescale_train::config::Precision;
use finescale_train::engine::backend::{Cpu, Differentiable};
use finescale_train::networks::tiny::{self, Tiny};
use finescale_train::networks::{Design, Fields, Forward};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// As the program that trains has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type A = Differentiable<Cpu>;
const INPUTS: usize = 6;

/// Values that are neither equal nor zero.
fn field(shape: [usize; 4]) -> Tensor<A, 4> {
    let values = (0..shape.iter().product()).map(|i: usize| ((i * 37 % 101) as f32 / 50.0).sin());
    Tensor::from_data(TensorData::new(values.collect(), shape), &Default::default())
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let [points, channels, batch, rounds, steps] = numbers[..] else {
        eprintln!("usage: train_step POINTS CHANNELS BATCH ROUNDS STEPS");
        std::process::exit(2);
    };
    let axis = Axis::periodic(points).expect("a power of two from 8");
    let grid = Grid::plane(axis, axis).expect("at most 256 points");
    let settings = tiny::Design { channels, kernel: 3, dilations: vec![1, 2, 4, 2, 1] };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let device = Default::default();
    let fields = Fields { grid, inputs: INPUTS, outputs: 1, lambda: true, task: None };
    let mut network: Tiny<A> = settings.build(fields, &mut rng, &device);
    let mut optimizer = AdamConfig::new().init::<A, Tiny<A>>();
    let input = field([batch, INPUTS, points, points]);
    let target = field([batch, 1, points, points]);
    let lambda = Tensor::<A, 2>::ones([batch, 5], &device);
    let mut step = |network: Tiny<A>| {
        let error =
            network.forward(input.clone(), Some(lambda.clone()), Precision::Full) - target.clone();
        let loss = (error.clone() * error).mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        optimizer.step(3e-3, network, gradients)
    };
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let begun = Instant::now();
        for _ in 0..steps {
            network = step(network);
        }
        best = best.min(begun.elapsed().as_secs_f64() / steps as f64);
    }
    println!("{}", 1e3 * best);
}
