//! Spectral truncation and zero-padding between grids of the same domain.
//!
//! Both keep the values of the field, not its norm: a constant stays the same constant. The highest
//! cosine of a coarse periodic axis, its Nyquist mode M/2, is where the finer axis' modes +M/2 and
//! −M/2 meet: coarsening sums them (which is what sampling does; the sine of that mode vanishes on
//! the coarse points), refining splits it evenly, so its sine is zero. `coarsen` after `refine` is
//! the identity; `refine` after `coarsen` is the identity on fields without modes at or above M/2.

use core::f32::consts::{FRAC_1_SQRT_2, SQRT_2};

use crate::checked::{self, Place, bug};
use crate::{Axis, Boundary, CoarseGrid, Error, Grid, Modes};

/// Keeps the modes that `coarse` has: the band-limited field on the coarse points.
///
/// `fine` and `coarse`: spectra `[channel][y mode][x mode]` on their grids, with equally many
/// channels. A mode at the coarse Nyquist has twice the variance of its neighbours when the fine
/// spectrum is flat, as two fine modes meet there. Relative error ≤ 2e-7 per mode.
///
/// # Errors
/// [`Error::GridMismatch`] unless the grids have the same domain and boundaries and `coarse_grid`
/// has at most as many points on each axis; [`Error::FieldLength`], [`Error::LengthMismatch`].
pub fn coarsen(
    fine_grid: &Grid,
    fine: &Modes,
    coarse_grid: &Grid,
    coarse: &mut Modes<CoarseGrid>,
) -> Result<(), Error> {
    let map = ModeMap::new(fine_grid, fine.len(), coarse_grid, coarse.len())?;
    map.gather(fine, coarse, |meeting| map.amplitude * power(SQRT_2, meeting));
    Ok(())
}

/// Pads with zeros: the smoothest field on the fine points that passes through the coarse ones.
///
/// `coarse` and `fine`: spectra `[channel][y mode][x mode]` on their grids, with equally many
/// channels. Relative error ≤ 2e-7 per mode.
///
/// # Errors
/// As [`coarsen`].
pub fn refine(
    coarse_grid: &Grid,
    coarse: &Modes<CoarseGrid>,
    fine_grid: &Grid,
    fine: &mut Modes,
) -> Result<(), Error> {
    let map = ModeMap::new(fine_grid, fine.len(), coarse_grid, coarse.len())?;
    fine.fill(0.0);
    map.scatter(coarse, fine, |meeting| Some(power(FRAC_1_SQRT_2, meeting) / map.amplitude));
    Ok(())
}

/// Variances of the fine modes, P for instance, as the coarse grid's points see them: those that it
/// resolves, at its amplitude.
///
/// What finer modes add to a coarse one where the field is sampled is left out, except at the
/// coarse Nyquist, where two equal shares meet. `fine` and `coarse`: `[channel][y mode][x mode]`.
/// Relative error ≤ 2e-7.
///
/// # Errors
/// As [`coarsen`].
pub fn coarsen_variances(
    fine_grid: &Grid,
    fine: &[f32],
    coarse_grid: &Grid,
    coarse: &mut [f32],
) -> Result<(), Error> {
    let map = ModeMap::new(fine_grid, fine.len(), coarse_grid, coarse.len())?;
    map.gather(fine, coarse, |meeting| map.amplitude * map.amplitude * power(2.0, meeting));
    Ok(())
}

/// Variances of measured coarse modes as those of the fine modes that [`refine`] makes of them:
/// infinite where the coarse grid has no mode, and at its Nyquist, which does not tell the two fine
/// modes apart that meet there.
///
/// `coarse` and `fine`: `[channel][y mode][x mode]`. Relative error ≤ 2e-7.
///
/// # Errors
/// As [`coarsen`].
pub fn refine_variances(
    coarse_grid: &Grid,
    coarse: &[f32],
    fine_grid: &Grid,
    fine: &mut [f32],
) -> Result<(), Error> {
    let map = ModeMap::new(fine_grid, fine.len(), coarse_grid, coarse.len())?;
    fine.fill(f32::INFINITY);
    let told = 1.0 / (map.amplitude * map.amplitude);
    map.scatter(coarse, fine, |meeting| (meeting == 0).then_some(told));
    Ok(())
}

/// Where each coarse mode stands in the fine spectrum.
struct ModeMap {
    coarse: Grid,
    fine: Grid,
    /// √(coarse points / fine points): an orthonormal mode of a field grows with the number of
    /// points.
    amplitude: f32,
}

impl ModeMap {
    fn new(fine: &Grid, fine_len: usize, coarse: &Grid, coarse_len: usize) -> Result<Self, Error> {
        if !grid_fits(fine, coarse) {
            return Err(Error::GridMismatch);
        }
        let (left, right) = (fine.channels(fine_len)?, coarse.channels(coarse_len)?);
        if left != right {
            return Err(Error::LengthMismatch { left: fine_len, right: coarse_len });
        }
        let amplitude = libm::sqrtf(coarse.points() as f32 / fine.points() as f32);
        Ok(Self { coarse: *coarse, fine: *fine, amplitude })
    }

    /// Every coarse mode is its fine mode times a factor, which depends on the number of axes on
    /// which two fine modes meet.
    fn gather(&self, fine: &[f32], coarse: &mut [f32], factor: impl Fn(u8) -> f32) {
        let fine = fine.chunks_exact(self.fine.points());
        for (fine, coarse) in checked::zip(fine, coarse.chunks_exact_mut(self.coarse.points())) {
            self.each(|c, f, meeting| match (coarse.get_mut(c), fine.get(f)) {
                (Some(coarse), Some(fine)) => *coarse = fine * factor(meeting),
                _ => bug(),
            });
        }
    }

    /// The other way; fine modes that no coarse one has, or that have no factor, are left as they
    /// are.
    fn scatter(&self, coarse: &[f32], fine: &mut [f32], factor: impl Fn(u8) -> Option<f32>) {
        let fine = fine.chunks_exact_mut(self.fine.points());
        for (fine, coarse) in checked::zip(fine, coarse.chunks_exact(self.coarse.points())) {
            self.each(|c, f, meeting| match (coarse.get(c), fine.get_mut(f)) {
                (Some(coarse), Some(fine)) => *fine = factor(meeting).map_or(*fine, |f| coarse * f),
                _ => bug(),
            });
        }
    }

    /// Calls `visit(coarse index, fine index, number of axes on which two fine modes meet)` for
    /// every coarse mode.
    fn each(&self, mut visit: impl FnMut(usize, usize, u8)) {
        let (nx, fine_nx) = (self.coarse.nx(), self.fine.nx());
        for j in 0..self.coarse.ny() {
            let (fine_j, meet_y) = match (self.fine.y(), self.coarse.y()) {
                (Some(fine), Some(coarse)) => fine_index(&fine, &coarse, j),
                _ => (0, false),
            };
            for i in 0..nx {
                let (fine_i, meet_x) = fine_index(&self.fine.x(), &self.coarse.x(), i);
                let meeting = u8::from(meet_y) + u8::from(meet_x);
                visit(j.times(nx).plus(i), fine_j.times(fine_nx).plus(fine_i), meeting);
            }
        }
    }
}

/// Whether the grids differ in their number of points only, and `coarse` is not the finer one on
/// any axis.
pub(super) fn grid_fits(fine: &Grid, coarse: &Grid) -> bool {
    let y_fits = match (fine.y(), coarse.y()) {
        (None, None) => true,
        (Some(fine), Some(coarse)) => axis_fits(&fine, &coarse),
        _ => false,
    };
    y_fits && axis_fits(&fine.x(), &coarse.x())
}

fn axis_fits(fine: &Axis, coarse: &Axis) -> bool {
    fine.boundary() == coarse.boundary()
        && fine.wavenumber_unit() == coarse.wavenumber_unit()
        && coarse.points() <= fine.points()
}

/// Index of a coarse mode on the fine axis, and whether two fine modes meet in it.
fn fine_index(fine: &Axis, coarse: &Axis, index: usize) -> (usize, bool) {
    let nyquist = coarse.boundary() == Boundary::Periodic && index == 1;
    if nyquist && coarse.points() < fine.points() {
        (coarse.points(), true)
    } else {
        (index, false)
    }
}

fn power(base: f32, exponent: u8) -> f32 {
    match exponent {
        0 => 1.0,
        1 => base,
        _ => base * base,
    }
}
