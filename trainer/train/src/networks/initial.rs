//! Initial weights, drawn on the host so that they are the same on every backend.

use burn::module::Param;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Uniform};

/// Uniform in ±gain √(3 / fan in): variance gain² / fan in, whatever the shape.
pub(super) fn uniform<B: Backend, const D: usize>(
    shape: [usize; D],
    fan_in: usize,
    gain: f64,
    rng: &mut ChaCha8Rng,
    device: &B::Device,
) -> Param<Tensor<B, D>> {
    within(shape, (gain * (3.0 / fan_in as f64).sqrt()) as f32, rng, device)
}

/// Uniform in ±bound.
pub(super) fn within<B: Backend, const D: usize>(
    shape: [usize; D],
    bound: f32,
    rng: &mut ChaCha8Rng,
    device: &B::Device,
) -> Param<Tensor<B, D>> {
    let values = values_within(shape.iter().product(), bound, rng);
    Param::from_tensor(Tensor::from_data(TensorData::new(values, shape), device))
}

/// So many values, uniform in ±bound.
pub(crate) fn values_within(count: usize, bound: f32, rng: &mut ChaCha8Rng) -> Vec<f32> {
    if bound > 0.0 {
        let uniform = Uniform::new_inclusive(-bound, bound).expect("the bound is finite");
        (0..count).map(|_| uniform.sample(rng)).collect()
    } else {
        vec![0.0; count]
    }
}

/// All zero.
pub(super) fn zeros<B: Backend, const D: usize>(
    shape: [usize; D],
    device: &B::Device,
) -> Param<Tensor<B, D>> {
    Param::from_tensor(Tensor::zeros(shape, device))
}

/// All one.
pub(super) fn ones<B: Backend, const D: usize>(
    shape: [usize; D],
    device: &B::Device,
) -> Param<Tensor<B, D>> {
    Param::from_tensor(Tensor::ones(shape, device))
}
