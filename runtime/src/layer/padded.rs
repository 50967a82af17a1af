//! Channels of a grid with a halo on both ends of every row.

use crate::{Boundary, Error, Grid};

/// Layout of padded activations: `[channel][y][halo + nx + halo]`, row-major f32.
///
/// The halo repeats the row (periodic) or mirrors it (reflecting, half a spacing beyond the end point). Rows beyond the
/// first and the last are not stored: a layer finds them by [`Padded::row_beyond`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Padded {
    grid: Grid,
    halo: usize,
}

impl Padded {
    /// Activations on `grid` with `halo` extra values at each end of a row.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the halo is longer than the row, as there is nothing to fill it with.
    pub fn new(grid: Grid, halo: usize) -> Result<Self, Error> {
        if halo > grid.nx() {
            let expected = "at most the points of a row";
            return Err(Error::Parameter { name: "halo", value: halo as f32, expected });
        }
        Ok(Self { grid, halo })
    }

    /// The grid.
    pub const fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Extra values at each end of a row.
    pub const fn halo(&self) -> usize {
        self.halo
    }

    /// Values of a stored row.
    pub const fn stride(&self) -> usize {
        self.grid.nx() + 2 * self.halo
    }

    /// Values of one channel.
    pub const fn plane_len(&self) -> usize {
        self.stride() * self.grid.ny()
    }

    /// Copies channels of a field into padded planes and fills their halos.
    ///
    /// # Errors
    /// [`Error::FieldLength`], [`Error::LengthMismatch`] unless `padded` has the same number of channels.
    pub fn pad(&self, field: &[f32], padded: &mut [f32]) -> Result<(), Error> {
        self.check(field.len(), padded.len())?;
        let rows = padded.chunks_exact_mut(self.stride().max(1));
        for (row, values) in rows.zip(field.chunks_exact(self.grid.nx())) {
            if let Some(middle) = row.get_mut(self.halo..self.halo + values.len()) {
                middle.copy_from_slice(values);
            }
            self.fill_halo(row);
        }
        Ok(())
    }

    /// Copies the channels of padded planes into a field, halos left out.
    ///
    /// # Errors
    /// As [`Padded::pad`].
    pub fn crop(&self, padded: &[f32], field: &mut [f32]) -> Result<(), Error> {
        self.check(field.len(), padded.len())?;
        let rows = padded.chunks_exact(self.stride().max(1));
        for (row, values) in rows.zip(field.chunks_exact_mut(self.grid.nx())) {
            if let Some(middle) = row.get(self.halo..self.halo + values.len()) {
                values.copy_from_slice(middle);
            }
        }
        Ok(())
    }

    /// Fills the halo of one stored row from its middle.
    pub(super) fn fill_halo(&self, row: &mut [f32]) {
        let nx = self.grid.nx();
        for i in 0..self.halo {
            // `i` counts outwards from the ends; the halo is at most a row long.
            let (left, right) = match self.grid.x().boundary() {
                Boundary::Periodic => (nx - 1 - i, i),
                Boundary::Reflecting => (i, nx - 1 - i),
            };
            let (left, right) = (row.get(self.halo + left), row.get(self.halo + right));
            let (left, right) = (left.copied().unwrap_or(0.0), right.copied().unwrap_or(0.0));
            if let Some(value) = row.get_mut(self.halo - 1 - i) {
                *value = left;
            }
            if let Some(value) = row.get_mut(self.halo + nx + i) {
                *value = right;
            }
        }
    }

    /// Adds each value of a row's halo to the point that it was filled from, and clears it: the transpose of
    /// [`Padded::fill_halo`].
    pub(super) fn fold_halo(&self, row: &mut [f32]) {
        let nx = self.grid.nx();
        for i in 0..self.halo {
            let (left, right) = match self.grid.x().boundary() {
                Boundary::Periodic => (nx - 1 - i, i),
                Boundary::Reflecting => (i, nx - 1 - i),
            };
            for (from, to) in [(self.halo - 1 - i, left), (self.halo + nx + i, right)] {
                let value = row.get_mut(from).map_or(0.0, core::mem::take);
                if let Some(sum) = row.get_mut(self.halo + to) {
                    *sum += value;
                }
            }
        }
    }

    /// The stored row that stands for row `y` + `offset`, which may lie up to a grid's height beyond the ends.
    pub(super) fn row_beyond(&self, y: usize, offset: isize) -> usize {
        let ny = self.grid.ny();
        // Wrapping into 0 … 2 ny − 1 also serves the mirror image, whose period is 2 ny.
        let row = y.wrapping_add_signed(offset) & (2 * ny - 1);
        match self.grid.y().map(|y| y.boundary()) {
            Some(Boundary::Reflecting) if row >= ny => 2 * ny - 1 - row,
            _ => row & (ny - 1),
        }
    }

    fn check(&self, field: usize, padded: usize) -> Result<usize, Error> {
        let channels = self.grid.channels(field)?;
        if padded != channels * self.plane_len() {
            return Err(Error::LengthMismatch { left: channels * self.plane_len(), right: padded });
        }
        Ok(channels)
    }
}
