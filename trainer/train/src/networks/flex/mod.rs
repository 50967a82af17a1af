//! FLEX's Transformer U-Net (Erichson et al., arXiv 2505.17351): residual blocks of convolutions,
//! and a transformer over the points of the coarsest level.

mod block;
mod decoder;
mod encoder;
#[cfg(test)]
mod tests;
mod transformer;

use anyhow::{Result, ensure};
use burn::module::Module;
use burn::tensor::{Tensor, activation, backend::Backend};
use finescale::Grid;
use finescale_model::reference::LAMBDA_FEATURES;
use rand_chacha::ChaCha8Rng;

use super::dropout::Dropout;
use super::layers::{Dense, Maker};
use super::{Cost, Fields, Forward, TaskFields};
use crate::config::{Precision, settings};
use crate::engine::kernels::Kernels;
use decoder::Decoder;
use encoder::Encoder;
use transformer::Transformer;

/// Most points that are tokens: attention compares every one with every other.
const TOKENS_MAX: usize = 4096;

/// An encoder, a transformer over its last map, and a decoder that sees every map of the encoder.
#[derive(Module, Debug)]
pub struct Flex<B: Backend> {
    /// λ to the embedding that modulates the blocks; none without λ.
    embedding: Option<[Dense<B>; 2]>,
    encoder: Encoder<B>,
    transformer: Option<Transformer<B>>,
    decoder: Decoder<B>,
    /// The encoder of what the task is given by; none where all inputs are seen side by side.
    task: Option<Encoder<B>>,
    #[module(skip)]
    fields: Option<TaskFields>,
}

settings!(/// Section `network.flex`.
Design {
    channels: Vec<usize>, blocks: Vec<usize>, groups: usize, transformer: bool, depth: usize,
    heads: usize, mlp_ratio: usize,
});

/// What all blocks of one evaluation share.
struct Pass<'p, B: Backend> {
    /// `[batch, embedding]`; none without λ.
    embedding: Option<Tensor<B, 2>>,
    precision: Precision,
    /// Behind the modulated activation of every residual block.
    dropout: &'p mut Dropout,
}

impl Design {
    /// Channels of the coarsest level, which are those of a token.
    fn width(&self) -> usize {
        self.channels.last().copied().unwrap_or_default()
    }

    /// Points of the coarsest level, y before x.
    fn coarsest(&self, grid: &Grid) -> [usize; 2] {
        let halved = |points: usize| points >> self.channels.len();
        [grid.y().map_or(1, |y| halved(y.points())), halved(grid.nx())]
    }

    fn check_transformer(&self) -> Result<()> {
        ensure!(
            self.depth >= 3 && !self.depth.is_multiple_of(2),
            "network.flex.depth is {}: use an odd number from 3, as many blocks before the middle \
             one as after it",
            self.depth
        );
        ensure!(
            self.heads > 0 && self.width().is_multiple_of(self.heads),
            "network.flex.heads is {}: use a number that divides the {} channels of the last level",
            self.heads,
            self.width()
        );
        ensure!(self.mlp_ratio > 0, "network.flex.mlp-ratio is 0: use at least 1");
        Ok(())
    }
}

impl super::Design for Design {
    type Network<B: Backend> = Flex<B>;

    fn check(&self) -> Result<()> {
        let fits = |channels: &usize| *channels > 0 && channels.is_multiple_of(self.groups);
        ensure!(
            self.groups > 0 && !self.channels.is_empty() && self.channels.iter().all(fits),
            "network.flex.channels is {:?}: name at least one level, each of a multiple of \
             network.flex.groups, which is {} and has to be at least 1",
            self.channels,
            self.groups
        );
        ensure!(
            self.blocks.len() == self.channels.len() && self.blocks.iter().all(|n| *n > 0),
            "network.flex.blocks is {:?}: name at least one block for each of the {} levels of \
             network.flex.channels",
            self.blocks,
            self.channels.len()
        );
        self.check_transformer()
    }

    fn check_on(&self, grid: &Grid) -> Result<()> {
        let levels = self.channels.len();
        let axes = grid.axes().map(|axis| axis.points());
        let points = axes.min_by_key(|points| points.trailing_zeros()).unwrap_or_default();
        ensure!(
            levels <= points.trailing_zeros() as usize,
            "network.flex.channels names {levels} levels, each of which halves the points, but an \
             axis has {points} points: name at most {}",
            points.trailing_zeros()
        );
        let tokens: usize = self.coarsest(grid).iter().product();
        ensure!(
            !self.transformer || tokens <= TOKENS_MAX,
            "network.flex.channels leaves {tokens} points to the transformer, and it takes at most \
             {TOKENS_MAX}: name more levels, or set network.flex.transformer to false"
        );
        Ok(())
    }

    fn build<B: Backend>(
        &self,
        fields: Fields,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Flex<B> {
        let mut make = Maker { grid: fields.grid, rng, device };
        let embedding = fields.lambda.then(|| 4 * self.channels[0]);
        let given = fields.task.map_or(0, |task| task.inputs);
        Flex {
            embedding: embedding.map(|to| [make.dense(LAMBDA_FEATURES, to), make.dense(to, to)]),
            encoder: Encoder::new(self, fields.inputs - given, embedding, &mut make),
            transformer: self.transformer.then(|| Transformer::new(self, embedding, &mut make)),
            decoder: Decoder::new(self, fields.outputs, embedding, &mut make),
            task: fields.task.map(|task| Encoder::new(self, task.inputs, None, &mut make)),
            fields: fields.task,
        }
    }
}

impl<B: Kernels> Forward<B> for Flex<B> {
    fn forward_with(
        &self,
        fields: Tensor<B, 4>,
        lambda: Option<Tensor<B, 2>>,
        precision: Precision,
        dropout: &mut Dropout,
    ) -> Tensor<B, 4> {
        let embedding = self.embedding.as_ref().zip(lambda).map(|([first, second], lambda)| {
            let hidden = activation::silu(first.forward(lambda));
            activation::silu(second.forward(hidden))
        });
        let mut pass = Pass { embedding, precision, dropout };
        let (fields, task) = self.parted(fields, pass.precision);
        let weak = task.as_ref().filter(|_| self.fields.is_some_and(|task| task.weak));
        let maps = self.encoder.forward(fields, weak.map(Vec::as_slice), &mut pass);
        let coarsest = maps.last().expect("an encoder gives the map of every stage").clone();
        let coarsest = match &self.transformer {
            Some(transformer) => transformer.forward(coarsest, &mut pass),
            None => coarsest,
        };
        let Some(task) = task.filter(|_| self.fields.is_some_and(|task| task.strong)) else {
            return self.decoder.forward(coarsest, maps, &mut pass);
        };
        let coarsest = coarsest + task.last().expect("as above").clone();
        let maps = maps.into_iter().zip(task).map(|(map, task)| map + task).collect();
        self.decoder.forward(coarsest, maps, &mut pass)
    }
}

impl<B: Kernels> Flex<B> {
    /// What the encoder sees, and the maps of what the task is given by. Those depend neither on λ
    /// nor on a mask.
    fn parted(
        &self,
        fields: Tensor<B, 4>,
        precision: Precision,
    ) -> (Tensor<B, 4>, Option<Vec<Tensor<B, 4>>>) {
        let Some((encoder, task)) = self.task.as_ref().zip(self.fields) else {
            return (fields, None);
        };
        let own = fields.dims()[1] - task.inputs;
        let given = fields.clone().narrow(1, own, task.inputs);
        let mut dropout = Dropout::OFF;
        let mut pass = Pass { embedding: None, precision, dropout: &mut dropout };
        (fields.narrow(1, 0, own), Some(encoder.forward(given, None, &mut pass)))
    }
}

impl<B: Backend> Cost for Flex<B> {
    fn macs(&self, points: usize) -> usize {
        let embedding: usize = self.embedding.iter().flatten().map(|dense| dense.macs(1)).sum();
        let (encoder, coarsest) = self.encoder.macs(points);
        let transformer = self.transformer.as_ref().map_or(0, |of| of.macs(coarsest));
        let task = self.task.as_ref().map_or(0, |task| task.macs(points).0);
        embedding + encoder + transformer + self.decoder.macs(coarsest) + task
    }
}
