//! What a network sees of frames: see [`finescale::model::View`].

use finescale::model::{Component, Derivative, View, Views};
use finescale::{Axis, Boundary, Grid, Laplacian};

use crate::basis::Basis;
use crate::linear::Noised;

/// One component of the views, at one λ.
#[derive(Clone, Debug)]
pub struct Seen {
    grid: Grid,
    /// Which one.
    pub component: Component,
    /// What modes are multiplied with, `[channel][mode]`.
    pub filter: Vec<f64>,
    /// What a difference is multiplied with, `[channel]`; 1 where there is none.
    pub factors: Vec<f64>,
}

/// The components of views of frames at a λ.
pub fn seen(grid: &Grid, views: Views, noised: &Noised) -> Vec<Seen> {
    let Noised { signal, variance: total, .. } = noised;
    let grid = *grid;
    let squares: Vec<f64> = grid.kappas(Laplacian::Spectral).map(f64::from).collect();
    let points = squares.len();
    let channels = || signal.chunks_exact(points).zip(total.chunks_exact(points));
    let of = |component: Component| {
        let view = component.view;
        let (mut filter, mut factors) = (Vec::new(), Vec::new());
        for (signal, total) in channels() {
            let modes = || signal.iter().zip(total).zip(&squares);
            // W and what it keeps of the signal's variance.
            let wiener = |((s, v), _): ((&f64, &f64), &f64)| if *v > 0.0 { s / v } else { 0.0 };
            let mean = |weight: &dyn Fn(f64) -> f64| {
                let kept = modes().map(|mode| mode.0.0 * wiener(mode) * weight(*mode.1));
                (kept.sum::<f64>() / points as f64).sqrt().max(1e-12)
            };
            let axes = if grid.is_line() { 1.0 } else { 2.0 };
            let inverse = |k2: f64, power: i32| if k2 > 0.0 { k2.powi(-power) } else { 0.0 };
            let (flat, potential) = (mean(&|_| 1.0), mean(&|k2| inverse(k2, 2)));
            match view {
                View::Raw => {
                    let all = (total.iter().sum::<f64>() / points as f64).sqrt().max(1e-12);
                    filter.extend(vec![1.0 / all; points]);
                }
                View::Filtered | View::Gradient => {
                    filter.extend(modes().map(|mode| wiener(mode) / flat));
                }
                View::Potential | View::Velocity => filter
                    .extend(modes().map(|mode| -wiener(mode) * inverse(*mode.1, 1) / potential)),
            }
            factors.push(match view {
                View::Filtered | View::Raw | View::Potential => 1.0,
                View::Gradient => flat / mean(&|k2| k2 / axes),
                View::Velocity => potential / mean(&|k2| inverse(k2, 1) / axes),
            });
        }
        if let Some((axis, _)) = axis(&grid, component) {
            let sign = if component.negative { -1.0 } else { 1.0 };
            let spacing = f64::from(axis.length()) / axis.points() as f64;
            factors.iter_mut().for_each(|factor| *factor *= sign / (2.0 * spacing));
        }
        Seen { grid, component, filter, factors }
    };
    views.components(&grid).map(of).collect()
}

/// The axis of a component's difference, and whether it is y.
pub fn axis(grid: &Grid, component: Component) -> Option<(Axis, bool)> {
    match component.derivative? {
        Derivative::X => Some((grid.x(), false)),
        Derivative::Y => grid.y().map(|axis| (axis, true)),
    }
}

impl Seen {
    /// Fields of spectra `[…][channel][mode]`.
    pub(super) fn fields(&self, basis: &Basis, spectra: &[f64]) -> Vec<f64> {
        let filtered: Vec<f64> =
            spectra.iter().zip(self.filter.iter().cycle()).map(|(u, f)| u * f).collect();
        self.difference(&basis.inverse(&filtered), false)
    }

    /// The transpose of [`Seen::fields`].
    pub(super) fn spectra(&self, basis: &Basis, fields: &[f64]) -> Vec<f64> {
        let spectra = basis.forward(&self.difference(fields, true));
        spectra.iter().zip(self.filter.iter().cycle()).map(|(v, f)| v * f).collect()
    }

    fn difference(&self, fields: &[f64], transposed: bool) -> Vec<f64> {
        let Some((axis, along_y)) = axis(&self.grid, self.component) else {
            return fields.to_vec();
        };
        let (points, nx, n) = (self.grid.points(), self.grid.nx(), axis.points());
        let mut out = vec![0.0; fields.len()];
        for (i, _) in fields.iter().enumerate() {
            let factor = self.factors[i / points % self.factors.len()];
            let (at, stride) = if along_y { (i % points / nx, nx) } else { (i % nx, 1) };
            let start = i - at * stride;
            let (before, behind) = match axis.boundary() {
                Boundary::Periodic => ((at + n - 1) % n, (at + 1) % n),
                Boundary::Reflecting => (at.saturating_sub(1), (at + 1).min(n - 1)),
            };
            let (before, behind) = (start + before * stride, start + behind * stride);
            if transposed {
                out[behind] += factor * fields[i];
                out[before] -= factor * fields[i];
            } else {
                out[i] = factor * (fields[behind] - fields[before]);
            }
        }
        out
    }
}
