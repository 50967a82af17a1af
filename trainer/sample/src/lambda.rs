//! The λ* that goes with a coarse grid, from what a model knows of its data.

use anyhow::Result;
use finescale::model::Model as View;
use finescale::predictor::Linear;
use finescale::sampler::emergence;
use finescale::{Grid, Predictor};
use finescale_field::modes::Group;
use finescale_model::linear::PackedAutocovariance;

/// P of every channel and mode, `[channel][y mode][x mode]`, of the standardised data; of coupled
/// channels that of their combinations.
///
/// # Errors
/// If the model's linear base cannot be used.
pub fn power(view: &View<'_>) -> Result<Vec<f32>> {
    with_linear(view, |linear| linear.describe().power.to_vec())
}

/// As [`power`] of the channels themselves, coupled or not.
///
/// # Errors
/// As [`power`].
pub fn channel_power(view: &View<'_>) -> Result<Vec<f32>> {
    if !view.process().is_coupled() {
        return power(view);
    }
    let (window, channels) = (view.window(), view.channels());
    let values = view.autocovariance().to_vec();
    let mixed = PackedAutocovariance { window, channels, values }.mixed();
    Ok(mixed.power(&Group::all(view.grid()), view.grid().points()))
}

/// λ* for frames on `coarse`, as boards have it: [`emergence`] of the power that the model knows.
///
/// # Errors
/// As [`power`].
pub fn suggested(view: &View<'_>, coarse: &Grid) -> Result<Option<f32>> {
    with_linear(view, |linear| emergence(linear.describe(), coarse))
}

fn with_linear<T>(view: &View<'_>, of: impl FnOnce(&Linear<'_>) -> T) -> Result<T> {
    let (grid, channels) = (view.grid(), view.channels());
    let mut memory = vec![0.0; Linear::memory_len(grid, channels, view.window())];
    let linear = Linear::new(grid, view.process(), channels, view.autocovariance(), &mut memory)?;
    Ok(of(&linear))
}
