//! The curves of a training as a picture.

use std::path::Path;

use anyhow::Result;

use super::metrics::Report;
use crate::systems::Level;
use finescale_plot::{Axis, Dash, Figure, Plot, Series};

/// Draws losses, and where there are such, validation by level and the simulation error, as a PNG
/// and an SVG file beside each other; `path` has no suffix.
///
/// # Errors
/// If they cannot be written.
pub(super) fn draw(path: &Path, name: &str, level: &Level, reports: &[Report]) -> Result<()> {
    let Some(last) = reports.last() else { return Ok(()) };
    let steps: Vec<f64> = reports.iter().map(|report| report.step as f64).collect();
    let over = |label: &str, value: &dyn Fn(&Report) -> f64| {
        Series::new(label, steps.clone(), reports.iter().map(value).collect())
    };
    let mut losses = Plot::new(Axis::linear("step"), Axis::log("loss")).title("Loss");
    let mut low = 0.0;
    let symbol = level.symbol;
    for (n, &high) in level.bands.iter().enumerate() {
        let value = |report: &Report| {
            // A band that no level falls into has no loss.
            report.train.get(n).copied().filter(|loss| *loss > 0.0).unwrap_or(f64::NAN)
        };
        let band = format!("training, {low} < {symbol} ≤ {high}");
        let series = over(if level.is_one() { "training" } else { &band }, &value)?;
        losses = losses.series(series.dash(Dash::Dashed));
        low = high;
    }
    let mean = format!("validation, mean over {symbol}");
    let mean = if level.is_one() { "validation" } else { &mean };
    let mut plots = vec![losses.series(over(mean, &Report::valid_loss)?)];
    if !level.is_one() {
        let (levels, values) = last.valid.iter().copied().unzip();
        let by_level = Plot::new(Axis::log(symbol), Axis::linear("loss"))
            .title(format!("Validation at step {}", last.step))
            .series(Series::new("loss", levels, values)?.markers())
            .level(1.0, "linear predictor");
        plots.push(by_level);
    }
    let frames = last.rollout.len();
    if frames > 0 {
        let mut simulation =
            Plot::new(Axis::linear("step"), Axis::log("relative L² error")).title("Simulation");
        for n in [0, frames / 2, frames - 1] {
            let value = |report: &Report| report.rollout.get(n).copied().unwrap_or(f64::NAN);
            simulation = simulation.series(over(&format!("after {} frames", n + 1), &value)?);
        }
        plots.push(simulation);
    }
    let figure = Figure::new().title(name).push(plots);
    figure.save(path.with_extension("png"))?;
    figure.save(path.with_extension("svg"))
}
