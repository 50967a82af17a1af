//! The coarse frames of a conditional mean: checked, filled where points are dead, and judged.

use super::super::correction::{each_part, mark_dead};
use super::super::{Instrument, Values};
use crate::checked::{self, OrBug, Place};
use crate::model::{Channel, MeanModel};
use crate::sampler::{Health, fill_pixels};
use crate::{Error, Field, Grid, spectral};

/// What is known of a sensor beside its frames.
#[derive(Debug)]
pub(super) struct Sensor<'a> {
    pub(super) model: MeanModel<'a>,
    pub(super) instrument: Instrument<'a>,
    /// Its grid, and P of every mode there, where some point is dead.
    filling: Option<(Grid, &'a [f32])>,
}

impl<'a> Sensor<'a> {
    /// `power`: of `Kept`; `scratch`: as for [`Sensor::fill`].
    pub(super) fn new(
        model: &MeanModel<'a>,
        instrument: Instrument<'a>,
        power: &'a mut [f32],
        scratch: &mut [f32],
    ) -> Result<Self, Error> {
        let (model, mut filling) = (*model, None);
        if instrument.dead_points() > 0 {
            let grid = model.grid().with_points(instrument.points)?;
            pixel_power(&model, &grid, power, scratch)?;
            filling = Some((grid, &*power));
        }
        Ok(Self { model, instrument, filling })
    }

    /// Refuses an instrument that is not the model's sensor.
    pub(super) fn check(model: &MeanModel<'_>, instrument: &Instrument<'_>) -> Result<(), Error> {
        let ([y, x], [rows, columns]) = (instrument.points, model.coarse_points());
        let rows_fit = model.grid().is_line() || y == rows;
        if !rows_fit || x != columns || instrument.values != model.sensor() {
            let expected = "the sensor that the mean was trained for, with its points and values";
            return Err(Error::Conflict { name: "instrument", expected });
        }
        instrument.check(rows.times(columns))?;
        // Without a network the file has no power of what the sensor shows.
        if instrument.dead_points() > 0 && model.arrays().input_power.is_empty() {
            let expected = "empty, as pixels are filled for a mean that has a network";
            return Err(Error::Conflict { name: "dead", expected });
        }
        Ok(())
    }

    /// Points of a channel of a coarse frame; not 0, which the compiler sees.
    fn points(&self) -> usize {
        let [y, x] = self.model.coarse_points();
        y.times(x).max(1)
    }

    /// Whether each value of frames is that of a dead point.
    fn is_dead(&self, index: usize) -> bool {
        self.filling.is_some() && self.instrument.is_dead(index % self.points())
    }

    /// Refuses values that are no number where no point is dead.
    pub(super) fn finite(&self, coarse: &[f32]) -> Result<(), Error> {
        for (index, value) in checked::counted(coarse) {
            if !value.is_finite() && !self.is_dead(index) {
                return Err(Error::NotFinite { name: "coarse", index });
            }
        }
        Ok(())
    }

    /// The frames `coarse` where no point is dead; else a copy in `filled` whose dead points have
    /// their means given the others.
    pub(super) fn fill<'f>(
        &self,
        coarse: &'f [f32],
        filled: &'f mut [f32],
        scratch: &mut [f32],
    ) -> Result<&'f [f32], Error> {
        let Some((grid, power)) = &self.filling else { return Ok(coarse) };
        let n = self.points();
        let (pixels, scratch) = scratch.split_at_mut_checked(n).or_bug();
        let (r, scratch) = scratch.split_at_mut_checked(n).or_bug();
        let fields = checked::rows(coarse, n).zip(checked::rows_mut(filled, n));
        let channels = self.model.channels();
        for (field, (values, filled)) in checked::counted(fields) {
            let channel = field % channels.max(1);
            let Channel { mean, std, .. } = self.channel(channel);
            let climatology = self.climatology(channel);
            for ((to, value), usual) in checked::zip(&mut *pixels, values).zip(climatology) {
                *to = (value - mean) / std - usual;
            }
            r.fill(self.instrument.variance(channel, std));
            mark_dead(&self.instrument, r);
            let power = checked::rows(power, n).nth(channel).or_bug();
            fill_pixels(grid, power, Field::coarse_mut(pixels), r, scratch)?;
            let drawn = checked::zip(&*pixels, values).zip(climatology);
            for (point, (to, ((pixel, value), usual))) in
                checked::counted(filled.iter_mut().zip(drawn))
            {
                let dead = self.instrument.is_dead(point);
                *to = if dead { (pixel + usual) * std + mean } else { *value };
            }
        }
        Ok(filled)
    }

    /// Adds to `health` how well frames fit the model: Σ a²/(v + r) of the anomalies a of all
    /// points that are not dead, v being their variance.
    pub(super) fn judge(&self, coarse: &[f32], health: &mut Health) {
        let n = self.points();
        for (field, values) in checked::counted(checked::rows(coarse, n)) {
            let channel = field % self.model.channels().max(1);
            let Channel { mean, std, .. } = self.channel(channel);
            let variance = self.variance(channel) + self.instrument.variance(channel, std);
            let usual = self.climatology(channel);
            for (point, (value, usual)) in checked::counted(values.iter().zip(usual)) {
                if !self.instrument.is_dead(point) {
                    health.add((value - mean) / std - usual, variance);
                }
            }
        }
    }

    /// Variance of what the sensor shows of a channel; that of the channel where the file does not
    /// say.
    fn variance(&self, channel: usize) -> f32 {
        let points = self.model.grid().points();
        match checked::rows(self.model.arrays().input_power, points).nth(channel) {
            Some(power) => power.iter().sum::<f32>() / points as f32,
            None => 1.0,
        }
    }

    fn channel(&self, channel: usize) -> Channel<'a> {
        let none = Channel { name: "", units: "", mean: 0.0, std: 1.0 };
        self.model.channel_descriptions().nth(channel).unwrap_or(none)
    }

    /// A channel's climatology as the sensor sees it.
    fn climatology(&self, channel: usize) -> &'a [f32] {
        checked::rows(self.model.arrays().coarse_climatology, self.points()).nth(channel).or_bug()
    }
}

/// P of the modes of pixels, `[channel][mode]` of their grid, from that of the fields that they
/// show.
fn pixel_power(
    model: &MeanModel<'_>,
    grid: &Grid,
    power: &mut [f32],
    scratch: &mut [f32],
) -> Result<(), Error> {
    let fine = model.grid();
    let points = fine.points();
    let (average, scratch) = scratch.split_at_mut_checked(points).or_bug();
    let field = scratch.get_mut(..points).or_bug();
    if model.sensor() == Values::BlockMeans {
        spectral::block_average(fine, grid, average)?;
    }
    let shown = checked::rows(model.arrays().input_power, points);
    for (shown, power) in shown.zip(checked::rows_mut(power, grid.points())) {
        checked::zip(&mut *field, shown).for_each(|(to, power)| *to = *power);
        if model.sensor() == Values::BlockMeans {
            each_part(fine, average, |index, gain| {
                if let Some(power) = field.get_mut(index) {
                    *power *= gain;
                }
            });
        }
        spectral::coarsen_variances(fine, field, grid, power)?;
    }
    Ok(())
}
