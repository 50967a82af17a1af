//! From the coarsest map back to fields.

use burn::module::Module;
use burn::nn::GroupNorm;
use burn::tensor::{Tensor, activation, backend::Backend};

use super::block::{self, ResBlock, Resize, Shape, norm};
use super::{Design, Pass, encoder};
use crate::engine::kernels::Kernels;
use crate::networks::layers::{Conv, Maker};

/// A block for each map of the encoder, and a convolution that is zero at first.
#[derive(Module, Debug)]
pub(super) struct Decoder<B: Backend> {
    blocks: Vec<ResBlock<B>>,
    norm: GroupNorm<B>,
    last: Conv<B>,
}

impl<B: Backend> Decoder<B> {
    pub(super) fn new(
        design: &Design,
        outputs: usize,
        embedding: Option<usize>,
        make: &mut Maker<'_, B>,
    ) -> Self {
        let shapes = shapes(design, embedding);
        let blocks = shapes.into_iter().map(|shape| ResBlock::new(shape, make)).collect();
        let channels = design.channels[0];
        let norm = norm(design.groups, channels, make);
        Self { blocks, norm, last: make.conv(channels, outputs, 3, 0.0) }
    }
}

/// A block for every one of the encoder, the other way round, and one for its first convolution:
/// where that one halves the points, this one doubles them.
fn shapes(design: &Design, embedding: Option<usize>) -> Vec<Shape> {
    let first = Shape {
        from: 0,
        to: design.channels[0],
        resize: Resize::Keep,
        groups: design.groups,
        embedding,
    };
    let mut width = design.width();
    let back = |seen: Shape| {
        let resize = match seen.resize {
            Resize::Halve => Resize::Double,
            Resize::Keep | Resize::Double => Resize::Keep,
        };
        let from = width + seen.to;
        width = seen.to;
        Shape { from, resize, ..seen }
    };
    encoder::shapes(design, embedding).into_iter().rev().chain([first]).map(back).collect()
}

impl<B: Kernels> Decoder<B> {
    /// The coarsest map, and those that the encoder has given, to `[batch, outputs, y, x]`.
    pub(super) fn forward(
        &self,
        coarsest: Tensor<B, 4>,
        maps: Vec<Tensor<B, 4>>,
        pass: &mut Pass<'_, B>,
    ) -> Tensor<B, 4> {
        let mut h = coarsest;
        for (block, map) in self.blocks.iter().zip(maps.into_iter().rev()) {
            h = block.forward(Tensor::cat(vec![h, map], 1), pass);
        }
        self.last.forward(activation::silu(self.norm.forward(h)), pass.precision)
    }
}

impl<B: Backend> Decoder<B> {
    /// Multiply-accumulates from so many points of the coarsest map.
    pub(super) fn macs(&self, points: usize) -> usize {
        let (blocks, finest) = block::macs(&self.blocks, points);
        blocks + self.last.macs(finest)
    }
}
