//! Networks that correct the linear base.

mod cpu;
mod film;
mod initial;
mod kernels;
mod padding;
mod tiny;
mod unet;

use burn::module::Module;
use burn::tensor::{Tensor, activation, backend::Backend};
use finescale::Grid;
use rand_chacha::ChaCha8Rng;

pub use kernels::{Block, Kernels, composed};
pub use tiny::Tiny;
pub use unet::Unet;

use super::config::{self, Config, Precision};
use super::predictor::{Input, Output, Predictor};
use super::tables::Tables;
use finescale_model::reference::BOUND;

/// Either network. There is one at a time: its size on the stack does not matter.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum Body<B: Backend> {
    /// Residual dilated convolutions.
    Tiny(Tiny<B>),
    /// The paper's U-Net.
    Unet(Unet<B>),
}

/// A linear base with a network that corrects it.
#[derive(Module, Debug)]
pub struct Corrected<B: Backend> {
    /// The network.
    pub body: Body<B>,
    #[module(skip)]
    bounded: bool,
    #[module(skip)]
    score_head: bool,
}

impl<B: Kernels> Corrected<B> {
    /// A network for so many channels that corrects nothing yet: its last layer is zero.
    pub fn new(
        config: &Config,
        grid: Grid,
        channels: usize,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Self {
        let heads = if config.predictor.score_head { 2 } else { 1 };
        let (inputs, outputs) = (config.predictor.input_fields(channels), heads * channels);
        let body = match config.predictor.network {
            config::Network::Unet => {
                Body::Unet(Unet::new(&config.predictor.unet, grid, inputs, outputs, rng, device))
            }
            config::Network::Tiny | config::Network::Linear => {
                Body::Tiny(Tiny::new(&config.predictor.tiny, grid, inputs, outputs, rng, device))
            }
        };
        Self { body, bounded: config.predictor.bounded, score_head: config.predictor.score_head }
    }
}

impl<B: Kernels> Predictor<B> for Corrected<B> {
    fn predict(&self, input: Input<B>, tables: &Tables<B>) -> Output<B> {
        self.predict_in(Precision::Full, input, tables)
    }
}

impl<B: Kernels> Corrected<B> {
    /// [`Predictor::predict`] with the network's convolutions in a precision: only training steps use another than the full one,
    /// so that figures and tables are those of the model that is written.
    pub fn predict_in(
        &self,
        precision: Precision,
        input: Input<B>,
        tables: &Tables<B>,
    ) -> Output<B> {
        let out = match &self.body {
            Body::Tiny(network) => network.forward(input.fields, input.lambda, precision),
            Body::Unet(network) => network.forward(input.fields, input.lambda, precision),
        };
        let [batch, outputs, ny, nx] = out.dims();
        let channels = tables.channels;
        let spectra = |fields: Tensor<B, 4>, scale: Tensor<B, 2>| {
            let fields = if self.bounded {
                let scale = scale.reshape([batch, channels, 1, 1]);
                activation::tanh(fields / BOUND) * (scale * BOUND)
            } else {
                fields
            };
            let spectra = tables.basis.forward(fields.reshape([batch * channels, ny, nx]));
            spectra.reshape([batch, channels, ny * nx])
        };
        let head = |n: usize| {
            if outputs == channels {
                out.clone()
            } else {
                out.clone().narrow(1, n * channels, channels)
            }
        };
        let increment = input.increment + spectra(head(0), input.increment_scale);
        let noise = self.score_head.then(|| input.noise + spectra(head(1), input.noise_scale));
        Output { increment, noise }
    }
}
