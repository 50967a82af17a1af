//! Where what a coarse grid lacks emerges from the noise.

use core::f64::consts::PI;

use crate::predictor::Description;
use crate::process::Kappa;
use crate::spectral::RadialBins;
use crate::{Axis, ForwardProcess, Grid, checked};

/// λ* for coarse frames: the largest emergence scale of all shells of wavenumbers beyond the cut-off
/// of the grid `coarse`, so that nothing which that grid lacks stands out of the noise of λ*.
///
/// A mode of power P emerges where C²P = Σ, at λ = ln(1 + 2ακP/β²)/(2ακ); P and κ are means over a
/// shell. `None` if some such shell is stronger than its noise even at λ = 1; 0 if nothing is
/// beyond the cut-off. In f64, relative error ≤ 1e-7, and 1e-5 where a coupling ends
/// before. Cost: a visit of every mode for each shell, so
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
            let (mut modes, mut powers) = (0.0_f64, 0.0_f64);
            let mut kappas = Kappa::from(0.0_f64);
            let kappa = process.kappas(grid, channel);
            for ((power, kappa), k) in power.iter().zip(kappa).zip(grid.wavenumbers()) {
                if bins.bin(k) == bin {
                    modes += 1.0;
                    kappas.below += f64::from(kappa.below);
                    kappas.above += f64::from(kappa.above);
                    powers += f64::from(*power);
                }
            }
            let modes = modes.max(1.0);
            let kappas = Kappa { below: kappas.below / modes, above: kappas.above / modes };
            let scale = scale(process, kappas, powers / modes);
            if scale > 1.0 {
                return None;
            }
            largest = largest.max(scale);
        }
    }
    Some(largest as f32)
}

/// λ at which a mode is as strong as its noise: as [`ForwardProcess::scale`], in f64.
fn scale(process: &ForwardProcess, kappa: Kappa<f64>, power: f64) -> f64 {
    let (alpha, beta2) = (f64::from(process.alpha()), f64::from(process.beta2()));
    let constant = |kappa: f64, power: f64| {
        let (rate, ratio) = (2.0 * alpha * kappa, power / beta2);
        if rate * ratio < 1e-300 { ratio } else { libm::log1p(rate * ratio) / rate }
    };
    let first = constant(kappa.below, power);
    let Some(switch) = process.switches_before(first) else { return first };
    // What is left there: single precision will do, and boards have its exponential anyway.
    let single = Kappa { below: kappa.below as f32, above: kappa.above as f32 };
    f64::from(switch) + constant(kappa.above, process.left(single, power as f32).into())
}
