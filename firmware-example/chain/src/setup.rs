//! What to change for another model, another array or another place.

use finescale::model::MeanFootprint;
use finescale::{Instrument, MeanDownscaler, Values};

use crate::calibration::Calibration;
use crate::engine::{self, Units};
use crate::{COARSE, PIXELS};

/// The model: warm bodies in a room, from means over 8 × 8 blocks to 32 × 32 points. Another one
/// takes its place by this line.
pub static MODEL: &[u8] =
    finescale::include_model!("../../../models/thermal-means/thermal-means-int16.finescale");
/// Degrees in the model's units: this one was trained on °C.
pub const UNITS: Units = Units::SAME;
/// What each pixel is off by, and which are dead: measured once, before a plate of one temperature.
pub const CALIBRATION: Calibration = Calibration {
    offset: [0.0; COARSE],
    dead: {
        let mut dead = [false; COARSE];
        dead[DEAD] = true;
        dead
    },
};
/// The pixel that is dead.
pub const DEAD: usize = 3 * PIXELS + 2;
/// The array as the model sees it; it is right to a quarter of a degree.
pub const SENSOR: Instrument<'static> = Instrument::new([PIXELS, PIXELS], Values::BlockMeans)
    .with_noise(&[0.25 * UNITS.gain])
    .with_dead(&CALIBRATION.dead);
/// An alarm is raised where some point is hotter than so many °C, with a chance of at least this.
pub const ALARM: Alarm = Alarm { celsius: 49.0, chance: 0.5 };
/// Values of memory that the chain needs, whichever engine it has.
pub const MEMORY: usize = {
    let (footprint, own) = (MeanFootprint::of(MODEL), engine::INTERPOLATION);
    let stream = finescale::downscaler::MeanStream::memory_len(&footprint, &SENSOR);
    let begin = MeanDownscaler::memory_len(&footprint, &SENSOR, 1, 0);
    let larger = if stream > begin { stream } else { begin };
    if larger > own { larger } else { own }
};

/// When to raise an alarm.
#[derive(Clone, Copy, Debug)]
pub struct Alarm {
    /// Temperature that is too hot.
    pub celsius: f32,
    /// Least chance of it that counts.
    pub chance: f32,
}

/// The digest of all fine frames of [`crate::replay`], and that with a damaged model.
pub const DIGEST: u32 = 0xF2F3_F86F;
/// See [`DIGEST`].
pub const DAMAGED_DIGEST: u32 = 0x1F0B_3711;
