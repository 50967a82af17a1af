//! The exported graphs in tract against the reference; in ONNX Runtime: `tests/onnx_runtime.rs`.
#![cfg(feature = "onnx")]

#[path = "../../fixtures/models.rs"]
mod models;

use finescale_model::Model;
use finescale_model::onnx::{self, Array, Session};
use finescale_model::reference::Reference;
use models::{companions, kinds, model, noise};

const LAMBDAS: [f64; 4] = [0.001, 0.0173, 0.3, 1.0];
const BATCH: usize = 3;
const FRAMES: usize = 5;

/// A noised path on the grid, `[frame][channel][y][x]`, at a λ: of the right size in every mode.
fn path(model: &Model, lambda: f64, frames: usize, seed: u64) -> Vec<f32> {
    let reference = Reference::new(model).unwrap();
    let level = reference.at(lambda).unwrap();
    let width = level.variance().len();
    let modes = noise(frames * width, seed);
    let scaled: Vec<f64> = modes
        .iter()
        .enumerate()
        .map(|(i, u)| f64::from(*u) * level.variance()[i % width].sqrt())
        .collect();
    reference.basis().inverse(&scaled).into_iter().map(|value| value as f32).collect()
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// ‖a − b‖ / ‖b‖.
fn relative(a: &[f32], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let error: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum();
    (error / b.iter().map(|b| b * b).sum::<f64>()).sqrt()
}

/// Inputs of a batch of windows, of which sample n has n + 1 frames (at most W), and what the
/// reference says.
struct Windows {
    window: Array,
    increment: Vec<f64>,
    noise: Option<Vec<f64>>,
}

fn shape(model: &Model, leading: &[usize]) -> Vec<usize> {
    let ny = model.meta.y.as_ref().map_or(1, |y| y.points);
    [leading, &[model.meta.channels.len(), ny, model.meta.x.points]].concat()
}

fn windows(model: &Model, lambda: f64) -> Windows {
    let reference = Reference::new(model).unwrap();
    let w = model.meta.system.window;
    let width = reference.at(lambda).unwrap().variance().len();
    let (mut values, mut increment, mut noises) = (Vec::new(), Vec::new(), Vec::new());
    for sample in 0..BATCH {
        let level = reference.at(lambda).unwrap().given(seen(model, 1, sample));
        let frames = (sample + 1).min(w);
        let there = path(model, lambda, frames, 20 + sample as u64);
        values.extend(vec![0.0; (w - frames) * width]);
        values.extend(&there);
        let output = level.predict(&reference.basis().forward(&widen(&there)));
        increment.extend(reference.basis().inverse(&output.increment));
        noises.extend(output.noise.iter().flat_map(|noise| reference.basis().inverse(noise)));
    }
    let noise = model.meta.system.score_head.then_some(noises);
    Windows { window: Array { shape: shape(model, &[BATCH, w]), values }, increment, noise }
}

/// The companions of a sample's frames.
fn seen(model: &Model, frames: usize, sample: usize) -> Vec<f64> {
    let all = companions(model, BATCH * frames);
    let len = all.len() / BATCH;
    widen(&all[sample * len..][..len])
}

/// What a graph gets: frames, λ, and companions where it sees any.
fn inputs(model: &Model, frames: Array, lambda: f64, leading: &[usize]) -> Vec<Array> {
    let values = companions(model, leading.iter().product());
    let mut shape = shape(model, leading);
    shape[leading.len()] = model.meta.companions();
    let seen = (!values.is_empty()).then_some(Array { shape, values });
    [frames, one(lambda)].into_iter().chain(seen).collect()
}

/// A graph in tract, for such inputs.
fn session(file: &[u8], inputs: &[Array]) -> Session {
    let shapes: Vec<&[usize]> = inputs.iter().map(|input| input.shape.as_slice()).collect();
    Session::new(file, &shapes).unwrap()
}

/// A batch of paths, and their scores.
fn paths(model: &Model, lambda: f64) -> (Array, Vec<f64>) {
    let reference = Reference::new(model).unwrap();
    let (mut values, mut scores) = (Vec::new(), Vec::new());
    for sample in 0..BATCH {
        let level = reference.at(lambda).unwrap().given(seen(model, FRAMES, sample));
        let path = path(model, lambda, FRAMES, 40 + sample as u64);
        let score = level.path_score(&reference.basis().forward(&widen(&path)));
        scores.extend(reference.basis().inverse(&score));
        values.extend(path);
    }
    (Array { shape: shape(model, &[BATCH, FRAMES]), values }, scores)
}

fn one(lambda: f64) -> Array {
    Array { shape: vec![1], values: vec![lambda as f32] }
}

#[test]
fn tract_predicts_as_the_reference() {
    for kind in kinds().into_iter().filter(|kind| kind.coupling == 0.0) {
        let model = model(&kind);
        let file = onnx::predictor(&model).unwrap();
        let mut graph = None;
        for lambda in LAMBDAS {
            let known = windows(&model, f64::from(lambda as f32));
            let inputs = inputs(&model, known.window, lambda, &[BATCH]);
            let session = graph.get_or_insert_with(|| session(&file, &inputs));
            let outputs = session.run(&inputs).unwrap();
            assert_eq!(outputs[0].shape, shape(&model, &[BATCH]));
            let error = relative(&outputs[0].values, &known.increment);
            assert!(error < 1e-5, "{} at {lambda}: {error}", kind.name);
            assert_eq!(outputs.get(1).is_some(), kind.score_head);
            if let Some(noise) = known.noise {
                let error = relative(&outputs[1].values, &noise);
                assert!(error < 1e-5, "{} noise at {lambda}: {error}", kind.name);
            }
        }
    }
}

#[test]
fn tract_scores_as_the_reference() {
    for kind in kinds().into_iter().filter(|kind| kind.coupling == 0.0) {
        let model = model(&kind);
        let file = onnx::score(&model).unwrap();
        let shape = shape(&model, &[BATCH, FRAMES]);
        let mut graph = None;
        for lambda in LAMBDAS {
            let (path, score) = paths(&model, f64::from(lambda as f32));
            let inputs = inputs(&model, path, lambda, &[BATCH, FRAMES]);
            let session = graph.get_or_insert_with(|| session(&file, &inputs));
            let outputs = session.run(&inputs).unwrap();
            assert_eq!(outputs[0].shape, shape);
            let error = relative(&outputs[0].values, &score);
            assert!(error < 1e-5, "{} at {lambda}: {error}", kind.name);
        }
    }
}

#[test]
fn coupled_channels_have_no_graph() {
    let coupled: Vec<_> = kinds().into_iter().filter(|kind| kind.coupling != 0.0).collect();
    assert!(!coupled.is_empty());
    for model in coupled.iter().map(model) {
        for graph in [onnx::predictor(&model), onnx::score(&model)] {
            let error = graph.unwrap_err().to_string();
            assert!(error.contains("process.coupling = 0"), "{error}");
        }
    }
}
