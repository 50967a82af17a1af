//! What makes fine frames of coarse ones: the model, or, where it is damaged, interpolation.

use finescale::downscaler::MeanStream;
use finescale::model::MeanModel;
use finescale::sampler::Health;
use finescale::{Axis, Error, Field, Grid, MeanDownscaler, Modes, Probe, spectral};

use crate::setup::{SENSOR, UNITS};
use crate::{COARSE, FINE, PIXELS, POINTS};

/// Values of memory for interpolation: two fine fields, and what a transform needs.
pub const INTERPOLATION: usize = 2 * FINE + 16 * POINTS;

/// Degrees in a model's units: (°C − zero) · gain.
#[derive(Clone, Copy, Debug)]
pub struct Units {
    /// What is 0 for the model.
    pub zero: f32,
    /// Units for each degree.
    pub gain: f32,
}

impl Units {
    /// Of a model of degrees.
    pub const SAME: Self = Self { zero: 0.0, gain: 1.0 };

    /// Units of degrees.
    pub fn of_celsius(&self, celsius: f32) -> f32 {
        (celsius - self.zero) * self.gain
    }

    /// Degrees of units.
    pub fn celsius(&self, value: f32) -> f32 {
        value / self.gain + self.zero
    }
}

/// One of the two.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of it, in static memory")]
pub enum Engine<'a> {
    /// The conditional mean of a model, and the standard deviation of its errors in the model's
    /// units.
    Mean {
        /// The front door.
        stream: MeanStream<'a>,
        /// `[y][x]`, in standard deviations of the channel.
        spread: &'a [f32],
        /// The standard deviation of the channel.
        std: f32,
    },
    /// The smoothest field through the pixels, whose errors nobody knows.
    Interpolation {
        /// The pixels and the points.
        grids: [Grid; 2],
        /// The last coarse frame, then the fine one.
        memory: &'a mut [f32],
        /// The last coarse frame.
        last: [f32; COARSE],
    },
}

impl<'a> Engine<'a> {
    /// The model's, if its file is whole.
    ///
    /// # Errors
    /// As [`MeanDownscaler::new`]; of a file that is damaged none.
    pub fn new(
        model: &'a [u8],
        memory: &'a mut [f32],
        probe: &'a dyn Probe,
    ) -> Result<Self, Error> {
        let Ok(model) = MeanModel::parse(model) else {
            let grid = |n| {
                let axis = Axis::reflecting(n)?;
                Grid::plane(axis, axis)
            };
            let grids = [grid(PIXELS)?, grid(POINTS)?];
            return Ok(Self::Interpolation { grids, memory, last: [0.0; COARSE] });
        };
        let spread = model.arrays().spread;
        let std = model.channel_descriptions().next().map_or(1.0, |channel| channel.std);
        let stream = MeanDownscaler::new(&model, SENSOR, memory)?.with_probe(probe).stream()?;
        Ok(Self::Mean { stream, spread, std })
    }

    /// Frames that a fine one is behind.
    pub const fn lag(&self) -> usize {
        match self {
            Self::Mean { stream, .. } => stream.lag(),
            Self::Interpolation { .. } => 0,
        }
    }

    /// Takes a coarse frame in °C, `None` where it is lost; writes a fine one in °C, and the
    /// standard deviation of its errors where that is known. Gives its health, `None` while there is
    /// no fine frame.
    ///
    /// # Errors
    /// As [`MeanStream::push`], and as the functions of [`spectral`].
    pub fn push(
        &mut self,
        coarse: Option<&[f32; COARSE]>,
        fine: &mut [f32; FINE],
        deviation: &mut [f32; FINE],
    ) -> Result<Option<Health>, Error> {
        match self {
            Self::Mean { stream, spread, std } => {
                let units = coarse.map(|coarse| coarse.map(|value| UNITS.of_celsius(value)));
                let Some(made) = stream.push(units.as_ref().map(<[f32; COARSE]>::as_slice))? else {
                    return Ok(None);
                };
                for (to, value) in fine.iter_mut().zip(made.mean) {
                    *to = UNITS.celsius(*value);
                }
                for (to, spread) in deviation.iter_mut().zip(*spread) {
                    *to = spread * *std / UNITS.gain;
                }
                Ok(Some(made.health))
            }
            Self::Interpolation { grids: [pixels, points], memory, last } => {
                if let Some(coarse) = coarse {
                    *last = *coarse;
                    fill_dead(last);
                }
                let mut modes = *last;
                spectral::forward(pixels, Field::from_mut(&mut modes), memory)?;
                spectral::refine(pixels, Modes::coarse(&modes), points, Modes::from_mut(fine))?;
                spectral::inverse(points, Modes::from_mut(fine), memory)?;
                deviation.fill(0.0);
                Ok(Some(Health::default()))
            }
        }
    }
}

/// Gives dead pixels the mean of those beside them in their row, of which one is alive.
fn fill_dead(coarse: &mut [f32; COARSE]) {
    let rows = coarse.as_chunks_mut::<PIXELS>().0.iter_mut();
    for (row, dead) in rows.zip(SENSOR.dead.as_chunks::<PIXELS>().0) {
        let known = *row;
        for (x, (value, _)) in (0_usize..).zip(row.iter_mut().zip(dead)).filter(|(_, (_, d))| **d) {
            let beside = [x.checked_sub(1), x.checked_add(1)].into_iter().flatten();
            let alive = beside.filter(|x| dead.get(*x).is_some_and(|dead| !dead));
            let (sum, n) = alive
                .filter_map(|x| known.get(x))
                .fold((0.0, 0.0_f32), |(sum, n), value| (sum + value, n + 1.0));
            *value = sum / n.max(1.0);
        }
    }
}
