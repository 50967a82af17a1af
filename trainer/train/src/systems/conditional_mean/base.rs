//! What the mean is without a network: interpolation, or a ridge regression of low rank.

use anyhow::{Context, Result};
use finescale_model::conditional;
use finescale_model::ridge::{HELD, Moments, Parting, Reduced};
use nalgebra::DMatrix;
use rayon::prelude::*;

use super::frames::{Part, by_blocks, window};
use super::ridge;
use super::sensor::Sensor;
use super::settings::Mean;

/// Samples whose predictors are made together.
const SAMPLES: usize = 1024;

/// The base of all frames.
#[derive(Clone, Debug)]
pub enum FittedBase {
    /// The field of û_y of frame n.
    Interpolation,
    /// up · down · window.
    Ridge {
        /// Numbers × coarse values of a window, oldest frame first.
        down: DMatrix<f32>,
        /// Fine values × numbers.
        up: DMatrix<f32>,
    },
}

impl FittedBase {
    /// Fits what the settings ask for to the frames of the training part, as the sensor sees them.
    ///
    /// # Errors
    /// If the frames are too few, or too large for a regression.
    pub fn fit(settings: &Mean, sensor: &Sensor, train: &Part, seen: &[f32]) -> Result<Self> {
        if settings.base == conditional::Base::Interpolation {
            return Ok(Self::Interpolation);
        }
        let parting = Parting::of(&train.segments).with_context(|| {
            format!(
                "mean.base is \"ridge\", and no run of training frames has {HELD} frames, of which \
                 the last chooses the penalty: use data with longer runs, or \"interpolation\""
            )
        })?;
        let sums = |part: &Vec<usize>| sums(settings, sensor, train, seen, part);
        let moments = parting.parts.iter().map(sums).collect::<Result<Vec<_>>>()?;
        let frames = train.frames();
        let rank =
            settings.rank_of(settings.frames() * seen.len() / frames, train.fine.len() / frames);
        let Reduced { down, up } = ridge::fit(settings, sensor, &parting, &moments, rank)?;
        Ok(Self::Ridge { down: down.cast(), up: up.cast() })
    }

    /// Base of every frame of a part, `[frame][channel][y][x]`.
    ///
    /// # Errors
    /// After Ctrl-C.
    pub fn fields(
        &self,
        settings: &Mean,
        sensor: &Sensor,
        part: &Part,
        seen: &[f32],
    ) -> Result<Vec<f32>> {
        let frame = seen.len() / part.frames();
        match self {
            Self::Interpolation => by_blocks(seen, frame, |values| Ok(sensor.fields(values))),
            Self::Ridge { down, up } => {
                let frames: Vec<usize> = (0..part.frames()).collect();
                let blocks = frames.par_chunks(SAMPLES).map(|block| {
                    let x: DMatrix<f32> = predictors(settings, part, seen, block).cast();
                    (up * (down * x)).as_slice().to_vec()
                });
                Ok(blocks.collect::<Vec<_>>().concat())
            }
        }
    }
}

/// Coarse values of the windows of some frames, a window in each column.
fn predictors(settings: &Mean, part: &Part, seen: &[f32], frames: &[usize]) -> DMatrix<f64> {
    let len = seen.len() / part.frames();
    let places =
        frames.iter().flat_map(|&n| window(&part.segments, n, settings.before, settings.after));
    let values = places.flat_map(|n| &seen[n * len..][..len]).map(|&value| f64::from(value));
    DMatrix::from_iterator(settings.frames() * len, frames.len(), values)
}

/// What interpolation leaves of some frames, a frame in each column.
fn targets(sensor: &Sensor, part: &Part, seen: &[f32], frames: &[usize]) -> DMatrix<f64> {
    let (len, coarse) = (part.fine.len() / part.frames(), seen.len() / part.frames());
    let mut values = Vec::with_capacity(len * frames.len());
    for &n in frames {
        let fine = &part.fine[n * len..][..len];
        let base = sensor.fields(&seen[n * coarse..][..coarse]);
        values.extend(fine.iter().zip(base).map(|(truth, base)| f64::from(truth - base)));
    }
    DMatrix::from_vec(len, frames.len(), values)
}

/// Second moments of a ridge's predictors and targets.
fn sums(
    settings: &Mean,
    sensor: &Sensor,
    part: &Part,
    seen: &[f32],
    frames: &[usize],
) -> Result<Moments> {
    let blocks: Vec<&[usize]> = frames.chunks(SAMPLES).collect();
    let moments = Moments::over(&blocks, |block| {
        let z = ridge::predictors(settings, &predictors(settings, part, seen, block));
        Moments::of(&z, &targets(sensor, part, seen, block), 0)
    });
    moments?.context("the training part has no frames")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use finescale::{Axis, Grid, NoiseStream};
    use finescale_field::coarsening::SensorKind;

    /// If it failed, fine values would be predicted from the values of other places or times.
    #[test]
    fn a_linear_map_of_the_window_is_found() {
        let settings =
            Mean { before: 1, after: 2, base: conditional::Base::Ridge, ..Config::default().mean };
        let grid = Grid::line(Axis::periodic(32).unwrap());
        let sensor = Sensor::new(&grid, SensorKind::BlockMean, 4).unwrap();
        let noise = |n: usize, draw: u32| {
            let mut values = vec![0.0; n];
            NoiseStream { seed: 4, member: 0, frame: 0, draw }.fill(&mut values);
            values
        };
        let (coarse, map) = (noise(300 * 8, 1), DMatrix::from_vec(32, 32, noise(32 * 32, 2)));
        let segments = vec![0..140, 140..300];
        let mut part = Part { segments, fine: vec![0.0; 300 * 32], coarse };
        let all: Vec<usize> = (0..300).collect();
        let windows: DMatrix<f32> = predictors(&settings, &part, &part.coarse, &all).cast();
        part.fine = (map * windows).as_slice().to_vec();
        let fitted = |rank: usize| {
            let settings = Mean { rank, ..settings.clone() };
            let base = FittedBase::fit(&settings, &sensor, &part, &part.coarse).unwrap();
            base.fields(&settings, &sensor, &part, &part.coarse).unwrap()
        };
        let wrong = |rank: usize| {
            let errors = fitted(rank).into_iter().zip(&part.fine).map(|(a, b)| (a - b).abs());
            errors.fold(0.0, f32::max)
        };
        // The least penalty still shrinks weights a little; values are of size 5.
        assert!(wrong(0) < 5e-3, "{}", wrong(0));
        assert!(wrong(20) > 1.0, "a map of rank 20 is none of rank 32");
    }

    /// If it failed, a map from few frames would be worse than no map.
    #[test]
    fn without_anything_to_learn_the_map_is_interpolation() {
        let settings =
            Mean { before: 0, after: 0, base: conditional::Base::Ridge, ..Config::default().mean };
        let grid = Grid::line(Axis::periodic(32).unwrap());
        let sensor = Sensor::new(&grid, SensorKind::BlockMean, 4).unwrap();
        let (mut coarse, mut noise) = (vec![0.0; 60 * 8], vec![0.0; 60 * 32]);
        for (draw, values) in [&mut coarse, &mut noise].into_iter().enumerate() {
            NoiseStream { seed: 5, member: 0, frame: 0, draw: draw as u32 }.fill(values);
        }
        let shown = sensor.fields(&coarse);
        let fine = shown.iter().zip(&noise).map(|(shown, noise)| shown + noise).collect();
        let segments = vec![std::ops::Range { start: 0, end: 60 }];
        let part = Part { segments, fine, coarse };
        let base = FittedBase::fit(&settings, &sensor, &part, &part.coarse).unwrap();
        let fields = base.fields(&settings, &sensor, &part, &part.coarse).unwrap();
        let square = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>();
        let off = square(&mut fields.iter().zip(&shown).map(|(a, b)| a - b));
        assert!(off < 0.02 * square(&mut noise.iter().copied()), "{off}");
    }
}
