//! Where what a coarse grid lacks emerges from the noise.

use core::f64::consts::PI;

use crate::predictor::Description;
use crate::spectral::RadialBins;
use crate::{Axis, Grid, checked};

/// λ* for coarse frames: the largest emergence scale of all shells of wavenumbers beyond the cut-off
/// of the grid `coarse`, so that nothing which that grid lacks stands out of the noise of λ*.
///
/// A mode of power P emerges where C²P = Σ, at λ = ln(1 + 2ακP/β²)/(2ακ); P and κ are means over a
/// shell. `None` if some such shell is stronger than its noise even at λ = 1; 0 if nothing is
/// beyond the cut-off. In f64, relative error ≤ 1e-7. Cost: a visit of every mode for each shell, so
/// ask once.
pub fn emergence(description: &Description<'_>, coarse: &Grid) -> Option<f32> {
    let (grid, process) = (&description.grid, &description.process);
    let carried = |axis: Axis| PI * axis.points() as f64 / f64::from(axis.length());
    let cutoff = coarse.y().map_or(f64::INFINITY, carried).min(carried(coarse.x()));
    // The shells' distance has single precision.
    let cutoff = cutoff * (1.0 - 1e-6);
    let bins = RadialBins::new(grid);
    let mut largest = 0.0_f64;
    for bin in 0..bins.count() {
        if bin as f64 * f64::from(bins.width()) < cutoff {
            continue;
        }
        let channels = checked::counted(description.power.chunks_exact(grid.points()));
        for (channel, power) in channels {
            let (mut modes, mut kappas, mut powers) = (0.0_f64, 0.0_f64, 0.0_f64);
            let kappa = process.kappas(grid, channel);
            for ((power, kappa), k) in power.iter().zip(kappa).zip(grid.wavenumbers()) {
                if bins.bin(k) == bin {
                    modes += 1.0;
                    kappas += f64::from(kappa);
                    powers += f64::from(*power);
                }
            }
            let modes = modes.max(1.0);
            let rate = 2.0 * f64::from(process.alpha()) * (kappas / modes);
            let ratio = powers / modes / f64::from(process.beta2());
            let scale =
                if rate * ratio < 1e-300 { ratio } else { libm::log1p(rate * ratio) / rate };
            if scale > 1.0 {
                return None;
            }
            largest = largest.max(scale);
        }
    }
    Some(largest as f32)
}
