//! The λ* that goes with a coarse grid, from what a model knows of its data.

use anyhow::Result;
use finescale::model::Model as View;
use finescale::predictor::Linear;
use finescale::{Grid, Predictor};

use finescale_field::emergence::{Emergence, cutoff};
use finescale_field::shells::Shells;

/// P of every channel and mode, `[channel][y mode][x mode]`, of the standardised data.
///
/// # Errors
/// If the model's linear base cannot be used.
pub fn power(view: &View<'_>) -> Result<Vec<f32>> {
    let (grid, channels) = (view.grid(), view.channels());
    let mut memory = vec![0.0; Linear::memory_len(grid, channels, view.window())];
    let linear = Linear::new(grid, view.process(), channels, view.autocovariance(), &mut memory)?;
    Ok(linear.describe().power.to_vec())
}

/// λ* for frames on `coarse`, from the power that the model knows; [`Emergence::suggested`] of the
/// shells' means.
///
/// # Errors
/// As [`power`].
pub fn suggested(view: &View<'_>, coarse: &Grid) -> Result<Option<f32>> {
    let shells = Shells::new(view.grid());
    let power: Vec<f64> = power(view)?.into_iter().map(f64::from).collect();
    let means = shells.mean(&power);
    let axes = coarse.y().into_iter().chain([coarse.x()]);
    let cutoff = cutoff(axes.map(|axis| (axis.points(), axis.length().into())));
    let emergence = Emergence::new(view.process(), view.grid());
    let lambda = emergence.suggested(cutoff, means.chunks_exact(shells.count));
    Ok(lambda.map(|lambda| lambda as f32))
}
