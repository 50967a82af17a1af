//! Layers that several networks are made of, before their first step and evaluated.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, backend::Backend};
use finescale::Grid;
use finescale::model::Activation;
use rand_chacha::ChaCha8Rng;

use super::initial::{uniform, zeros};
use crate::config::Precision;
use crate::engine::kernels::{Block, Kernels, composed};

/// What layers are made with.
pub(super) struct Maker<'a, B: Backend> {
    pub(super) grid: Grid,
    pub(super) rng: &'a mut ChaCha8Rng,
    pub(super) device: &'a B::Device,
}

impl<B: Backend> Maker<'_, B> {
    /// A convolution of so many points along each axis; its first weights have a gain.
    pub(super) fn conv(&mut self, from: usize, to: usize, kernel: usize, gain: f64) -> Conv<B> {
        let ky = if self.grid.is_line() { 1 } else { kernel };
        let shape = [to, from, ky, kernel];
        Conv {
            weight: uniform(shape, from * ky * kernel, gain, self.rng, self.device),
            bias: zeros([to], self.device),
            grid: self.grid,
        }
    }

    /// A dense layer.
    pub(super) fn dense(&mut self, from: usize, to: usize) -> Dense<B> {
        Dense {
            weight: uniform([from, to], from, 1.0, self.rng, self.device),
            bias: zeros([to], self.device),
        }
    }
}

/// x W + b.
#[derive(Module, Debug)]
pub(super) struct Dense<B: Backend> {
    weight: Param<Tensor<B, 2>>,
    bias: Param<Tensor<B, 1>>,
}

impl<B: Backend> Dense<B> {
    /// `[rows, from]` to `[rows, to]`.
    pub(super) fn forward(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        x.matmul(self.weight.val()) + self.bias.val().unsqueeze()
    }

    /// Multiply-accumulates for so many rows.
    pub(super) fn macs(&self, rows: usize) -> usize {
        rows * self.weight.dims().iter().product::<usize>()
    }

    /// `[batch, tokens, from]` to `[batch, tokens, to]`.
    pub(super) fn each(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, tokens, from] = x.dims();
        let rows = self.forward(x.reshape([batch * tokens, from]));
        let to = rows.dims()[1];
        rows.reshape([batch, tokens, to])
    }
}

/// A convolution with the grid's borders.
#[derive(Module, Debug)]
pub(super) struct Conv<B: Backend> {
    weight: Param<Tensor<B, 4>>,
    bias: Param<Tensor<B, 1>>,
    #[module(skip)]
    pub(super) grid: Grid,
}

impl<B: Backend> Conv<B> {
    /// Multiply-accumulates on so many points.
    pub(super) fn macs(&self, points: usize) -> usize {
        points * self.weight.dims().iter().product::<usize>()
    }
}

impl<B: Kernels> Conv<B> {
    /// `[batch, from, y, x]` to `[batch, to, y, x]`, whether it has the grid's points or fewer.
    pub(super) fn forward(&self, x: Tensor<B, 4>, precision: Precision) -> Tensor<B, 4> {
        let (grid, dilation) = (self.grid, 1);
        let block =
            Block { grid, dilation, activation: Activation::None, residual: false, precision };
        composed(x, self.weight.val(), self.bias.val(), None, &block)
    }
}

/// Every point of `[batch, channels, y, x]` twice along every axis; a line has no y.
pub(super) fn doubled<B: Backend>(h: Tensor<B, 4>, grid: &Grid) -> Tensor<B, 4> {
    let [b, c, ny, nx] = h.dims();
    let h = h.reshape([b, c * ny, nx, 1]).repeat_dim(3, 2).reshape([b, c, ny, 2 * nx]);
    if grid.is_line() {
        return h;
    }
    h.reshape([b, c * ny, 1, 2 * nx]).repeat_dim(2, 2).reshape([b, c, 2 * ny, 2 * nx])
}
