//! What a model is run by: the board's runtime, with every precision, and tract.

use std::time::{Duration, Instant};

use anyhow::Result;
use finescale::predictor::{PathDensity, Trained, path_score, path_score_scratch_len};
use finescale::{Field, Modes, Path, Predictor, spectral};

use super::ROUNDS;
use super::predictor::{Case, Compared};
use finescale_model::Model;
use finescale_model::export::{self, AlignedBytes, Bounds, Precision};

/// An implementation of a model: `run` gives an output's fields for every sample of a case, and
/// the time that they took.
pub(super) struct Runtime<F: ?Sized> {
    /// What the table calls it.
    pub(super) name: &'static str,
    /// The precision of its weights.
    pub(super) precision: Precision,
    pub(super) run: Box<F>,
}

/// Fields, and the time that they took.
pub(super) type Timed = Result<(Vec<f32>, Duration)>;
/// Of a predictor.
type Evaluate = dyn Fn(Compared, &Case) -> Timed;

/// Fields, and the least time of several that they took.
pub(super) fn least(run: impl Fn() -> Timed) -> Timed {
    let (fields, mut least) = run()?;
    for _ in 1..ROUNDS {
        least = least.min(run()?.1);
    }
    Ok((fields, least))
}

/// Every runtime of this program, with a predictor.
pub(super) fn all(model: &Model, bounds: &Bounds) -> Result<Vec<Runtime<Evaluate>>> {
    Ok(vec![
        board(model, Precision::F32, bounds)?,
        board(model, Precision::Int8, bounds)?,
        board(model, Precision::Int16, bounds)?,
        #[cfg(feature = "onnx")]
        tract(model)?,
    ])
}

/// The runtime of boards, on this processor: the same bits as there.
fn board(model: &Model, precision: Precision, bounds: &Bounds) -> Result<Runtime<Evaluate>> {
    let file = AlignedBytes::new(&export::file(model, precision, bounds)?);
    let run = move |output: Compared, case: &Case| {
        let view = file.parse()?;
        let mut memory = vec![0.0; Trained::memory_len(&view)];
        let mut predictor = Trained::new(&view, &mut memory)?;
        let predictor = predictor.prepare(case.lambda)?;
        let (grid, frame) = (predictor.grid, predictor.frame_len());
        let mut scratch =
            vec![0.0; path_score_scratch_len(&predictor).max(spectral::scratch_len(&grid))];
        let (mut fields, mut took) = (Vec::new(), Duration::ZERO);
        for path in case.paths.chunks_exact(case.frames * frame) {
            let mut path = path.to_vec();
            let path = spectral::forward(&grid, Field::from_mut(&mut path), &mut scratch)?;
            let began = Instant::now();
            let mut result = match output {
                Compared::Increment => {
                    let mut increment = vec![0.0; frame];
                    let window = Path::modes(&path[..predictor.window * frame]);
                    let to = Modes::from_mut(&mut increment);
                    predictor.increment(window, to, &mut scratch)?;
                    increment
                }
                Compared::Score => {
                    let mut score = vec![0.0; path.len()];
                    let (path, to) = (Path::modes(path), Path::modes_mut(&mut score));
                    path_score(&predictor, PathDensity::FULL, path, to, &mut scratch)?;
                    score
                }
            };
            took += began.elapsed();
            spectral::inverse(&grid, Modes::from_mut(&mut result), &mut scratch)?;
            fields.extend(result);
        }
        Ok((fields, took))
    };
    Ok(Runtime { name: precision.name(), precision, run: Box::new(run) })
}

/// The ONNX graphs in tract.
#[cfg(feature = "onnx")]
fn tract(model: &Model) -> Result<Runtime<Evaluate>> {
    use super::BATCH;
    use super::predictor::BEYOND;
    use finescale_model::onnx::{Array, Session, predictor, score};
    let meta = &model.meta;
    let ny = meta.y.as_ref().map_or(1, |y| y.points);
    let shape = |frames: usize| vec![BATCH, frames, meta.channels.len(), ny, meta.x.points];
    let (window, path) = (shape(meta.system.window), shape(meta.system.window + BEYOND));
    let sessions = [
        Session::new(&predictor(model)?, &[&window, &[1]])?,
        Session::new(&score(model)?, &[&path, &[1]])?,
    ];
    let frame: usize = path[2..].iter().product();
    let run = move |output: Compared, case: &Case| {
        let shape = if output == Compared::Increment { &window } else { &path };
        let paths = case.paths.chunks_exact(path[1] * frame);
        let values = paths.flat_map(|path| &path[..shape[1] * frame]).copied().collect();
        let lambda = Array { shape: vec![1], values: vec![case.lambda] };
        let inputs = [Array { shape: shape.clone(), values }, lambda];
        let began = Instant::now();
        let mut got = sessions[output as usize].run(&inputs)?;
        Ok((got.swap_remove(0).values, began.elapsed()))
    };
    Ok(Runtime { name: "tract", precision: Precision::F32, run: Box::new(run) })
}
