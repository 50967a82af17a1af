//! What gives the coarse frames.

use crate::{Error, Grid};

/// What the values of coarse frames are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Values {
    /// Values at the points of the coarse grid, of a field that has the modes of that grid alone.
    Points,
    /// Means over the cells of the coarse grid, as the pixels of sensors give.
    BlockMeans,
}

/// An instrument that covers a model's domain with fewer points.
///
/// ```
/// use finescale::{Instrument, Values};
///
/// /// A ranging array of 8 × 8 pixels, each of them right to two centimetres.
/// const ARRAY: Instrument = Instrument::new([8, 8], Values::BlockMeans).with_noise(&[0.02]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instrument<'a> {
    /// Points along y, 1 on a line, and along x.
    pub points: [usize; 2],
    /// What its values are.
    pub values: Values,
    /// Standard deviation of the errors of a value, in its units, for each channel; the last one
    /// also holds for the channels after it. Empty: no errors.
    pub noise: &'a [f32],
    /// Whether each point is dead, so that its value is not read, `[y][x]`; empty: none is.
    pub dead: &'a [bool],
}

impl<'a> Instrument<'a> {
    /// An instrument without errors and without dead points.
    pub const fn new(points: [usize; 2], values: Values) -> Self {
        Self { points, values, noise: &[], dead: &[] }
    }

    /// The same with errors.
    pub const fn with_noise(self, noise: &'a [f32]) -> Self {
        Self { noise, ..self }
    }

    /// The same with dead points.
    pub const fn with_dead(self, dead: &'a [bool]) -> Self {
        Self { dead, ..self }
    }

    /// Number of dead points.
    pub const fn dead_points(&self) -> usize {
        let (mut dead, mut rest) = (0_usize, self.dead);
        while let [first, others @ ..] = rest {
            dead = dead.saturating_add(*first as usize);
            rest = others;
        }
        dead
    }

    /// Its grid on the domain of `fine`, once everything fits.
    pub(super) fn grid(&self, fine: &Grid) -> Result<Grid, Error> {
        let coarse = fine.with_points(self.points)?;
        if coarse.points() >= fine.points() {
            let expected = "fewer than the model's, of which they are the coarse ones";
            return Err(Error::Conflict { name: "points", expected });
        }
        self.check(coarse.points())?;
        Ok(coarse)
    }

    /// Refuses what does not fit an instrument of so many points.
    pub(super) fn check(&self, points: usize) -> Result<(), Error> {
        if !self.dead.is_empty() && self.dead.len() != points {
            return Err(Error::LengthMismatch { left: self.dead.len(), right: points });
        }
        for noise in self.noise {
            Error::check("noise", *noise, *noise >= 0.0, "finite and not negative")?;
        }
        Ok(())
    }

    /// Variance of a channel's values that have the standard deviation `std`, standardised.
    pub(super) fn variance(&self, channel: usize, std: f32) -> f32 {
        let noise = self.noise.get(channel).or(self.noise.last()).copied().unwrap_or(0.0) / std;
        noise * noise
    }

    /// Whether the point is dead.
    pub(super) fn is_dead(&self, point: usize) -> bool {
        self.dead.get(point).is_some_and(|dead| *dead)
    }
}
