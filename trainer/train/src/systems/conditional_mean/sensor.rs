//! A sensor: coarse frames of fine ones, and the modes of the fine grid that they show.

use anyhow::{Result, ensure};
use finescale::{Field, Grid, Values, spectral};
use finescale_field::coarsening::{Coarsening, SensorKind};
use finescale_model::Shown;

/// What gives coarse frames.
#[derive(Clone, Debug)]
pub struct Sensor {
    /// The grid of the fine frames.
    pub fine: Grid,
    /// Its own points along y, 1 on a line, and along x.
    pub coarse: [usize; 2],
    kind: SensorKind,
    shown: Shown,
}

impl Sensor {
    /// With so many fine points for each of its own along every axis.
    ///
    /// # Errors
    /// If that leaves no whole points, or of modes no grid.
    pub fn new(fine: &Grid, kind: SensorKind, ratio: usize) -> Result<Self> {
        let axes = || fine.axes().map(|axis| axis.points());
        let divides = axes().all(|points| points.is_multiple_of(ratio) && points > ratio);
        ensure!(
            divides,
            "sensor.ratio is {ratio}, and an axis has {} points: use a smaller divisor of all axes",
            axes().min().unwrap_or_default()
        );
        let coarse = [if fine.is_line() { 1 } else { fine.ny() / ratio }, fine.nx() / ratio];
        let shown = Shown::new(fine, coarse, kind);
        let sensor = Self { fine: *fine, coarse, kind, shown };
        if kind == SensorKind::Modes {
            ensure!(
                fine.with_points(coarse).is_ok(),
                "sensor.ratio is {ratio}, and modes need an even number of points, at least 8, along \
                 each axis of the coarse grid: use a smaller ratio, or sensor.kind = \"block-mean\""
            );
        }
        Ok(sensor)
    }

    /// Its points in a frame of one channel.
    pub fn points(&self) -> usize {
        self.coarse.iter().product()
    }

    /// Its values of fields `[…][y][x]` of the fine grid, without noise.
    ///
    /// # Errors
    /// If the slice is no whole number of fields.
    pub fn values(&self, fields: &[f32]) -> Result<Vec<f32>> {
        Coarsening::from(Values::from(self.kind)).apply(&self.fine, self.coarse, fields)
    }

    /// The fields that its values `[…][y′][x′]` show.
    pub fn fields(&self, values: &[f32]) -> Vec<f32> {
        let values: Vec<f64> = values.iter().copied().map(f64::from).collect();
        self.shown.field(&values).into_iter().map(|value| value as f32).collect()
    }

    /// û_y of its values: the modes of what they show.
    ///
    /// # Errors
    /// As [`Sensor::values`].
    pub fn modes(&self, values: &[f32]) -> Result<Vec<f32>> {
        let mut fields = self.fields(values);
        let mut scratch = vec![0.0; spectral::scratch_len(&self.fine)];
        spectral::forward(&self.fine, Field::from_mut(&mut fields), &mut scratch)?;
        Ok(fields)
    }

    /// [`Sensor::modes`] as a matrix along each axis, `[coarse point][fine mode]`, y before x. It
    /// is a product over the axes: so are the transforms, and what is shown.
    ///
    /// # Errors
    /// Never for a sensor that exists.
    pub fn matrices(&self) -> Result<Vec<Vec<f32>>> {
        self.along_axes(|sensor| sensor.modes(&identity(sensor.points())))
    }

    /// [`Sensor::values`] as a matrix along each axis, `[fine point][coarse point]`, y before x.
    ///
    /// # Errors
    /// Never for a sensor that exists.
    pub fn sees(&self) -> Result<Vec<Vec<f32>>> {
        self.along_axes(|sensor| sensor.values(&identity(sensor.fine.points())))
    }

    /// [`Sensor::fields`] of [`Sensor::values`] as a matrix along each axis,
    /// `[fine point][fine point]`, y before x.
    ///
    /// # Errors
    /// Never for a sensor that exists.
    pub fn shows(&self) -> Result<Vec<Vec<f32>>> {
        self.along_axes(|sensor| {
            let seen = sensor.values(&identity(sensor.fine.points()))?;
            Ok(sensor.fields(&seen))
        })
    }

    fn along_axes(&self, of: impl Fn(&Self) -> Result<Vec<f32>>) -> Result<Vec<Vec<f32>>> {
        let axes = self.fine.axes();
        let points = &self.coarse[usize::from(self.fine.is_line())..];
        let lines = axes.zip(points).map(|(axis, &n)| {
            let fine = Grid::line(axis);
            let (coarse, shown) = ([1, n], Shown::new(&fine, [1, n], self.kind));
            of(&Self { fine, coarse, shown, ..*self })
        });
        lines.collect()
    }
}

/// Fields of so many points, each with one that is 1.
fn identity(n: usize) -> Vec<f32> {
    let mut fields = vec![0.0; n * n];
    fields.iter_mut().step_by(n + 1).for_each(|diagonal| *diagonal = 1.0);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use finescale::{Axis, Modes, NoiseStream};

    fn grids() -> [Grid; 3] {
        let [x, y] = [32, 64].map(|n| Axis::periodic(n).unwrap());
        let wall = Axis::reflecting(48).unwrap();
        [Grid::line(x), Grid::plane(y, x).unwrap(), Grid::plane(wall, x).unwrap()]
    }

    /// An eighth of the points along every axis, or the fewest that an axis can have.
    fn below(grid: &Grid) -> Grid {
        let [y, x] = [grid.ny(), grid.nx()].map(|points| Axis::nearest_points(points / 8, 64));
        grid.with_points([y, x]).unwrap()
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
                let below = below(&grid);
                let mut truth = vec![0.0; grid.points()];
                let (smaller, modes) = (noise(below.points()), Modes::from_mut(&mut truth));
                spectral::refine(&below, Modes::coarse(&smaller), &grid, modes).unwrap();
                for (u, (ky, kx)) in truth.iter_mut().zip(grid.wavenumbers()) {
                    // Of the smaller grid's own Nyquist only one wave of two is there.
                    let inside = |k: f32, n: usize| k.abs() < 0.5 * n as f32;
                    if !inside(ky, below.ny()) || !inside(kx, below.nx()) {
                        *u = 0.0;
                    }
                }
                let mut field = truth.clone();
                let mut scratch = vec![0.0; spectral::scratch_len(&grid)];
                spectral::inverse(&grid, Modes::from_mut(&mut field), &mut scratch).unwrap();
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
                let (n, nx) = (sensor.points(), sensor.coarse[1]);
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
