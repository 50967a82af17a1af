//! Weight gradient of one sample: every weight is the product of an output gradient with a shifted input, summed over the
//! grid. Four output channels × three shifted inputs share their loads.

use finescale::layer::ConvShape;

use super::padded::Padded;

const LANES: usize = 8;
const OUTPUTS: usize = 4;
const INPUTS: usize = 3;

type Sums = [[[f32; LANES]; INPUTS]; OUTPUTS];

/// `[out][in][ky][kx]` from `[in][y][x]` and `[out][y][x]`.
pub(super) fn gradient(shape: &ConvShape, input: &[f32], grad_output: &[f32]) -> Vec<f32> {
    let padded = Padded::new(shape, input);
    let shifts = shifts(shape, &padded);
    let mut gradient = vec![0.0; shape.weights_len()];
    pulp::Arch::new().dispatch(|| fill(shape, &padded, &shifts, grad_output, &mut gradient));
    gradient
}

/// Where in the padded input each weight of an output channel starts to read, in the order of the weights.
fn shifts(shape: &ConvShape, padded: &Padded) -> Vec<usize> {
    let mut shifts = Vec::with_capacity(shape.weights_len() / shape.outputs());
    for input in 0..shape.inputs() {
        for ky in 0..shape.taps_y() {
            for kx in 0..shape.taps() {
                let offset = (ky * padded.stride + kx) * shape.dilation();
                shifts.push(input * padded.plane + offset);
            }
        }
    }
    shifts
}

#[inline(always)]
fn fill(
    shape: &ConvShape,
    padded: &Padded,
    shifts: &[usize],
    grad_output: &[f32],
    gradient: &mut [f32],
) {
    let (nx, points) = (shape.grid().nx(), shape.grid().points());
    let outputs = grad_output.chunks(OUTPUTS * points);
    for (grads, weights) in outputs.zip(gradient.chunks_mut(OUTPUTS * shifts.len())) {
        let last = grads.len() / points - 1;
        // Beyond the last channel, and the last shift, a tile repeats the last.
        let grads: [&[f32]; OUTPUTS] =
            std::array::from_fn(|o| &grads[o.min(last) * points..][..points]);
        for (first, shifts) in shifts.chunks(INPUTS).enumerate() {
            let inputs: [&[f32]; INPUTS] =
                std::array::from_fn(|i| &padded.values[shifts[i.min(shifts.len() - 1)]..]);
            let sums = products(nx, padded.stride, &inputs, &grads);
            for (row, sums) in weights.chunks_exact_mut(weights_per_output(shape)).zip(&sums) {
                let row = &mut row[first * INPUTS..];
                for (weight, lanes) in row.iter_mut().zip(sums) {
                    *weight = reduce(*lanes);
                }
            }
        }
    }
}

fn weights_per_output(shape: &ConvShape) -> usize {
    shape.weights_len() / shape.outputs()
}

/// Sums over the grid of the products of every input with every gradient.
#[inline(always)]
fn products(
    nx: usize,
    stride: usize,
    inputs: &[&[f32]; INPUTS],
    grads: &[&[f32]; OUTPUTS],
) -> Sums {
    let mut sums = Sums::default();
    let rows = grads[0].len() / nx;
    for y in 0..rows {
        let grads = grads.map(|plane| plane[y * nx..][..nx].as_chunks::<LANES>().0);
        let inputs = inputs.map(|plane| plane[y * stride..][..nx].as_chunks::<LANES>().0);
        for j in 0..nx / LANES {
            let grads = grads.map(|row| row[j]);
            let inputs = inputs.map(|row| row[j]);
            for (sums, grad) in sums.iter_mut().zip(&grads) {
                for (sums, input) in sums.iter_mut().zip(&inputs) {
                    for ((sum, a), b) in sums.iter_mut().zip(grad).zip(input) {
                        *sum += a * b;
                    }
                }
            }
        }
    }
    sums
}

/// Sum of the lanes, by halves.
fn reduce([a, b, c, d, e, f, g, h]: [f32; LANES]) -> f32 {
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
