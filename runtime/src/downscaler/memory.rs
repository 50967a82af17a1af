//! How a downscaler's memory is shared out; every length is a constant of model and instrument.

use super::{Instrument, Values};
use crate::Error;
use crate::checked::{product, sum};
use crate::model::Footprint;
use crate::spectral::scratch_len_of;

/// Values that are kept from one call to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    /// The predictor's tables.
    pub(super) predictor: usize,
    /// Variances of the measured modes.
    pub(super) variances: usize,
    /// What undoes the means over cells.
    pub(super) inverse: usize,
    /// Power of the modes of the coarse grid.
    pub(super) power: usize,
}

impl Kept {
    pub(super) const fn of(footprint: &Footprint, instrument: &Instrument<'_>) -> Self {
        let means = matches!(instrument.values, Values::BlockMeans);
        let dead = instrument.dead_points() > 0;
        let coarse = product(&[footprint.channels as usize, points(instrument.points)]);
        Self {
            predictor: footprint.memory.div_ceil(4) as usize,
            variances: footprint.frame_len(),
            inverse: if means { footprint.frame_len() } else { 0 },
            power: if dead { coarse } else { 0 },
        }
    }

    pub(super) const fn len(&self) -> usize {
        sum(&[self.predictor, self.variances, self.inverse, self.power])
    }
}

/// Values of scratch to measure a frame.
pub(super) const fn measuring(footprint: &Footprint, instrument: &Instrument<'_>) -> usize {
    let (coarse, dead) = (points(instrument.points), instrument.dead_points());
    let pixels = match dead {
        0 => 0,
        _ => sum(&[product(&[dead, dead]), product(&[2, dead]), product(&[2, coarse])]),
    };
    let transform = scratch_len_of(instrument.points);
    sum(&[product(&[2, coarse]), footprint.frame_len(), pixels, transform])
}

/// Values of scratch to fill dead pixels, with so many fields of pixels beside it.
pub(super) const fn filling(instrument: &Instrument<'_>, fields: usize) -> usize {
    let (points, dead) = (points(instrument.points), instrument.dead_points());
    let fields = product(&[sum(&[2, fields]), points]);
    sum(&[product(&[dead, dead]), product(&[2, dead]), fields, scratch_len_of(instrument.points)])
}

/// Values of scratch that any sampler works in beside the score of its path, and that frames are
/// measured with.
pub(super) const fn working(footprint: &Footprint, instrument: &Instrument<'_>) -> usize {
    let [ny, nx] = footprint.points;
    let reverse = footprint.reverse.div_ceil(4) as usize;
    let sampler = larger(reverse, scratch_len_of([ny as usize, nx as usize]));
    larger(sampler, measuring(footprint, instrument))
}

/// Memory in one part, at least `needed` values, as two; the small one is first.
pub(super) fn parts(
    memory: &mut [f32],
    hot: usize,
    needed: usize,
) -> Result<(&mut [f32], &mut [f32]), Error> {
    let too_short = Error::MemoryLength { values: memory.len(), needed };
    if memory.len() < needed {
        return Err(too_short);
    }
    memory.split_at_mut_checked(hot).ok_or(too_short)
}

/// A part of the memory of exactly `needed` values.
pub(super) fn part(memory: &mut [f32], needed: usize) -> Result<&mut [f32], Error> {
    let values = memory.len();
    memory.get_mut(..needed).ok_or(Error::MemoryLength { values, needed })
}

const fn points([ny, nx]: [usize; 2]) -> usize {
    product(&[larger(ny, 1), nx])
}

pub(super) const fn larger(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}
