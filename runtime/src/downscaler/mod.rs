//! The front door: coarse frames of an instrument in, fine frames out, both in their units.
//!
//! ```
//! # let coarse = [0.1; 4 * 64];
//! use finescale::model::{Footprint, Model};
//! use finescale::{Downscaler, Instrument, Values};
//!
//! static MODEL: &[u8] = finescale::include_model!(concat!(
//!     env!("CARGO_MANIFEST_DIR"),
//!     "/../models/kolmogorov-32/kolmogorov-32-int16.finescale"
//! ));
//! const SENSOR: Instrument = Instrument::new([8, 8], Values::Points).with_noise(&[0.01]);
//! const MEMORY: usize = Downscaler::memory_len(&Footprint::of(MODEL), &SENSOR, 4, 1);
//!
//! let mut memory = [0.0; MEMORY]; // On a board a static.
//! let model = Model::parse(MODEL)?;
//! let mut downscaler = Downscaler::new(&model, SENSOR, &mut memory)?;
//! let fine = downscaler.downscale(&coarse)?;
//! assert_eq!(fine.frames.len(), 4 * 32 * 32);
//! # Ok::<(), finescale::Error>(())
//! ```
//!
//! [`MeanDownscaler`] is the same for a conditional mean, which needs one evaluation a frame.
//!
//! The same steps, one by one, are those of [`crate::spectral`], [`crate::sampler`] and
//! [`crate::predictor`], or [`crate::mean`], and give the same bits:
//!
//! ```text
//! coarse frames ─▶ standardised ─▶ modes ─▶ pixels undone ─▶ sampler from λ* to 0 ─▶ fine frames
//!   in units                                 and measured                              in units
//! ```

mod correction;
mod downscaling;
mod instrument;
mod mean;
mod memory;
mod moments;
mod stream;

use downscaling::Seen;

pub use downscaling::Downscaling;
pub use instrument::{Instrument, Values};
pub use mean::{MeanDownscaler, MeanStream};
pub use stream::{Push, Stream};

use crate::checked::{self, OrBug, Place};
use crate::model::{Footprint, Model};
use crate::predictor::{Trained, whole_frames};
use crate::sampler::{Health, Unfinished, Workspace, emergence};
use crate::{Error, Predictor, Probe, Sampler};
use correction::Correction;
use memory::Kept;

/// Makes fine frames of the coarse ones of an instrument.
///
/// Everything is chosen by the model and the instrument: λ*, the steps and the rule are those that
/// the model's figures were measured with ([`Model::recommended`]), unless
/// [`Downscaler::with_sampler`] says otherwise. Fine frames agree with what the instrument measured,
/// as far as its errors go; what it did not measure is drawn. The same seed gives the same bits.
#[derive(Debug)]
pub struct Downscaler<'a> {
    correction: Correction<'a>,
    predictor: Trained<'a>,
    sampler: Sampler,
    seed: u64,
    /// What is left of the large part of the memory, shared out anew by every call.
    rest: &'a mut [f32],
    /// The small part.
    hot: &'a mut [f32],
}

/// Fine frames, `[frame][channel][y][x]` each, in units.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Fine<'m> {
    /// One draw, that of member 0; of a conditional mean alone, the mean.
    pub frames: &'m [f32],
    /// The mean of all members: the same where there is one.
    pub mean: &'m [f32],
    /// Their standard deviation, which says how much is unknown; empty where there is one member.
    pub spread: &'m [f32],
    /// How many members mean and spread are of; 0 where the first one is not done, or the mean is
    /// that of a conditional mean.
    pub members: u32,
    /// How well the coarse frames fit the model.
    pub health: Health,
    /// What the frames leave open, where the drawing was ended before λ = 0: see
    /// [`Downscaler::begin`].
    pub unfinished: Option<Unfinished>,
}

impl<'a> Downscaler<'a> {
    /// λ at which a forecast starts. Frames that are known are seen through its noise: a larger one
    /// forgets them, and a smaller one has the errors of the rollout in it.
    pub const FORECAST_LAMBDA: f32 = 0.01;

    /// Values of memory for paths of at most `frames` frames, with several `members` or one; what
    /// the largest of several tasks needs is enough for all of them.
    pub const fn memory_len(
        footprint: &Footprint,
        instrument: &Instrument<'_>,
        frames: usize,
        members: u32,
    ) -> usize {
        checked::sum(&[
            Self::hot_len(footprint, instrument),
            Self::cold_len(footprint, instrument, frames, members),
        ])
    }

    /// Values of the small part of the memory, for [`Downscaler::in_two_parts`], whatever the task:
    /// what the layers of the network compute in.
    pub const fn hot_len(footprint: &Footprint, instrument: &Instrument<'_>) -> usize {
        memory::working(footprint, instrument)
    }

    /// Values of the large part of the memory, for [`Downscaler::in_two_parts`]; `frames` and
    /// `members` as for [`Downscaler::memory_len`].
    pub const fn cold_len(
        footprint: &Footprint,
        instrument: &Instrument<'_>,
        frames: usize,
        members: u32,
    ) -> usize {
        // What was measured, the path and its score; beside them the members' moments.
        let paths = if members > 1 { 5 } else { 3 };
        checked::sum(&[
            Kept::of(footprint, instrument).len(),
            checked::product(&[paths, frames, footprint.frame_len()]),
        ])
    }

    /// A downscaler of a model and an instrument; `memory`: [`Downscaler::memory_len`] or
    /// [`Stream::memory_len`] values.
    ///
    /// # Errors
    /// [`Error::MemoryLength`] if the memory is too short for one frame; [`Error::Conflict`] for a
    /// model that sees companions, and unless the instrument has fewer points than the model, which
    /// divide the model's if its values are means; [`Error::AxisPoints`] for a number of points that
    /// has no transform; [`Error::LengthMismatch`] unless `dead` is empty or has a value for each
    /// point; [`Error::Parameter`] for a bad standard deviation of its errors, [`Error::Conflict`] for
    /// those that differ between channels that the model couples.
    pub fn new(
        model: &Model<'a>,
        instrument: Instrument<'a>,
        memory: &'a mut [f32],
    ) -> Result<Self, Error> {
        instrument.grid(model.grid())?;
        let footprint = model.footprint();
        let needed = Self::memory_len(&footprint, &instrument, 1, 1);
        let hot = Self::hot_len(&footprint, &instrument);
        let (hot, cold) = memory::parts(memory, hot, needed)?;
        Self::in_two_parts(model, instrument, hot, cold)
    }

    /// The same with memory in two parts, to the same bits: `hot`, [`Downscaler::hot_len`] values,
    /// for a memory that is small and fast, such as one that is coupled tightly to the processor;
    /// `cold`, [`Downscaler::cold_len`] or [`Stream::cold_len`] values, for one that is large and
    /// slow.
    ///
    /// ```
    /// # let coarse = [0.1; 4 * 64];
    /// # use finescale::model::{Footprint, Model};
    /// # use finescale::{Downscaler, Instrument, Values};
    /// # static MODEL: &[u8] = finescale::include_model!(concat!(
    /// #     env!("CARGO_MANIFEST_DIR"),
    /// #     "/../models/kolmogorov-32/kolmogorov-32-int16.finescale"
    /// # ));
    /// # const SENSOR: Instrument = Instrument::new([8, 8], Values::Points).with_noise(&[0.01]);
    /// const HOT: usize = Downscaler::hot_len(&Footprint::of(MODEL), &SENSOR);
    /// const COLD: usize = Downscaler::cold_len(&Footprint::of(MODEL), &SENSOR, 4, 1);
    ///
    /// let (mut hot, mut cold) = ([0.0; HOT], [0.0; COLD]); // On a board statics, each in its memory.
    /// let model = Model::parse(MODEL)?;
    /// let mut downscaler = Downscaler::in_two_parts(&model, SENSOR, &mut hot, &mut cold)?;
    /// let fine = downscaler.downscale(&coarse)?;
    /// # assert_eq!(fine.frames.len(), 4 * 32 * 32);
    /// # Ok::<(), finescale::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Downscaler::new`]; [`Error::MemoryLength`] is of the part that is too short.
    pub fn in_two_parts(
        model: &Model<'a>,
        instrument: Instrument<'a>,
        hot: &'a mut [f32],
        cold: &'a mut [f32],
    ) -> Result<Self, Error> {
        let coarse = instrument.grid(model.grid())?;
        let footprint = model.footprint();
        let hot = memory::part(hot, Self::hot_len(&footprint, &instrument))?;
        let least = Self::cold_len(&footprint, &instrument, 1, 1);
        if cold.len() < least {
            return Err(Error::MemoryLength { values: cold.len(), needed: least });
        }
        let kept = Kept::of(&footprint, &instrument);
        let (predictor, cold) = cold.split_at_mut_checked(kept.predictor).or_bug();
        let (known, rest) = cold.split_at_mut_checked(kept.len().minus(kept.predictor)).or_bug();
        let predictor = Trained::new(model, predictor)?;
        let description = predictor.describe();
        description.without_companions()?;
        let correction = Correction::new(model, instrument, description, known, hot)?;
        let recommended = model.recommended();
        // Where something is stronger than its noise even at λ = 1, that is where to start.
        let emerges = || emergence(description, &coarse).unwrap_or(1.0);
        let sampler = recommended.sampler(recommended.lambda().unwrap_or_else(emerges));
        Ok(Self { correction, predictor, sampler, seed: 0, rest, hot })
    }

    /// The same with another sampler.
    pub fn with_sampler(self, sampler: Sampler) -> Self {
        Self { sampler, ..self }
    }

    /// The same with another seed; 0 unless set.
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The same, which tells `probe` of every layer of the network.
    pub fn with_probe(self, probe: &'a dyn Probe) -> Self {
        Self { predictor: self.predictor.with_probe(probe), ..self }
    }

    /// The sampler, whose λ is λ*; a forecast has its steps and its rule.
    pub const fn sampler(&self) -> &Sampler {
        &self.sampler
    }

    /// Draws fine frames of coarse ones: a path of `coarse`, `[frame][channel][y][x]` in units.
    ///
    /// # Errors
    /// [`Error::FieldLength`] unless `coarse` is a positive number of frames;
    /// [`Error::MemoryLength`] if they are more than the memory is for; [`Error::NotFinite`] for a
    /// value that is no number at a point that is not dead, or where the sampling stops to give
    /// numbers; what [`Sampler::reverse`] refuses of the sampler.
    pub fn downscale(&mut self, coarse: &[f32]) -> Result<Fine<'_>, Error> {
        self.ensemble(coarse, 1)
    }

    /// Draws several members, equally likely fine frames of the same coarse ones: see
    /// [`Downscaler::downscale`]. It costs as many times the work.
    ///
    /// # Errors
    /// As [`Downscaler::downscale`]; [`Error::Count`] for no members.
    pub fn ensemble(&mut self, coarse: &[f32], members: u32) -> Result<Fine<'_>, Error> {
        let mut downscaling = self.begin(coarse, members)?;
        while !downscaling.advance()? {}
        downscaling.finish()
    }

    /// Measures coarse frames as [`Downscaler::ensemble`] does, and leaves the drawing to the caller,
    /// piece by piece, to the same bits: between two pieces a board feeds its watchdog, lets other
    /// tasks run, or ends the drawing because its time is up.
    ///
    /// ```
    /// # use finescale::{Downscaler, Error};
    /// # fn on_time(downscaler: &mut Downscaler<'_>, coarse: &[f32], late: bool) -> Result<(), Error> {
    /// let mut downscaling = downscaler.begin(coarse, 1)?;
    /// while !downscaling.advance()? {
    ///     if late {
    ///         break;
    ///     }
    /// }
    /// let fine = downscaling.finish()?; // Where it is not complete, `fine.unfinished` says so.
    /// # let _ = fine;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Downscaler::ensemble`].
    pub fn begin(&mut self, coarse: &[f32], members: u32) -> Result<Downscaling<'_, 'a>, Error> {
        Error::count("members", members as usize, members > 0, "at least 1")?;
        let coarse_frame = self.correction.coarse_len();
        let frames = whole_frames(coarse.len(), coarse_frame)?;
        let sampler = self.sampler;
        let mut downscaling = self.share(Seen::Measured, sampler, [frames, frames], members)?;
        let Downscaling { correction, measured, workspace, .. } = &mut downscaling;
        let coarse = coarse.chunks_exact(coarse_frame);
        let measured = measured.chunks_exact_mut(correction.fine_len().max(1));
        for (n, (coarse, measured)) in checked::counted(checked::zip(coarse, measured)) {
            let place = |error| match error {
                Error::NotFinite { name, index } => {
                    Error::NotFinite { name, index: n.times(coarse_frame).plus(index) }
                }
                other => other,
            };
            correction.measure(coarse, measured, workspace.work).map_err(place)?;
        }
        Ok(downscaling)
    }

    /// Draws what follows fine frames `known`, `[frame][channel][y][x]` in units, such as those that
    /// [`Downscaler::downscale`] gave: so many frames `ahead`, in several members. In what it gives
    /// the known frames come first, as they were.
    ///
    /// It starts at [`Downscaler::FORECAST_LAMBDA`], with the steps and the rule of the sampler. The
    /// memory has to be for `known` and `ahead` frames together.
    ///
    /// # Errors
    /// As [`Downscaler::ensemble`], of `known`.
    pub fn forecast(
        &mut self,
        known: &[f32],
        ahead: usize,
        members: u32,
    ) -> Result<Fine<'_>, Error> {
        let mut downscaling = self.begin_forecast(known, ahead, members)?;
        while !downscaling.advance()? {}
        downscaling.finish()
    }

    /// Takes known frames as [`Downscaler::forecast`] does, and leaves the drawing to the caller,
    /// piece by piece: see [`Downscaler::begin`].
    ///
    /// # Errors
    /// As [`Downscaler::forecast`].
    pub fn begin_forecast(
        &mut self,
        known: &[f32],
        ahead: usize,
        members: u32,
    ) -> Result<Downscaling<'_, 'a>, Error> {
        Error::count("members", members as usize, members > 0, "at least 1")?;
        let given = whole_frames(known.len(), self.correction.fine_len())?;
        let sampler = self.sampler.at_most(Self::FORECAST_LAMBDA);
        let frames = [given, checked::sum(&[given, ahead])];
        let mut downscaling = self.share(Seen::Known, sampler, frames, members)?;
        let Downscaling { correction, measured, workspace, .. } = &mut downscaling;
        correction.adopt(known, measured, workspace.work)?;
        Ok(downscaling)
    }

    /// Shares the memory out for so many frames that are seen, of a path of so many; nothing is in
    /// it yet.
    fn share(
        &mut self,
        seen: Seen,
        sampler: Sampler,
        [given, frames]: [usize; 2],
        members: u32,
    ) -> Result<Downscaling<'_, 'a>, Error> {
        let Self { correction, predictor, seed, rest, hot, .. } = self;
        let frame = correction.fine_len();
        let [given, len] = [given, frames].map(|frames| checked::product(&[frames, frame]));
        let ensemble = if members > 1 { len } else { 0 };
        let (footprint, instrument) = correction.about();
        let needed = Self::memory_len(&footprint, instrument, frames, members);
        let kept = Kept::of(&footprint, instrument).len();
        let values = checked::sum(&[kept, rest.len(), hot.len()]);
        if values < needed {
            return Err(Error::MemoryLength { values, needed });
        }
        let (measured, rest) = rest.split_at_mut_checked(given).or_bug();
        let (path, rest) = rest.split_at_mut_checked(len).or_bug();
        let (mean, rest) = rest.split_at_mut_checked(ensemble).or_bug();
        let (spread, score) = rest.split_at_mut_checked(ensemble).or_bug();
        let workspace = Workspace { score, work: hot };
        mean.fill(0.0);
        spread.fill(0.0);
        Ok(Downscaling {
            correction,
            predictor,
            sampler,
            seed: *seed,
            seen,
            measured,
            path,
            mean,
            spread,
            workspace,
            members,
            drawn: 0,
            health: Health::default(),
            drawing: None,
        })
    }

    /// A stream with this sampler and seed: see [`Stream`].
    ///
    /// # Errors
    /// [`Error::MemoryLength`] if the memory has fewer than [`Stream::memory_len`] values;
    /// [`Error::Count`] unless W + lag + 1 is at most 64; what [`Sampler::reverse`] refuses of the
    /// sampler.
    pub fn stream(self, lag: usize) -> Result<Stream<'a>, Error> {
        Stream::new(self, lag)
    }
}
