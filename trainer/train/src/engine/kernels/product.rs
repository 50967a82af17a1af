//! Convolutions as matrix products, for a backend whose own convolutions are slow unless they are
//! tuned: a product has one good kernel for most shapes.

use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients as Register;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::Backend;
use burn::tensor::{IndexingUpdateOp, Tensor, TensorPrimitive};
use finescale::{Boundary, Grid};

use crate::engine::frames::index;

/// Where a convolution reads: it has as many points as its input.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// The grid, whose boundaries continue the input; the input may have fewer points.
    pub grid: Grid,
    /// Dilation along every axis.
    pub dilation: usize,
}

impl Reach {
    /// For each axis, the points that the input is continued by on either side.
    fn margins(&self, weight: [usize; 4]) -> [usize; 2] {
        [weight[2] / 2 * self.dilation, weight[3] / 2 * self.dilation]
    }

    /// For each axis of an input, the points that the continued axis repeats.
    fn continued(&self, input: [usize; 4], [y, x]: [usize; 2]) -> [Vec<usize>; 2] {
        let across = self.grid.y().unwrap_or(self.grid.x());
        [
            continued(across.boundary(), input[2], y),
            continued(self.grid.x().boundary(), input[3], x),
        ]
    }
}

fn continued(boundary: Boundary, n: usize, margin: usize) -> Vec<usize> {
    let (n, margin) = (n as isize, margin as isize);
    let point = |i: isize| match boundary {
        Boundary::Periodic => i.rem_euclid(n),
        Boundary::Reflecting if i < 0 => -1 - i,
        Boundary::Reflecting if i >= n => 2 * n - 1 - i,
        Boundary::Reflecting => i,
    };
    (-margin..n + margin).map(|i| point(i) as usize).collect()
}

/// The convolution of `[batch, in, y, x]` with `[out, in, ky, kx]`.
pub fn convolution<B: Backend>(
    input: Tensor<B, 4>,
    weight: Tensor<B, 4>,
    reach: &Reach,
) -> Tensor<B, 4> {
    let continued = reach.continued(input.dims(), reach.margins(weight.dims()));
    product(input, weight, reach.dilation, &continued)
}

/// The convolution of an input whose continuation repeats these points of its axes.
fn product<B: Backend>(
    input: Tensor<B, 4>,
    weight: Tensor<B, 4>,
    dilation: usize,
    continued: &[Vec<usize>; 2],
) -> Tensor<B, 4> {
    let [out, channels, ky, kx] = weight.dims();
    let (columns, [ny, nx]) = columns(input, [ky, kx], dilation, continued);
    let [batch, ..] = columns.dims();
    let weight = weight.reshape([1, out, channels * ky * kx]);
    weight.matmul(columns).reshape([batch, out, ny, nx])
}

/// `[batch, in · ky · kx, points]`: the numbers that meet the weights at every point of the output;
/// and the output's axes.
fn columns<B: Backend>(
    input: Tensor<B, 4>,
    [ky, kx]: [usize; 2],
    dilation: usize,
    [along_y, along_x]: &[Vec<usize>; 2],
) -> (Tensor<B, 3>, [usize; 2]) {
    let [batch, channels, height, width] = input.dims();
    let flat = input.reshape([batch, channels, height * width]);
    let axes = [along_y.len() - (ky - 1) * dilation, along_x.len() - (kx - 1) * dilation];
    let ([ny, nx], taps) = (axes, ky * kx);
    if taps == 1 {
        return (flat, axes);
    }
    let mut places = Vec::with_capacity(taps * ny * nx);
    for (i, j) in (0..ky).flat_map(|i| (0..kx).map(move |j| (i * dilation, j * dilation))) {
        for y in &along_y[i..i + ny] {
            places.extend(along_x[j..j + nx].iter().map(|x| (y * width + x) as i32));
        }
    }
    let places = index(places, &flat.device());
    (flat.select(2, places).reshape([batch, channels * taps, ny * nx]), axes)
}

/// What the gradient needs.
#[derive(Clone, Debug)]
struct State<B: Backend> {
    input: B::FloatTensorPrimitive,
    weight: B::FloatTensorPrimitive,
    reach: Reach,
}

impl<B: Backend> State<B> {
    /// A convolution of the cotangent between zeros with the turned weights, whose margins are
    /// added to the points that they repeat.
    fn of_input(&self, cotangent: Tensor<B, 4>) -> Tensor<B, 4> {
        let weight = tensor::<B>(self.weight.clone());
        let ([batch, out, ny, nx], dilation) = (cotangent.dims(), self.reach.dilation);
        let margins = self.reach.margins(weight.dims());
        let device = cotangent.device();
        let [y, x] = margins.map(|margin| 2 * margin);
        let (shape, kind) = ([batch, out, ny + 2 * y, nx + 2 * x], cotangent.dtype());
        let alone = |n: usize| (0..n).collect();
        if margins == [0, 0] {
            return product(cotangent, weight.swap_dims(0, 1), dilation, &[alone(ny), alone(nx)]);
        }
        let between = Tensor::zeros(shape, (&device, kind))
            .slice_assign([0..batch, 0..out, y..y + ny, x..x + nx], cotangent);
        let turned = if y == 0 { weight.flip([3]) } else { weight.flip([2, 3]) };
        let axes = [alone(shape[2]), alone(shape[3])];
        let mut found = product(between, turned.swap_dims(0, 1), dilation, &axes);
        let continued = self.reach.continued([batch, out, ny, nx], margins);
        for (dim, (points, margin)) in [2, 3].into_iter().zip(continued.iter().zip(margins)) {
            if margin > 0 {
                let mut shape = found.dims();
                shape[dim] -= 2 * margin;
                let points = index(points.iter().map(|&point| point as i32).collect(), &device);
                found = Tensor::zeros(shape, (&device, kind)).select_assign(
                    dim,
                    points,
                    found,
                    IndexingUpdateOp::Add,
                );
            }
        }
        found
    }

    /// One product for every sample: a single one would be a few outputs of very long sums.
    fn of_weight(&self, cotangent: Tensor<B, 4>) -> Tensor<B, 4> {
        let shape = tensor::<B>(self.weight.clone()).dims();
        let input = tensor::<B>(self.input.clone());
        let continued = self.reach.continued(input.dims(), self.reach.margins(shape));
        let (columns, [ny, nx]) =
            columns(input, [shape[2], shape[3]], self.reach.dilation, &continued);
        let [batch, out, ..] = cotangent.dims();
        let samples = cotangent.reshape([batch, out, ny * nx]).matmul(columns.swap_dims(1, 2));
        samples.sum_dim(0).reshape(shape)
    }
}

fn tensor<B: Backend>(primitive: B::FloatTensorPrimitive) -> Tensor<B, 4> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}

/// The gradient of a convolution.
#[derive(Debug)]
struct ConvolutionBackward;

impl<B: Backend> Backward<B, 2> for ConvolutionBackward {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 2>, grads: &mut Register, _: &mut Checkpointer) {
        let cotangent = tensor::<B>(grads.consume::<B>(&ops.node));
        let [input, weight] = ops.parents;
        if let Some(node) = weight {
            let found = ops.state.of_weight(cotangent.clone());
            grads.register::<B>(node.id, found.into_primitive().tensor());
        }
        if let Some(node) = input {
            let found = ops.state.of_input(cotangent);
            grads.register::<B>(node.id, found.into_primitive().tensor());
        }
    }
}

/// [`convolution`], which remembers its input and not its many times larger columns.
pub fn differentiable<B: Backend, C: CheckpointStrategy>(
    input: Tensor<Autodiff<B, C>, 4>,
    weight: Tensor<Autodiff<B, C>, 4>,
    reach: &Reach,
) -> Tensor<Autodiff<B, C>, 4> {
    let [input, weight] = [input, weight].map(|tensor| tensor.into_primitive().tensor());
    let nodes = [input.node, weight.node];
    let state = State::<B> { input: input.primitive, weight: weight.primitive, reach: *reach };
    let [given, with] = [&state.input, &state.weight].map(|part| tensor::<B>(part.clone()));
    let output = convolution(given, with, reach);
    let output = output.into_primitive().tensor();
    let output = match ConvolutionBackward.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(state, output),
        OpsKind::UnTracked(prep) => prep.finish(output),
    };
    Tensor::from_primitive(TensorPrimitive::Float(output))
}
