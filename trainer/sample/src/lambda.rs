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

#[cfg(test)]
mod tests {
    use super::*;
    use finescale::predictor::Trained;
    use finescale::sampler::emergence;
    use finescale_field::grid::with_points;
    use finescale_model::export::AlignedBytes;
    use std::path::Path;

    /// What boards start from is what this program starts from.
    #[test]
    fn boards_have_the_same_lambda() {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
        for (file, points) in [
            ("kolmogorov-32/kolmogorov-32-int16.finescale", &[8, 8][..]),
            ("winds/winds-int8.finescale", &[8, 16]),
            ("lorenz96/lorenz96.finescale", &[32]),
            ("kuramoto-sivashinsky/kuramoto-sivashinsky-int8.finescale", &[16]),
        ] {
            let bytes = AlignedBytes::new(&std::fs::read(models.join(file)).unwrap());
            let view = bytes.parse().unwrap();
            let coarse = with_points(view.grid(), points).unwrap();
            let mut memory = vec![0.0; Trained::memory_len(&view)];
            let predictor = Trained::new(&view, &mut memory).unwrap();
            let on_boards = emergence(predictor.describe(), &coarse);
            let here = suggested(&view, &coarse).unwrap();
            assert_eq!(on_boards.is_some(), here.is_some(), "{file}");
            let (on_boards, here) = (on_boards.unwrap_or(1.0), here.unwrap_or(1.0));
            assert!((on_boards / here - 1.0).abs() < 2e-7, "{file}: {on_boards}, {here}");
            assert!(here > 1e-3, "{file}: {here}");
        }
    }
}
