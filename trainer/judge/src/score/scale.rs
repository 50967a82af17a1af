//! What makes errors relative: mean and standard deviation of every channel.

use anyhow::{Result, ensure};

use finescale_data::dataset::{Spec, Statistics};

/// Mean and standard deviation of every channel, in its units. Scores are computed on (u − mean)/std, so that channels
/// of different units can be added, and a prediction of the mean has a relative error of 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// Of every channel.
    pub mean: Vec<f64>,
    /// Of every channel, positive.
    pub std: Vec<f64>,
}

impl Scale {
    /// Of the training part of a data set.
    pub fn of_statistics(statistics: &Statistics) -> Self {
        let channels = &statistics.channels;
        Self {
            mean: channels.iter().map(|c| c.mean).collect(),
            std: channels.iter().map(|c| c.std).collect(),
        }
    }

    /// Of frames `[…][channel][y][x]` over everything but the channel.
    ///
    /// # Errors
    /// If a channel is constant: nothing is relative to it.
    pub fn of_values(spec: &Spec, values: &[f32]) -> Result<Self> {
        let (points, channels) = (spec.points(), spec.channels.len());
        let (mut mean, mut std) = (Vec::new(), Vec::new());
        for (c, channel) in spec.channels.iter().enumerate() {
            let fields = || values.chunks_exact(points).skip(c).step_by(channels).flatten();
            let count = fields().count().max(1) as f64;
            let average = fields().map(|&v| f64::from(v)).sum::<f64>() / count;
            let squares = fields().map(|&v| (f64::from(v) - average).powi(2)).sum::<f64>();
            let deviation = (squares / count).sqrt();
            ensure!(
                deviation > 1e-7 * average.abs(),
                "the truth's channel `{}` is constant: its errors have no scale",
                channel.name
            );
            mean.push(average);
            std.push(deviation);
        }
        Ok(Self { mean, std })
    }

    /// A frame `[channel][y][x]` in standard deviations from the mean.
    pub fn standardise(&self, frame: &[f32], out: &mut [f32]) {
        let points = (frame.len() / self.mean.len().max(1)).max(1);
        let channels = frame.chunks_exact(points).zip(out.chunks_exact_mut(points));
        for ((from, to), (mean, std)) in channels.zip(self.mean.iter().zip(&self.std)) {
            for (value, out) in from.iter().zip(to) {
                *out = ((f64::from(*value) - mean) / std) as f32;
            }
        }
    }
}
