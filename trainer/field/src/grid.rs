//! Grids of one domain with other numbers of points, and what modes are on both.

use finescale::spectral::{self, operator};
use finescale::{Error, Grid, Modes};

/// What refining multiplies each mode of the fine grid with, `[mode]`; 0 where the coarse grid has
/// none.
///
/// # Errors
/// If the grids are not of one domain, or `coarse` has more points.
pub fn refining_gain(coarse: &Grid, fine: &Grid) -> Result<Vec<f32>, Error> {
    let mut gain = vec![0.0; fine.points()];
    let ones = vec![1.0; coarse.points()];
    spectral::refine(coarse, Modes::coarse(&ones), fine, Modes::from_mut(&mut gain))?;
    Ok(gain)
}

/// Applies a packed operator to spectra `[…][mode]`, in place.
///
/// # Errors
/// If the operator is not of one channel of the grid.
pub fn apply(grid: &Grid, operator: &[f32], spectra: &mut [f32]) -> Result<(), Error> {
    for spectrum in spectra.chunks_exact_mut(grid.points()) {
        let given = spectrum.to_vec();
        spectrum.fill(0.0);
        operator::apply(grid, operator, Modes::new(&given), Modes::from_mut(spectrum))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use finescale::{Axis, Boundary};

    /// If it failed, the runtime would say that coarse and fine grids are of different domains.
    #[test]
    fn the_unit_of_wavenumbers_is_kept_to_its_last_bit() {
        for boundary in [Boundary::Periodic, Boundary::Reflecting] {
            for n in 0..20_000_u16 {
                let length = (f32::from(n) * 1.37e-3 - 13.8).exp().clamp(1e-6, 1e6);
                let fine = Axis::new(64, boundary).unwrap().with_length(length).unwrap();
                let coarse = Grid::line(fine).with_points([1, 16]).unwrap().x();
                assert_eq!(coarse.points(), 16);
                assert_eq!(coarse.wavenumber_unit(), fine.wavenumber_unit(), "length {length}");
            }
        }
    }
}
