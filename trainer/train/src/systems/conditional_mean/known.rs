//! What is known before any step: means, variances and the base, from the training part.

use anyhow::Result;
use finescale::Grid;
use finescale::model::Views;
use finescale_model::linear::Noised;
use finescale_model::reference::inputs::{self, Seen};

use super::base::FittedBase;
use super::frames::{Part, by_blocks};
use super::sensor::Sensor;
use crate::config::Config;

/// A unit of the network's output is at least so many standard deviations of a channel: what a base
/// knows better than that, a network need not learn.
const FINEST: f64 = 1e-3;

/// Measured on the training part.
#[derive(Clone, Debug)]
pub struct Known {
    /// Mean at every point, `[channel][y][x]`; zero if it is not asked for.
    pub climatology: Vec<f32>,
    /// The same as the sensor sees it.
    pub coarse_climatology: Vec<f32>,
    /// E û_y², `[channel][mode]`.
    pub input_power: Vec<f32>,
    /// The base.
    pub base: FittedBase,
    /// Root mean square of what it leaves, `[channel]`.
    pub deviation: Vec<f32>,
}

impl Known {
    /// Measures the training part; both parts lose the climatology, and get their coarse frames.
    ///
    /// # Errors
    /// As [`FittedBase::fit`].
    pub fn measure(
        config: &Config,
        sensor: &Sensor,
        train: &mut Part,
        valid: &mut Part,
    ) -> Result<Self> {
        let mean = train.mean();
        let climatology = if config.mean.climatology { mean } else { vec![0.0; mean.len()] };
        let coarse_climatology = sensor.values(&climatology)?;
        train.see(&climatology, sensor)?;
        valid.see(&climatology, sensor)?;
        let seen = train.noisy(config.sensor.noise, config.seed, TRAIN);
        let spectra = by_blocks(&seen, coarse_climatology.len(), |values| sensor.modes(values))?;
        let input_power = squares(&spectra, climatology.len());
        let base = FittedBase::fit(&config.mean, sensor, train, &seen)?;
        let left = left(&base, config, sensor, train, &seen)?;
        let points = sensor.fine.points();
        let squares = squares(&left, climatology.len());
        let deviation = squares.chunks_exact(points).map(|channel| {
            let mean = channel.iter().map(|square| f64::from(*square)).sum::<f64>() / points as f64;
            mean.sqrt().max(FINEST) as f32
        });
        let deviation = deviation.collect();
        Ok(Self { climatology, coarse_climatology, input_power, base, deviation })
    }

    /// What the network sees of û_y: as of a path without noise whose power is the input's.
    pub fn seen(&self, grid: &Grid, views: Views) -> Vec<Seen> {
        let power: Vec<f64> = self.input_power.iter().map(|power| f64::from(*power)).collect();
        let (damping, noise_variance) = (vec![1.0; power.len()], vec![0.0; power.len()]);
        let noised = Noised { damping, noise_variance, signal: power.clone(), variance: power };
        inputs::seen(grid, views, &noised)
    }
}

/// Which noise the frames of a part have: see [`Part::noisy`].
pub const TRAIN: u32 = 0;
/// The same of the validation part.
pub const VALID: u32 = 1;

/// What the base leaves of a part, `[frame][channel][y][x]`.
///
/// # Errors
/// After Ctrl-C.
pub fn left(
    base: &FittedBase,
    config: &Config,
    sensor: &Sensor,
    part: &Part,
    seen: &[f32],
) -> Result<Vec<f32>> {
    let mut left = base.fields(&config.mean, sensor, part, seen)?;
    left.iter_mut().zip(&part.fine).for_each(|(base, truth)| *base = truth - *base);
    Ok(left)
}

/// Mean squares over frames of so many values.
pub fn squares(values: &[f32], frame: usize) -> Vec<f32> {
    let mut sums = vec![0.0_f64; frame];
    for frame in values.chunks_exact(frame) {
        sums.iter_mut().zip(frame).for_each(|(sum, value)| *sum += f64::from(value * value));
    }
    let frames = (values.len() / frame).max(1) as f64;
    sums.iter().map(|sum| (sum / frames) as f32).collect()
}
