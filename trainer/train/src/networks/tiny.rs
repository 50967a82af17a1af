//! The network for boards.

use anyhow::{Result, ensure};
use burn::module::{Module, Param};
use burn::tensor::{Tensor, backend::Backend};
use finescale::Grid;
use finescale::model::Activation;
use finescale_model::NetworkMeta;
use rand_chacha::ChaCha8Rng;

use super::film::Film;
use super::initial::{uniform, zeros};
use super::{Fields, Forward};
use crate::config::{Precision, settings};
use crate::engine::kernels::{Block, Kernels};

/// Residual dilated convolutions over the window's fields, modulated by λ.
///
/// Every layer but the last: leaky((1 + γ)(conv(h) + b) + δ), added to h from the second on. The
/// last is a convolution, zero at first.
#[derive(Module, Debug)]
pub struct Tiny<B: Backend> {
    /// From first to last.
    pub layers: Vec<Layer<B>>,
    /// One scale and shift for each channel of every layer but the last.
    pub film: Film<B>,
    #[module(skip)]
    grid: Grid,
    #[module(skip)]
    dilations: Vec<usize>,
}

/// One convolution.
#[derive(Module, Debug)]
pub struct Layer<B: Backend> {
    /// `[out, in, kernel y, kernel x]`; on a line kernel y is 1.
    pub weight: Param<Tensor<B, 4>>,
    /// `[out]`.
    pub bias: Param<Tensor<B, 1>>,
}

/// Width of the layer between λ and the modulation.
pub(super) const FILM_HIDDEN: usize = 16;

settings!(/// Section `network.tiny`.
    Design { channels: usize, kernel: usize, dilations: Vec<usize> });

impl super::Design for Design {
    type Network<B: Backend> = Tiny<B>;

    fn check(&self) -> Result<()> {
        ensure!(
            [3, 5, 7].contains(&self.kernel),
            "network.tiny.kernel is {}: use 3, 5 or 7",
            self.kernel
        );
        ensure!(
            self.dilations.len() >= 2 && self.dilations.iter().all(|d| (1..=16).contains(d)),
            "network.tiny.dilations is {:?}: name at least two layers with dilations 1 to 16",
            self.dilations
        );
        ensure!(self.channels > 0, "network.tiny.channels is 0: use at least 1");
        Ok(())
    }

    /// The runtime, whose layers these are, says what fits a grid.
    fn check_on(&self, grid: &Grid) -> Result<()> {
        ensure!(
            grid.nx().is_multiple_of(8),
            "the network `tiny` computes eight points of a row together, and a row has {}: import \
             the data with another --grid, or train with network.name = \"linear\"",
            grid.nx()
        );
        Ok(())
    }

    fn build<B: Backend>(
        &self,
        fields: Fields,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Tiny<B> {
        let last = self.dilations.len() - 1;
        let ky = if fields.grid.is_line() { 1 } else { self.kernel };
        let mut layer = |n: usize| {
            let from = if n == 0 { fields.inputs } else { self.channels };
            let to = if n == last { fields.outputs } else { self.channels };
            let gain = if n == last { 0.0 } else { std::f64::consts::SQRT_2 };
            let (shape, fan_in) = ([to, from, ky, self.kernel], from * ky * self.kernel);
            Layer { weight: uniform(shape, fan_in, gain, rng, device), bias: zeros([to], device) }
        };
        let layers = (0..=last).map(&mut layer).collect();
        let film = Film::new(FILM_HIDDEN, last * self.channels, rng, device);
        Tiny { layers, film, grid: fields.grid, dilations: self.dilations.clone() }
    }

    fn meta(&self) -> Option<NetworkMeta> {
        Some(NetworkMeta::Tiny {
            channels: self.channels,
            kernel: self.kernel,
            dilations: self.dilations.clone(),
        })
    }
}

impl<B: Kernels> Forward<B> for Tiny<B> {
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
            let (grid, residual) = (self.grid, n > 0 && n < last);
            let activation = if n < last { Activation::Rectifier } else { Activation::None };
            let block = Block { grid, dilation, activation, residual, precision };
            let (weight, bias) = (layer.weight.val(), layer.bias.val());
            h = B::block(h, weight, bias, modulation, &block);
        }
        h
    }
}

/// Factors and shifts of every layer, `[batch, out]` each; none of the last one.
pub(super) fn modulations<B: Backend>(
    layers: &[Layer<B>],
    film: &Film<B>,
    lambda: Tensor<B, 2>,
) -> Vec<Option<[Tensor<B, 2>; 2]>> {
    let both = film.forward(lambda);
    let mut channel = 0;
    let of = |(n, layer): (usize, &Layer<B>)| {
        let out = layer.weight.dims()[0];
        channel += out;
        let part = |all: &Tensor<B, 2>| all.clone().narrow(1, channel - out, out);
        (n + 1 < layers.len()).then(|| both.each_ref().map(part))
    };
    layers.iter().enumerate().map(of).collect()
}
