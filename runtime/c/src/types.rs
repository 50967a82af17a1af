//! What C passes beside handles, and what it gets.

use core::ffi::c_char;

use finescale::downscaler::Fine;
use finescale::sampler::{Health, Schedule};
use finescale::{Grid, Instrument, Sampler, Values};

use crate::code::FinescaleCode;
use crate::pointer::Input;

/// What the values of coarse frames are.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinescaleValues {
    /// Values at the points of the coarse grid, of a field that has the modes of that grid alone.
    Points = 0,
    /// Means over the cells of the coarse grid, as the pixels of sensors give.
    BlockMeans = 1,
}

/// What gives the coarse frames: an instrument that covers the model's domain with fewer points.
/// `noise` and `dead` must live, and not change, as long as what was begun with it is used.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FinescaleInstrument {
    /// Points along y; 1 on a line.
    pub rows: usize,
    /// Points along x.
    pub columns: usize,
    /// What its values are: a FinescaleValues.
    pub values: u32,
    /// Numbers in `noise`; 0: no errors.
    pub noise_length: usize,
    /// Standard deviation of the errors of a value, in its units, for each channel; the last one
    /// also holds for the channels after it.
    pub noise: Input<f32>,
    /// Numbers in `dead`: rows * columns, or 0 where no point is dead.
    pub dead_length: usize,
    /// 1 for each point that is dead, whose value is not read, and 0 for the others, by rows.
    pub dead: Input<u8>,
}

/// What may be chosen; all zeros, or a null pointer, is what the model recommends.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FinescaleSettings {
    /// The same seed gives the same bits.
    pub seed: u64,
    /// Steps of the sampler; 0: as the model recommends. Fewer take less time and cost quality.
    pub steps: u32,
    /// How much shorter steps become, at most 255; 0: as the model recommends.
    pub exponent: u32,
    /// The scale that sampling starts at, at most 1; 0: as the model recommends.
    pub lambda: f32,
}

/// How well coarse frames fit the model.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FinescaleHealth {
    /// What was measured, squared, over what the model expects; near `measured` if all is well.
    pub chi2: f32,
    /// Numbers that were measured.
    pub measured: u32,
    /// How often a bound moved a value that was not measured.
    pub clipped: u32,
    /// Whether chi2 is more than four times `measured`: raise an alarm.
    pub alarming: bool,
}

/// Fine frames, `[frame][channel][y][x]` in units. They lie in the memory of the handle, until its
/// next call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FinescaleFine {
    /// Values of `frames` and of `mean`; 0 where a stream has no fine frame yet.
    pub length: usize,
    /// One draw; of a conditional mean alone, the mean. Null where the length is 0.
    pub frames: *const f32,
    /// The mean of all members: the same as `frames` where there is one.
    pub mean: *const f32,
    /// Their standard deviation, as many values; null where there is one member or none.
    pub spread: *const f32,
    /// How well the coarse frames fit.
    pub health: FinescaleHealth,
}

/// What a model says of itself.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FinescaleDescription {
    /// Its name: not ended by a zero; it lies in the model's bytes.
    pub name: *const c_char,
    /// Bytes of the name.
    pub name_length: usize,
    /// Points of a fine frame along y; 1 on a line.
    pub rows: usize,
    /// Points of a fine frame along x.
    pub columns: usize,
    /// Channels of a frame.
    pub channels: usize,
    /// Time between frames, in the unit of the data that it was trained on.
    pub frame_interval: f32,
}

impl FinescaleInstrument {
    /// A sensor without errors and without dead points.
    pub(crate) const fn of([rows, columns]: [usize; 2], values: Values) -> Self {
        let values = match values {
            Values::Points => FinescaleValues::Points,
            Values::BlockMeans => FinescaleValues::BlockMeans,
        };
        Self {
            rows,
            columns,
            values: values as u32,
            noise_length: 0,
            noise: Input::NULL,
            dead_length: 0,
            dead: Input::NULL,
        }
    }

    /// In the runtime's words.
    pub(crate) fn instrument(self) -> Result<Instrument<'static>, FinescaleCode> {
        let values = match self.values {
            0 => Values::Points,
            1 => Values::BlockMeans,
            _ => return Err(FinescaleCode::Field),
        };
        let dead = self.dead.values(self.dead_length)?;
        let dead = bytemuck::checked::try_cast_slice(dead).map_err(|_| FinescaleCode::Field)?;
        let noise = self.noise.values(self.noise_length)?;
        let instrument = Instrument::new([self.rows, self.columns], values);
        Ok(instrument.with_noise(noise).with_dead(dead))
    }
}

impl FinescaleSettings {
    /// As the model recommends.
    pub(crate) const DEFAULT: Self = Self { seed: 0, steps: 0, exponent: 0, lambda: 0.0 };

    /// What is chosen, in place of what is recommended.
    pub(crate) fn sampler(&self, recommended: &Sampler) -> Result<Sampler, FinescaleCode> {
        let chosen = |steps| if self.steps == 0 { steps } else { self.steps };
        let exponent = u8::try_from(self.exponent).map_err(|_| FinescaleCode::Field)?;
        let lambdas = match (exponent, recommended.lambdas) {
            (0, Schedule::Geometric { steps, smallest }) => {
                Schedule::Geometric { steps: chosen(steps), smallest }
            }
            (0, Schedule::Power { steps, exponent }) => {
                Schedule::Power { steps: chosen(steps), exponent }
            }
            (0, equal @ Schedule::Equal { .. }) => equal,
            (exponent, Schedule::Geometric { steps, .. } | Schedule::Power { steps, .. }) => {
                Schedule::Power { steps: chosen(steps), exponent }
            }
            (exponent, Schedule::Equal { .. }) => Schedule::Power { steps: self.steps, exponent },
        };
        let lambda = if self.lambda == 0.0 { recommended.lambda } else { self.lambda };
        if !(lambda > 0.0 && lambda <= 1.0) {
            return Err(FinescaleCode::Parameter);
        }
        Ok(Sampler { lambda, lambdas, ..*recommended })
    }
}

impl FinescaleFine {
    /// Where a stream has no fine frame yet.
    pub(crate) const NONE: Self = Self {
        length: 0,
        frames: core::ptr::null(),
        mean: core::ptr::null(),
        spread: core::ptr::null(),
        health: FinescaleHealth { chi2: 0.0, measured: 0, clipped: 0, alarming: false },
    };
}

impl From<Fine<'_>> for FinescaleFine {
    fn from(fine: Fine<'_>) -> Self {
        let spread = if fine.spread.is_empty() { core::ptr::null() } else { fine.spread.as_ptr() };
        Self {
            length: fine.frames.len(),
            frames: fine.frames.as_ptr(),
            mean: fine.mean.as_ptr(),
            spread,
            health: fine.health.into(),
        }
    }
}

impl From<Health> for FinescaleHealth {
    fn from(health: Health) -> Self {
        let Health { chi2, measured, clipped } = health;
        Self { chi2, measured, clipped, alarming: health.is_alarming() }
    }
}

impl FinescaleDescription {
    pub(crate) const fn of(name: &str, grid: &Grid, channels: usize, frame_interval: f32) -> Self {
        Self {
            name: name.as_ptr().cast(),
            name_length: name.len(),
            rows: grid.ny(),
            columns: grid.nx(),
            channels,
            frame_interval,
        }
    }
}
