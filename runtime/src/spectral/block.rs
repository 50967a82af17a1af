//! Pixels: what averaging over blocks of points does to the modes.

use core::f64::consts::PI;

use super::operator::{ComplexMode, complex_modes};
use super::resample::grid_fits;
use crate::checked::{OrBug, Place, bug};
use crate::{Axis, Boundary, Error, Grid};

/// The transfer function of pixels, packed (see [`super::operator`]): a mode of the fine field
/// times this number is the mode that the pixels show.
///
/// A pixel of the coarse grid averages the b fine points from its own on, b = fine over coarse
/// points of an axis. On a periodic axis the pixel's centre is (b − 1)/2 fine points beyond its
/// coarse point, which is a phase; on a reflecting one the two coincide. Per axis, with θ = πm/N:
/// `e^(iθ(b−1)) sin(bθ)/(b sin θ)` for wavenumber m of a periodic axis, and `sin(bθ/2)/(b
/// sin(θ/2))` for cosine m of a reflecting one.
///
/// `transfer`: one channel of the fine grid. Relative error ≤ 2e-7 of a factor's size in the
/// passband.
///
/// # Errors
/// [`Error::GridMismatch`] as for [`super::coarsen`]; [`Error::Conflict`] if a pixel would be no
/// whole block of points; [`Error::FieldLength`] unless `transfer` is one channel.
pub fn block_average(fine: &Grid, coarse: &Grid, transfer: &mut [f32]) -> Result<(), Error> {
    if !grid_fits(fine, coarse) {
        return Err(Error::GridMismatch);
    }
    let whole = fine.ny().is_multiple_of(coarse.ny()) && fine.nx().is_multiple_of(coarse.nx());
    if !whole {
        let expected = "a grid whose points divide those of the fine one along every axis";
        return Err(Error::Conflict { name: "coarse", expected });
    }
    let points = fine.points();
    if transfer.len() != points {
        return Err(Error::FieldLength { values: transfer.len(), points });
    }
    transfer.fill(0.0);
    for mode in complex_modes(fine) {
        let (j, i) = (mode.re / fine.nx(), mode.re % fine.nx());
        let (x_re, x_im) = factor(&fine.x(), &coarse.x(), i);
        let (y_re, y_im) = match (fine.y(), coarse.y()) {
            (Some(fine), Some(coarse)) => factor(&fine, &coarse, j),
            _ => (1.0, 0.0),
        };
        // The second row of a quadruple is −k_y.
        let paired = |axis: Axis, index| axis.boundary() == Boundary::Periodic && index > 1;
        let negative = fine.y().is_some_and(|y| paired(y, j)) && j & 1 == 1;
        let y_im = if negative { -y_im } else { y_im };
        put(transfer, mode.re, (y_re * x_re - y_im * x_im) as f32);
        if let Some(im) = mode.im {
            put(transfer, im, (y_re * x_im + y_im * x_re) as f32);
        }
    }
    Ok(())
}

/// What pixels that average blocks tell about the modes of the fine field: how to undo the average,
/// and how well.
///
/// With y the pixels' spectrum brought to the fine grid by [`super::refine`], the estimate is ŷ =
/// A⁻¹ y of the modes that the coarse grid resolves, Nyquist left out. Its variance is that of the
/// pixels' noise, plus that of the fine modes which the pixels mistake for it, both over |A|².
///
/// * `pixel_variance`: of one pixel's noise.
/// * `power`: of the clean fine modes, one channel: `[y mode][x mode]`.
/// * `inverse`: receives A⁻¹, packed, for [`super::operator::apply`]; 0 for unresolved modes.
/// * `variances`: receives r of every mode as
///   [`Observation::new`](crate::sampler::Observation::new) takes it; infinite for unresolved
///   modes.
///
/// # Errors
/// As [`block_average`] for each slice; [`Error::Parameter`] for a negative variance.
pub fn pixel_modes(
    fine: &Grid,
    coarse: &Grid,
    pixel_variance: f32,
    power: &[f32],
    inverse: &mut [f32],
    variances: &mut [f32],
) -> Result<(), Error> {
    let valid = pixel_variance >= 0.0;
    Error::check("pixel_variance", pixel_variance, valid, "finite and not negative")?;
    let points = fine.points();
    for values in [power.len(), variances.len()] {
        if values != points {
            return Err(Error::FieldLength { values, points });
        }
    }
    block_average(fine, coarse, inverse)?;
    let size = |re: f32, im: f32| re * re + im * im;
    let noise = pixel_variance * (points as f32 / coarse.points() as f32);

    // Σ |A|² P of the modes that fold onto a resolved one, which has itself no share in it.
    variances.fill(0.0);
    for mode in complex_modes(fine) {
        let (re, im) = parts(inverse, mode);
        let gain = size(re, im);
        for index in [Some(mode.re), mode.im].into_iter().flatten() {
            // A mode that is seen as itself, or not at all, is mistaken for no other.
            if let Some(seen) = folded(fine, coarse, index).filter(|seen| *seen != index) {
                let sum = at(variances, seen) + gain * at(power, index);
                put(variances, seen, sum);
            }
        }
    }
    for mode in complex_modes(fine) {
        let resolved = folded(fine, coarse, mode.re) == Some(mode.re);
        let (re, im) = parts(inverse, mode);
        let gain = size(re, im);
        // Both parts of a mode are known equally well.
        let mistaken = at(variances, mode.re);
        for (index, value) in [(Some(mode.re), re), (mode.im, -im)] {
            let Some(index) = index else { continue };
            put(inverse, index, if resolved { value / gain } else { 0.0 });
            let variance = if resolved { (mistaken + noise) / gain } else { f32::INFINITY };
            put(variances, index, variance);
        }
    }
    Ok(())
}

/// The value at a place that is there.
fn at(values: &[f32], index: usize) -> f32 {
    values.get(index).copied().or_bug()
}

/// Sets the value at a place that is there.
fn put(values: &mut [f32], index: usize, value: f32) {
    match values.get_mut(index) {
        Some(place) => *place = value,
        None => bug(),
    }
}

/// Real and imaginary part of a mode; a real mode's imaginary part is 0.
fn parts(values: &[f32], mode: ComplexMode) -> (f32, f32) {
    (at(values, mode.re), mode.im.map_or(0.0, |im| at(values, im)))
}

/// The factor of the mode stored at `index` of a fine axis.
fn factor(fine: &Axis, coarse: &Axis, index: usize) -> (f64, f64) {
    let block = fine.points() / coarse.points();
    let mode = fine.mode(index);
    if mode == 0 || block == 1 {
        return (1.0, 0.0);
    }
    let angle = match fine.boundary() {
        Boundary::Periodic => PI * mode as f64 / fine.points() as f64,
        Boundary::Reflecting => 0.5 * PI * mode as f64 / fine.points() as f64,
    };
    let size = libm::sin(block as f64 * angle) / (block as f64 * libm::sin(angle));
    match fine.boundary() {
        Boundary::Periodic => {
            let (sin, cos) = libm::sincos((block as f64 - 1.0) * angle);
            (size * cos, size * sin)
        }
        Boundary::Reflecting => (size, 0.0),
    }
}

/// The resolved mode that a fine mode looks like on the coarse points; `None` if it vanishes there
/// or meets Nyquist.
fn folded(fine: &Grid, coarse: &Grid, index: usize) -> Option<usize> {
    let (j, i) = (index / fine.nx(), index % fine.nx());
    let j = match (fine.y(), coarse.y()) {
        (Some(fine), Some(coarse)) => folded_axis(&fine, &coarse, j)?,
        _ => 0,
    };
    Some(j.times(fine.nx()).plus(folded_axis(&fine.x(), &coarse.x(), i)?))
}

fn folded_axis(fine: &Axis, coarse: &Axis, index: usize) -> Option<usize> {
    let (mode, points) = (fine.mode(index), coarse.points());
    match fine.boundary() {
        Boundary::Periodic => {
            let rest = mode % points;
            let seen = rest.min(points.minus(rest));
            match (mode, seen) {
                (0, _) => Some(0),
                (_, 0) => None,
                _ if seen.times(2) == points => None,
                _ => Some(seen.times(2).plus(index & 1)),
            }
        }
        Boundary::Reflecting => {
            // Every second stretch of the modes is seen from its end.
            let rest = mode % points;
            let seen = if (mode / points) & 1 == 0 { rest } else { points.minus(rest) };
            (seen != points).then_some(seen)
        }
    }
}
