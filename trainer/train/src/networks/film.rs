//! λ to one scale and one shift for every channel of every layer (FiLM; Perez et al. 2018).

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation, backend::Backend};
use rand_chacha::ChaCha8Rng;

use super::initial::{uniform, within, zeros};
use finescale_model::reference::{LAMBDA_FEATURES, SLOPE};

/// The largest hidden bias at first: every feature of λ lies within ±1, and rectifiers are to bend
/// all over that range.
const KINKS: f32 = 1.0;

/// Two dense layers with a leaky rectifier between them; their output starts at zero: no
/// modulation.
#[derive(Module, Debug)]
pub struct Film<B: Backend> {
    /// `[LAMBDA_FEATURES, hidden]`.
    pub hidden_weight: Param<Tensor<B, 2>>,
    /// `[hidden]`.
    pub hidden_bias: Param<Tensor<B, 1>>,
    /// `[hidden, 2 · all channels]`: scales of all layers, then shifts of all layers.
    pub weight: Param<Tensor<B, 2>>,
    /// `[2 · all channels]`.
    pub bias: Param<Tensor<B, 1>>,
}

impl<B: Backend> Film<B> {
    pub(super) fn new(
        hidden: usize,
        channels: usize,
        rng: &mut ChaCha8Rng,
        device: &B::Device,
    ) -> Self {
        Self {
            hidden_weight: uniform([LAMBDA_FEATURES, hidden], LAMBDA_FEATURES, 1.0, rng, device),
            hidden_bias: within([hidden], KINKS, rng, device),
            weight: zeros([hidden, 2 * channels], device),
            bias: zeros([2 * channels], device),
        }
    }

    /// Multiply-accumulates for one λ.
    pub(super) fn macs(&self) -> usize {
        self.hidden_weight.dims().iter().product::<usize>()
            + self.weight.dims().iter().product::<usize>()
    }

    /// `[batch, LAMBDA_FEATURES]` to the factors 1 + γ and the shifts, each `[batch, all
    /// channels]`.
    pub(super) fn forward(&self, lambda: Tensor<B, 2>) -> [Tensor<B, 2>; 2] {
        let hidden = lambda.matmul(self.hidden_weight.val()) + self.hidden_bias.val().unsqueeze();
        let hidden = activation::leaky_relu(hidden, SLOPE);
        let out = hidden.matmul(self.weight.val()) + self.bias.val().unsqueeze();
        let half = out.dims()[1] / 2;
        [out.clone().narrow(1, 0, half) + 1.0, out.narrow(1, half, half)]
    }
}
