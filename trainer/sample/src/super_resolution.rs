//! What a change of a network's weights costs where it matters: the error of super-resolved
//! validation frames.

use anyhow::{Result, ensure};
use finescale::predictor::Trained;
use finescale::sampler::Coarse;
use finescale::{Axis, Grid, Modes, Path, Predictor, Sampler};

use crate::lambda::suggested;
use finescale_data::dataset::{Reader, SpectralFrames, Split};
use finescale_field::noise::Purpose;
use finescale_model::Model;
use finescale_model::export::{AlignedBytes, Bounds, Precision, file};

/// Paths, and their frames.
const PATHS: usize = 6;
const FRAMES: usize = 6;
/// Seed of the noise: every precision has the same.
const SEED: u64 = 0x5eed;

/// Relative L² of one sample from frames a quarter as fine, that is from their noised path at the
/// λ* of that grid.
///
/// # Errors
/// If the data set does not fit, or has no validation part.
pub fn error(model: &Model, precision: Precision, bounds: &Bounds, reader: &Reader) -> Result<f64> {
    let mut frames = SpectralFrames::read(reader, Split::Valid)?;
    let starts = frames.windows(FRAMES)?;
    ensure!(!starts.is_empty(), "the validation part has no {FRAMES} frames in a row");
    let bytes = AlignedBytes::new(&file(model, precision, bounds)?);
    let view = bytes.parse()?;
    view.process().mix(frames.grid.points(), &mut frames.values);
    let lambda = suggested(&view, &quarter(view.grid())?)?.unwrap_or(1.0);
    let mut memory = vec![0.0; Trained::memory_len(&view)];
    let mut predictor = Trained::new(&view, &mut memory)?;
    let sampler = Sampler::ancestral(lambda);
    let mut scratch = vec![0.0; sampler.scratch_len(predictor.describe(), FRAMES)];
    let (mut error, mut size) = (0.0, 0.0);
    for n in 0..PATHS {
        finescale_host::interrupt::check()?;
        let start = starts[n * starts.len() / PATHS];
        let truth: Vec<f32> =
            (start..start + FRAMES).flat_map(|frame| frames.frame(frame)).copied().collect();
        let mut path = truth.clone();
        for frame in path.chunks_exact_mut(frames.frame_len()) {
            predictor.describe().process.damp(&frames.grid, lambda, Modes::from_mut(frame))?;
        }
        let stream = Purpose::Sampling.stream(SEED, n as u32, 0, 0);
        let coarse = Coarse::Clean;
        sampler.super_resolve(
            &mut predictor,
            coarse,
            None,
            &stream,
            Path::modes_mut(&mut path),
            &mut scratch,
        )?;
        for (fine, truth) in path.iter().zip(&truth) {
            error += f64::from(fine - truth).powi(2);
            size += f64::from(*truth).powi(2);
        }
    }
    Ok((error / size).sqrt())
}

/// The same domain with a quarter of the points along every axis, or the nearest number that an
/// axis can have.
fn quarter(grid: &Grid) -> Result<Grid> {
    let quarter = |points: usize| Axis::nearest_points(points / 4, points);
    Ok(grid.with_points([grid.ny(), grid.nx()].map(quarter))?)
}
