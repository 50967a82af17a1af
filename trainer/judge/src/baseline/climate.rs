//! What is known of the data before any frame is seen: mean, deviation, spectrum, memory.

use anyhow::{Result, ensure};
use finescale::Grid;

use finescale_data::dataset::{Reader, Spec};
use finescale_field::modes::Group;
use finescale_field::scale::Scale;
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
        let base = model.base()?;
        let (grid, points) = (base.grid, base.grid.points());
        let groups = Group::all(&grid);
        let packed = base.channels();
        let power = packed.power(&groups, points);
        let lag1 = packed.diagonal(1, &groups, points);
        let lag1 = lag1.into_iter().zip(&power).map(|(c, p)| correlation(c, (*p).into())).collect();
        Ok(Self { scale: model.meta.scale(), power, lag1, grid })
    }

    /// As a data set has it: per shell of |k|.
    ///
    /// # Errors
    /// If the grid is none of the runtime's.
    pub fn of_data(reader: &Reader) -> Result<Self> {
        let grid = reader.spec().grid()?;
        let statistics = reader.statistics();
        let shells = &statistics.shells.of;
        let channels = || statistics.channels.iter();
        let of = |values: &[f64]| shells.iter().map(|&s| values[s] as f32).collect::<Vec<_>>();
        Ok(Self {
            scale: statistics.scale(),
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
}

fn correlation(covariance: f64, power: f64) -> f32 {
    if power > 0.0 { (covariance / power).clamp(-1.0, 1.0) as f32 } else { 0.0 }
}
