//! Times Kolmogorov time steps on one thread; `benches/kolmogorov_step.py` calls it and compares.
//!
//! `kolmogorov_step POINTS ROUNDS STEPS` prints the best microseconds a step over the rounds, then
//! the vorticity amplitudes `kx ky re im` after the first 100 steps, for |kx|, |ky| ≤ 8.

use finescale_data::simulate::kolmogorov::{Flow, Physics};
use num_complex::Complex64;
use std::time::Instant;

const DT: f64 = 1e-3;

/// The initial flow that the Python side makes too.
fn initial_flow(points: usize) -> Flow {
    let physics = Physics { viscosity: 1e-3, drag: 0.1, forcing: 4.0, forcing_wavenumber: 4 };
    let mut flow = Flow::new(physics, points, DT);
    for kx in 0..=4i64 {
        for ky in -4..=4i64 {
            if kx > 0 || ky > 0 {
                let (x, y) = (kx as f64, ky as f64);
                let value = Complex64::new((3.0 * x + 5.0 * y).cos(), (2.0 * x - 7.0 * y).sin());
                flow.set_amplitude(kx, ky, value / 4.0);
            }
        }
    }
    flow
}

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let [points, rounds, steps] = numbers[..] else {
        eprintln!("usage: kolmogorov_step POINTS ROUNDS STEPS");
        std::process::exit(2);
    };
    let mut flow = initial_flow(points);
    let mut best = f64::INFINITY;
    for _ in 0..rounds {
        let begun = Instant::now();
        for _ in 0..steps {
            flow.step();
        }
        best = best.min(begun.elapsed().as_secs_f64() / steps as f64);
    }
    println!("{}", 1e6 * best);
    let mut flow = initial_flow(points);
    for _ in 0..100 {
        flow.step();
    }
    for kx in -8..=8 {
        for ky in -8..=8 {
            let value = flow.amplitude(kx, ky);
            println!("{kx} {ky} {:e} {:e}", value.re, value.im);
        }
    }
}
