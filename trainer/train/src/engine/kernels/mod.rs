//! The one costly operation of `tiny`, a modulated convolution, on every backend.

pub mod convolution;
mod cpu;
mod padding;
pub mod product;

use burn::tensor::{
    FloatDType, Tensor, activation, backend::Backend, module::conv2d, ops::ConvOptions,
};
use finescale::Grid;
use finescale::model::Activation;

use crate::config::Precision;
use finescale_model::reference::{FACTOR_MAX, SLOPE};
pub use padding::difference;
use padding::pad;
use product::Reach;

/// What a block does besides its convolution.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// The grid, whose boundaries pad the convolution.
    pub grid: Grid,
    /// Dilation along every axis.
    pub dilation: usize,
    /// What follows the convolution and its modulation.
    pub activation: Activation,
    /// Whether the input is added to the output.
    pub residual: bool,
    /// What the convolution itself is computed in.
    pub precision: Precision,
}

/// A backend with modulated convolutions.
pub trait Kernels: Backend {
    /// y = activation(factor · (conv(input) + bias) + shift) + input, in which the modulation, the
    /// activation and the residual may be absent. `input` is `[batch, in, y, x]`, `weight` `[out,
    /// in, ky, kx]`, `bias` `[out]`, the modulation's factor and shift `[batch, out]`; y has `out`
    /// channels, half of them where they are factors of products.
    fn block(
        input: Tensor<Self, 4>,
        weight: Tensor<Self, 4>,
        bias: Tensor<Self, 1>,
        modulation: Option<[Tensor<Self, 2>; 2]>,
        block: &Block,
    ) -> Tensor<Self, 4> {
        composed(input, weight, bias, modulation, block)
    }

    /// conv(input) + bias, with the shapes of a block.
    fn convolution(
        input: Tensor<Self, 4>,
        weight: Tensor<Self, 4>,
        bias: Option<Tensor<Self, 1>>,
        reach: &Reach,
    ) -> Tensor<Self, 4> {
        let d = reach.dilation;
        let padded = pad(input, &reach.grid, weight.dims()[3] / 2 * d);
        conv2d(padded, weight, bias, ConvOptions::new([1, 1], [0, 0], [d, d], 1))
    }
}

/// The block from Burn's own operations.
pub fn composed<B: Kernels>(
    input: Tensor<B, 4>,
    weight: Tensor<B, 4>,
    bias: Tensor<B, 1>,
    modulation: Option<[Tensor<B, 2>; 2]>,
    block: &Block,
) -> Tensor<B, 4> {
    let reach = Reach { grid: block.grid, dilation: block.dilation };
    let mut out = match block.precision {
        Precision::Full => B::convolution(input.clone(), weight, Some(bias), &reach),
        // The bias waits for f32: its gradient is a sum over batch and grid. bf16 reaches as far as
        // f32, so gradients need no scaling.
        Precision::Mixed => {
            let [input, weight] = [input.clone(), weight].map(|t| t.cast(FloatDType::BF16));
            let bias = bias.reshape([1, -1, 1, 1]);
            B::convolution(input, weight, None, &reach).cast(FloatDType::F32) + bias
        }
    };
    if let Some(modulation) = modulation {
        let [factor, shift] = modulation.map(|m| {
            let [batch, channels] = m.dims();
            m.reshape([batch, channels, 1, 1])
        });
        out = out * factor + shift;
    }
    out = match block.activation {
        Activation::None => out,
        Activation::Rectifier => activation::leaky_relu(out, SLOPE),
        Activation::Product => {
            let channels = out.dims()[1] / 2;
            let p = out.clone().narrow(1, 0, channels);
            let q = out.narrow(1, channels, channels);
            p * q.clamp(-FACTOR_MAX, FACTOR_MAX)
        }
    };
    if block.residual { out + input } else { out }
}

#[cfg(feature = "cuda")]
mod cuda {
    use super::{Kernels, Reach, Tensor, product};
    use crate::engine::backend::{Cuda, Differentiable};

    /// A backend whose convolution is a product of matrices.
    macro_rules! by_product {
        ($backend:ty, $convolution:path) => {
            impl Kernels for $backend {
                fn convolution(
                    input: Tensor<Self, 4>,
                    weight: Tensor<Self, 4>,
                    bias: Option<Tensor<Self, 1>>,
                    reach: &Reach,
                ) -> Tensor<Self, 4> {
                    let output = $convolution(input, weight, reach);
                    bias.map_or(output.clone(), |bias| output + bias.reshape([1, -1, 1, 1]))
                }
            }
        };
    }

    by_product!(Cuda, product::convolution);
    by_product!(Differentiable<Cuda>, product::differentiable);
}
