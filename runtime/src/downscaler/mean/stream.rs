//! The sensor of a conditional mean that goes on and on.

use super::super::{Fine, Instrument};
use super::MeanDownscaler;
use super::memory::{self, Kept};
use super::sensor::Sensor;
use crate::checked::{self, OrBug, product};
use crate::mean::Stream;
use crate::model::MeanFootprint;
use crate::sampler::Health;
use crate::{Error, Field};

/// One coarse frame in, one fine frame out: the front of [`Stream`], which has more to say.
///
/// [`MeanDownscaler::stream`] makes it.
#[derive(Debug)]
pub struct MeanStream<'a> {
    sensor: Sensor<'a>,
    stream: Stream<'a>,
    fine: &'a mut [f32],
    filled: &'a mut [f32],
    scratch: &'a mut [f32],
}

impl<'a> MeanStream<'a> {
    /// Values of memory.
    pub const fn memory_len(footprint: &MeanFootprint, instrument: &Instrument<'_>) -> usize {
        checked::sum(&[
            MeanDownscaler::hot_len(footprint, instrument),
            Self::cold_len(footprint, instrument),
        ])
    }

    /// Values of the large part of the memory, for [`MeanDownscaler::in_two_parts`].
    pub const fn cold_len(footprint: &MeanFootprint, instrument: &Instrument<'_>) -> usize {
        checked::sum(&[
            Kept::of(footprint, instrument).len(),
            product(&[footprint.frames as usize, footprint.coarse_len()]),
            footprint.fine_len(),
            memory::filled(footprint, instrument, 1),
        ])
    }

    pub(super) fn new(downscaler: MeanDownscaler<'a>) -> Result<Self, Error> {
        let MeanDownscaler { sensor, mean, rest, hot: scratch, .. } = downscaler;
        let footprint = sensor.model.footprint();
        let needed = Self::memory_len(&footprint, &sensor.instrument);
        let kept = Kept::of(&footprint, &sensor.instrument).len();
        let values = checked::sum(&[kept, rest.len(), scratch.len()]);
        if values < needed {
            return Err(Error::MemoryLength { values, needed });
        }
        let (fine, rest) = rest.split_at_mut_checked(footprint.fine_len()).or_bug();
        let filled = memory::filled(&footprint, &sensor.instrument, 1);
        let (filled, rest) = rest.split_at_mut_checked(filled).or_bug();
        let stream = Stream::new(mean, rest)?;
        Ok(Self { sensor, stream, fine, filled, scratch })
    }

    /// Frames that a fine frame is behind the coarse ones: the model's b.
    pub const fn lag(&self) -> usize {
        self.sensor.model.after()
    }

    /// Takes the next coarse frame, `[channel][y][x]` in units, or `None` where it did not arrive:
    /// the one before stands for it. Gives the mean of the fine frame that is
    /// [`MeanStream::lag`] frames older, and how well its own coarse frame fits the model; nothing
    /// during as many pushes, nor before the first frame has come.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `coarse` is one frame, [`Error::NotFinite`] for a value that
    /// is no number at a point that is not dead: the frame was not taken then. Otherwise as
    /// [`Stream::push`].
    pub fn push(&mut self, coarse: Option<&[f32]>) -> Result<Option<Fine<'_>>, Error> {
        let Self { sensor, stream, fine, filled, scratch } = self;
        let coarse = match coarse {
            Some(coarse) if coarse.len() != sensor.model.coarse_len() => {
                let (values, points) = (coarse.len(), sensor.model.coarse_len());
                return Err(Error::FieldLength { values, points });
            }
            Some(coarse) => {
                sensor.finite(coarse)?;
                Some(sensor.fill(coarse, filled, scratch)?)
            }
            None => None,
        };
        let seen = coarse.map(Field::coarse);
        if !stream.push(seen, Field::from_mut(fine), scratch)? {
            return Ok(None);
        }
        let mut health = Health::default();
        sensor.judge(stream.measured(), &mut health);
        let mean: &[f32] = fine;
        Ok(Some(Fine { frames: mean, mean, spread: &[], members: 0, health, unfinished: None }))
    }
}
