//! Times transforms and a network on square planes from 16² to 1024² points, on one thread.
//!
//! `grids` prints a line for each plane, in nanoseconds of processor time for each point, and under
//! them the exponents of the cost: the slopes of log time over log points, by least squares. A
//! transform goes to the modes and back; the network is the layers of `tiny`, forward, with
//! periodic boundaries.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use finescale::layer::{Conv, ConvShape, Epilogue, SLOPE};
use finescale::{Axis, Field, Grid, NoiseStream, spectral};

const SIDES: [usize; 13] = [16, 24, 32, 40, 64, 72, 128, 144, 256, 360, 512, 720, 1024];
/// Inputs, outputs and dilation of every layer.
const LAYERS: [[usize; 3]; 5] = [[6, 16, 1], [16, 16, 2], [16, 16, 4], [16, 16, 2], [16, 1, 1]];
/// Rounds for each number, and the nanoseconds of a round.
const ROUNDS: usize = 5;
const ROUND: f64 = 4e8;
/// Between two looks at the processor time.
const PAUSE: Duration = Duration::from_millis(5);

/// Nanoseconds that this thread has had a processor, from Linux.
fn processor_time() -> Result<f64> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(times.split(' ').next().context("the kernel counts no processor time")?.parse()?)
}

/// Nanoseconds of processor time of a call, in the fastest of some rounds: Linux counts in ticks,
/// of which a round has many.
fn best(mut call: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..ROUNDS {
        let (begin, mut calls) = (processor_time()?, 0.0);
        while processor_time()? - begin < ROUND {
            // To ask for the time takes as long as a small transform.
            let asked = Instant::now();
            while asked.elapsed() < PAUSE {
                call()?;
                calls += 1.0;
            }
        }
        best = best.min((processor_time()? - begin) / calls);
    }
    Ok(best)
}

fn noise(values: usize) -> Vec<f32> {
    let mut noise = vec![0.0; values];
    NoiseStream::default().fill(&mut noise);
    noise
}

/// To the modes and back.
fn transform(axis: Axis) -> Result<f64> {
    let grid = Grid::plane(axis, axis)?;
    let mut field = noise(grid.points());
    let mut scratch = vec![0.0; spectral::scratch_len(&grid)];
    best(|| {
        let modes = spectral::forward(&grid, Field::from_mut(&mut field), &mut scratch)?;
        spectral::inverse(&grid, black_box(modes), &mut scratch)?;
        Ok(())
    })
}

/// The layers, one after the other.
fn network(axis: Axis) -> Result<f64> {
    let grid = Grid::plane(axis, axis)?;
    let wide = 16 * grid.points();
    let field = noise(LAYERS[0][0] * grid.points());
    let (mut from, mut to) = (vec![0.0; wide], vec![0.0; wide]);
    let (scale, shift) = ([0.1; 16], [0.0; 16]);
    let mut layers = Vec::new();
    for [inputs, outputs, dilation] in LAYERS {
        let shape = ConvShape::new(grid, inputs, outputs, 3, dilation)?;
        layers.push((shape, noise(shape.packed_len())));
    }
    let scratch = layers.iter().map(|(shape, _)| shape.scratch_len()).max();
    let mut scratch = vec![0.0; scratch.unwrap_or(0)];
    best(|| {
        // What comes out, taken in again and again, would fade to numbers that are slow.
        from[..field.len()].copy_from_slice(&field);
        for (shape, weights) in &layers {
            let (scale, shift) = (&scale[..shape.outputs()], &shift[..shape.outputs()]);
            let epilogue = Epilogue { scale, shift, slope: SLOPE };
            let (x, y) = (&from[..shape.input_len()], &mut to[..shape.output_len()]);
            Conv::new(*shape, weights)?.forward(x, &epilogue, None, None, y, &mut scratch)?;
            std::mem::swap(&mut from, &mut to);
        }
        Ok(())
    })
}

/// The slope of log time over log points.
fn exponent(times: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = times.iter().map(|(points, ns)| (points.ln(), ns.ln())).collect();
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / logs.len() as f64;
    let (x, y) = (mean(|log| log.0), mean(|log| log.1));
    let products = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum::<f64>();
    products / logs.iter().map(|log| (log.0 - x).powi(2)).sum::<f64>()
}

fn main() -> Result<()> {
    println!("| points | periodic | reflecting | network |\n|---|---|---|---|");
    let mut columns = [const { Vec::new() }; 3];
    for side in SIDES {
        let (periodic, reflecting) = (Axis::periodic(side)?, Axis::reflecting(side)?);
        let times = [transform(periodic)?, transform(reflecting)?, network(periodic)?];
        let points = (side * side) as f64;
        let [a, b, c] = times.map(|ns| ns / points);
        println!("| {side}² | {a:.1} | {b:.1} | {c:.0} |");
        for (column, ns) in columns.iter_mut().zip(times) {
            column.push((points, ns));
        }
    }
    let [a, b, c] = columns.each_ref().map(|times| exponent(times));
    println!("| exponent | {a:.3} | {b:.3} | {c:.3} |");
    Ok(())
}
