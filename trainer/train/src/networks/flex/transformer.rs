//! The transformer over the points of the coarsest map, with skips from its first half to its
//! second (Bao et al. 2023).

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig};
use burn::tensor::module::attention;
use burn::tensor::ops::AttentionModuleOptions;
use burn::tensor::{Tensor, activation, backend::Backend};

use super::{Design, Pass};
use crate::networks::initial::{uniform, within};
use crate::networks::layers::{Dense, Maker};

/// The largest learned position at first: a standard deviation of 0.02.
const POSITION: f32 = 0.035;

/// Every point of the map is a token, behind one that is λ's.
#[derive(Module, Debug)]
pub(super) struct Transformer<B: Backend> {
    /// `[tokens, width]`.
    positions: Param<Tensor<B, 2>>,
    /// λ's token, and what is added to it behind the middle block; none without λ.
    conditions: Option<[Dense<B>; 2]>,
    before: Vec<TokenBlock<B>>,
    middle: TokenBlock<B>,
    after: Vec<Merged<B>>,
    norm: LayerNorm<B>,
}

/// A block, and how it sees what one of the first half gave.
#[derive(Module, Debug)]
struct Merged<B: Backend> {
    merge: Dense<B>,
    block: TokenBlock<B>,
}

impl<B: Backend> Transformer<B> {
    pub(super) fn new(design: &Design, embedding: Option<usize>, make: &mut Maker<'_, B>) -> Self {
        let width = design.width();
        let tokens = 1 + design.coarsest(&make.grid).iter().product::<usize>();
        let half = design.depth / 2;
        Self {
            positions: within([tokens, width], POSITION, make.rng, make.device),
            conditions: embedding.map(|from| [make.dense(from, width), make.dense(from, width)]),
            before: (0..half).map(|_| TokenBlock::new(design, make)).collect(),
            middle: TokenBlock::new(design, make),
            after: (0..half).map(|_| Merged::new(design, make)).collect(),
            norm: LayerNormConfig::new(width).init(make.device),
        }
    }

    /// `[batch, width, y, x]` to the same shape.
    pub(super) fn forward(&self, map: Tensor<B, 4>, pass: &mut Pass<'_, B>) -> Tensor<B, 4> {
        let [_, width, ny, nx] = map.dims();
        let condition = |n: usize| {
            let embedding = pass.embedding.clone()?;
            Some(self.conditions.as_ref()?[n].forward(embedding).reshape([-1, 1, width as i32]))
        };
        let mut h = tokens(map, condition(0)) + self.positions.val().unsqueeze();
        let mut skips = Vec::new();
        for block in &self.before {
            h = block.forward(h);
            skips.push(h.clone());
        }
        h = self.middle.forward(h);
        if let Some(condition) = condition(1) {
            let first = h.clone().narrow(1, 0, 1) + condition;
            h = Tensor::cat(vec![first, h.narrow(1, 1, ny * nx)], 1);
        }
        for (Merged { merge, block }, skip) in self.after.iter().zip(skips.into_iter().rev()) {
            h = block.forward(merge.each(Tensor::cat(vec![h, skip], 2)));
        }
        points(self.norm.forward(h), [ny, nx])
    }
}

impl<B: Backend> Transformer<B> {
    /// Multiply-accumulates for so many points.
    pub(super) fn macs(&self, points: usize) -> usize {
        let tokens = 1 + points;
        let conditions: usize = self.conditions.iter().flatten().map(|dense| dense.macs(1)).sum();
        let after = self.after.iter().map(|Merged { merge, .. }| merge.macs(tokens));
        let blocks = self.before.iter().chain([&self.middle]);
        let blocks = blocks.chain(self.after.iter().map(|Merged { block, .. }| block));
        let blocks = blocks.map(|block| block.macs(tokens));
        conditions + after.sum::<usize>() + blocks.sum::<usize>()
    }
}

/// The points of `[batch, width, y, x]`, row by row, as `[batch, 1 + points, width]`. The token
/// before them is zero where nothing is given for it.
pub(super) fn tokens<B: Backend>(
    map: Tensor<B, 4>,
    condition: Option<Tensor<B, 3>>,
) -> Tensor<B, 3> {
    let [batch, width, ny, nx] = map.dims();
    let device = map.device();
    let points = map.reshape([batch, width, ny * nx]).swap_dims(1, 2);
    let first = condition.unwrap_or_else(|| Tensor::zeros([batch, 1, width], &device));
    Tensor::cat(vec![first, points], 1)
}

/// The way back; the first token is left out.
pub(super) fn points<B: Backend>(tokens: Tensor<B, 3>, [ny, nx]: [usize; 2]) -> Tensor<B, 4> {
    let [batch, _, width] = tokens.dims();
    tokens.narrow(1, 1, ny * nx).swap_dims(1, 2).reshape([batch, width, ny, nx])
}

impl<B: Backend> Merged<B> {
    fn new(design: &Design, make: &mut Maker<'_, B>) -> Self {
        let width = design.width();
        Self { merge: make.dense(2 * width, width), block: TokenBlock::new(design, make) }
    }
}

/// Attention and two dense layers, each behind a norm and with its input added.
#[derive(Module, Debug)]
struct TokenBlock<B: Backend> {
    norms: [LayerNorm<B>; 2],
    attention: Attention<B>,
    dense: [Dense<B>; 2],
}

impl<B: Backend> TokenBlock<B> {
    fn new(design: &Design, make: &mut Maker<'_, B>) -> Self {
        let (width, hidden) = (design.width(), design.mlp_ratio * design.width());
        let norm = || LayerNormConfig::new(width).init(make.device);
        Self {
            norms: [norm(), norm()],
            attention: Attention::new(width, design.heads, make),
            dense: [make.dense(width, hidden), make.dense(hidden, width)],
        }
    }

    fn forward(&self, h: Tensor<B, 3>) -> Tensor<B, 3> {
        let [norm, norm_second] = &self.norms;
        let [first, second] = &self.dense;
        let h = h.clone() + self.attention.forward(norm.forward(h));
        let hidden = activation::gelu(first.each(norm_second.forward(h.clone())));
        h + second.each(hidden)
    }
}

impl<B: Backend> TokenBlock<B> {
    fn macs(&self, tokens: usize) -> usize {
        let dense = self.dense.iter().map(|dense| dense.macs(tokens)).sum::<usize>();
        dense + self.attention.macs(tokens)
    }
}

/// softmax(Q Kᵀ/√d) V of several heads, each of d numbers of a token, and a dense layer.
#[derive(Module, Debug)]
pub(super) struct Attention<B: Backend> {
    /// `[width, 3 · width]`: queries, keys, values, in each the heads one after the other. A bias
    /// of the keys would change nothing.
    pub(super) project: Param<Tensor<B, 2>>,
    pub(super) out: Dense<B>,
    #[module(skip)]
    heads: usize,
}

impl<B: Backend> Attention<B> {
    pub(super) fn new(width: usize, heads: usize, make: &mut Maker<'_, B>) -> Self {
        let project = uniform([width, 3 * width], width, 1.0, make.rng, make.device);
        Self { project, out: make.dense(width, width), heads }
    }

    /// `[batch, tokens, width]` to the same shape.
    pub(super) fn forward(&self, h: Tensor<B, 3>) -> Tensor<B, 3> {
        let [batch, tokens, width] = h.dims();
        let all = h.reshape([batch * tokens, width]).matmul(self.project.val());
        let part = |n: usize| {
            let part = all.clone().narrow(1, n * width, width);
            part.reshape([batch, tokens, self.heads, width / self.heads]).swap_dims(1, 2)
        };
        let options = AttentionModuleOptions::default();
        let read = attention(part(0), part(1), part(2), None, None, options);
        self.out.each(read.swap_dims(1, 2).reshape([batch, tokens, width]))
    }
}

impl<B: Backend> Attention<B> {
    fn macs(&self, tokens: usize) -> usize {
        let [width, all] = self.project.dims();
        tokens * width * all + 2 * tokens * tokens * width + self.out.macs(tokens)
    }
}
