//! Low, middle and high wavenumbers, seen from the coarse grid.

use anyhow::{Result, ensure};
use finescale::Grid;
use serde::Serialize;

use finescale_data::dataset::{SpatialAxis, Spec};
use finescale_field::emergence::cutoff;

/// A range of |k|.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Band {
    /// "low", "middle" or "high".
    pub name: &'static str,
    /// Lowest |k|, radians per unit length; it belongs to the band.
    pub from: f64,
    /// Highest |k|; it belongs to the next band.
    pub to: Option<f64>,
}

/// The three bands of a grid.
///
/// With K the Nyquist wavenumber π·points/length of the coarse grid (the smaller of both axes') and
/// N that of the fine one:
///
/// | band | wavenumbers | what is known of it |
/// |---|---|---|
/// | low | \|k\| < K | the coarse grid carries it |
/// | middle | K ≤ \|k\| < √(K N) | lost, but close to what is known |
/// | high | √(K N) ≤ \|k\| | lost |
#[derive(Clone, Debug, PartialEq)]
pub struct Bands {
    /// Low, middle, high.
    pub bands: Vec<Band>,
    /// Band of every mode of a channel in storage order.
    pub of_mode: Vec<usize>,
}

impl Bands {
    /// Number of bands.
    pub const COUNT: usize = 3;

    /// The bands of `spec`'s grid, for coarse points along y (on a plane) and x; by default a
    /// quarter of the fine ones, for tasks without a coarse grid.
    ///
    /// # Errors
    /// If the coarse grid does not fit.
    pub fn new(spec: &Spec, coarse: Option<&[usize]>) -> Result<Self> {
        let fine: Vec<usize> = spec.axes().map(SpatialAxis::points).collect();
        let quarter: Vec<usize> = fine.iter().map(|n| n / 4).collect();
        let coarse = coarse.unwrap_or(&quarter);
        ensure!(
            coarse.len() == fine.len()
                && coarse.iter().zip(&fine).all(|(c, f)| (1..*f).contains(c)),
            "a coarse grid of {coarse:?} points does not fit: give fewer points than the {fine:?} \
             of the fine one, for each axis"
        );
        let nyquist =
            |points: &[usize]| cutoff(points.iter().copied().zip(spec.axes().map(|a| a.length)));
        let low = nyquist(coarse);
        let middle = (low * nyquist(&fine)).sqrt();
        let bands = vec![
            Band { name: "low", from: 0.0, to: Some(low) },
            Band { name: "middle", from: low, to: Some(middle) },
            Band { name: "high", from: middle, to: None },
        ];
        let grid: Grid = spec.grid()?;
        // Wavenumbers come in f32: a mode at an edge must not fall below it by rounding.
        let above = |k: f64, edge: f64| k >= edge * (1.0 - 1e-6);
        let of_mode = grid
            .wavenumbers()
            .map(|(ky, kx)| {
                let k = f64::from(ky).hypot(f64::from(kx));
                usize::from(above(k, low)) + usize::from(above(k, middle))
            })
            .collect();
        Ok(Self { bands, of_mode })
    }

    /// Band of a wavenumber.
    pub fn of(&self, k: f64) -> usize {
        self.bands.iter().rposition(|band| k >= band.from * (1.0 - 1e-6)).unwrap_or(0)
    }
}
