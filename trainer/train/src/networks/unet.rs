//! The paper's U-Net: residual blocks modulated by λ, linear attention at the deepest level.

use anyhow::{Result, ensure};
use burn::module::{Module, Param};
use burn::nn::{GroupNorm, GroupNormConfig};
use burn::tensor::{Tensor, activation, backend::Backend};
use finescale::Grid;
use rand_chacha::ChaCha8Rng;

use super::dropout::Dropout;
use super::initial::ones;
use super::layers::{Conv, Dense, Maker, doubled};
use super::{Cost, Fields, Forward};
use crate::config::{Precision, settings};
use crate::engine::kernels::Kernels;
use finescale_model::reference::LAMBDA_FEATURES;

const GROUPS: usize = 8;
const HEADS: usize = 4;
const HEAD_DIM: usize = 32;

/// Width and depth from `config`; level i works on 2⁻ⁱ of the points of every axis.
#[derive(Module, Debug)]
pub struct Unet<B: Backend> {
    first: Conv<B>,
    lambda: [Dense<B>; 2],
    down: Vec<Level<B>>,
    middle: [Residual<B>; 2],
    attention: Attention<B>,
    up: Vec<Level<B>>,
    last_block: Residual<B>,
    last: Conv<B>,
}

#[derive(Module, Debug)]
struct Level<B: Backend> {
    blocks: [Residual<B>; 2],
    attention: Option<Attention<B>>,
    resize: Conv<B>,
    /// Halves or doubles the points; the innermost level does neither.
    #[module(skip)]
    scaled: bool,
}

settings!(/// Section `network.unet`.
    Design { dim: usize, multipliers: Vec<usize> });

impl super::Design for Design {
    type Network<B: Backend> = Unet<B>;

    fn check(&self) -> Result<()> {
        ensure!(
            self.dim.is_multiple_of(8) && self.dim > 0 && !self.multipliers.is_empty(),
            "network.unet.dim is {}: use a multiple of 8, and at least one multiplier",
            self.dim
        );
        Ok(())
    }

    fn check_on(&self, grid: &Grid) -> Result<()> {
        let axes = grid.axes();
        let points = axes.map(|axis| axis.points()).min_by_key(|points| points.trailing_zeros());
        let points = points.unwrap_or_default();
        let (levels, most) = (self.multipliers.len(), 1 + points.trailing_zeros());
        ensure!(
            levels <= most as usize,
            "network.unet.multipliers names {levels} levels, each of half the points of the one \
             before, but an axis has {points} points: name at most {most}"
        );
        Ok(())
    }

    fn build<B: Backend>(
        &self,
        fields: Fields,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Unet<B> {
        let dim = self.dim;
        let widths: Vec<usize> =
            std::iter::once(dim).chain(self.multipliers.iter().map(|m| m * dim)).collect();
        let deepest = self.multipliers.len() - 1;
        let embedding = 4 * dim;
        let grid = fields.grid;
        let mut make = Maker { grid, rng, device };
        let corners = if grid.is_line() { 2 } else { 4 };
        let first = make.conv(fields.inputs, dim, 7, 1.0);
        let lambda = [make.dense(LAMBDA_FEATURES, embedding), make.dense(embedding, embedding)];
        let mut down = Vec::new();
        for n in 0..=deepest {
            let (from, to) = (widths[n], widths[n + 1]);
            let scaled = n < deepest;
            down.push(Level {
                blocks: [
                    make.residual(embedding, from, from),
                    make.residual(embedding, from, from),
                ],
                attention: (n == deepest).then(|| make.attention(from)),
                resize: if scaled {
                    make.conv(corners * from, to, 1, 1.0)
                } else {
                    make.conv(from, to, 3, 1.0)
                },
                scaled,
            });
        }
        let inner = widths[deepest + 1];
        let middle =
            [make.residual(embedding, inner, inner), make.residual(embedding, inner, inner)];
        let attention = make.attention(inner);
        let mut up = Vec::new();
        for n in (0..=deepest).rev() {
            let (to, from) = (widths[n], widths[n + 1]);
            up.push(Level {
                blocks: [
                    make.residual(embedding, from + to, from),
                    make.residual(embedding, from + to, from),
                ],
                attention: (n == deepest).then(|| make.attention(from)),
                resize: make.conv(from, to, 3, 1.0),
                scaled: n > 0,
            });
        }
        let last_block = make.residual(embedding, 2 * dim, dim);
        let last = make.conv(dim, fields.outputs, 1, 0.0);
        Unet { first, lambda, down, middle, attention, up, last_block, last }
    }
}

impl<B: Kernels> Forward<B> for Unet<B> {
    fn forward_with(
        &self,
        fields: Tensor<B, 4>,
        lambda: Option<Tensor<B, 2>>,
        precision: Precision,
        dropout: &mut Dropout,
    ) -> Tensor<B, 4> {
        let [dense, deeper] = &self.lambda;
        // Without λ the biases of the dense layers are a modulation that is learned as it is.
        let none = || Tensor::zeros([fields.dims()[0], LAMBDA_FEATURES], &fields.device());
        let lambda = lambda.unwrap_or_else(none);
        let lambda = activation::silu(deeper.forward(activation::silu(dense.forward(lambda))));
        let first = self.first.forward(fields, precision);
        let mut h = first.clone();
        let mut skips = Vec::new();
        for level in &self.down {
            let [a, b] = &level.blocks;
            h = a.forward(h, &lambda, precision, dropout);
            skips.push(h.clone());
            h = b.forward(h, &lambda, precision, dropout);
            if let Some(attention) = &level.attention {
                h = attention.forward(h, precision);
            }
            skips.push(h.clone());
            h = level.resize.forward(if level.scaled { to_depth(h) } else { h }, precision);
        }
        let [a, b] = &self.middle;
        h = a.forward(h, &lambda, precision, dropout);
        h = self.attention.forward(h, precision);
        h = b.forward(h, &lambda, precision, dropout);
        for level in &self.up {
            for block in &level.blocks {
                let skip = skips.pop().expect("every level leaves two");
                h = block.forward(Tensor::cat(vec![h, skip], 1), &lambda, precision, dropout);
            }
            if let Some(attention) = &level.attention {
                h = attention.forward(h, precision);
            }
            h = level.resize.forward(h, precision);
            if level.scaled {
                h = doubled(h, &level.resize.grid);
            }
        }
        h = Tensor::cat(vec![h, first], 1);
        h = self.last_block.forward(h, &lambda, precision, dropout);
        self.last.forward(h, precision)
    }
}

/// Every 2 × 2 points (2 on a line) to one point with as many more channels.
fn to_depth<B: Backend>(h: Tensor<B, 4>) -> Tensor<B, 4> {
    let [b, c, ny, nx] = h.dims();
    let h = h.reshape([b, c * ny, nx / 2, 2]).swap_dims(2, 3).reshape([b, c, ny, 2, nx / 2]);
    let h = h.swap_dims(2, 3).reshape([b, 2 * c, ny, nx / 2]);
    if ny == 1 {
        return h;
    }
    let h = h.reshape([b, 2 * c, ny / 2, 2, nx / 2]).swap_dims(2, 3);
    h.reshape([b, 4 * c, ny / 2, nx / 2])
}

#[derive(Module, Debug)]
struct Residual<B: Backend> {
    convs: [Conv<B>; 2],
    norms: [GroupNorm<B>; 2],
    modulation: Dense<B>,
    /// Where input and output differ in width.
    shortcut: Option<Conv<B>>,
}

impl<B: Kernels> Residual<B> {
    fn forward(
        &self,
        x: Tensor<B, 4>,
        lambda: &Tensor<B, 2>,
        precision: Precision,
        dropout: &mut Dropout,
    ) -> Tensor<B, 4> {
        let [first, second] = &self.convs;
        let [norm, norm_second] = &self.norms;
        let h = norm.forward(first.forward(x.clone(), precision));
        let [batch, channels, ..] = h.dims();
        let modulation =
            self.modulation.forward(lambda.clone()).reshape([batch, 2 * channels, 1, 1]);
        let h = h * (modulation.clone().narrow(1, 0, channels) + 1.0)
            + modulation.narrow(1, channels, channels);
        let h = dropout.apply(activation::silu(h));
        let h = norm_second.forward(second.forward(h, precision));
        let h = dropout.apply(activation::silu(h));
        h + match &self.shortcut {
            Some(conv) => conv.forward(x, precision),
            None => x,
        }
    }
}

/// Attention whose cost is linear in the number of points (Shen et al. 2021), with a residual.
#[derive(Module, Debug)]
struct Attention<B: Backend> {
    norm: GroupNorm<B>,
    project: Conv<B>,
    out: Conv<B>,
    gain: Param<Tensor<B, 1>>,
}

impl<B: Kernels> Attention<B> {
    fn forward(&self, x: Tensor<B, 4>, precision: Precision) -> Tensor<B, 4> {
        let [batch, channels, ny, nx] = x.dims();
        let all = self.project.forward(self.norm.forward(x.clone()), precision);
        let part = |n: usize| {
            let part = all.clone().narrow(1, n * HEADS * HEAD_DIM, HEADS * HEAD_DIM);
            part.reshape([batch * HEADS, HEAD_DIM, ny * nx])
        };
        let queries = activation::softmax(part(0), 1) / (HEAD_DIM as f64).sqrt();
        let keys = activation::softmax(part(1), 2);
        let context = keys.matmul(part(2).swap_dims(1, 2));
        let read = context.swap_dims(1, 2).matmul(queries);
        let out = self.out.forward(read.reshape([batch, HEADS * HEAD_DIM, ny, nx]), precision);
        x + out * self.gain.val().reshape([1, channels, 1, 1])
    }
}

impl<B: Backend> Maker<'_, B> {
    fn norm(&self, channels: usize) -> GroupNorm<B> {
        GroupNormConfig::new(GROUPS, channels).init(self.device)
    }

    fn residual(&mut self, embedding: usize, from: usize, to: usize) -> Residual<B> {
        Residual {
            convs: [self.conv(from, to, 3, 1.0), self.conv(to, to, 3, 1.0)],
            norms: [self.norm(to), self.norm(to)],
            modulation: self.dense(embedding, 2 * to),
            shortcut: (from != to).then(|| self.conv(from, to, 1, 1.0)),
        }
    }

    fn attention(&mut self, channels: usize) -> Attention<B> {
        Attention {
            norm: self.norm(channels),
            project: self.conv(channels, 3 * HEADS * HEAD_DIM, 1, 1.0),
            out: self.conv(HEADS * HEAD_DIM, channels, 1, 1.0),
            gain: ones([channels], self.device),
        }
    }
}

impl<B: Backend> Cost for Unet<B> {
    fn macs(&self, points: usize) -> usize {
        let corners = if self.first.grid.is_line() { 2 } else { 4 };
        let mut all = self.lambda.iter().map(|dense| dense.macs(1)).sum::<usize>();
        all += self.first.macs(points) + self.last_block.macs(points) + self.last.macs(points);
        let mut at = points;
        for level in &self.down {
            all += level.macs(at);
            at = if level.scaled { at / corners } else { at };
            all += level.resize.macs(at);
        }
        all += self.middle.iter().map(|block| block.macs(at)).sum::<usize>();
        all += self.attention.macs(at);
        for level in &self.up {
            all += level.macs(at) + level.resize.macs(at);
            at = if level.scaled { at * corners } else { at };
        }
        all
    }
}

impl<B: Backend> Level<B> {
    fn macs(&self, points: usize) -> usize {
        let blocks = self.blocks.iter().map(|block| block.macs(points)).sum::<usize>();
        blocks + self.attention.as_ref().map_or(0, |attention| attention.macs(points))
    }
}

impl<B: Backend> Residual<B> {
    fn macs(&self, points: usize) -> usize {
        let convs = self.convs.iter().chain(&self.shortcut).map(|conv| conv.macs(points));
        convs.sum::<usize>() + self.modulation.macs(1)
    }
}

impl<B: Backend> Attention<B> {
    fn macs(&self, points: usize) -> usize {
        let products = 2 * points * HEADS * HEAD_DIM * HEAD_DIM;
        self.project.macs(points) + self.out.macs(points) + products
    }
}
