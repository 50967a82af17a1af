//! Grids of one domain with other numbers of points, and what modes are on both.

use finescale::spectral::{self, operator};
use finescale::{Axis, Error, Grid};

/// The domain of a grid with so many points along each axis, y before x; axes that `points` does
/// not name keep theirs.
///
/// # Errors
/// If an axis cannot have as many points.
pub fn with_points(grid: &Grid, points: &[usize]) -> Result<Grid, Error> {
    let mut points = points.iter();
    let mut axis = |axis: Axis| match points.next() {
        Some(&points) => axis.with_points(points),
        None => Ok(axis),
    };
    Ok(match grid.y() {
        Some(y) => Grid::plane(axis(y)?, axis(grid.x())?)?,
        None => Grid::line(axis(grid.x())?),
    })
}

/// What refining multiplies each mode of the fine grid with, `[mode]`; 0 where the coarse grid has
/// none.
///
/// # Errors
/// If the grids are not of one domain, or `coarse` has more points.
pub fn refining_gain(coarse: &Grid, fine: &Grid) -> Result<Vec<f32>, Error> {
    let mut gain = vec![0.0; fine.points()];
    spectral::refine(coarse, &vec![1.0; coarse.points()], fine, &mut gain)?;
    Ok(gain)
}

/// Means of fields `[…][y][x]` over so many blocks of points along y and along x, which divide the
/// points along every axis.
pub fn block_means(fine: &Grid, [ny, nx]: [usize; 2], fields: &[f32]) -> Vec<f32> {
    let (by, bx) = (fine.ny() / ny, fine.nx() / nx);
    let scale = 1.0 / (by * bx) as f64;
    let mut out = Vec::with_capacity(fields.len() / (by * bx));
    for field in fields.chunks_exact(fine.points()) {
        for y in 0..ny {
            for x in 0..nx {
                let rows =
                    (y * by..(y + 1) * by).map(|row| &field[row * fine.nx() + x * bx..][..bx]);
                let sum: f64 = rows.flatten().map(|&v| f64::from(v)).sum();
                out.push((sum * scale) as f32);
            }
        }
    }
    out
}

/// Applies a packed operator to spectra `[…][mode]`, in place.
///
/// # Errors
/// If the operator is not of one channel of the grid.
pub fn apply(grid: &Grid, operator: &[f32], spectra: &mut [f32]) -> Result<(), Error> {
    for spectrum in spectra.chunks_exact_mut(grid.points()) {
        let given = spectrum.to_vec();
        spectrum.fill(0.0);
        operator::apply(grid, operator, &given, spectrum)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use finescale::Boundary;

    /// If it failed, the runtime would say that coarse and fine grids are of different domains.
    #[test]
    fn the_unit_of_wavenumbers_is_kept_to_its_last_bit() {
        for boundary in [Boundary::Periodic, Boundary::Reflecting] {
            for n in 0..20_000_u16 {
                let length = (f32::from(n) * 1.37e-3 - 13.8).exp().clamp(1e-6, 1e6);
                let fine = Axis::new(64, boundary).unwrap().with_length(length).unwrap();
                let coarse = with_points(&Grid::line(fine), &[16]).unwrap().x();
                assert_eq!(coarse.points(), 16);
                assert_eq!(coarse.wavenumber_unit(), fine.wavenumber_unit(), "length {length}");
            }
        }
    }
}
