//! Orthonormal real transforms between fields and spectra.
//!
//! A spectrum has as many `f32` as its field, in the same layout `[channel][y mode][x mode]`. The
//! transform of an axis is an orthonormal real matrix Q, so sums of squares are kept (Parseval),
//! unit white noise on the grid is unit white noise in the modes, and the inverse is Qᵀ. A plane is
//! transformed row by row, then column by column.
//!
//! # Mode order along an axis
//!
//! | index | periodic axis: mode (basis function) | reflecting axis: mode |
//! |---|---|---|
//! | 0 | 0: `√(1/N)` | 0: `√(1/N)` |
//! | 1 | N/2: `√(1/N) (−1)^j` | 1 |
//! | 2m, 1 ≤ m < N/2 | m: `√(2/N) cos(2πmj/N)` | 2m |
//! | 2m+1 | m: `−√(2/N) sin(2πmj/N)` | 2m+1 |
//!
//! Mode m > 0 of a reflecting axis is `√(2/N) cos(πm(j+½)/N)`, the orthonormal DCT-II. With a
//! periodic axis' orthonormal complex DFT û, indices 2m and 2m+1 hold √2 Re û_m and √2 Im û_m, so
//! both have the variance E|û_m|² of the complex mode; indices 0 and 1 hold û_0 and û_{N/2}. On a
//! plane, modes are products of the axes'.
//!
//! Axes of a power of two of points to 1024 are transformed by microfft, others by steps of radix
//! 2, 3 and 5 around it. The time for a point grows with the logarithm of the number of points.
//!
//! # Error
//!
//! Relative error of a transform, ‖ŷ − y‖₂/‖y‖₂: at most 2.5e-7 on every grid (rough fields); of a
//! round trip at most 4e-7. The order of all operations is fixed: the same bits on every target.

mod block;
mod cosine;
pub(crate) mod difference;
mod fourier;
pub mod operator;
mod power;
pub(crate) mod quarter_wave;
mod real_fft;
mod resample;

pub use block::{block_average, pixel_modes};
pub use power::{RadialBins, power_spectrum};
pub use resample::{coarsen, coarsen_variances, refine, refine_variances};

use crate::checked::{self, OrBug, Place};
use crate::{Axis, Boundary, Error, Field, Grid, Modes};

/// Most rows of a plane whose columns are transformed one by one.
const SMALL: usize = 256;
/// Columns of a larger plane that are copied and transformed together: whole lines of a cache.
const TOGETHER: usize = 8;

/// Values of scratch that [`forward`] and [`inverse`] need on `grid`: one working line, and on a
/// plane one column, or eight where it has more than 256 rows.
pub const fn scratch_len(grid: &Grid) -> usize {
    scratch_len_of([grid.ny(), grid.nx()])
}

/// The same of so many points along y, at most 1 on a line, and along x.
pub(crate) const fn scratch_len_of([ny, nx]: [usize; 2]) -> usize {
    if ny < 2 {
        return nx;
    }
    let (line, columns) = (if ny > nx { ny } else { nx }, if ny > SMALL { TOGETHER } else { 1 });
    checked::sum(&[line, checked::product(&[columns, ny])])
}

/// Field to spectrum, in place, every channel; gives what the field's memory has become.
///
/// `scratch` needs [`scratch_len`] values; what it held is lost.
///
/// # Errors
/// [`Error::FieldLength`], [`Error::ScratchLength`].
pub fn forward<'v, G>(
    grid: &Grid,
    field: &'v mut Field<G>,
    scratch: &mut [f32],
) -> Result<&'v mut Modes<G>, Error> {
    transform(grid, field, scratch, Direction::Forward)?;
    Ok(field.become_modes())
}

/// Spectrum to field, in place, every channel; gives what the spectrum's memory has become.
///
/// `scratch` needs [`scratch_len`] values; what it held is lost.
///
/// # Errors
/// [`Error::FieldLength`], [`Error::ScratchLength`].
pub fn inverse<'v, G>(
    grid: &Grid,
    spectrum: &'v mut Modes<G>,
    scratch: &mut [f32],
) -> Result<&'v mut Field<G>, Error> {
    transform(grid, spectrum, scratch, Direction::Inverse)?;
    Ok(spectrum.become_field())
}

#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Inverse,
}

fn transform(
    grid: &Grid,
    values: &mut [f32],
    scratch: &mut [f32],
    direction: Direction,
) -> Result<(), Error> {
    grid.channels(values.len())?;
    let needed = scratch_len(grid);
    let too_short = Error::ScratchLength { values: scratch.len(), needed };
    let scratch = scratch.get_mut(..needed).ok_or(too_short)?;
    let (work, columns) = scratch.split_at_mut_checked(grid.nx().max(grid.ny())).or_bug();
    for channel in values.chunks_exact_mut(grid.points()) {
        for row in channel.chunks_exact_mut(grid.nx()) {
            transform_line(&grid.x(), row, work, direction);
        }
        match grid.y() {
            Some(y) if y.points() > SMALL => {
                transform_columns::<TOGETHER>(&y, channel, columns, work, direction);
            }
            Some(y) => transform_columns::<1>(&y, channel, columns, work, direction),
            None => {}
        }
    }
    Ok(())
}

/// Transforms the columns of a plane, COUNT at a time.
fn transform_columns<const COUNT: usize>(
    axis: &Axis,
    plane: &mut [f32],
    columns: &mut [f32],
    work: &mut [f32],
    direction: Direction,
) {
    let ny = axis.points();
    let nx = plane.len() / ny;
    for first in (0..nx).step_by(COUNT) {
        for (y, from) in checked::counted(plane.get(first..).or_bug().chunks(nx.max(1))) {
            for (column, value) in (0..COUNT).zip(from) {
                if let Some(to) = columns.get_mut(column.times(ny).plus(y)) {
                    *to = *value;
                }
            }
        }
        for column in columns.chunks_exact_mut(ny).take(nx.minus(first)) {
            transform_line(axis, column, work, direction);
        }
        for (y, to) in checked::counted(plane.get_mut(first..).or_bug().chunks_mut(nx.max(1))) {
            for (column, value) in (0..COUNT).zip(to) {
                *value = columns.get(column.times(ny).plus(y)).copied().or_bug();
            }
        }
    }
}

fn transform_line(axis: &Axis, line: &mut [f32], work: &mut [f32], direction: Direction) {
    let work = work.get_mut(..line.len()).or_bug();
    match (axis.boundary(), direction) {
        (Boundary::Periodic, Direction::Forward) => fourier::forward(line, work),
        (Boundary::Periodic, Direction::Inverse) => fourier::inverse(line, work),
        (Boundary::Reflecting, Direction::Forward) => cosine::forward(line, work),
        (Boundary::Reflecting, Direction::Inverse) => cosine::inverse(line, work),
    }
}
