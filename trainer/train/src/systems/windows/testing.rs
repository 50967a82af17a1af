//! What tests of these systems share.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Tensor, TensorData};

use crate::engine::backend::{Cpu, Differentiable};
use crate::networks::Network;

pub(crate) type A = Differentiable<Cpu>;

/// A number without a pattern.
pub(crate) fn wave(n: usize) -> f32 {
    (0.7 * n as f32).sin() + (1.3 * n as f32).cos()
}

/// Adds something to every weight, which is learned as before.
struct Stir;

impl ModuleMapper<A> for Stir {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<A, D>>) -> Param<Tensor<A, D>> {
        param.map(|weights| {
            let (shape, device) = (weights.dims(), weights.device());
            let more: Vec<f32> = (0..shape.iter().product()).map(|n| 0.1 * wave(n)).collect();
            let more = Tensor::from_data(TensorData::new(more, shape), &device);
            Tensor::from_inner(weights.inner() + more).require_grad()
        })
    }
}

/// A network none of whose weights is zero.
pub(crate) fn stirred(network: Network<A>) -> Network<A> {
    network.map(&mut Stir)
}
