//! The shipped models, and what the boards' runtime makes of them.

use std::path::{Path, PathBuf};

use finescale::predictor::{PathDensity, Trained, path_score, path_score_scratch_len};
use finescale::{NoiseStream, Predictor as _};
use finescale_trainer::export::{AlignedBytes, Bounds, Precision, file};
use finescale_trainer::model::reference::Reference;
use finescale_trainer::model::{Model, NetworkMeta};

/// Of scores on planes too large to look for a path without kinks: where a rectifier's input is zero but for rounding, its
/// derivative is either of two.
pub(crate) const KINKS: f64 = 5e-3;
/// Points of a grid on which such a path is looked for.
const POINTS: usize = 1024;

/// The folders of all shipped models.
pub(crate) fn shipped() -> Vec<PathBuf> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let folders = std::fs::read_dir(models).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = folders.filter(|f| f.join("model.safetensors").is_file()).collect();
    folders.sort();
    assert!(folders.len() >= 3);
    folders
}

/// Whether paths of a model may meet kinks.
pub(crate) fn kinks(model: &Model) -> bool {
    let points = model.meta.grid().unwrap().points();
    points * model.meta.channels.len() > POINTS && model.meta.network != NetworkMeta::Linear
}

/// A path of the size that it has at λ, in modes, that no rectifier sees near its kink.
pub(crate) fn path(reference: &Reference, lambda: f64, frames: usize) -> Vec<f32> {
    let level = reference.at(lambda).unwrap();
    let width = level.variance().len();
    let draws = if width > POINTS { 1 } else { 8 };
    let draws = (0..draws).map(|step| {
        let mut path = vec![0.0; frames * width];
        NoiseStream { seed: 9, member: 0, frame: 0, step }.fill(&mut path);
        for (u, v) in path.iter_mut().zip(level.variance().iter().cycle()) {
            *u *= v.sqrt() as f32;
        }
        let wide: Vec<f64> = path.iter().copied().map(f64::from).collect();
        (if width > POINTS { 1.0 } else { level.margin(&wide) }, path)
    });
    let mut best = (0.0, Vec::new());
    for draw in draws {
        if draw.0 > best.0 {
            best = draw;
        }
        if best.0 > 1e-6 {
            break;
        }
    }
    best.1
}

/// What the boards' runtime makes of a path, in modes.
pub(crate) struct Outputs {
    /// From each window of 1, 2, … W frames that the path starts with.
    pub(crate) increments: Vec<Vec<f32>>,
    /// Of the same windows, with a score head.
    pub(crate) noise: Vec<Vec<f32>>,
    /// Of the whole path.
    pub(crate) score: Vec<f32>,
}

/// Runs the boards' runtime.
pub(crate) fn runtime(model: &Model, precision: Precision, lambda: f64, path: &[f32]) -> Outputs {
    let mut bounds = Bounds::default();
    if precision == Precision::Int16 {
        let reference = Reference::new(model).unwrap();
        let wide: Vec<f64> = path.iter().copied().map(f64::from).collect();
        bounds.widen(&reference.at(lambda).unwrap(), &wide);
    }
    let bytes = AlignedBytes::new(&file(model, precision, &bounds).unwrap());
    let view = bytes.parse().unwrap();
    let mut memory = vec![0.0; Trained::memory_len(&view)];
    let mut predictor = Trained::new(&view, &mut memory).unwrap();
    predictor.prepare(lambda as f32).unwrap();
    let frame = predictor.channels() * predictor.grid().points();
    let mut scratch = vec![0.0; path_score_scratch_len(&predictor)];
    let (mut increments, mut noise) = (Vec::new(), Vec::new());
    for frames in 1..=predictor.window() {
        let window = &path[..frames * frame];
        let mut output = vec![0.0; frame];
        predictor.increment(window, &mut output, &mut scratch).unwrap();
        increments.push(output.clone());
        if model.meta.score_head {
            predictor.noise(window, &mut output, &mut scratch).unwrap();
            noise.push(output);
        }
    }
    let mut score = vec![0.0; path.len()];
    path_score(&predictor, PathDensity::OURS, path, &mut score, &mut scratch).unwrap();
    Outputs { increments, noise, score }
}
