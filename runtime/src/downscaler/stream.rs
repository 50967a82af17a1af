//! An instrument that goes on and on.

use super::correction::Correction;
use super::memory::Kept;
use super::{Downscaler, Fine, Instrument};
use crate::checked::{self, OrBug};
use crate::model::Footprint;
use crate::predictor::Trained;
use crate::sampler::{Online, Pushing, Reading, Sensor, Workspace};
use crate::{Error, Modes, NoiseStream, Predictor};

/// One coarse frame in, one fine frame out: the front of [`Online`], which has more to say about
/// latency and cost.
///
/// [`Downscaler::stream`] makes it.
#[derive(Debug)]
pub struct Stream<'a> {
    correction: Correction<'a>,
    predictor: Trained<'a>,
    online: Online<'a>,
    /// A frame: what was measured, and then what is given out.
    frame: &'a mut [f32],
    workspace: Workspace<'a>,
}

impl<'a> Stream<'a> {
    /// Values of memory for a stream whose fine frames are `lag` frames behind the coarse ones.
    pub const fn memory_len(
        footprint: &Footprint,
        instrument: &Instrument<'_>,
        lag: usize,
    ) -> usize {
        checked::sum(&[
            Downscaler::hot_len(footprint, instrument),
            Self::cold_len(footprint, instrument, lag),
        ])
    }

    /// Values of the large part of the memory, for [`Downscaler::in_two_parts`].
    pub const fn cold_len(footprint: &Footprint, instrument: &Instrument<'_>, lag: usize) -> usize {
        // What was measured, the path and its score; a frame.
        let window = checked::sum(&[footprint.window as usize, lag, 1]);
        let frames = checked::sum(&[checked::product(&[3, window]), 1]);
        checked::sum(&[
            Kept::of(footprint, instrument).len(),
            checked::product(&[frames, footprint.frame_len()]),
        ])
    }

    pub(super) fn new(downscaler: Downscaler<'a>, lag: usize) -> Result<Self, Error> {
        let Downscaler { correction, predictor, sampler, seed, rest, hot } = downscaler;
        let description = predictor.describe();
        let frame = description.frame_len();
        let sensor = Sensor::Measured(correction.variances);
        let (footprint, instrument) = correction.about();
        let needed = Self::memory_len(&footprint, instrument, lag);
        let kept = Kept::of(&footprint, instrument).len();
        let values = checked::sum(&[kept, rest.len(), hot.len()]);
        if values < needed {
            return Err(Error::MemoryLength { values, needed });
        }
        let online = Online::memory_len(description, &sensor, lag);
        let (windows, rest) = rest.split_at_mut_checked(online).or_bug();
        let (frame, score) = rest.split_at_mut_checked(frame).or_bug();
        let workspace = Workspace { score, work: hot };
        let noise = NoiseStream { seed, member: 0, frame: 0, draw: 0 };
        let online = Online::new(sampler, description, sensor, lag, noise, windows)?;
        Ok(Self { correction, predictor, online, frame, workspace })
    }

    /// Takes the next coarse frame, `[channel][y][x]` in units, or `None` where it did not arrive,
    /// and gives the fine frame that is `lag` frames older; nothing during the first `lag` pushes.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `coarse` is one frame; otherwise as [`Online::push`]. After an
    /// error the stream is as before.
    pub fn push(&mut self, coarse: Option<&[f32]>) -> Result<Option<Fine<'_>>, Error> {
        let Some(mut push) = self.begin(coarse)? else { return Ok(None) };
        while !push.advance()? {}
        push.finish().map(Some)
    }

    /// Takes the next coarse frame as [`Stream::push`] does, and leaves the drawing to the caller,
    /// piece by piece: see [`Downscaler::begin`].
    ///
    /// # Errors
    /// As [`Stream::push`].
    pub fn begin(&mut self, coarse: Option<&[f32]>) -> Result<Option<Push<'_, 'a>>, Error> {
        let Self { correction, predictor, online, frame, workspace } = self;
        let reading = match coarse {
            Some(coarse) if coarse.len() != correction.coarse_len() => {
                let (values, points) = (coarse.len(), correction.coarse_len());
                return Err(Error::FieldLength { values, points });
            }
            Some(coarse) => {
                correction.measure(coarse, frame, workspace.work)?;
                Reading::Frame(Modes::new(frame))
            }
            None => Reading::Missing,
        };
        let scratch = checked::sum(&[workspace.score.len(), workspace.work.len()]);
        let pushing = online.begin(predictor.describe(), reading, scratch)?;
        let workspace = Workspace { score: workspace.score, work: workspace.work };
        Ok(pushing.map(|pushing| Push { correction, predictor, pushing, frame, workspace }))
    }
}

/// A coarse frame that was taken, and whose fine frame is being drawn: see [`Stream::begin`].
///
/// Dropped before [`Push::finish`], it leaves the stream as if the frame had never come.
#[derive(Debug)]
pub struct Push<'s, 'a> {
    correction: &'s Correction<'a>,
    predictor: &'s mut Trained<'a>,
    pushing: Pushing<'s, 'a>,
    frame: &'s mut [f32],
    workspace: Workspace<'s>,
}

impl<'s> Push<'s, '_> {
    /// Draws the next piece, at most one evaluation or one pull-back of one frame or the tables of
    /// one λ; gives whether it was the last one.
    ///
    /// # Errors
    /// As [`Stream::push`].
    pub fn advance(&mut self) -> Result<bool, Error> {
        self.pushing.advance_in(self.predictor, &mut self.workspace)
    }

    /// Gives the fine frame and lets the stream go on. Before the last piece it is the best that
    /// there is, marked as [`Fine::unfinished`]; later frames take it for what was there.
    ///
    /// # Errors
    /// As [`Stream::push`].
    pub fn finish(self) -> Result<Fine<'s>, Error> {
        let Self { correction, predictor, pushing, frame, workspace } = self;
        let drawn = pushing.finish(predictor.describe())?;
        let (health, unfinished) = (drawn.health, drawn.unfinished);
        checked::zip(&mut *frame, drawn.values).for_each(|(to, value)| *to = *value);
        correction.restore(frame, workspace.work)?;
        let members = if unfinished.is_some() { 0 } else { 1 };
        Ok(Fine { frames: frame, mean: frame, spread: &[], members, health, unfinished })
    }
}
