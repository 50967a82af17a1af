//! Super-resolution of a live sensor, frame by frame.

use super::observation::Observation;
use super::{Coarse, Sampler, Start};
use crate::predictor::frame_len;
use crate::{Error, NoiseStream, Predictor};

/// What a sensor gives.
#[derive(Clone, Copy, Debug)]
pub enum Sensor<'a> {
    /// Coarse frames at λ_max, as [`Sampler::super_resolve`] takes them.
    Coarse(Coarse),
    /// Measured modes with these variances, as [`Observation::new`] takes them: every fine frame agrees with its own
    /// measurement. λ_max may be larger than the scale that the measured modes resolve.
    Measured(&'a [f32]),
}

/// A sliding window over a sensor's frames: one new frame in, one fine frame out.
///
/// ```text
///   fine frames already given, at most W │ lag + 1 frames still open
///   known exactly: they condition the rest │ coarse        newest ◀── push
///                                            └─▶ given out
/// ```
///
/// Every push samples the open frames given those already given out, so that the sequence belongs together, and gives
/// the oldest open one. **Latency**: `lag` frames and one sampling. The first `lag` pushes give nothing. With `lag` 0
/// a frame knows only its past; a frame or two of the future make it sharper and cost as many frames of work each.
/// Cost of a push: [`Sampler::reverse`] on at most W + lag + 1 frames.
///
/// Noise is addressed by the frame's number since the start, so a sequence can be recomputed from any push on whose
/// window is the same.
#[derive(Debug)]
pub struct Stream<'a> {
    sampler: Sampler,
    sensor: Sensor<'a>,
    noise: NoiseStream,
    lag: usize,
    /// Fine frames, then the sensor's.
    values: &'a mut [f32],
    path: &'a mut [f32],
    /// Frames in `values`, and how many of them are fine.
    filled: usize,
    known: usize,
}

impl<'a> Stream<'a> {
    /// Values of memory: two windows of W + lag + 1 frames.
    pub fn memory_len(predictor: &(impl Predictor + ?Sized), lag: usize) -> usize {
        2 * frames(predictor, lag) * frame_len(predictor)
    }

    /// Values of scratch for [`Stream::push`].
    pub fn scratch_len(
        sampler: &Sampler,
        predictor: &(impl Predictor + ?Sized),
        lag: usize,
    ) -> usize {
        sampler.scratch_len(predictor, frames(predictor, lag))
    }

    /// An empty window. `noise`: seed and member; its frame is the number of the first frame.
    ///
    /// # Errors
    /// [`Error::ScratchLength`] if `memory` is shorter than [`Stream::memory_len`];
    /// [`Error::FieldLength`] if a sensor's variances are not one frame.
    pub fn new(
        sampler: Sampler,
        predictor: &(impl Predictor + ?Sized),
        sensor: Sensor<'a>,
        lag: usize,
        noise: NoiseStream,
        memory: &'a mut [f32],
    ) -> Result<Self, Error> {
        let frame = frame_len(predictor);
        if let Sensor::Measured(variances) = sensor {
            // As every push will do.
            Observation::new(predictor.grid(), variances, variances)?.check(frame, frame)?;
        }
        let needed = Self::memory_len(predictor, lag);
        let too_short = Error::ScratchLength { values: memory.len(), needed };
        let memory = memory.get_mut(..needed).ok_or(too_short)?;
        let (values, path) = memory.split_at_mut_checked(needed / 2).ok_or(too_short)?;
        Ok(Self { sampler, sensor, noise, lag, values, path, filled: 0, known: 0 })
    }

    /// Takes the sensor's next frame, `[channel][y mode][x mode]` on the fine grid, and gives the fine frame that is `lag`
    /// frames older; `None` during the first `lag` pushes.
    ///
    /// `predictor`: the one of [`Stream::new`], or one of the same shape. `scratch`: [`Stream::scratch_len`] values. After
    /// an error the window is as before.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `frame` is one frame; whatever [`Sampler::reverse`] refuses.
    pub fn push<P: Predictor + ?Sized>(
        &mut self,
        predictor: &mut P,
        frame: &[f32],
        scratch: &mut [f32],
    ) -> Result<Option<&[f32]>, Error> {
        let len = frame_len(predictor);
        if frame.len() != len || self.values.len() != frames(predictor, self.lag) * len {
            return Err(Error::FieldLength { values: frame.len(), points: len });
        }
        // The newest frame's place is free until the window has moved.
        let place = self.values.get_mut(self.filled * len..).and_then(|rest| rest.get_mut(..len));
        let Some(place) = place else { return Ok(None) };
        for (value, new) in place.iter_mut().zip(frame) {
            *value = *new;
        }
        let open = self.filled + 1 - self.known;
        if open <= self.lag {
            self.filled += 1;
            return Ok(None);
        }
        let (grid, channels) = (*predictor.grid(), predictor.channels());
        let values = self.values.get(..(self.filled + 1) * len).unwrap_or(&[]);
        let path = self.path.get_mut(..values.len()).unwrap_or(&mut []);
        match self.sensor {
            Sensor::Coarse(coarse) => {
                for (u, value) in path.iter_mut().zip(values) {
                    *u = *value;
                }
                let fine = values.get(..self.known * len).unwrap_or(&[]);
                let known = if fine.is_empty() {
                    None
                } else {
                    Some(Observation::known(&grid, channels, fine)?)
                };
                let known = known.as_ref();
                self.sampler.super_resolve(predictor, coarse, known, &self.noise, path, scratch)?;
            }
            Sensor::Measured(variances) => {
                let seen = Observation::new(&grid, values, variances)?.with_known(self.known);
                let (start, seen) = (Start::Rollout, Some(&seen));
                self.sampler.generate(predictor, start, seen, &self.noise, path, scratch)?;
            }
        }

        // The oldest open frame is done: it is known from now on, and the window moves when it is full.
        let done = self.known * len..(self.known + 1) * len;
        if let (Some(value), Some(fine)) =
            (self.values.get_mut(done.clone()), self.path.get(done.clone()))
        {
            for (value, fine) in value.iter_mut().zip(fine) {
                *value = *fine;
            }
        }
        self.filled += 1;
        self.known += 1;
        if self.known > predictor.window() {
            shift(self.values, len);
            self.filled -= 1;
            self.known -= 1;
            self.noise.frame = self.noise.frame.wrapping_add(1);
        }
        Ok(self.path.get(done))
    }
}

fn frames(predictor: &(impl Predictor + ?Sized), lag: usize) -> usize {
    predictor.window() + lag + 1
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
