//! What a change of a network's weights costs, measured on the validation part of a data set.

use anyhow::{Result, ensure};
use finescale::Modes;

use super::Bounds;
use crate::Model;
use crate::reference::Reference;
use finescale_data::dataset::{Reader, SpectralFrames, Split, spread};
use finescale_field::noise::Purpose;

/// Windows at each λ.
const WINDOWS: usize = 24;
/// Values of λ.
const LAMBDAS: usize = 5;
/// Seed of the noise: every model is measured with the same.
const SEED: u64 = 0x5eed;

/// What a model does on validation windows.
#[derive(Clone, Debug, PartialEq)]
pub struct Skill {
    /// (λ, loss): mean of e²/S over modes and windows, S the linear predictor's.
    pub losses: Vec<(f64, f64)>,
    /// What the layers had.
    pub bounds: Bounds,
}

impl Skill {
    /// Mean loss.
    pub fn loss(&self) -> f64 {
        self.losses.iter().map(|(_, loss)| loss).sum::<f64>() / self.losses.len().max(1) as f64
    }

    /// Measures a model on a data set that has its grid and channels.
    ///
    /// # Errors
    /// If the data set does not fit, or has no validation part.
    pub fn measure(model: &Model, reader: &Reader) -> Result<Self> {
        let meta = &model.meta;
        let mut frames = SpectralFrames::read(reader, Split::Valid)?;
        let grid = meta.grid()?;
        ensure!(
            frames.grid == grid && frames.channels == meta.channels.len(),
            "the data set has another grid or other channels than the model: give the one that it \
             was trained on"
        );
        let starts = frames.windows(meta.system.window + 1)?;
        let reference = Reference::new(model)?;
        let process = meta.process()?;
        process.mix(grid.points(), &mut frames.values);
        let all = &meta.system.lambdas;
        let places = (0..LAMBDAS).map(|i| all[i * (all.len() - 1) / (LAMBDAS - 1)]);
        let mut skill = Self { losses: Vec::new(), bounds: Bounds::default() };
        for (number, lambda) in places.enumerate() {
            finescale_host::interrupt::check()?;
            let level = reference.at(lambda)?;
            let (mut sum, mut values) = (0.0, 0);
            for (n, start) in spread(&starts, WINDOWS).into_iter().enumerate() {
                let mut path = Vec::new();
                for frame in start..=start + meta.system.window {
                    let mut spectrum = frames.frame(frame).to_vec();
                    let (place, step) = ((frame - start) as u32, number as u32);
                    let stream = Purpose::Sampling.stream(SEED, n as u32, place, step);
                    let modes = Modes::from_mut(&mut spectrum);
                    process.apply_stream(&grid, lambda as f32, modes, &stream)?;
                    path.extend(spectrum.into_iter().map(f64::from));
                }
                let (window, next) = path.split_at(path.len() - frames.frame_len());
                let newest = &window[window.len() - frames.frame_len()..];
                let increment = level.predict(window).increment;
                let expected = level.linear_innovation(meta.system.window);
                for (i, s) in expected.iter().enumerate() {
                    sum += (next[i] - newest[i] - increment[i]).powi(2) / s;
                }
                values += expected.len();
                skill.bounds.widen(&level, &path);
            }
            skill.losses.push((lambda, sum / f64::from(values as u32)));
        }
        Ok(skill)
    }
}
