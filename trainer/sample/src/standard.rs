//! Between fields in physical units and standardised spectra.

use anyhow::Result;
use finescale::model::Model as View;
use finescale::{Error, Grid, spectral};

/// Mean and standard deviation of every channel.
#[derive(Clone, Debug)]
pub struct Scale(Vec<(f32, f32)>);

impl Scale {
    /// Of a model.
    pub fn of(view: &View<'_>) -> Self {
        Self(view.channel_descriptions().map(|channel| (channel.mean, channel.std)).collect())
    }

    /// Standard deviation of each channel.
    pub(super) fn deviations(&self) -> impl Iterator<Item = f32> {
        self.0.iter().map(|(_, std)| *std)
    }

    /// Frames `[frame][channel][y][x]` to standardised spectra, in place.
    ///
    /// # Errors
    /// If the slice is no whole number of fields.
    pub fn spectra(&self, grid: &Grid, frames: &mut [f32]) -> Result<(), Error> {
        let fields = frames.chunks_exact_mut(grid.points());
        for (field, (mean, std)) in fields.zip(self.0.iter().cycle()) {
            field.iter_mut().for_each(|value| *value = (*value - mean) / std);
        }
        let mut scratch = vec![0.0; spectral::scratch_len(grid)];
        spectral::forward(grid, frames, &mut scratch)
    }

    /// Standardised spectra to frames, in place.
    ///
    /// # Errors
    /// If the slice is no whole number of fields.
    pub fn fields(&self, grid: &Grid, spectra: &mut [f32]) -> Result<(), Error> {
        let mut scratch = vec![0.0; spectral::scratch_len(grid)];
        spectral::inverse(grid, spectra, &mut scratch)?;
        let fields = spectra.chunks_exact_mut(grid.points());
        for (field, (mean, std)) in fields.zip(self.0.iter().cycle()) {
            field.iter_mut().for_each(|value| *value = mean + std * *value);
        }
        Ok(())
    }
}
