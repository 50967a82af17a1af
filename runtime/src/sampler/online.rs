//! Super-resolution of a live sensor, frame by frame.

use core::ops::Range;

use super::observation::Observation;
use super::tasks::CoarseFrames;
use super::{Coarse, Health, Origin, Pushing, Sampler, Start, Uncertainty, Unfinished};
use crate::checked::{self, OrBug, Place};
use crate::predictor::Description;
use crate::{Error, Modes, NoiseStream, Path, Predictor};

/// What a sensor gives.
#[derive(Clone, Copy, Debug)]
pub enum Sensor<'a> {
    /// Coarse frames at λ_max, as [`Sampler::super_resolve`] takes them. The variances of
    /// [`Coarse::Uncertain`] are those of one frame; `missing` is not read, since a reading says so
    /// itself.
    Coarse(Coarse<'a>),
    /// Filtered frames as of [`Coarse::Uncertain`], each with variances of its own.
    CoarseVarying,
    /// Measured modes with these variances, as [`Observation::new`] takes them for one frame: every
    /// fine frame agrees with its own measurement. λ_max may be larger than the scale that the
    /// measured modes resolve.
    Measured(&'a [f32]),
    /// Measured modes, each frame with variances of its own.
    MeasuredVarying,
}

impl Sensor<'_> {
    const fn varies(&self) -> bool {
        matches!(self, Self::CoarseVarying | Self::MeasuredVarying)
    }
}

/// What a sensor gave.
#[derive(Clone, Copy, Debug)]
pub enum Reading<'a> {
    /// A frame, `[channel][y mode][x mode]` on the fine grid.
    Frame(&'a Modes),
    /// A frame of a sensor whose variances vary, with them: `[channel][y mode][x mode]` both, the
    /// variances infinite where nothing was measured.
    /// [`pixel_measurement`](super::pixel_measurement) makes both from pixels of which some are
    /// missing or worse than others.
    Varying {
        /// The values; where nothing was measured any number.
        values: &'a Modes,
        /// r of every mode.
        variances: &'a [f32],
    },
    /// Nothing: the frame is drawn by the model from those around it.
    Missing,
}

impl<'a> From<&'a Modes> for Reading<'a> {
    fn from(values: &'a Modes) -> Self {
        Self::Frame(values)
    }
}

/// A frame that [`Online`] gives out.
#[derive(Clone, Copy, Debug)]
pub struct FineFrame<'a> {
    /// `[channel][y mode][x mode]`.
    pub values: &'a Modes,
    /// How well this frame's own reading fits the model, and how often a bound was reached in this
    /// push.
    pub health: Health,
    /// What it leaves open, where its drawing was ended before λ = 0.
    pub unfinished: Option<Unfinished>,
}

/// A sliding window over a sensor's frames: one new frame in, one fine frame out.
///
/// ```text
///   fine frames already given, at most W │ lag + 1 frames still open
///   known exactly: they condition the rest │ coarse        newest ◀── push
///                                            └─▶ given out
/// ```
///
/// Every push samples the open frames given those already given out, so that the sequence belongs
/// together, and gives the oldest open one. **Latency**: `lag` frames and one sampling. The first
/// `lag` pushes give nothing. With `lag` 0 a frame knows only its past; a frame or two of the
/// future make it sharper and cost as many frames of work each. Cost of a push:
/// [`Sampler::reverse`] on at most W + lag + 1 frames.
///
/// A frame that the sensor has lost is pushed as [`Reading::Missing`]: [`Online`] goes on and draws
/// it.
///
/// Noise is addressed by the frame's number since the start, so a sequence can be recomputed from
/// any push on whose window is the same.
#[derive(Debug)]
pub struct Online<'a> {
    sampler: Sampler,
    sensor: Sensor<'a>,
    noise: NoiseStream,
    lag: usize,
    /// Fine frames, then the sensor's.
    values: &'a mut [f32],
    path: &'a mut [f32],
    /// Variances of the frames in `values`; empty where they do not vary.
    variances: &'a mut [f32],
    /// Which frames in `values` are missing.
    missing: [bool; FRAMES_MAX],
    /// Frames in `values`, and how many of them are fine.
    filled: usize,
    known: usize,
}

/// Most frames of a window: more than sixteen past ones no predictor has.
const FRAMES_MAX: usize = 64;

impl<'a> Online<'a> {
    /// Values of memory: two windows of W + lag + 1 frames, three where variances vary.
    pub fn memory_len(description: &Description<'_>, sensor: &Sensor<'_>, lag: usize) -> usize {
        let windows = if sensor.varies() { 3 } else { 2 };
        checked::product(&[windows, frames(description, lag), description.frame_len()])
    }

    /// Values of scratch for [`Online::push`].
    pub fn scratch_len(sampler: &Sampler, description: &Description<'_>, lag: usize) -> usize {
        sampler.scratch_len(description, frames(description, lag))
    }

    /// An empty window. `noise`: seed and member; its frame is the number of the first frame.
    ///
    /// # Errors
    /// [`Error::MemoryLength`] if `memory` is shorter than [`Online::memory_len`];
    /// [`Error::FieldLength`] if a sensor's variances are not one frame, [`Error::Parameter`] if
    /// one is negative or no number; [`Error::Count`] unless W + lag + 1 is at most 64;
    /// [`Error::Conflict`] for a predictor that sees companions; what [`Sampler::reverse`] refuses
    /// of the sampler.
    pub fn new(
        sampler: Sampler,
        description: &Description<'_>,
        sensor: Sensor<'a>,
        lag: usize,
        noise: NoiseStream,
        memory: &'a mut [f32],
    ) -> Result<Self, Error> {
        sampler.check_settings(description)?;
        description.without_companions()?;
        let holds = frames(description, lag) <= FRAMES_MAX;
        Error::count("lag", lag, holds, "at most 63 frames less than the predictor's window")?;
        let frame = description.frame_len();
        match sensor {
            Sensor::Measured(variances) => {
                Uncertainty { variances, missing: &[] }.check(frame, 1)?;
            }
            Sensor::Coarse(Coarse::Uncertain(uncertainty)) => uncertainty.check(frame, 1)?,
            Sensor::Coarse(_) | Sensor::CoarseVarying | Sensor::MeasuredVarying => {}
        }
        let needed = Self::memory_len(description, &sensor, lag);
        let too_short = Error::MemoryLength { values: memory.len(), needed };
        let memory = memory.get_mut(..needed).ok_or(too_short)?;
        let window = frames(description, lag).saturating_mul(frame);
        let (values, rest) = memory.split_at_mut_checked(window).or_bug();
        let (path, variances) = rest.split_at_mut_checked(window).or_bug();
        let missing = [false; FRAMES_MAX];
        Ok(Self {
            sampler,
            sensor,
            noise,
            lag,
            values,
            path,
            variances,
            missing,
            filled: 0,
            known: 0,
        })
    }

    /// Takes the sensor's next reading and gives the fine frame that is `lag` frames older; `None`
    /// during the first `lag` pushes.
    ///
    /// `predictor`: the one of [`Online::new`], or one of the same shape. `scratch`:
    /// [`Online::scratch_len`] values, at the first push too. After an error the window is as
    /// before.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless the reading is one frame; [`Error::Conflict`] for a frame
    /// without variances where they vary, or with them where they do not; [`Error::NotFinite`] for
    /// a measured value that is no number, with its index in the frame, or where the sampling stops
    /// to give numbers; [`Error::ScratchLength`]; whatever [`Sampler::reverse`] refuses.
    pub fn push<'r>(
        &mut self,
        predictor: &mut dyn Predictor,
        reading: impl Into<Reading<'r>>,
        scratch: &mut [f32],
    ) -> Result<Option<FineFrame<'_>>, Error> {
        let Some(mut pushing) = self.begin(predictor.describe(), reading, scratch.len())? else {
            return Ok(None);
        };
        while !pushing.advance(predictor, scratch)? {}
        pushing.finish(predictor.describe()).map(Some)
    }

    /// Takes the sensor's next reading as [`Online::push`] does, and leaves the drawing to
    /// [`Pushing`], piece by piece; `scratch`: how many values of scratch there are.
    ///
    /// # Errors
    /// As [`Online::push`].
    pub fn begin<'r>(
        &mut self,
        description: &Description<'_>,
        reading: impl Into<Reading<'r>>,
        scratch: usize,
    ) -> Result<Option<Pushing<'_, 'a>>, Error> {
        let len = description.frame_len();
        let window = frames(description, self.lag).saturating_mul(len);
        if self.values.len() != window {
            return Err(Error::LengthMismatch { left: self.values.len(), right: window });
        }
        let needed = Self::scratch_len(&self.sampler, description, self.lag);
        if scratch < needed {
            return Err(Error::ScratchLength { values: scratch, needed });
        }
        self.sampler.check_settings(description)?;
        description.without_companions()?;
        self.take(reading.into(), len)?;
        let open = self.filled.plus(1).minus(self.known);
        if open <= self.lag {
            self.filled = self.filled.plus(1);
            return Ok(None);
        }
        Pushing::new(self, description).map(Some)
    }

    /// The oldest open frame, which is drawn, is known from now on, and the window moves when it is
    /// full; gives the frame's place in the path.
    pub(super) fn close(&mut self, description: &Description<'_>) -> Range<usize> {
        let (len, longest) = (description.frame_len(), description.window);
        let done = self.known.times(len)..self.known.plus(1).times(len);
        let fine = self.path.get(done.clone()).or_bug();
        for (value, fine) in checked::zip(self.values.get_mut(done.clone()).or_bug(), fine) {
            *value = *fine;
        }
        let (filled, known) = (self.filled.plus(1), self.known.plus(1));
        if known > longest {
            shift(self.values, len);
            shift(self.variances, len);
            self.missing.rotate_left(1);
            (self.filled, self.known) = (filled.minus(1), known.minus(1));
            self.noise.frame = self.noise.frame.wrapping_add(1);
        } else {
            (self.filled, self.known) = (filled, known);
        }
        done
    }

    /// What the window's path is drawn from, and the path; the newest frame is in its place.
    pub(super) fn window(
        &mut self,
        description: &Description<'_>,
    ) -> Result<(Origin<'_>, &mut Path<Modes>), Error> {
        let (grid, len) = (&description.grid, description.frame_len());
        let filled = self.filled.plus(1).times(len);
        let values = Path::modes(self.values.get(..filled).or_bug());
        let missing = self.missing.get(..self.filled.plus(1)).or_bug();
        let given = match self.sensor {
            Sensor::Measured(variances) => variances,
            Sensor::Coarse(Coarse::Uncertain(uncertainty)) => uncertainty.variances,
            Sensor::Coarse(_) => &[],
            Sensor::CoarseVarying | Sensor::MeasuredVarying => {
                self.variances.get(..filled).or_bug()
            }
        };
        let origin = match self.sensor {
            Sensor::Measured(_) | Sensor::MeasuredVarying => {
                let seen = Observation::new(grid, values, given)?;
                let seen = seen.with_known(self.known).without(missing);
                Origin::start(Start::Rollout).observed(Some(&seen))
            }
            Sensor::Coarse(_) | Sensor::CoarseVarying => {
                let coarse = match self.sensor {
                    Sensor::Coarse(coarse @ (Coarse::Clean | Coarse::Noised)) => coarse,
                    _ => Coarse::Uncertain(Uncertainty { variances: given, missing }),
                };
                let done = self.known as u32;
                let coarse = CoarseFrames { coarse, missing, judged: done..done.saturating_add(1) };
                let fine = Path::modes(values.get(..self.known.times(len)).or_bug());
                let known = if fine.is_empty() {
                    None
                } else {
                    Some(Observation::known(grid, description.channels, fine)?)
                };
                Origin::frames(coarse).observed(known.as_ref())
            }
        };
        Ok((origin, Path::modes_mut(self.path.get_mut(..filled).or_bug())))
    }

    pub(super) const fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    pub(super) const fn sensor(&self) -> &Sensor<'a> {
        &self.sensor
    }

    /// The noise of the window's path.
    pub(super) const fn noise(&self) -> &NoiseStream {
        &self.noise
    }

    /// The place of the oldest open frame.
    pub(super) const fn oldest(&self) -> usize {
        self.known
    }

    pub(super) const fn path(&self) -> &[f32] {
        self.path
    }

    /// The path starts as what the sensor gave, where that is coarse frames.
    pub(super) fn lay_readings(&mut self) {
        let readings = checked::zip(self.path.iter_mut(), self.values.iter());
        readings.for_each(|(u, value)| *u = *value);
    }

    /// Puts a reading into the newest frame's place, which is free until the window has moved.
    fn take(&mut self, reading: Reading<'_>, len: usize) -> Result<(), Error> {
        let varies = self.sensor.varies();
        let (values, variances): (&[f32], &[f32]) = match reading {
            Reading::Missing => (&[], &[]),
            Reading::Frame(_) if varies => {
                let expected = "given with its variances, as this sensor's vary";
                return Err(Error::Conflict { name: "reading", expected });
            }
            Reading::Varying { .. } if !varies => {
                let expected = "given without variances, or the sensor be one whose variances vary";
                return Err(Error::Conflict { name: "reading", expected });
            }
            Reading::Frame(values) => (values, &[]),
            Reading::Varying { values, variances } => (values, variances),
        };
        let is_missing = matches!(reading, Reading::Missing);
        if !is_missing {
            if values.len() != len {
                return Err(Error::FieldLength { values: values.len(), points: len });
            }
            let given = match self.sensor {
                Sensor::Coarse(Coarse::Uncertain(uncertainty)) => uncertainty.variances,
                Sensor::Measured(variances) => variances,
                Sensor::Coarse(_) => &[],
                Sensor::CoarseVarying | Sensor::MeasuredVarying => {
                    Uncertainty { variances, missing: &[] }.check(len, 1)?;
                    variances
                }
            };
            let measured = |index: usize| given.get(index).is_none_or(|r| r.is_finite());
            let bad = checked::counted(values).find(|(n, u)| !u.is_finite() && measured(*n));
            if let Some((index, _)) = bad {
                return Err(Error::NotFinite { name: "reading", index });
            }
        }
        let at = self.filled.times(len);
        let place = self.values.get_mut(at..).and_then(|rest| rest.get_mut(..len)).or_bug();
        if is_missing {
            place.fill(0.0);
        }
        for (place, value) in place.iter_mut().zip(values) {
            *place = *value;
        }
        if varies {
            let place = self.variances.get_mut(at..).and_then(|rest| rest.get_mut(..len)).or_bug();
            place.fill(f32::INFINITY);
            for (place, r) in place.iter_mut().zip(variances) {
                *place = *r;
            }
        }
        let marks = self.missing.iter_mut().skip(self.filled);
        for (mark, value) in marks.zip([is_missing]) {
            *mark = value;
        }
        Ok(())
    }
}

fn frames(description: &Description<'_>, lag: usize) -> usize {
    checked::sum(&[description.window, lag, 1])
}

/// Drops the oldest frame: every frame takes the next one's values.
fn shift(mut values: &mut [f32], len: usize) {
    while let Some((frame, later)) = values.split_at_mut_checked(len) {
        for (value, next) in frame.iter_mut().zip(later.iter()) {
            *value = *next;
        }
        values = later;
    }
}
