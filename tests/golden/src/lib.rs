//! Golden cases: inputs made from integers, outputs committed as bits, for every target to
//! reproduce.
//!
//! The host test `golden` checks the committed vectors, and rewrites them when it is run with
//! `FINESCALE_BLESS=1`; the firmware runs the same [`Case::run`] on a board and compares with the
//! same bytes.
#![no_std]

mod cases;
mod conv;
mod downscale;
mod int16;
mod integers;
mod mean;
mod sampling;
mod score;

pub use cases::CASES;
pub use downscale::{DOWNSCALES, Downscale, FRAMES_MAX, MEMORY, PATH, SCRATCH};
pub use mean::Mean;
pub use sampling::Draw;
pub use score::Model;

use finescale::layer::ConvShape;
use finescale::spectral::{self, RadialBins};
use finescale::{
    Axis, Boundary, Error, Field, ForwardProcess, Grid, Laplacian, Modes, NoiseStream,
};

/// Most values of a field of any case.
pub const FIELD_MAX: usize = 4096;
/// Scratch that serves every case.
pub const SCRATCH_MAX: usize = 8192;

/// What a case computes after the transform to modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Damp and add noise, transform back.
    Forward,
    /// Damp only; the result is the spectrum, whose high modes have become subnormal numbers and
    /// zeros.
    Decay,
    /// Damp, coarsen to half the points of each axis, refine again, transform back.
    Resample,
    /// Damp and add noise, power spectrum of channel 0 (the result has one value for each shell).
    PowerSpectrum,
    /// Draw a path of six frames.
    Sample(Draw),
    /// A convolution in f32 to so many channels, and its vector-Jacobian product, of the field as
    /// it is.
    Conv {
        /// Channels of the output.
        outputs: usize,
        /// Taps along each axis.
        taps: usize,
        /// Distance between taps.
        dilation: usize,
    },
    /// The path score of a small model, forward and backward through its layers, of a path in place
    /// of the field.
    Score(Model),
    /// A member of a small conditional mean, of coarse frames in place of the field.
    Mean(Mean),
    /// Mean and spread of two members of one, by its front door.
    Members(Mean),
    /// A convolution in integers and its vector-Jacobian product, of the field as it is.
    Int16 {
        /// Taps along each axis.
        taps: usize,
        /// Distance between taps.
        dilation: usize,
    },
}

/// One golden case.
pub struct Case {
    /// Name of the case and of its file in `vectors/`.
    pub name: &'static str,
    /// What is computed.
    pub task: Task,
    /// Points and boundary of the y axis; `None` on a line.
    pub y: Option<(usize, Boundary)>,
    /// Points and boundary of the x axis.
    pub x: (usize, Boundary),
    /// Channels.
    pub channels: usize,
    /// Which κ.
    pub laplacian: Laplacian,
    /// Scale.
    pub lambda: f32,
    /// Little-endian f32.
    bytes: &'static [u8],
}

impl Case {
    /// Number of golden values.
    pub fn expected_len(&self) -> usize {
        self.bytes.len() / 4
    }

    /// Runs the case; the result is the first values of `field`, as many as returned.
    ///
    /// # Errors
    /// Whatever the runtime refuses; no committed case is refused.
    pub fn run(
        &self,
        field: &mut [f32; FIELD_MAX],
        scratch: &mut [f32; SCRATCH_MAX],
    ) -> Result<usize, Error> {
        if let Task::Mean(mean) | Task::Members(mean) = self.task {
            let coarse = mean.coarse_len()?;
            self.fill(field.get_mut(..coarse).unwrap_or_default());
            return match self.task {
                Task::Members(_) => mean.members(coarse, field, scratch),
                _ => mean.member(coarse, field, scratch),
            };
        }
        let grid = self.grid(1)?;
        let frames = match self.task {
            Task::Sample(_) => 6,
            Task::Score(_) => score::FRAMES,
            _ => 1,
        };
        let values = grid.points().saturating_mul(self.channels).saturating_mul(frames);
        let too_large = Error::OutputLength { values: FIELD_MAX, needed: values };
        let (field, spare) = field.split_at_mut_checked(values).ok_or(too_large)?;
        self.fill(field);
        if let Task::Score(model) = self.task {
            model.path_score(self.lambda, field, spare, scratch)?;
            return Ok(values);
        }

        let process = ForwardProcess::new(0.1, 2.0, self.laplacian)?;
        let noise = NoiseStream { seed: 0x5EED_F1E1_D000_0001, member: 3, frame: 17, draw: 5 };
        if let Task::Int16 { taps, dilation } = self.task {
            let shape = ConvShape::new(grid, self.channels, self.channels, taps, dilation)?;
            int16::there_and_back(shape, field, scratch)?;
            return Ok(values);
        }
        if let Task::Conv { outputs, taps, dilation } = self.task {
            let shape = ConvShape::new(grid, self.channels, outputs, taps, dilation)?;
            conv::there_and_back(shape, field, scratch)?;
            return Ok(values);
        }
        spectral::forward(&grid, Field::from_mut(field), scratch)?;
        match self.task {
            Task::Conv { .. } | Task::Int16 { .. } | Task::Score(_) => Ok(values),
            Task::Mean(_) | Task::Members(_) => Ok(values),
            Task::Forward => {
                process.apply_stream(&grid, self.lambda, Modes::from_mut(field), &noise)?;
                spectral::inverse(&grid, Modes::from_mut(field), scratch)?;
                Ok(values)
            }
            Task::Decay => {
                process.damp(&grid, self.lambda, Modes::from_mut(field))?;
                Ok(values)
            }
            Task::Resample => {
                process.damp(&grid, self.lambda, Modes::from_mut(field))?;
                let coarse_grid = self.grid(2)?;
                let coarse_values = coarse_grid.points().saturating_mul(self.channels);
                let coarse = scratch.get_mut(..coarse_values).ok_or(too_large)?;
                spectral::coarsen(
                    &grid,
                    Modes::new(field),
                    &coarse_grid,
                    Modes::coarse_mut(coarse),
                )?;
                spectral::refine(
                    &coarse_grid,
                    Modes::coarse(coarse),
                    &grid,
                    Modes::from_mut(field),
                )?;
                spectral::inverse(&grid, Modes::from_mut(field), scratch)?;
                Ok(values)
            }
            Task::PowerSpectrum => {
                process.apply_stream(&grid, self.lambda, Modes::from_mut(field), &noise)?;
                let bins = RadialBins::new(&grid);
                let channel = field.get_mut(..grid.points()).ok_or(too_large)?;
                let mut modes = [0; 256];
                spectral::power_spectrum(&grid, &bins, Modes::new(channel), scratch, &mut modes)?;
                for (value, power) in channel.iter_mut().zip(scratch.iter()) {
                    *value = *power;
                }
                Ok(bins.count())
            }
            Task::Sample(draw) => {
                sampling::draw(draw, &grid, self.channels, &process, field, scratch)?;
                Ok(values)
            }
        }
    }

    /// First index whose bits differ from the golden ones: (index, got, expected).
    pub fn first_mismatch(&self, result: &[f32]) -> Option<(usize, f32, f32)> {
        first_mismatch(self.bytes, result)
    }

    fn grid(&self, coarser: usize) -> Result<Grid, Error> {
        let axis = |(points, boundary): (usize, Boundary)| Axis::new(points / coarser, boundary);
        match self.y {
            Some(y) => Grid::plane(axis(y)?, axis(self.x)?),
            None => Ok(Grid::line(axis(self.x)?)),
        }
    }

    /// A rough walk made from integers, exact in f32: red like a real field, with every mode
    /// present.
    fn fill(&self, field: &mut [f32]) {
        let words = integers::words(0x2545_F491 ^ field.len() as u32);
        let mut walk = 0_i32;
        for (value, word) in field.iter_mut().zip(words) {
            walk = walk.wrapping_sub(walk / 8).wrapping_add((word >> 20) as i32 - 2048);
            *value = walk as f32 / 4096.0;
        }
    }
}

/// First index whose bits differ from little-endian golden ones: (index, got, expected).
fn first_mismatch(golden: &[u8], result: &[f32]) -> Option<(usize, f32, f32)> {
    let golden = golden.as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word));
    let mut pairs = (0..usize::MAX).zip(result.iter().zip(golden));
    let (index, (got, want)) = pairs.find(|(_, (got, want))| got.to_bits() != want.to_bits())?;
    Some((index, *got, want))
}
