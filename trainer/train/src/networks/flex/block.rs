//! The residual block, which may halve or double the points.

use burn::module::Module;
use burn::nn::{GroupNorm, GroupNormConfig};
use burn::tensor::module::avg_pool2d;
use burn::tensor::{Tensor, activation, backend::Backend};
use finescale::Grid;

use super::Pass;
use crate::engine::kernels::Kernels;
use crate::networks::layers::{Conv, Dense, Maker, doubled};

/// What becomes of the points along every axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resize {
    Keep,
    Halve,
    Double,
}

/// The sizes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) resize: Resize,
    pub(super) groups: usize,
    /// Width of the embedding of λ; none without λ.
    pub(super) embedding: Option<usize>,
}

/// Norm, convolution, change of the points, norm that λ modulates, and a convolution that is zero
/// at first; the input is added.
#[derive(Module, Debug)]
pub(super) struct ResBlock<B: Backend> {
    norms: [GroupNorm<B>; 2],
    convs: [Conv<B>; 2],
    modulation: Option<Dense<B>>,
    /// Where input and output differ in width.
    shortcut: Option<Conv<B>>,
    #[module(skip)]
    resize: Resize,
}

impl<B: Backend> ResBlock<B> {
    pub(super) fn new(shape: Shape, make: &mut Maker<'_, B>) -> Self {
        let Shape { from, to, resize, groups, embedding } = shape;
        Self {
            norms: [norm(groups, from, make), norm(groups, to, make)],
            convs: [make.conv(from, to, 3, 1.0), make.conv(to, to, 3, 0.0)],
            modulation: embedding.map(|embedding| make.dense(embedding, 2 * to)),
            shortcut: (from != to).then(|| make.conv(from, to, 3, 1.0)),
            resize,
        }
    }
}

/// The normalisation of so many channels in groups.
pub(super) fn norm<B: Backend>(
    groups: usize,
    channels: usize,
    make: &Maker<'_, B>,
) -> GroupNorm<B> {
    GroupNormConfig::new(groups, channels).init(make.device)
}

impl<B: Kernels> ResBlock<B> {
    /// `[batch, from, y, x]` to `[batch, to, y, x]`, of half or twice the points if it resizes.
    pub(super) fn forward(&self, x: Tensor<B, 4>, pass: &mut Pass<'_, B>) -> Tensor<B, 4> {
        let [first, second] = &self.convs;
        let [norm, norm_second] = &self.norms;
        let resized = |map| self.resize.apply(map, &first.grid);
        let h = activation::silu(norm.forward(x.clone()));
        let h = norm_second.forward(resized(first.forward(h, pass.precision)));
        let h = activation::silu(self.modulated(h, pass));
        let h = pass.dropout.apply(h);
        let h = second.forward(h, pass.precision);
        let x = resized(x);
        h + match &self.shortcut {
            Some(conv) => conv.forward(x, pass.precision),
            None => x,
        }
    }

    /// (1 + γ) h + δ, of one γ and one δ for each channel.
    fn modulated(&self, h: Tensor<B, 4>, pass: &mut Pass<'_, B>) -> Tensor<B, 4> {
        let Some((dense, embedding)) = self.modulation.as_ref().zip(pass.embedding.clone()) else {
            return h;
        };
        let [batch, channels, ..] = h.dims();
        let both = dense.forward(embedding).reshape([batch, 2 * channels, 1, 1]);
        let (gamma, delta) =
            (both.clone().narrow(1, 0, channels), both.narrow(1, channels, channels));
        h * (gamma + 1.0) + delta
    }
}

impl Resize {
    fn apply<B: Backend>(self, map: Tensor<B, 4>, grid: &Grid) -> Tensor<B, 4> {
        match self {
            Self::Keep => map,
            Self::Halve => {
                let pair = [if grid.is_line() { 1 } else { 2 }, 2];
                avg_pool2d(map, pair, pair, [0, 0], true, false)
            }
            Self::Double => doubled(map, grid),
        }
    }
}

impl<B: Backend> ResBlock<B> {
    /// Multiply-accumulates from so many points, and the points that it gives.
    fn macs(&self, points: usize) -> (usize, usize) {
        let [first, second] = &self.convs;
        let corners = if first.grid.is_line() { 2 } else { 4 };
        let resized = match self.resize {
            Resize::Keep => points,
            Resize::Halve => points / corners,
            Resize::Double => points * corners,
        };
        let modulation = self.modulation.as_ref().map_or(0, |dense| dense.macs(1));
        let shortcut = self.shortcut.as_ref().map_or(0, |conv| conv.macs(resized));
        (first.macs(points) + second.macs(resized) + modulation + shortcut, resized)
    }
}

/// Multiply-accumulates of blocks one after the other, and the points that the last one gives.
pub(super) fn macs<B: Backend>(blocks: &[ResBlock<B>], points: usize) -> (usize, usize) {
    blocks.iter().fold((0, points), |(all, points), block| {
        let (macs, points) = block.macs(points);
        (all + macs, points)
    })
}
