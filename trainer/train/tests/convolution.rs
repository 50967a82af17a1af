//! Batched convolutions and their gradients against exact sums.

use finescale::model::Activation;
use finescale::{Axis, Boundary, Grid, NoiseStream};
use finescale_train::engine::kernels::convolution::{Block, Convolution, Given};

const BATCH: usize = 3;
const BOUNDARIES: [Boundary; 2] = [Boundary::Periodic, Boundary::Reflecting];

fn normal(values: usize, seed: u64) -> Vec<f32> {
    let mut field = vec![0.0; values];
    NoiseStream { seed, member: 1, frame: 2, draw: 3 }.fill(&mut field);
    field
}

fn cases() -> Vec<Convolution> {
    let axis = |n, b| Axis::new(n, b).expect("an axis");
    let mut grids = Vec::new();
    for bx in BOUNDARIES {
        grids.push(Grid::line(axis(16, bx)));
        for by in BOUNDARIES {
            grids.push(Grid::plane(axis(8, by), axis(16, bx)).expect("a plane"));
            grids.push(Grid::plane(axis(16, by), axis(8, bx)).expect("a plane"));
        }
    }
    let sizes =
        [(1, 1, 2, 5), (3, 1, 6, 8), (3, 2, 4, 1), (3, 4, 5, 6), (5, 2, 2, 9), (7, 1, 1, 4)];
    grids
        .into_iter()
        .flat_map(|grid| {
            sizes.map(|(kernel, dilation, channels_in, channels_out)| Convolution {
                grid,
                channels_in,
                channels_out,
                kernel,
                dilation,
            })
        })
        .collect()
}

fn neighbour(at: usize, offset: isize, axis: Option<Axis>) -> usize {
    let Some(axis) = axis else { return 0 };
    let n = axis.points() as isize;
    let at = (at as isize + offset).rem_euclid(2 * n);
    match axis.boundary() {
        Boundary::Periodic => (at % n) as usize,
        Boundary::Reflecting => at.min(2 * n - 1 - at) as usize,
    }
}

/// Calls `visit(output index, input index, weight index)` for every product of a batch.
fn products(c: &Convolution, mut visit: impl FnMut(usize, usize, usize)) {
    let shape = c.shape();
    let (ny, nx) = (c.grid.ny(), c.grid.nx());
    let offset = |k: usize| (k * c.dilation) as isize - shape.reach() as isize;
    for sample in 0..BATCH {
        let mut weight = 0;
        for out in 0..c.channels_out {
            for input in 0..c.channels_in {
                for ky in 0..shape.taps_y() {
                    for kx in 0..c.kernel {
                        for point in 0..ny * nx {
                            let y = neighbour(point / nx, offset(ky), c.grid.y());
                            let x = neighbour(point % nx, offset(kx), Some(c.grid.x()));
                            visit(
                                (sample * c.channels_out + out) * ny * nx + point,
                                ((sample * c.channels_in + input) * ny + y) * nx + x,
                                weight,
                            );
                        }
                        weight += 1;
                    }
                }
            }
        }
    }
}

/// Random input, weights, bias and output gradient.
fn data(c: &Convolution) -> [Vec<f32>; 4] {
    let shape = c.shape();
    [
        normal(BATCH * shape.input_len(), 1),
        normal(shape.weights_len(), 2),
        normal(c.channels_out, 3),
        normal(BATCH * shape.output_len(), 4),
    ]
}

/// `exact` holds sums and the sums of the absolute values of what was summed.
fn assert_close(what: &str, c: &Convolution, got: &[f32], exact: &[(f64, f64)]) {
    assert_eq!(got.len(), exact.len());
    for (got, (sum, size)) in got.iter().zip(exact) {
        let error = (f64::from(*got) - sum).abs();
        assert!(error <= 3e-6 * size, "{what} of {c:?}: {got}, should be {sum}");
    }
}

fn add(sum: &mut (f64, f64), a: f32, b: f32) {
    let product = f64::from(a) * f64::from(b);
    sum.0 += product;
    sum.1 += product.abs();
}

#[test]
fn forward_and_gradients_are_their_definitions() {
    for c in cases() {
        let [input, weight, bias, grad] = data(&c);
        let points = c.grid.points();
        let mut output = Vec::new();
        for i in 0..grad.len() {
            let bias = f64::from(bias[i / points % c.channels_out]);
            output.push((bias, bias.abs()));
        }
        let mut grad_input = vec![(0.0, 0.0); input.len()];
        let mut grad_weight = vec![(0.0, 0.0); weight.len()];
        products(&c, |o, i, w| {
            add(&mut output[o], weight[w], input[i]);
            add(&mut grad_input[i], weight[w], grad[o]);
            add(&mut grad_weight[w], input[i], grad[o]);
        });
        let mut grad_bias = vec![(0.0, 0.0); bias.len()];
        for (i, grad) in grad.iter().enumerate() {
            add(&mut grad_bias[i / points % c.channels_out], *grad, 1.0);
        }
        let [got, got_input, got_weight, got_bias] = passes(&c, [&input, &weight, &bias, &grad]);
        assert_close("output", &c, &got, &output);
        assert_close("input", &c, &got_input, &grad_input);
        assert_close("weight", &c, &got_weight, &grad_weight);
        assert_close("bias", &c, &got_bias, &grad_bias);
    }
}

/// Output and gradients of input, weights and bias, of a block that does nothing but convolve.
fn passes(c: &Convolution, [input, weight, bias, grad]: [&[f32]; 4]) -> [Vec<f32>; 4] {
    let block = Block { convolution: *c, activation: Activation::None, residual: false };
    let modulated = input.len() / c.shape().input_len() * c.channels_out;
    let (factor, shift) = (vec![1.0; modulated], vec![0.0; modulated]);
    let given = Given { input, weight, bias, factor: &factor, shift: &shift };
    let (output, kept) = block.forward(&given);
    let gradients = block.backward(&given, &kept, grad, true);
    [output, gradients.input, gradients.weight, gradients.bias]
}

/// Fails if a sum is split by who is free, not by where it is.
#[test]
fn the_number_of_threads_changes_no_bit() {
    let axis = Axis::periodic(16).expect("an axis");
    let grid = Grid::plane(axis, axis).expect("a plane");
    let c = Convolution { grid, channels_in: 6, channels_out: 8, kernel: 3, dilation: 2 };
    let batch = 13;
    let input = normal(batch * c.shape().input_len(), 5);
    let grad = normal(batch * c.shape().output_len(), 6);
    let weight = normal(c.shape().weights_len(), 7);
    let bias = normal(c.channels_out, 8);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let all = pool.install(|| passes(&c, [&input, &weight, &bias, &grad]));
        all.map(|values| values.into_iter().map(f32::to_bits).collect::<Vec<_>>())
    };
    let one = run(1);
    assert!([2, 3, 8].into_iter().all(|threads| run(threads) == one));
}
