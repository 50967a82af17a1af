//! What is known of the data before any frame is seen: mean, deviation, spectrum, memory.

use anyhow::{Result, ensure};
use finescale::Grid;
use finescale::spectral::RadialBins;

use crate::score::Scale;
use finescale_data::dataset::{Reader, Spec};
use finescale_field::modes::Group;
use finescale_model::Model;

/// Statistics of the training data, from a model or a data set.
#[derive(Clone, Debug, PartialEq)]
pub struct Climate {
    /// Mean and deviation of every channel.
    pub scale: Scale,
    /// E|û|² of the standardised field for every real mode, `[channel][mode]`.
    pub power: Vec<f32>,
    /// Correlation of a mode with itself one frame later, `[channel][mode]`.
    pub lag1: Vec<f32>,
    grid: Grid,
}

impl Climate {
    /// As a model has it: per mode.
    ///
    /// # Errors
    /// If the model is damaged.
    pub fn of_model(model: &Model) -> Result<Self> {
        let (base, channels) = (model.base()?, &model.meta.channels);
        let (grid, points) = (base.grid, base.grid.points());
        let groups = Group::all(&grid);
        let power = base.autocovariance.power(&groups, points);
        let mut lag1 = vec![0.0; power.len()];
        for c in 0..channels.len() {
            // Lag 1 of the channel with itself.
            let plane = channels.len() * channels.len() + c * (channels.len() + 1);
            let packed = &base.autocovariance.values[plane * points..][..points];
            for group in &groups {
                let [plus, minus] = group.unpack(packed);
                let covariance = (plus.re + minus.re) / group.complex_modes() as f64;
                for &mode in group.members() {
                    let place = c * points + mode;
                    lag1[place] = correlation(covariance, power[place].into());
                }
            }
        }
        let scale = Scale {
            mean: channels.iter().map(|c| c.mean).collect(),
            std: channels.iter().map(|c| c.std).collect(),
        };
        Ok(Self { scale, power, lag1, grid })
    }

    /// As a data set has it: per shell of |k|.
    ///
    /// # Errors
    /// If the grid is none of the runtime's.
    pub fn of_data(reader: &Reader) -> Result<Self> {
        let grid = reader.spec().grid()?;
        let bins = RadialBins::new(&grid);
        let statistics = reader.statistics();
        let shell: Vec<usize> = grid.wavenumbers().map(|k| bins.bin(k)).collect();
        let channels = || statistics.channels.iter();
        let of = |values: &[f64]| shell.iter().map(|&s| values[s] as f32).collect::<Vec<_>>();
        Ok(Self {
            scale: Scale::of_statistics(statistics),
            power: channels().flat_map(|c| of(&c.power)).collect(),
            lag1: channels().flat_map(|c| of(&c.lag1_spectrum)).collect(),
            grid,
        })
    }

    /// Whether this is the climate of such fields.
    ///
    /// # Errors
    /// If the grid or the number of channels differs.
    pub fn check(&self, spec: &Spec) -> Result<()> {
        let (grid, channels) = (spec.grid()?, self.scale.mean.len());
        ensure!(
            grid == self.grid && channels == spec.channels.len(),
            "the baselines' statistics are of {}×{} points and {channels} channels, the result has {}×{} points and {}: \
             give --model or --data of the same fields",
            self.grid.ny(),
            self.grid.nx(),
            grid.ny(),
            grid.nx(),
            spec.channels.len()
        );
        Ok(())
    }

    /// Standardises spectra's fields: physical to standard deviations.
    pub(super) fn standardise(&self, frame: &mut [f32]) {
        let physical = frame.to_vec();
        self.scale.standardise(&physical, frame);
    }

    /// The reverse.
    pub(super) fn restore(&self, frame: &mut [f32]) {
        let points = frame.len() / self.scale.mean.len();
        let scale = self.scale.mean.iter().zip(&self.scale.std);
        for (field, (mean, std)) in frame.chunks_exact_mut(points).zip(scale) {
            field.iter_mut().for_each(|v| *v = (f64::from(*v) * std + mean) as f32);
        }
    }
}

fn correlation(covariance: f64, power: f64) -> f32 {
    if power > 0.0 { (covariance / power).clamp(-1.0, 1.0) as f32 } else { 0.0 }
}
