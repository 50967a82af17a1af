//! Weights in eight bits, one multiplier for each output channel.

use anyhow::{Result, ensure};

use crate::{Array, Model};

/// Weights of one layer: weight ≈ multiplier of its output channel × byte.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantized {
    /// In the order of the weights, −127 to 127.
    pub bytes: Vec<i8>,
    /// One for each output channel.
    pub multipliers: Vec<f32>,
}

impl Quantized {
    /// Of weights `[out][…]`: the largest of each output channel becomes ±127.
    pub fn new(weights: &Array) -> Self {
        let outputs = weights.shape.first().copied().unwrap_or(1).max(1);
        let per_output = (weights.values.len() / outputs).max(1);
        let (mut bytes, mut multipliers) = (Vec::new(), Vec::new());
        for row in weights.values.chunks_exact(per_output) {
            let largest = row.iter().fold(0.0_f32, |most, weight| most.max(weight.abs()));
            // A channel of zeros may have any multiplier.
            let multiplier = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            bytes.extend(row.iter().map(|weight| (weight / multiplier).round() as i8));
            multipliers.push(multiplier);
        }
        Self { bytes, multipliers }
    }

    /// The weights that are computed with.
    pub fn weights(&self) -> impl Iterator<Item = f32> {
        let per_output = (self.bytes.len() / self.multipliers.len().max(1)).max(1);
        let rows = self.bytes.chunks_exact(per_output).zip(&self.multipliers);
        rows.flat_map(|(row, multiplier)| row.iter().map(move |byte| f32::from(*byte) * multiplier))
    }
}

/// The model with every layer's weights rounded to eight bits.
pub fn rounded<S: Clone>(model: &Model<S>) -> Model<S> {
    let mut rounded = model.clone();
    for (name, array) in &mut rounded.arrays {
        if is_weight(name) {
            array.values = Quantized::new(array).weights().collect();
        }
    }
    rounded
}

/// Whether an array is a layer's weights.
pub(super) fn is_weight(name: &str) -> bool {
    name.starts_with("network.layers.") && name.ends_with(".weight")
}

/// How far weights are from others, in units of the largest error that rounding to eight bits
/// makes: counts in `bins` equal intervals from −1 to 1. Where nothing was rounded all are in the
/// middle.
///
/// # Errors
/// If the two have different shapes.
pub fn histogram(trained: &Array, used: &[f32], bins: usize) -> Result<Vec<usize>> {
    ensure!(trained.values.len() == used.len(), "the two models' layers differ in size");
    let multipliers = Quantized::new(trained).multipliers;
    let per_output = (used.len() / multipliers.len().max(1)).max(1);
    let mut counts = vec![0; bins];
    for (i, (trained, used)) in trained.values.iter().zip(used).enumerate() {
        let error = (used - trained) / (0.5 * multipliers[i / per_output]);
        let place = (0.5 * (error + 1.0) * bins as f32).clamp(0.0, bins as f32 - 1.0);
        counts[place as usize] += 1;
    }
    Ok(counts)
}
