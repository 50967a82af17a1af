//! The network for boards.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, backend::Backend};
use finescale::Grid;
use rand_chacha::ChaCha8Rng;

use super::film::Film;
use super::initial::{uniform, zeros};
use super::kernels::{Block, Kernels};
use crate::config::{self, Precision};

/// Residual dilated convolutions over the window's fields, modulated by λ.
///
/// Every layer but the last: leaky((1 + γ)(conv(h) + b) + δ), added to h from the second on. The last is a convolution,
/// zero at first.
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
const FILM_HIDDEN: usize = 16;

impl<B: Backend> Tiny<B> {
    /// Weights drawn from `rng`; the last layer is zero.
    pub fn new(
        config: &config::Tiny,
        grid: Grid,
        inputs: usize,
        outputs: usize,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Self {
        let last = config.dilations.len() - 1;
        let ky = if grid.is_line() { 1 } else { config.kernel };
        let mut film = None;
        let layers = (0..=last)
            .map(|n| {
                let from = if n == 0 { inputs } else { config.channels };
                let to = if n == last { outputs } else { config.channels };
                let gain = if n == last { 0.0 } else { std::f64::consts::SQRT_2 };
                Layer {
                    weight: uniform(
                        [to, from, ky, config.kernel],
                        from * ky * config.kernel,
                        gain,
                        rng,
                        device,
                    ),
                    bias: zeros([to], device),
                }
            })
            .collect();
        let film =
            film.get_or_insert_with(|| Film::new(FILM_HIDDEN, last * config.channels, rng, device));
        Self { layers, film: film.clone(), grid, dilations: config.dilations.clone() }
    }
}

impl<B: Kernels> Tiny<B> {
    /// `[batch, inputs, y, x]` and `[batch, LAMBDA_FEATURES]` to `[batch, outputs, y, x]`.
    pub fn forward(
        &self,
        fields: Tensor<B, 4>,
        lambda: Tensor<B, 2>,
        precision: Precision,
    ) -> Tensor<B, 4> {
        let [factors, shifts] = self.film.forward(lambda);
        let last = self.layers.len() - 1;
        let mut h = fields;
        let mut channel = 0;
        for (n, (layer, &dilation)) in self.layers.iter().zip(&self.dilations).enumerate() {
            let (active, residual) = (n < last, n > 0 && n < last);
            let block = Block { grid: self.grid, dilation, active, residual, precision };
            let (weight, bias) = (layer.weight.val(), layer.bias.val());
            let modulation = (n < last).then(|| {
                let out = weight.dims()[0];
                channel += out;
                [&factors, &shifts].map(|all| all.clone().narrow(1, channel - out, out))
            });
            h = B::block(h, weight, bias, modulation, &block);
        }
        h
    }
}
