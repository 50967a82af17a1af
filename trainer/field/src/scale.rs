//! Standardisation: every channel in standard deviations from its mean.

use finescale::model::Model as View;
use finescale::{Error, Field, ForwardProcess, Grid, Modes, spectral};

/// Mean and standard deviation of every channel, in its units: what goes between physical fields
/// and standardised ones, (u − mean)/std. Channels of different units can then be added, and a
/// prediction of the mean has a relative error of 1.
///
/// `T` is the precision that is computed in: that of data sets, `f64`, or that of boards, `f32`.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale<T = f64> {
    /// Of every channel.
    pub mean: Vec<T>,
    /// Of every channel, positive.
    pub std: Vec<T>,
    /// The forward process, if it couples channels: spectra are of their combinations then.
    coupled: Option<ForwardProcess>,
}

/// A precision that values are standardised in.
pub trait Precision: Copy {
    /// (value − mean)/std.
    fn standard(value: f32, mean: Self, std: Self) -> f32;
    /// mean + std · value.
    fn physical(value: f32, mean: Self, std: Self) -> f32;
}

impl Precision for f32 {
    fn standard(value: f32, mean: f32, std: f32) -> f32 {
        (value - mean) / std
    }

    fn physical(value: f32, mean: f32, std: f32) -> f32 {
        mean + std * value
    }
}

impl Precision for f64 {
    fn standard(value: f32, mean: f64, std: f64) -> f32 {
        ((f64::from(value) - mean) / std) as f32
    }

    fn physical(value: f32, mean: f64, std: f64) -> f32 {
        (mean + std * f64::from(value)) as f32
    }
}

impl<T> FromIterator<(T, T)> for Scale<T> {
    /// From the mean and the standard deviation of every channel.
    fn from_iter<I: IntoIterator<Item = (T, T)>>(channels: I) -> Self {
        let (mean, std) = channels.into_iter().unzip();
        Self { mean, std, coupled: None }
    }
}

impl Scale<f32> {
    /// Of a model as boards have it, in their precision.
    pub fn of(view: &View<'_>) -> Self {
        let channels = view.channel_descriptions();
        let scale: Self = channels.map(|channel| (channel.mean, channel.std)).collect();
        Self { coupled: Some(*view.process()).filter(ForwardProcess::is_coupled), ..scale }
    }
}

impl Scale {
    /// Of frames `[…][channel][y][x]` of so many channels and points, over everything but the
    /// channel; the deviation of a constant channel is 0.
    pub fn of_values(channels: usize, points: usize, values: &[f32]) -> Self {
        let channel = |c: usize| {
            let fields = || values.chunks_exact(points).skip(c).step_by(channels).flatten();
            let count = fields().count().max(1) as f64;
            let mean = fields().map(|&v| f64::from(v)).sum::<f64>() / count;
            let squares = fields().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>();
            (mean, (squares / count).sqrt())
        };
        (0..channels).map(channel).collect()
    }
}

impl<T: Precision> Scale<T> {
    /// Physical fields `[…][channel][y][x]` of so many points to standardised ones, in place.
    pub fn standardise(&self, points: usize, fields: &mut [f32]) {
        self.each(points, fields, T::standard);
    }

    /// Undoes [`Scale::standardise`].
    pub fn restore(&self, points: usize, fields: &mut [f32]) {
        self.each(points, fields, T::physical);
    }

    /// Physical fields `[…][channel][y][x]` to standardised spectra, in place, and gives
    /// what they have become.
    ///
    /// # Errors
    /// If the slice is no whole number of fields.
    pub fn spectra<'v, G>(
        &self,
        grid: &Grid,
        fields: &'v mut Field<G>,
    ) -> Result<&'v mut Modes<G>, Error> {
        self.standardise(grid.points(), fields);
        self.mix(grid, fields);
        spectral::forward(grid, fields, &mut vec![0.0; spectral::scratch_len(grid)])
    }

    /// Undoes [`Scale::spectra`].
    ///
    /// # Errors
    /// If the slice is no whole number of fields.
    pub fn fields<'v, G>(
        &self,
        grid: &Grid,
        spectra: &'v mut Modes<G>,
    ) -> Result<&'v mut Field<G>, Error> {
        let fields = spectral::inverse(grid, spectra, &mut vec![0.0; spectral::scratch_len(grid)])?;
        self.mix(grid, fields);
        self.restore(grid.points(), fields);
        Ok(fields)
    }

    fn mix(&self, grid: &Grid, fields: &mut [f32]) {
        if let Some(process) = &self.coupled {
            process.mix(grid.points(), fields);
        }
    }

    fn each(&self, points: usize, fields: &mut [f32], turn: fn(f32, T, T) -> f32) {
        let channels = self.mean.iter().zip(&self.std).cycle();
        for (field, (mean, std)) in fields.chunks_exact_mut(points).zip(channels) {
            field.iter_mut().for_each(|value| *value = turn(*value, *mean, *std));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If it failed, scores and samples would be in other units than the data.
    #[test]
    fn fields_come_back_and_have_unit_deviation() {
        let physical: Vec<f32> = (0..48_u16).map(|i| f32::from(i * 37 % 48) * 0.5 - 3.0).collect();
        let scale = Scale::of_values(2, 8, &physical);
        let mut fields = physical.clone();
        scale.standardise(8, &mut fields);
        let Scale { mean, std, .. } = Scale::of_values(2, 8, &fields);
        for (mean, std) in mean.iter().zip(&std) {
            assert!(mean.abs() < 1e-6 && (std - 1.0).abs() < 1e-6, "{mean}, {std}");
        }
        scale.restore(8, &mut fields);
        assert!(fields.iter().zip(&physical).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}
