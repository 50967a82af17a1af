//! A linear map from the coarse values of a window to each fine value: a ridge regression that
//! holds to interpolation, and trusts near values more than far ones.
//!
//! What the map adds to the interpolation of frame n has the weights W of least
//!
//! ```text
//! Σ ‖u − Gy^n − Wᵀz‖² + λ Σ (1 + (d/2)²)³ W²,   z = (y^n, ⅒ (y^j − y^n) for the other frames j)
//! ```
//!
//! where Gy is the interpolated frame, d the distance of a fine point from a coarse one in cells of
//! the sensor, and λ the penalty that is best where parts of the training frames are held out
//! ([`Parting`]); where a window has many values, it is tried with frame n alone. So with few
//! frames the map is the interpolation. In units of z, what changes from frame to frame costs a
//! hundred times as much as what stays.

use anyhow::{Context, Result};
use finescale::{Axis, Boundary};
use finescale_model::ridge::{Moments, PENALTIES, Parting, Reduced, best, errors};
use nalgebra::DMatrix;
use rayon::prelude::*;

use super::sensor::Sensor;
use super::settings::Mean;

/// What differences of frames are multiplied with.
const LAG: f64 = 0.1;
/// Values of a window up to which penalties are tried with all of its frames.
const FEW: usize = 128;
/// Cells of the sensor within which weights are free.
const NEAR: f64 = 2.0;

/// Predictors z of windows `x`, a window in each column, oldest frame first: frame n comes first.
pub(super) fn predictors(settings: &Mean, x: &DMatrix<f64>) -> DMatrix<f64> {
    let len = x.nrows() / settings.frames();
    let newest = x.rows(settings.before * len, len);
    let mut z = DMatrix::zeros(x.nrows(), x.ncols());
    z.rows_mut(0, len).copy_from(&newest);
    for (place, frame) in others(settings).enumerate() {
        let difference = (x.rows(frame * len, len) - newest) * LAG;
        z.rows_mut((place + 1) * len, len).copy_from(&difference);
    }
    z
}

/// The frames of a window but frame n.
fn others(settings: &Mean) -> impl Iterator<Item = usize> {
    let before = settings.before;
    (0..settings.frames()).filter(move |frame| *frame != before)
}

/// The map of whole windows, of a rank, from the moments of z and of what interpolation leaves, of
/// every part of the training frames.
pub(super) fn fit(
    settings: &Mean,
    sensor: &Sensor,
    parting: &Parting,
    moments: &[Moments],
    rank: usize,
) -> Result<Reduced> {
    const TOO_LARGE: &str = "mean.base is \"ridge\", and the coarse values are too large for a \
                             regression: use \"interpolation\"";
    let all = Moments::sum(moments.iter());
    let len = all.predictors() / settings.frames();
    let factors = penalties(sensor, all.targets(), len);
    let frames = if all.predictors() <= FEW { settings.frames() } else { 1 };
    let trials: Vec<(Moments, Moments)> = parting
        .trials(moments)
        .iter()
        .map(|(part, others)| (others.first(frames * len), moments[*part].first(frames * len)))
        .collect();
    // The unit of penalties is that of frame n's values.
    let unit = |moments: &Moments| moments.first(len).unit() / moments.unit();
    let tried: Vec<Vec<f64>> = trials
        .iter()
        .map(|(fit_on, tried_on)| {
            errors(tried_on, |penalty| solve(fit_on, penalty * unit(fit_on), &factors, frames))
        })
        .collect();
    let penalty = best(&tried);
    let mut weights =
        solve(&all, penalty * unit(&all), &factors, settings.frames()).context(TOO_LARGE)?;
    add_interpolation(sensor, &mut weights);
    let Reduced { down, up } = all.reduce(&weights, PENALTIES[0], rank).context(TOO_LARGE)?;
    Ok(Reduced { down: of_windows(settings, &down), up })
}

/// Weights of all targets; those of one point are solved together.
fn solve(
    moments: &Moments,
    penalty: f64,
    factors: &[Vec<f64>],
    frames: usize,
) -> Option<DMatrix<f64>> {
    let (points, targets) = (factors.len(), moments.targets());
    let columns: Vec<Vec<usize>> =
        (0..points).map(|point| (point..targets).step_by(points).collect()).collect();
    let solved: Vec<DMatrix<f64>> = factors
        .par_iter()
        .zip(&columns)
        .map(|(factors, columns)| moments.solve_each(penalty, &factors.repeat(frames), columns))
        .collect::<Option<_>>()?;
    let mut weights = DMatrix::zeros(moments.predictors(), targets);
    for (columns, solved) in columns.iter().zip(&solved) {
        for (n, &column) in columns.iter().enumerate() {
            weights.set_column(column, &solved.column(n));
        }
    }
    Some(weights)
}

/// Of every fine point, the factors of the penalty for the coarse values of a frame.
fn penalties(sensor: &Sensor, targets: usize, len: usize) -> Vec<Vec<f64>> {
    let (fine, [rows, columns]) = (sensor.fine, sensor.coarse);
    let channels = targets / fine.points();
    debug_assert_eq!(len, channels * rows * columns);
    let point = |point: usize| {
        let (y, x) = (point / fine.nx(), point % fine.nx());
        let cell = |cell: usize| {
            let along_y = fine.y().map_or(0.0, |axis| distance(&axis, rows, y, cell / columns));
            let along_x = distance(&fine.x(), columns, x, cell % columns);
            let square = (along_y * along_y + along_x * along_x) / (NEAR * NEAR);
            (1.0 + square).powi(3)
        };
        (0..rows * columns).map(cell).collect::<Vec<f64>>().repeat(channels)
    };
    (0..fine.points()).map(point).collect()
}

/// From a fine point to the middle of a cell, in cells.
fn distance(axis: &Axis, cells: usize, point: usize, cell: usize) -> f64 {
    let ratio = axis.points() as f64 / cells as f64;
    let off = ((point as f64 + 0.5) / ratio - cell as f64 - 0.5).abs();
    if axis.boundary() == Boundary::Periodic { off.min(cells as f64 - off) } else { off }
}

/// Adds what interpolates frame n.
fn add_interpolation(sensor: &Sensor, weights: &mut DMatrix<f64>) {
    let (pixels, points) = (sensor.points(), sensor.fine.points());
    for pixel in 0..pixels {
        let mut unit = vec![0.0; pixels];
        unit[pixel] = 1.0;
        let field = sensor.fields(&unit);
        for channel in 0..weights.ncols() / points {
            let row = channel * pixels + pixel;
            for (point, value) in field.iter().enumerate() {
                weights[(row, channel * points + point)] += f64::from(*value);
            }
        }
    }
}

/// A map of z as one of whole windows.
fn of_windows(settings: &Mean, down: &DMatrix<f64>) -> DMatrix<f64> {
    let len = down.ncols() / settings.frames();
    let mut out = DMatrix::zeros(down.nrows(), down.ncols());
    let mut newest = down.columns(0, len).into_owned();
    for (place, frame) in others(settings).enumerate() {
        let part = down.columns((place + 1) * len, len) * LAG;
        newest -= &part;
        out.columns_mut(frame * len, len).copy_from(&part);
    }
    out.columns_mut(settings.before * len, len).copy_from(&newest);
    out
}
