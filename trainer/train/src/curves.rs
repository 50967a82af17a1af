//! The curves of a training as a picture.

use std::path::Path;

use anyhow::Result;

use super::metrics::{BANDS, Report};
use finescale_plot::{Axis, Dash, Figure, Plot, Series};

/// Draws losses, validation by λ, and the simulation error, as `curves.png` and `curves.svg` of the run folder.
///
/// # Errors
/// If they cannot be written.
pub(super) fn draw(folder: &Path, name: &str, reports: &[Report]) -> Result<()> {
    let Some(last) = reports.last() else { return Ok(()) };
    let steps: Vec<f64> = reports.iter().map(|report| report.step as f64).collect();
    let over = |label: &str, value: &dyn Fn(&Report) -> f64| {
        Series::new(label, steps.clone(), reports.iter().map(value).collect())
    };
    let mut losses = Plot::new(Axis::linear("step"), Axis::log("loss")).title("Loss");
    let mut low = 0.0;
    for (n, high) in BANDS.into_iter().enumerate() {
        let value = |report: &Report| {
            // A band that no value of λ falls into has no loss.
            if report.train[n] > 0.0 { report.train[n] } else { f64::NAN }
        };
        let series = over(&format!("training, {low} < λ ≤ {high}"), &value)?;
        losses = losses.series(series.dash(Dash::Dashed));
        low = high;
    }
    losses = losses.series(over("validation, mean over λ", &Report::valid_loss)?);
    let (lambdas, values) = last.valid.iter().copied().unzip();
    let by_lambda = Plot::new(Axis::log("λ"), Axis::linear("loss"))
        .title(format!("Validation at step {}", last.step))
        .series(Series::new("loss", lambdas, values)?.markers())
        .level(1.0, "linear predictor");
    let mut simulation =
        Plot::new(Axis::linear("step"), Axis::log("relative L² error")).title("Simulation");
    let frames = last.rollout.len();
    for n in [0, frames / 2, frames.saturating_sub(1)] {
        let value = |report: &Report| report.rollout.get(n).copied().unwrap_or(f64::NAN);
        simulation = simulation.series(over(&format!("after {} frames", n + 1), &value)?);
    }
    let figure = Figure::new().title(name).push(vec![losses, by_lambda, simulation]);
    figure.save(folder.join("curves.png"))?;
    figure.save(folder.join("curves.svg"))
}
