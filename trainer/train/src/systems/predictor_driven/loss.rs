//! The loss: squared errors of the increment (and of the noise), weighted.

use burn::tensor::{Tensor, backend::Backend};

use super::batch::Batch;
use super::predictor::Prediction;
use super::settings::Weight;
use super::tables::Tables;
use crate::config::Config;

/// Weighted mean squared error of each sample's increment, `[batch]`.
///
/// By `innovation` it is the mean over channels and modes of |e_k|²/S_k, S of the linear predictor:
/// 1 for a predictor as good as the linear one. By `noise` it is the paper's: mean |e|² / v_λ.
pub fn increment_loss<B: Backend>(
    prediction: &Prediction<B>,
    batch: &Batch<B>,
    tables: &Tables<B>,
    weight: Weight,
) -> Tensor<B, 1> {
    let error = prediction.increment.clone() - batch.increment.clone();
    let [n, channels, modes] = error.dims();
    let squares = (error.clone() * error).reshape([n, channels * modes]);
    match weight {
        Weight::Innovation => {
            let weight = tables.weight.clone().select(0, batch.window.row.clone());
            (squares / weight).mean_dim(1).reshape([n])
        }
        Weight::Noise => {
            let v = tables.mean_noise.clone().select(0, batch.window.lambda.clone());
            squares.mean_dim(1).reshape([n]) / v
        }
    }
}

/// What a training step minimises, of every sample's [`increment_loss`].
pub fn training_loss<B: Backend>(
    increment: Tensor<B, 1>,
    prediction: &Prediction<B>,
    batch: &Batch<B>,
    config: &Config,
) -> Tensor<B, 1> {
    let increment = increment.mean();
    match &prediction.noise {
        None => increment,
        Some(noise) => {
            let error = noise.clone() - batch.noise.clone();
            increment * config.loss.increment + (error.clone() * error).mean() * config.loss.score
        }
    }
}
