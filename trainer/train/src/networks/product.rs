//! The network for boards whose blocks multiply fields.

use anyhow::{Result, ensure};
use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};
use finescale::Grid;
use finescale_model::NetworkMeta;
use finescale_model::reference::FACTOR_MAX;
use rand_chacha::ChaCha8Rng;

use super::film::Film;
use super::initial::{uniform, zeros};
use super::tiny::{FILM_HIDDEN, Layer, modulations};
use super::{Fields, Forward};
use crate::config::{Precision, settings};
use crate::engine::kernels::{Block, Kernels};

/// A convolution, blocks that add products, and a last layer of one point, zero at first.
///
/// A block is h + p · clamp(q, −4, 4), with p and q the two halves of one convolution of twice the
/// channels. All layers but the last are modulated by λ. The terms that drive a flow are products
/// of fields, which rectifiers have to imitate.
#[derive(Module, Debug)]
pub struct Product<B: Backend> {
    /// From first to last.
    pub layers: Vec<Layer<B>>,
    /// One scale and shift for each channel of every convolution but the last.
    pub film: Film<B>,
    #[module(skip)]
    grid: Grid,
    #[module(skip)]
    dilations: Vec<usize>,
}

/// Deviation of a block's first weights, times √fan-in: products of their sums stay small.
const GAIN: f64 = 0.5;

settings!(/// Section `network.product`.
    Design { channels: usize, kernel: usize, dilations: Vec<usize>, segments: usize });

impl super::Design for Design {
    type Network<B: Backend> = Product<B>;

    fn check(&self) -> Result<()> {
        ensure!(
            [3, 5, 7].contains(&self.kernel),
            "network.product.kernel is {}: use 3, 5 or 7",
            self.kernel
        );
        ensure!(
            !self.dilations.is_empty() && self.dilations.iter().all(|d| (1..=16).contains(d)),
            "network.product.dilations is {:?}: name at least one block with dilations 1 to 16",
            self.dilations
        );
        ensure!(
            self.channels > 0 && self.channels.is_multiple_of(4),
            "network.product.channels is {}: use a multiple of 4, as int16 takes them in fours",
            self.channels
        );
        ensure!(
            (1..=self.dilations.len()).contains(&self.segments),
            "network.product.segments is {}: use 1 to {}, the number of blocks",
            self.segments,
            self.dilations.len()
        );
        Ok(())
    }

    /// The runtime, whose layers these are, says what fits a grid.
    fn check_on(&self, _: &Grid) -> Result<()> {
        Ok(())
    }

    fn build<B: Backend>(
        &self,
        fields: Fields,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Product<B> {
        let blocks = self.dilations.len();
        let mut layer = |from: usize, to: usize, kernel: usize, gain: f64| {
            let ky = if fields.grid.is_line() { 1 } else { kernel };
            let (shape, fan_in) = ([to, from, ky, kernel], from * ky * kernel);
            Layer { weight: uniform(shape, fan_in, gain, rng, device), bias: zeros([to], device) }
        };
        let mut layers = vec![layer(fields.inputs, self.channels, self.kernel, 1.0)];
        layers.extend(
            (0..blocks).map(|_| layer(self.channels, 2 * self.channels, self.kernel, GAIN)),
        );
        layers.push(layer(self.channels, fields.outputs, 1, 0.0));
        let film = Film::new(FILM_HIDDEN, (1 + 2 * blocks) * self.channels, rng, device);
        // The first layer's dilation and the last one's.
        let dilations = [&[1], &self.dilations[..], &[1]].concat();
        Product { layers, film, grid: fields.grid, dilations }
    }

    fn meta(&self) -> Option<NetworkMeta> {
        Some(NetworkMeta::Product {
            channels: self.channels,
            kernel: self.kernel,
            dilations: self.dilations.clone(),
            segments: self.segments,
        })
    }
}

impl<B: Kernels> Forward<B> for Product<B> {
    fn forward(
        &self,
        fields: Tensor<B, 4>,
        lambda: Tensor<B, 2>,
        precision: Precision,
    ) -> Tensor<B, 4> {
        let modulations = modulations(&self.layers, &self.film, lambda);
        let last = self.layers.len() - 1;
        let mut h = fields;
        let layers = self.layers.iter().zip(&self.dilations).zip(modulations);
        for (n, ((layer, &dilation), modulation)) in layers.enumerate() {
            let block =
                Block { grid: self.grid, dilation, active: false, residual: false, precision };
            let (weight, bias) = (layer.weight.val(), layer.bias.val());
            let product = n > 0 && n < last;
            let out = B::block(h.clone(), weight, bias, modulation, &block);
            h = if product { multiplied(h, out) } else { out };
        }
        h
    }
}

/// h + p · clamp(q), from the channels of p and those of q.
fn multiplied<B: Backend>(h: Tensor<B, 4>, factors: Tensor<B, 4>) -> Tensor<B, 4> {
    let channels = h.dims()[1];
    let p = factors.clone().narrow(1, 0, channels);
    let q = factors.narrow(1, channels, channels);
    h + p * q.clamp(-FACTOR_MAX, FACTOR_MAX)
}
