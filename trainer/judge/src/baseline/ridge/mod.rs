//! Ridge regression from the coarse field to the fine one, learned on the training part.
//!
//! Fine values y are a linear map of coarse values x and a mean, y = Wᵀx + m, with the W and m of
//! least
//!
//! ```text
//! Σ ‖y − Wᵀx − m‖² + λ‖W‖²
//! ```
//!
//! over the training frames, in standard deviations of the channels. Parts of the training frames
//! are held out in turn ([`finescale_model::ridge::Parting`]): λ, one for all points, is that of
//! [`finescale_model::ridge::PENALTIES`] with which weights from the other parts have the least
//! error there, and these errors' mean squares at every point are the variances of the Gaussian
//! whose mean is predicted. Then W is solved again from all training frames. Neither the validation
//! nor the test part is read.
//!
//! | map | x | y | where it holds |
//! |---|---|---|---|
//! | patch | 5 × 5 coarse values, across the boundary | the fine points of the middle one | everywhere |
//! | pixel | all coarse values, or a window of 5 × 5 where they are more than 256 | a fine point | there alone |
//!
//! So m is one mean for each place in a block, or one for each fine point.
//!
//! On a line, 5 values. All channels predict all channels; with neighbours, the frames before
//! and after are predictors too.

mod region;
mod training;

use anyhow::{Context, Result};
use nalgebra::DMatrix;
use rayon::prelude::*;
use serde_json::json;

pub use training::RidgeTraining;

use super::{ensemble, input};
use crate::score::same_interval;
use finescale_data::dataset::Reader;
use finescale_ensemble::Ensemble;
use finescale_model::ridge::{Moments, best, errors};
use region::{Frames, Region};
use training::around;

/// Samples whose predictors are in memory at a time.
const SAMPLES: usize = 2048;

/// What a regression maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RidgeMap {
    /// A patch of coarse values to the fine points of its middle one, the same map everywhere.
    Patch,
    /// All coarse values, or those of a window, to a fine point: a map of its own for each.
    Pixel,
}

/// Both maps; without neighbours, and with them where the result has neighbouring frames that are
/// as far apart as the data's.
pub(super) fn all(result: &Ensemble, data: &Reader) -> Result<Vec<Ensemble>> {
    let training = RidgeTraining::read(result, data)?;
    let around = result.frames() > 1 && same_interval(&result.spec, data.spec());
    let neighbours = if around { &[false, true][..] } else { &[false] };
    let maps = |&n: &bool| [RidgeMap::Patch, RidgeMap::Pixel].map(|map| (map, n));
    let all = neighbours.iter().flat_map(maps);
    all.map(|(map, neighbours)| ridge(result, &training, map, neighbours)).collect()
}

/// Learns a map and applies it to a result's coarse input.
///
/// # Errors
/// Without a coarse input.
pub fn ridge(
    result: &Ensemble,
    training: &RidgeTraining,
    map: RidgeMap,
    neighbours: bool,
) -> Result<Ensemble> {
    let input = input(result)?;
    let coarsening = input.origin()?.coarsening;
    let regions = Region::all(&result.spec, &input.spec, coarsening, map, neighbours);
    let tried = regions.par_iter().map(|region| {
        let moments = moments(region, training)?;
        let trials = training.parting.trials(&moments);
        let errors = trials
            .iter()
            .map(|(part, others)| errors(&moments[*part], |penalty| others.solve(penalty)));
        Ok(errors.collect::<Vec<_>>())
    });
    let penalty = best(&tried.collect::<Result<Vec<_>>>()?.concat());
    // Moments are summed again: those of all regions of a large grid would not fit into memory.
    let fits = regions.par_iter().map(|region| Fit::new(region, training, penalty));
    let fits = fits.collect::<Result<Vec<Fit>>>()?;
    let (points, scale) = (result.spec.points(), &training.scale);
    let mut deviation = vec![0.0; result.frame_len()];
    for (region, fit) in regions.iter().zip(&fits) {
        let places = (0..region.cells.len()).flat_map(|cell| region.places(cell));
        for (place, square) in places.zip(&fit.squares) {
            deviation[place] = (square.sqrt() * scale.std[place / points]) as f32;
        }
    }
    let (frames, coarse_len) = (result.frames(), input.spec.frame_len());
    let around: Vec<_> = around(0, frames).collect();
    let numbers: Vec<usize> = (0..frames).collect();
    let name = match (map, neighbours) {
        (RidgeMap::Patch, false) => "ridge patch",
        (RidgeMap::Pixel, false) => "ridge pixel",
        (RidgeMap::Patch, true) => "ridge patch 3 frames",
        (RidgeMap::Pixel, true) => "ridge pixel 3 frames",
    };
    let mut made = ensemble(result, name, 1, 0, |trajectory, _, path| {
        let mut values =
            input.values[trajectory * frames * coarse_len..][..frames * coarse_len].to_vec();
        scale.standardise(input.spec.points(), &mut values);
        let coarse = Frames { values: &values, around: &around };
        for (region, fit) in regions.iter().zip(&fits) {
            let map = fit.weights.transpose();
            for block in numbers.chunks(SAMPLES.div_ceil(region.cells.len())) {
                let predicted = &map * region.predictors(&coarse, block);
                let mut predicted = predicted.iter();
                for &frame in block {
                    let places = (0..region.cells.len()).flat_map(|cell| region.places(cell));
                    for (place, &value) in places.zip(&mut predicted) {
                        path[frame * result.frame_len() + place] = value as f32;
                    }
                }
            }
        }
        scale.restore(points, path);
        Ok(())
    })?;
    made.provenance.settings = json!({
        "baseline": name,
        "training_frames": training.around.len(),
        "penalty": penalty,
    });
    made.deviation = Some(deviation);
    Ok(made)
}

/// The map of a region.
struct Fit {
    /// Predictors × targets.
    weights: DMatrix<f64>,
    /// Mean squares of the errors on the held-out frames, `[cell][target]`.
    squares: Vec<f64>,
}

impl Fit {
    fn new(region: &Region, training: &RidgeTraining, penalty: f64) -> Result<Self> {
        const TOO_LARGE: &str =
            "the coarse values of the training part are too large for a regression";
        let (parting, moments) = (&training.parting, moments(region, training)?);
        let mut squares = vec![0.0; region.cells.len() * region.outputs()];
        for (part, others) in parting.trials(&moments) {
            let map = others.solve(penalty).context(TOO_LARGE)?.transpose();
            for block in blocks(region, &parting.parts[part]) {
                let (x, y) = samples(region, training, block);
                let errors = y - &map * x;
                for frame in errors.as_slice().chunks_exact(squares.len()) {
                    squares.iter_mut().zip(frame).for_each(|(sum, error)| *sum += error * error);
                }
            }
        }
        squares.iter_mut().for_each(|sum| *sum /= parting.predicted() as f64);
        let weights = Moments::sum(moments.iter()).solve(penalty).context(TOO_LARGE)?;
        Ok(Self { weights, squares })
    }
}

/// Of every part of the training frames.
fn moments(region: &Region, training: &RidgeTraining) -> Result<Vec<Moments>> {
    training.parting.parts.iter().map(|part| sums(region, training, part)).collect()
}

fn blocks<'a>(region: &Region, frames: &'a [usize]) -> impl Iterator<Item = &'a [usize]> {
    frames.chunks(SAMPLES.div_ceil(region.cells.len()))
}

fn samples(
    region: &Region,
    training: &RidgeTraining,
    frames: &[usize],
) -> (DMatrix<f64>, DMatrix<f64>) {
    let coarse = Frames { values: &training.coarse, around: &training.around };
    (region.predictors(&coarse, frames), region.targets(&training.fine, frames))
}

fn sums(region: &Region, training: &RidgeTraining, frames: &[usize]) -> Result<Moments> {
    let blocks: Vec<&[usize]> = blocks(region, frames).collect();
    let moments = Moments::over(&blocks, |block| {
        let (x, y) = samples(region, training, block);
        // The last predictor is 1.
        Moments::of(&x, &y, 1)
    });
    moments?.context("the training part has no frames")
}
