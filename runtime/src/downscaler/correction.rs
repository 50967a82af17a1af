//! Coarse frames in units to measured modes, and fine modes to frames in units.

use core::f32::consts::FRAC_1_SQRT_2;

use super::memory::Kept;
use super::{Instrument, Values};
use crate::checked::{self, OrBug, Place};
use crate::model::{Channel, Channels, Footprint, Model};
use crate::predictor::Description;
use crate::sampler::pixel_measurement;
use crate::spectral::operator::{self, complex_modes};
use crate::{Axis, Boundary, Error, Field, ForwardProcess, Grid, Modes, spectral};

/// Variances that differ by less are one: standard deviations are written with a few digits.
const ALIKE: f32 = 0.02;

/// Refuses errors that differ between coupled channels: those of their combinations would depend on
/// each other.
fn check_alike(noise: f32, before: f32) -> Result<(), Error> {
    if (noise - before).abs() <= ALIKE * before {
        return Ok(());
    }
    let expected = "the same in standard deviations of both channels, which the model couples";
    Err(Error::Conflict { name: "noise", expected })
}

/// What is known of an instrument beside its frames.
#[derive(Debug)]
pub(super) struct Correction<'a> {
    channels: Channels<'a>,
    process: ForwardProcess,
    footprint: Footprint,
    instrument: Instrument<'a>,
    fine: Grid,
    coarse: Grid,
    /// r of every mode of a frame, infinite where nothing is measured.
    pub(super) variances: &'a [f32],
    /// A⁻¹ of every mode of a frame; empty for values at points.
    inverse: &'a [f32],
    /// P of every mode of a coarse frame; empty where no point is dead.
    power: &'a [f32],
}

impl<'a> Correction<'a> {
    /// `kept`: [`Kept`]'s values but the predictor's; `scratch`: as for [`Correction::measure`].
    pub(super) fn new(
        model: &Model<'a>,
        instrument: Instrument<'a>,
        description: &Description<'_>,
        kept: &'a mut [f32],
        scratch: &mut [f32],
    ) -> Result<Self, Error> {
        let (fine, process) = (*model.grid(), *model.process());
        let coarse = instrument.grid(&fine)?;
        let lengths = Kept::of(&model.footprint(), &instrument);
        let (variances, kept) = kept.split_at_mut_checked(lengths.variances).or_bug();
        let (inverse, power) = kept.split_at_mut_checked(lengths.inverse).or_bug();
        let (n, points) = (coarse.points(), fine.points());
        let (pixels, scratch) = scratch.split_at_mut_checked(n).or_bug();
        let (r, scratch) = scratch.split_at_mut_checked(n).or_bug();
        let (field, scratch) = scratch.split_at_mut_checked(points).or_bug();
        let mut noise_before = None;
        for (channel, Channel { std, .. }) in checked::counted(model.channel_descriptions()) {
            let of = |len: usize| channel.times(len)..channel.plus(1).times(len);
            let clean = description.power.get(of(points)).or_bug();
            let variances = variances.get_mut(of(points)).or_bug();
            let noise = instrument.variance(channel, std);
            if process.is_coupled() {
                check_alike(noise, noise_before.replace(noise).unwrap_or(noise))?;
            }
            let inverse = inverse.get_mut(of(points)).unwrap_or_default();
            let means = instrument.values == Values::BlockMeans;
            let dead = instrument.dead_points() > 0;
            if means {
                let pixel = if dead { 0.0 } else { noise };
                spectral::pixel_modes(&fine, &coarse, pixel, clean, inverse, variances)?;
                if !dead {
                    continue;
                }
            }
            r.fill(noise);
            if dead {
                // P of the pixels is what the means leave of it.
                for (to, power) in checked::zip(&mut *field, clean) {
                    *to = *power;
                }
                if means {
                    weaken(&fine, inverse, field);
                }
                let power = power.get_mut(of(n)).or_bug();
                spectral::coarsen_variances(&fine, field, &coarse, power)?;
                mark_dead(&instrument, r);
                pixels.fill(0.0);
                pixel_measurement(&coarse, power, Field::coarse_mut(pixels), r, scratch)?;
            }
            if means {
                spectral::refine_variances(&coarse, r, &fine, field)?;
                widen(&fine, inverse, field, variances);
            } else {
                spectral::refine_variances(&coarse, r, &fine, variances)?;
            }
        }
        Ok(Self {
            channels: model.described(),
            process,
            footprint: model.footprint(),
            instrument,
            fine,
            coarse,
            variances,
            inverse,
            power,
        })
    }

    /// What it is made from.
    pub(super) const fn about(&self) -> (Footprint, &Instrument<'a>) {
        (self.footprint, &self.instrument)
    }

    /// Whether every point of the instrument gives a value.
    pub(super) fn is_whole(&self) -> bool {
        self.power.is_empty()
    }

    /// Values of a coarse frame.
    pub(super) fn coarse_len(&self) -> usize {
        self.channels.count().times(self.coarse.points())
    }

    /// A coarse frame, `[channel][y][x]` in units, to ŷ, `[channel][y mode][x mode]`; `scratch`:
    /// [`measuring`](super::memory::measuring) values.
    pub(super) fn measure(
        &self,
        frame: &[f32],
        measured: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        let (n, points, instrument) = (self.coarse.points(), self.fine.points(), &self.instrument);
        let (pixels, scratch) = scratch.split_at_mut_checked(n).or_bug();
        let (r, scratch) = scratch.split_at_mut_checked(n).or_bug();
        let (field, scratch) = scratch.split_at_mut_checked(points).or_bug();
        let channels = checked::zip(frame.chunks_exact(n), measured.chunks_exact_mut(points));
        let described = checked::counted(channels.zip(self.channels.iter()));
        for (channel, ((values, measured), Channel { mean, std, .. })) in described {
            let of = |len: usize| channel.times(len)..channel.plus(1).times(len);
            for (point, (to, value)) in checked::counted(checked::zip(&mut *pixels, values)) {
                *to = (value - mean) / std;
                if !to.is_finite() && !instrument.is_dead(point) {
                    let index = of(n).start.plus(point);
                    return Err(Error::NotFinite { name: "coarse", index });
                }
            }
            if self.process.is_coupled() {
                self.combine(channel, frame, pixels);
            }
            let (seen, measured) = (Field::coarse_mut(pixels), Modes::from_mut(measured));
            let seen = if self.is_whole() {
                spectral::forward(&self.coarse, seen, scratch)?
            } else {
                r.fill(instrument.variance(channel, std));
                mark_dead(instrument, r);
                let power = self.power.get(of(n)).or_bug();
                pixel_measurement(&self.coarse, power, seen, r, scratch)?
            };
            match self.inverse.get(of(points)) {
                Some(inverse) => {
                    let shown = Modes::from_mut(field);
                    spectral::refine(&self.coarse, seen, &self.fine, shown)?;
                    measured.fill(0.0);
                    operator::apply(&self.fine, inverse, shown, measured)?;
                }
                None => spectral::refine(&self.coarse, seen, &self.fine, measured)?,
            }
        }
        Ok(())
    }

    /// Of coupled channels, the standardised pixels of one to those of its combination with the
    /// other: bit by bit what [`ForwardProcess::mix`] makes of both.
    #[inline(never)]
    fn combine(&self, channel: usize, frame: &[f32], pixels: &mut [f32]) {
        let partner = channel ^ 1;
        let values = frame.chunks_exact(self.coarse.points()).nth(partner).or_bug();
        let Some(Channel { mean, std, .. }) = self.channels.iter().nth(partner) else {
            return checked::bug();
        };
        for (own, value) in checked::zip(pixels, values) {
            let other = (value - mean) / std;
            let combined = if channel == 0 { *own + other } else { other - *own };
            *own = FRAC_1_SQRT_2 * combined;
        }
    }

    /// Values of a fine frame.
    pub(super) fn fine_len(&self) -> usize {
        self.channels.count().times(self.fine.points())
    }

    /// Fine frames, `[frame][channel][y][x]` in units, to modes, `[frame][channel][y mode][x mode]`:
    /// undoes [`Correction::restore`].
    pub(super) fn adopt(
        &self,
        known: &[f32],
        modes: &mut [f32],
        scratch: &mut [f32],
    ) -> Result<(), Error> {
        Error::finite("known", known)?;
        let (points, frame) = (self.fine.points(), self.fine_len().max(1));
        let frames = checked::zip(known.chunks_exact(frame), modes.chunks_exact_mut(frame));
        for (known, modes) in frames {
            let fields = checked::zip(known.chunks_exact(points), modes.chunks_exact_mut(points));
            for ((known, field), channel) in fields.zip(self.channels.iter()) {
                for (to, value) in checked::zip(field, known) {
                    *to = channel.standard(*value);
                }
            }
        }
        self.process.mix(points, modes);
        spectral::forward(&self.fine, Field::from_mut(modes), scratch)?;
        Ok(())
    }

    /// Fine frames, `[frame][channel][y mode][x mode]`, to `[frame][channel][y][x]` in units.
    pub(super) fn restore(&self, path: &mut [f32], scratch: &mut [f32]) -> Result<(), Error> {
        let fields = spectral::inverse(&self.fine, Modes::from_mut(path), scratch)?;
        let points = self.fine.points();
        self.process.mix(points, fields);
        for frame in fields.chunks_exact_mut(self.fine_len().max(1)) {
            let channels = frame.chunks_exact_mut(points).zip(self.channels.iter());
            for (field, Channel { mean, std, .. }) in channels {
                field.iter_mut().for_each(|value| *value = mean + std * *value);
            }
        }
        Ok(())
    }
}

/// Points that are dead have no variance.
pub(super) fn mark_dead(instrument: &Instrument<'_>, variances: &mut [f32]) {
    for (point, r) in checked::counted(variances) {
        if instrument.is_dead(point) {
            *r = f32::INFINITY;
        }
    }
}

/// P ← |A|² P; modes that are not resolved are not asked for.
fn weaken(grid: &Grid, inverse: &[f32], power: &mut [f32]) {
    each_part(grid, inverse, |index, gain| {
        if let Some(power) = power.get_mut(index).filter(|_| gain > 0.0) {
            *power /= gain;
        }
    });
}

/// Adds to the variances of modes what the errors of the pixels, r of every mode, make of them.
///
/// The means shift the phase, which mixes the parts of a mode; the worst of them counts.
fn widen(grid: &Grid, inverse: &[f32], r: &[f32], variances: &mut [f32]) {
    let partner = |axis: Option<Axis>, index: usize| match axis {
        Some(axis) if axis.boundary() == Boundary::Periodic && index > 1 => index ^ 1,
        _ => index,
    };
    each_part(grid, inverse, |index, gain| {
        let nx = grid.nx().max(1); // Not 0, which the compiler sees only here.
        let (j, i) = (index / nx, index % nx);
        let rows = [j, partner(grid.y(), j)];
        let columns = [i, partner(Some(grid.x()), i)];
        let parts = rows.into_iter().flat_map(|j| columns.map(|i| j.times(nx).plus(i)));
        let worst = parts.filter_map(|at| r.get(at).copied()).fold(0.0, f32::max);
        if let Some(variance) = variances.get_mut(index).filter(|r| r.is_finite()) {
            *variance += worst * gain;
        }
    });
}

/// Gives `visit` the place of every part of a mode, and |A⁻¹|² there, or |A|² of another factor.
pub(super) fn each_part(grid: &Grid, inverse: &[f32], mut visit: impl FnMut(usize, f32)) {
    let part = |index: Option<usize>| index.and_then(|at| inverse.get(at)).copied();
    for mode in complex_modes(grid) {
        let (re, im) = (part(Some(mode.re)).or_bug(), part(mode.im).unwrap_or(0.0));
        let gain = re * re + im * im;
        visit(mode.re, gain);
        if let Some(im) = mode.im {
            visit(im, gain);
        }
    }
}
