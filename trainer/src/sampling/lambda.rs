//! The λ* that goes with a coarse grid, from what a model knows of its data.

use std::f64::consts::PI;

use anyhow::Result;
use finescale::model::Model as View;
use finescale::predictor::Linear;
use finescale::spectral::RadialBins;
use finescale::{Grid, Predictor};

use crate::dataset::emergence::Process;

/// P of every channel and mode, `[channel][y mode][x mode]`, of the standardised data.
///
/// # Errors
/// If the model's linear base cannot be used.
pub fn power(view: &View<'_>) -> Result<Vec<f32>> {
    let (grid, channels) = (view.grid(), view.channels());
    let mut memory = vec![0.0; Linear::memory_len(grid, channels, view.window())];
    let linear = Linear::new(grid, view.process(), channels, view.autocovariance(), &mut memory)?;
    Ok(linear.power().to_vec())
}

/// λ* for frames on `coarse`: the largest emergence scale of the shells beyond its cut-off, as `finescale data info` has
/// it from the data. `None` if a mode there is stronger than its noise up to λ = 1.
///
/// # Errors
/// As [`power`].
pub fn suggested(view: &View<'_>, coarse: &Grid) -> Result<Option<f32>> {
    let (grid, process) = (view.grid(), view.process());
    let cutoffs = coarse.y().into_iter().chain([coarse.x()]);
    let cutoff = cutoffs
        .map(|axis| PI * axis.points() as f64 / f64::from(axis.length()))
        .fold(f64::INFINITY, f64::min)
        * (1.0 - 1e-6);
    let bins = RadialBins::new(grid);
    let strengths =
        Process { alpha: f64::from(process.alpha()), beta2: f64::from(process.beta2()) };
    let mut largest = 0.0_f64;
    for power in power(view)?.chunks_exact(grid.points()) {
        // Sums of κ and P over the modes of each shell.
        let mut shells = vec![(0.0, 0.0, 0_u32); bins.count()];
        let modes = grid.wavenumbers().zip(grid.kappas(process.laplacian())).zip(power);
        for ((k, kappa), power) in modes {
            let shell = &mut shells[bins.bin(k)];
            *shell = (shell.0 + f64::from(kappa), shell.1 + f64::from(*power), shell.2 + 1);
        }
        for (bin, (kappa, power, count)) in shells.into_iter().enumerate() {
            if f64::from(bins.wavenumber(bin)) < cutoff || count == 0 || power <= 0.0 {
                continue;
            }
            let count = f64::from(count);
            match strengths.emergence((kappa / count).sqrt(), power / count) {
                Some(lambda) => largest = largest.max(lambda),
                None => return Ok(None),
            }
        }
    }
    Ok(Some(largest as f32))
}
