//! Networks as functions of fields side by side and a time.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use finescale::Grid;
use finescale_model::reference::{LAMBDA_FEATURES, lambda_features};

use crate::config::Precision;
use crate::engine::Trainable;
use crate::engine::frames::numbers;
use crate::engine::kernels::Kernels;
use crate::engine::learner::{Loss, Losses};
use crate::networks::dropout::Dropout;
use crate::networks::{Forward, Network};

/// How a network is evaluated.
pub struct How<'a> {
    /// In what its convolutions are computed.
    pub precision: Precision,
    /// What is dropped.
    pub dropout: &'a mut Dropout,
}

/// In full precision, with a dropout.
pub fn full(dropout: &mut Dropout) -> How<'_> {
    How { precision: Precision::Full, dropout }
}

/// What a network gives of fields, `[batch, fields, y, x]`, at times in 0 … 1 of each sample.
pub fn evaluate<B: Kernels>(
    network: &Network<B>,
    seen: Tensor<B, 4>,
    times: impl Iterator<Item = f64>,
    how: How<'_>,
) -> Tensor<B, 4> {
    let batch = seen.dims()[0];
    // What networks know of λ spans three decades, here those from 0 to 1.
    let features = |time: f64| lambda_features(1000_f64.powf(time - 1.0));
    let features: Vec<f32> = times.flat_map(features).map(|f| f as f32).collect();
    let features = TensorData::new(features, [batch, LAMBDA_FEATURES]);
    let features = Tensor::from_data(features, &seen.device());
    network.forward_with(seen, Some(features), how.precision, how.dropout)
}

/// One number for each sample, `[batch, 1, 1, 1]`.
pub fn column<B: Backend>(values: Vec<f32>, device: &B::Device) -> Tensor<B, 4> {
    let shape = [values.len(), 1, 1, 1];
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Means over everything but the samples, `[batch]`.
pub fn per_sample<A: Trainable>(values: Tensor<A, 4>) -> Tensor<A, 1> {
    let [batch, channels, ny, nx] = values.dims();
    values.reshape([batch, channels * ny * nx]).mean_dim(1).reshape([batch])
}

/// The mean over the samples is minimised.
pub fn whole<A: Trainable>(values: Tensor<A, 1>) -> Loss<A> {
    let levels = vec![0.0; values.dims()[0]];
    let samples = Losses { values: values.clone().inner(), levels };
    Loss { total: values.mean(), samples }
}

/// Frames of samplers, `[window][channel][y][x]`, as `[window, channel, y, x]`.
pub fn tensor<B: Backend>(
    values: &[f64],
    channels: usize,
    grid: &Grid,
    device: &B::Device,
) -> Tensor<B, 4> {
    let batch = values.len() / (channels * grid.points());
    let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    let data = TensorData::new(values, [batch, channels, grid.ny(), grid.nx()]);
    Tensor::from_data(data, device)
}

/// And back.
pub fn values<B: Backend>(tensor: Tensor<B, 4>) -> Vec<f64> {
    numbers(tensor).into_iter().map(f64::from).collect()
}
