//! A sensor: coarse frames of fine ones, and the modes of the fine grid that they show.

use anyhow::{Result, ensure};
use finescale::{Grid, spectral};
use finescale_field::grid::{apply, block_means, with_points};
use finescale_model::conditional::SensorKind;

/// What gives coarse frames.
#[derive(Clone, Debug)]
pub struct Sensor {
    /// The grid of the fine frames.
    pub fine: Grid,
    /// Its own grid.
    pub coarse: Grid,
    kind: SensorKind,
    /// A⁻¹ of the resolved modes, packed; 0 of the others. None where values are modes as they are.
    inverse: Option<Vec<f32>>,
}

impl Sensor {
    /// With so many fine points for each of its own along every axis.
    ///
    /// # Errors
    /// If that is no grid.
    pub fn new(fine: &Grid, kind: SensorKind, ratio: usize) -> Result<Self> {
        let axes = fine.y().into_iter().chain([fine.x()]);
        let points: Vec<usize> = axes.map(|axis| axis.points()).collect();
        let divides = points.iter().all(|points| points.is_multiple_of(ratio));
        let coarse: Vec<usize> = points.iter().map(|points| points / ratio).collect();
        let coarse = with_points(fine, &coarse).ok().filter(|_| divides);
        ensure!(
            coarse.is_some(),
            "sensor.ratio is {ratio}, and an axis has {} points: use a divisor that leaves an even \
             number of at least 8",
            points.iter().min().copied().unwrap_or_default()
        );
        let coarse = coarse.unwrap_or(*fine);
        let inverse = match kind {
            SensorKind::Modes => None,
            SensorKind::BlockMean => {
                let n = fine.points();
                let (mut inverse, mut variances) = (vec![0.0; n], vec![0.0; n]);
                let power = vec![1.0; n];
                spectral::pixel_modes(fine, &coarse, 0.0, &power, &mut inverse, &mut variances)?;
                Some(inverse)
            }
        };
        Ok(Self { fine: *fine, coarse, kind, inverse })
    }

    /// Its values of fields `[…][y][x]` of the fine grid, without noise.
    ///
    /// # Errors
    /// If the slice is no whole number of fields.
    pub fn values(&self, fields: &[f32]) -> Result<Vec<f32>> {
        if self.kind == SensorKind::BlockMean {
            return Ok(block_means(&self.fine, &self.coarse, fields));
        }
        let mut scratch = vec![0.0; spectral::scratch_len(&self.fine)];
        let mut spectra = fields.to_vec();
        spectral::forward(&self.fine, &mut spectra, &mut scratch)?;
        let mut out = vec![0.0; fields.len() / self.fine.points() * self.coarse.points()];
        spectral::coarsen(&self.fine, &spectra, &self.coarse, &mut out)?;
        spectral::inverse(&self.coarse, &mut out, &mut scratch)?;
        Ok(out)
    }

    /// û_y of its values `[…][y′][x′]`: their spectra, brought to the fine grid and freed of the
    /// average over blocks.
    ///
    /// # Errors
    /// As [`Sensor::values`].
    pub fn modes(&self, values: &[f32]) -> Result<Vec<f32>> {
        let mut coarse = values.to_vec();
        spectral::forward(
            &self.coarse,
            &mut coarse,
            &mut vec![0.0; spectral::scratch_len(&self.coarse)],
        )?;
        let mut spectra = vec![0.0; values.len() / self.coarse.points() * self.fine.points()];
        spectral::refine(&self.coarse, &coarse, &self.fine, &mut spectra)?;
        if let Some(inverse) = &self.inverse {
            apply(&self.fine, inverse, &mut spectra)?;
        }
        Ok(spectra)
    }

    /// [`Sensor::modes`] as a matrix along each axis, `[coarse point][fine mode]`, y before x. It
    /// is a product over the axes: so are the transforms, and the average over blocks.
    ///
    /// # Errors
    /// Never for a sensor that exists.
    pub fn matrices(&self) -> Result<Vec<Vec<f32>>> {
        let axes = self.fine.y().into_iter().chain([self.fine.x()]);
        axes.zip(self.coarse.y().into_iter().chain([self.coarse.x()]))
            .map(|(fine, coarse)| {
                let ratio = fine.points() / coarse.points();
                let line = Self::new(&Grid::line(fine), self.kind, ratio)?;
                let n = coarse.points();
                let mut points = vec![0.0; n * n];
                points.iter_mut().step_by(n + 1).for_each(|diagonal| *diagonal = 1.0);
                line.modes(&points)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use finescale::{Axis, NoiseStream};

    fn grids() -> [Grid; 3] {
        let [x, y] = [32, 64].map(|n| Axis::periodic(n).unwrap());
        let wall = Axis::reflecting(48).unwrap();
        [Grid::line(x), Grid::plane(y, x).unwrap(), Grid::plane(wall, x).unwrap()]
    }

    fn noise(n: usize) -> Vec<f32> {
        let mut values = vec![0.0; n];
        NoiseStream { seed: 3, member: 0, frame: 0, draw: 0 }.fill(&mut values);
        values
    }

    /// If it failed, a network would see something else than the field, for both sensors.
    #[test]
    fn modes_that_the_sensor_resolves_are_those_of_the_field() {
        for grid in grids() {
            for kind in [SensorKind::Modes, SensorKind::BlockMean] {
                let sensor = Sensor::new(&grid, kind, 4).unwrap();
                // Below the coarse Nyquist, which no sensor tells apart from its mirror.
                let coarse = noise(sensor.coarse.points());
                let mut truth = vec![0.0; grid.points()];
                spectral::refine(&sensor.coarse, &coarse, &grid, &mut truth).unwrap();
                let below = Sensor::new(&grid, SensorKind::BlockMean, 4).unwrap().inverse.unwrap();
                truth
                    .iter_mut()
                    .zip(&below)
                    .filter(|(_, b)| **b == 0.0)
                    .for_each(|(u, _)| *u = 0.0);
                let mut field = truth.clone();
                let mut scratch = vec![0.0; spectral::scratch_len(&grid)];
                spectral::inverse(&grid, &mut field, &mut scratch).unwrap();
                let seen = sensor.modes(&sensor.values(&field).unwrap()).unwrap();
                assert!(truth.iter().any(|u| u.abs() > 1.0));
                for (a, b) in seen.iter().zip(&truth) {
                    assert!((a - b).abs() < 2e-5, "{kind:?} {grid:?}: {a} for {b}");
                }
            }
        }
    }

    /// If it failed, trainings would see other modes than boards.
    #[test]
    fn matrices_along_the_axes_are_the_whole_map() {
        for grid in grids() {
            for kind in [SensorKind::Modes, SensorKind::BlockMean] {
                let sensor = Sensor::new(&grid, kind, 4).unwrap();
                let matrices = sensor.matrices().unwrap();
                let (n, nx) = (sensor.coarse.points(), sensor.coarse.nx());
                let (values, x) = (noise(n), matrices.last().unwrap());
                let whole = sensor.modes(&values).unwrap();
                for (place, &expected) in whole.iter().enumerate() {
                    let (j, i) = (place / grid.nx(), place % grid.nx());
                    let sum: f32 = (0..n)
                        .map(|p| {
                            let along_y = if grid.is_line() {
                                1.0
                            } else {
                                matrices[0][p / nx * grid.ny() + j]
                            };
                            values[p] * along_y * x[p % nx * grid.nx() + i]
                        })
                        .sum();
                    assert!((sum - expected).abs() < 2e-5, "{kind:?} {grid:?}: {sum} {expected}");
                }
            }
        }
    }
}
