//! The front door of conditional means.

mod memory;
mod sensor;
mod stream;

pub use stream::MeanStream;

use super::memory::{part, parts};
use super::{Fine, Instrument, moments};
use crate::checked::{self, OrBug, product};
use crate::mean::{ConditionalMean, Errors};
use crate::model::{MeanFootprint, MeanModel};
use crate::predictor::whole_frames;
use crate::sampler::Health;
use crate::{Error, Field, Modes, NoiseStream, Path, Probe};
use memory::Kept;
use sensor::Sensor;

/// What [`super::Downscaler`] is for predictors, for a conditional mean: makes fine frames of the
/// coarse ones of the sensor that the mean was trained for.
///
/// It takes one evaluation for each frame. Dead points are filled by their means given the others,
/// as the climate of the model has them. Errors are those of the training, whatever the instrument
/// says: its `noise` only counts where dead points are filled, and in [`Fine::health`], which is
/// that of the points: Σ a²/(v + r) of their anomalies a, whose variance v is that of the fields
/// that the sensor shows (of the channel, where the mean has no network).
///
/// ```
/// # let coarse = [0.1; 4 * 64];
/// use finescale::model::{MeanFootprint, MeanModel};
/// use finescale::{Instrument, MeanDownscaler, Values};
///
/// static MEAN: &[u8] = finescale::include_model!(concat!(
///     env!("CARGO_MANIFEST_DIR"),
///     "/../models/kolmogorov-32-means/kolmogorov-32-means-int16.finescale"
/// ));
/// const SENSOR: Instrument = Instrument::new([8, 8], Values::BlockMeans);
/// const MEMORY: usize = MeanDownscaler::memory_len(&MeanFootprint::of(MEAN), &SENSOR, 4, 0);
///
/// let mut memory = vec![0.0; MEMORY]; // On a board a static.
/// let model = MeanModel::parse(MEAN)?;
/// let mut downscaler = MeanDownscaler::new(&model, SENSOR, &mut memory)?;
/// let fine = downscaler.downscale(&coarse)?;
/// assert_eq!(fine.mean.len(), 4 * 32 * 32);
/// # Ok::<(), finescale::Error>(())
/// ```
#[derive(Debug)]
pub struct MeanDownscaler<'a> {
    sensor: Sensor<'a>,
    mean: ConditionalMean<'a>,
    seed: u64,
    /// What is left of the large part of the memory, shared out anew by every call.
    rest: &'a mut [f32],
    /// The small part.
    hot: &'a mut [f32],
}

impl<'a> MeanDownscaler<'a> {
    /// Values of memory for paths of at most `frames` frames, with so many `members`, or the mean
    /// alone where that is 0; what the largest of several tasks needs is enough for all of them.
    pub const fn memory_len(
        footprint: &MeanFootprint,
        instrument: &Instrument<'_>,
        frames: usize,
        members: u32,
    ) -> usize {
        checked::sum(&[
            Self::hot_len(footprint, instrument),
            Self::cold_len(footprint, instrument, frames, members),
        ])
    }

    /// Values of the small part of the memory, for [`MeanDownscaler::in_two_parts`], whatever the
    /// task: what the layers of the network compute in.
    pub const fn hot_len(footprint: &MeanFootprint, instrument: &Instrument<'_>) -> usize {
        memory::working(footprint, instrument)
    }

    /// Values of the large part of the memory, for [`MeanDownscaler::in_two_parts`]; `frames` and
    /// `members` as for [`MeanDownscaler::memory_len`].
    pub const fn cold_len(
        footprint: &MeanFootprint,
        instrument: &Instrument<'_>,
        frames: usize,
        members: u32,
    ) -> usize {
        // The path; beside it the mean and modes of errors; beside them the members' moments.
        let paths = match members {
            0 => 1,
            1 => 3,
            _ => 5,
        };
        checked::sum(&[
            Kept::of(footprint, instrument).len(),
            memory::filled(footprint, instrument, frames),
            product(&[paths, frames, footprint.fine_len()]),
            if members > 0 { memory::errors(footprint) } else { 0 },
        ])
    }

    /// A downscaler of a model and its sensor; `memory`: [`MeanDownscaler::memory_len`] or
    /// [`MeanStream::memory_len`] values.
    ///
    /// # Errors
    /// [`Error::Conflict`] unless the instrument has the points and the values of the sensor that
    /// the mean was trained for, and for dead points where the mean has no network;
    /// [`Error::MemoryLength`] if the memory is too short for one frame; [`Error::LengthMismatch`]
    /// unless `dead` is empty or has a value for each point; [`Error::AxisPoints`] for dead points
    /// of a sensor whose points have no transform; [`Error::Parameter`] for a bad standard
    /// deviation of its errors.
    pub fn new(
        model: &MeanModel<'a>,
        instrument: Instrument<'a>,
        memory: &'a mut [f32],
    ) -> Result<Self, Error> {
        Sensor::check(model, &instrument)?;
        let footprint = model.footprint();
        let needed = Self::memory_len(&footprint, &instrument, 1, 0);
        let hot = Self::hot_len(&footprint, &instrument);
        let (hot, cold) = parts(memory, hot, needed)?;
        Self::in_two_parts(model, instrument, hot, cold)
    }

    /// The same with memory in two parts, to the same bits: `hot`, [`MeanDownscaler::hot_len`]
    /// values, for a memory that is small and fast; `cold`, [`MeanDownscaler::cold_len`] or
    /// [`MeanStream::cold_len`] values, for one that is large and slow.
    ///
    /// # Errors
    /// As [`MeanDownscaler::new`]; [`Error::MemoryLength`] is of the part that is too short.
    pub fn in_two_parts(
        model: &MeanModel<'a>,
        instrument: Instrument<'a>,
        hot: &'a mut [f32],
        cold: &'a mut [f32],
    ) -> Result<Self, Error> {
        Sensor::check(model, &instrument)?;
        let footprint = model.footprint();
        let hot = part(hot, Self::hot_len(&footprint, &instrument))?;
        let least = Self::cold_len(&footprint, &instrument, 1, 0);
        if cold.len() < least {
            return Err(Error::MemoryLength { values: cold.len(), needed: least });
        }
        let kept = Kept::of(&footprint, &instrument);
        let (mean, cold) = cold.split_at_mut_checked(kept.mean).or_bug();
        let (power, rest) = cold.split_at_mut_checked(kept.power).or_bug();
        let mean = ConditionalMean::new(model, mean)?;
        let sensor = Sensor::new(model, instrument, power, hot)?;
        Ok(Self { sensor, mean, seed: 0, rest, hot })
    }

    /// The same, which tells `probe` of every layer of the network.
    pub fn with_probe(self, probe: &'a dyn Probe) -> Self {
        Self { mean: self.mean.with_probe(probe), ..self }
    }

    /// The same with another seed; 0 unless set.
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The means of the fine frames of a path of `coarse`, `[frame][channel][y][x]` in units: those
    /// of the least squared error. The same bits for every seed.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `coarse` is a positive number of frames;
    /// [`Error::MemoryLength`] if they are more than the memory is for; [`Error::NotFinite`] for a
    /// value that is no number at a point that is not dead, or where the network gives one.
    pub fn downscale(&mut self, coarse: &[f32]) -> Result<Fine<'_>, Error> {
        self.fine(coarse, 0)
    }

    /// Draws members, equally likely fine frames of the same coarse ones: the mean, and errors of
    /// [`Errors`]. However many they are, frames are evaluated once.
    ///
    /// # Errors
    /// As [`MeanDownscaler::downscale`]; [`Error::Count`] for no members.
    pub fn ensemble(&mut self, coarse: &[f32], members: u32) -> Result<Fine<'_>, Error> {
        Error::count("members", members as usize, members > 0, "at least 1")?;
        self.fine(coarse, members)
    }

    /// A stream of means: see [`MeanStream`].
    ///
    /// # Errors
    /// [`Error::MemoryLength`] if the memory has fewer than [`MeanStream::memory_len`] values.
    pub fn stream(self) -> Result<MeanStream<'a>, Error> {
        MeanStream::new(self)
    }

    /// So many members, or the mean alone.
    fn fine(&mut self, coarse: &[f32], members: u32) -> Result<Fine<'_>, Error> {
        let Self { sensor, mean: evaluator, seed, rest, hot } = self;
        let scratch = &mut **hot;
        let model = &sensor.model;
        let frames = whole_frames(coarse.len(), model.coarse_len())?;
        let (footprint, instrument) = (model.footprint(), &sensor.instrument);
        let needed = Self::memory_len(&footprint, instrument, frames, members);
        let kept = Kept::of(&footprint, instrument).len();
        let values = checked::sum(&[kept, rest.len(), scratch.len()]);
        if values < needed {
            return Err(Error::MemoryLength { values, needed });
        }
        sensor.finite(coarse)?;
        let frame = footprint.fine_len();
        let len = |least: u32| if members < least { 0 } else { product(&[frames, frame]) };
        let errors = if members > 0 { memory::errors(&footprint) } else { 0 };
        let filled = memory::filled(&footprint, instrument, frames);
        let (filled, rest) = rest.split_at_mut_checked(filled).or_bug();
        let (path, rest) = rest.split_at_mut_checked(len(0)).or_bug();
        let (known, rest) = rest.split_at_mut_checked(len(1)).or_bug();
        let (modes, rest) = rest.split_at_mut_checked(len(1)).or_bug();
        let (mean, rest) = rest.split_at_mut_checked(len(2)).or_bug();
        let (spread, rest) = rest.split_at_mut_checked(len(2)).or_bug();
        let errors = rest.get_mut(..errors).or_bug();

        let seen = sensor.fill(coarse, filled, scratch)?;
        for (n, fine) in checked::counted(checked::rows_mut(path, frame)) {
            evaluator.evaluate(Path::coarse_fields(seen), n, Field::from_mut(fine), scratch)?;
        }
        let mut health = Health::default();
        sensor.judge(seen, &mut health);
        if members == 0 {
            let mean: &[f32] = path;
            return Ok(Fine { frames: mean, mean, spread, members, health, unfinished: None });
        }
        let copy = |from: &[f32], to: &mut [f32]| {
            checked::zip(to, from).for_each(|(to, value)| *to = *value);
        };
        copy(path, known);
        mean.fill(0.0);
        spread.fill(0.0);
        let mut errors = Errors::new(model, errors)?;
        // Member 0 comes last, so that it is what the path holds in the end.
        for (drawn, member) in (0..members).zip((0..members).rev()) {
            let noise = NoiseStream { seed: *seed, member, frame: 0, draw: 0 };
            copy(known, path);
            errors.draw(0, &noise, Path::modes_mut(modes))?;
            for (fine, modes) in checked::rows_mut(path, frame).zip(checked::rows(modes, frame)) {
                errors.add(Modes::new(modes), Field::from_mut(fine), scratch)?;
            }
            moments::add(drawn, path, mean, spread);
        }
        moments::spread(members, spread);
        let mean: &[f32] = if members > 1 { mean } else { path };
        Ok(Fine { frames: path, mean, spread, members, health, unfinished: None })
    }
}
