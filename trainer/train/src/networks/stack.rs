//! Convolutions one behind the other, modulated by λ where there is one: what the networks for
//! boards are made of.

use anyhow::{Result, ensure};
use burn::module::{Module, Param};
use burn::tensor::{Tensor, backend::Backend};
use finescale::Grid;
use finescale::model::Activation;
use finescale_model::{LayerMeta, NetworkMeta};
use rand_chacha::ChaCha8Rng;

use super::dropout::Dropout;
use super::film::Film;
use super::initial::{uniform, zeros};
use super::{Cost, Design, Fields, Forward};
use crate::config::Precision;
use crate::engine::kernels::{Block, Kernels};

/// Layers as a model's file describes them: activation((1 + γ)(conv(h) + b) + δ), and h added where
/// a layer is residual. The last layer is a convolution alone, zero at first.
#[derive(Module, Debug)]
pub struct Stack<B: Backend> {
    /// From first to last.
    pub layers: Vec<Layer<B>>,
    /// One scale and shift for each channel of every convolution but the last; none without λ.
    pub film: Option<Film<B>>,
    #[module(skip)]
    grid: Grid,
    #[module(skip)]
    metas: Vec<LayerMeta>,
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
const FILM_HIDDEN: usize = 16;

impl<B: Backend> Stack<B> {
    /// The layers of a description before the first step.
    ///
    /// # Panics
    /// If the description is none that a design has checked.
    pub(super) fn new(
        fields: Fields,
        described: &NetworkMeta,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Self {
        let grid = fields.grid;
        let metas = described.layers(fields.inputs, fields.outputs);
        let metas = metas.expect("a design has checked its layers");
        let last = metas.len().saturating_sub(1);
        let layer = |(n, meta): (usize, &LayerMeta)| {
            let ky = if grid.is_line() { 1 } else { meta.kernel };
            let (shape, fan_in) =
                ([meta.outputs, meta.inputs, ky, meta.kernel], meta.inputs * ky * meta.kernel);
            let gain = if n == last { 0.0 } else { gain(meta.activation) };
            let weight = uniform(shape, fan_in, gain, rng, device);
            Layer { weight, bias: zeros([meta.outputs], device) }
        };
        let layers = metas.iter().enumerate().map(layer).collect();
        let modulated = metas.iter().take(last).map(|meta| meta.outputs).sum();
        let film = fields.lambda.then(|| Film::new(FILM_HIDDEN, modulated, rng, device));
        Self { layers, film, grid, metas }
    }
}

/// Refuses kernels that the runtime lacks; `section` is the design's in the configuration.
pub(super) fn check_kernel(section: &str, kernel: usize) -> Result<()> {
    ensure!([3, 5, 7].contains(&kernel), "network.{section}.kernel is {kernel}: use 3, 5 or 7");
    Ok(())
}

/// The settings of a network for boards, whose layers stand one behind the other.
pub trait Stacked {
    /// Its section in the configuration.
    const NAME: &'static str;

    /// As [`Design::check`].
    fn check(&self) -> Result<()>;

    /// What a model's file says of it.
    fn meta(&self) -> NetworkMeta;
}

impl<S: Stacked> Design for S {
    type Network<B: Backend> = Stack<B>;

    fn check(&self) -> Result<()> {
        Stacked::check(self)
    }

    /// Refuses rows that the runtime's layers do not compute; what else does not fit a grid, the
    /// runtime says.
    fn check_on(&self, grid: &Grid) -> Result<()> {
        ensure!(
            grid.nx().is_multiple_of(8),
            "the network `{}` computes eight points of a row together, and a row has {}: import \
             the data with another --grid, or train with network.kind = \"linear\"",
            S::NAME,
            grid.nx()
        );
        Ok(())
    }

    fn build<B: Backend>(
        &self,
        fields: Fields,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Stack<B> {
        Stack::new(fields, &Stacked::meta(self), rng, device)
    }

    fn meta(&self) -> Option<NetworkMeta> {
        Some(Stacked::meta(self))
    }
}

/// Deviation of first weights times √fan-in: signals keep their size, and products stay small.
fn gain(activation: Activation) -> f64 {
    match activation {
        Activation::None => 1.0,
        Activation::Rectifier => std::f64::consts::SQRT_2,
        Activation::Product => 0.5,
    }
}

impl<B: Kernels> Forward<B> for Stack<B> {
    fn forward_with(
        &self,
        fields: Tensor<B, 4>,
        lambda: Option<Tensor<B, 2>>,
        precision: Precision,
        dropout: &mut Dropout,
    ) -> Tensor<B, 4> {
        let both = self.film.as_ref().zip(lambda).map(|(film, lambda)| film.forward(lambda));
        let last = self.layers.len() - 1;
        let (mut h, mut channel) = (fields, 0);
        for (n, (layer, meta)) in self.layers.iter().zip(&self.metas).enumerate() {
            let LayerMeta { dilation, activation, residual, outputs, .. } = *meta;
            let dropping = !dropout.is_off() && activation != Activation::None;
            let before = (dropping && residual).then(|| h.clone());
            let block = Block { grid: self.grid, dilation, activation, residual, precision };
            let part = |all: &Tensor<B, 2>| all.clone().narrow(1, channel, outputs);
            let modulation =
                both.as_ref().filter(|_| n < last).map(|both| both.each_ref().map(part));
            channel += outputs;
            h = B::block(h, layer.weight.val(), layer.bias.val(), modulation, &block);
            if dropping {
                // What a residual block adds is dropped, and not what it adds it to.
                h = match before {
                    Some(before) => dropout.apply(h - before.clone()) + before,
                    None => dropout.apply(h),
                };
            }
        }
        h
    }
}

impl<B: Backend> Cost for Stack<B> {
    fn macs(&self, points: usize) -> usize {
        let layers =
            self.layers.iter().map(|layer| points * layer.weight.dims().iter().product::<usize>());
        layers.sum::<usize>() + self.film.as_ref().map_or(0, Film::macs)
    }
}
