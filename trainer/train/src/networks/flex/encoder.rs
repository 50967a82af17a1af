//! From fields to maps of fewer and fewer points.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};

use super::block::{self, ResBlock, Resize, Shape};
use super::{Design, Pass};
use crate::engine::kernels::Kernels;
use crate::networks::layers::{Conv, Maker};

/// A convolution, and for each level its blocks and one more that halves the points.
#[derive(Module, Debug)]
pub(super) struct Encoder<B: Backend> {
    first: Conv<B>,
    blocks: Vec<ResBlock<B>>,
}

impl<B: Backend> Encoder<B> {
    pub(super) fn new(
        design: &Design,
        inputs: usize,
        embedding: Option<usize>,
        make: &mut Maker<'_, B>,
    ) -> Self {
        let first = make.conv(inputs, design.channels[0], 3, 1.0);
        let shapes = shapes(design, embedding);
        Self { first, blocks: shapes.into_iter().map(|s| ResBlock::new(s, make)).collect() }
    }
}

/// The blocks from the finest level to the coarsest.
pub(super) fn shapes(design: &Design, embedding: Option<usize>) -> Vec<Shape> {
    let groups = design.groups;
    let mut shapes = Vec::new();
    let mut from = design.channels[0];
    for (&to, &blocks) in design.channels.iter().zip(&design.blocks) {
        for n in 0..=blocks {
            let resize = if n < blocks { Resize::Keep } else { Resize::Halve };
            shapes.push(Shape { from, to, resize, groups, embedding });
            from = to;
        }
    }
    shapes
}

impl<B: Kernels> Encoder<B> {
    /// What the first convolution and every block give of `[batch, inputs, y, x]`, the coarsest map
    /// last; `added`: maps that are added to what each of them gives.
    pub(super) fn forward(
        &self,
        fields: Tensor<B, 4>,
        added: Option<&[Tensor<B, 4>]>,
        pass: &mut Pass<'_, B>,
    ) -> Vec<Tensor<B, 4>> {
        let with = |map: Tensor<B, 4>, n: usize| match added {
            Some(added) => map + added[n].clone(),
            None => map,
        };
        let mut h = with(self.first.forward(fields, pass.precision), 0);
        let mut maps = vec![h.clone()];
        for (n, block) in self.blocks.iter().enumerate() {
            h = with(block.forward(h, pass), n + 1);
            maps.push(h.clone());
        }
        maps
    }
}

impl<B: Backend> Encoder<B> {
    /// Multiply-accumulates from so many points, and the points of the coarsest map.
    pub(super) fn macs(&self, points: usize) -> (usize, usize) {
        let (blocks, coarsest) = block::macs(&self.blocks, points);
        (self.first.macs(points) + blocks, coarsest)
    }
}
