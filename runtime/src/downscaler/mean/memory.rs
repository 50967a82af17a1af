//! How the memory of a mean's downscaler is shared out; every length is a constant of model and
//! instrument.

use super::super::Instrument;
use super::super::memory::{filling, larger};
use crate::checked::{product, sum};
use crate::model::MeanFootprint;
use crate::spectral::scratch_len_of;

/// Values that are kept from one call to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    /// The mean's own.
    pub(super) mean: usize,
    /// Power of the modes of the sensor's grid; none where no point is dead.
    pub(super) power: usize,
}

impl Kept {
    pub(super) const fn of(footprint: &MeanFootprint, instrument: &Instrument<'_>) -> Self {
        Self {
            mean: footprint.memory.div_ceil(4) as usize,
            power: filled(footprint, instrument, 1),
        }
    }

    pub(super) const fn len(&self) -> usize {
        sum(&[self.mean, self.power])
    }
}

/// Values of `frames` coarse frames whose dead points are filled; none where none is dead.
pub(super) const fn filled(
    footprint: &MeanFootprint,
    instrument: &Instrument<'_>,
    frames: usize,
) -> usize {
    if instrument.dead_points() == 0 { 0 } else { product(&[frames, footprint.coarse_len()]) }
}

/// Values of scratch of a mean, and of draws of its errors.
pub(super) const fn working(footprint: &MeanFootprint, instrument: &Instrument<'_>) -> usize {
    let fine = footprint.fine_len();
    let [ny, nx] = footprint.points;
    let added = sum(&[fine, scratch_len_of([ny as usize, nx as usize])]);
    let mean = larger(footprint.scratch.div_ceil(4) as usize, added);
    if instrument.dead_points() == 0 {
        return mean;
    }
    // A channel and its variances while pixels are filled; two fields while their power is found.
    larger(mean, larger(filling(instrument, 2), product(&[2, fine])))
}

/// Values of memory of draws of errors.
pub(super) const fn errors(footprint: &MeanFootprint) -> usize {
    footprint.errors.div_ceil(4) as usize
}
