//! The runtime's predictor of a model file against the reference in f64: what a board computes is
//! what was trained.

#[path = "../../fixtures/models.rs"]
mod models;

use finescale::predictor::{Given, PathDensity, Trained, path_score, path_score_scratch_len};
use finescale::sampler::Start;
use finescale::{Error, Modes, NoiseStream, Path, Predictor, Sampler};
use finescale_model::Model;
use finescale_model::export::{AlignedBytes, Bounds, Precision, file as board_file, quantize};
use finescale_model::reference::{Level, Reference};
use models::{kinds, model, noise};

/// Relative error of every output, ‖difference‖ / ‖expected‖.
const TOLERANCE: f64 = 1e-5;
/// With int16 activations.
const ROUNDED: f64 = 1e-3;
/// Of derivatives then: they are those of the activations' signs, which rounding may change near
/// zero.
const KINKS: f64 = 2.5e-2;
/// Where λ is looked at.
const LAMBDAS: [f32; 3] = [0.002, 0.04, 0.5];

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

fn error(got: &[f32], expected: &[f64]) -> f64 {
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let difference = norm(&mut got.iter().zip(expected).map(|(g, e)| f64::from(*g) - e));
    difference / norm(&mut expected.iter().copied()).max(1e-30)
}

/// Noise of the size that a path at λ has.
fn path(level: &Level<'_>, frames: usize, seed: u64) -> Vec<f32> {
    let noise = noise(frames * level.variance().len(), seed);
    let scaled = noise.iter().zip(level.variance().iter().cycle());
    scaled.map(|(w, variance)| w * variance.sqrt() as f32).collect()
}

/// What the layers have on other paths than those that are compared; `companions`: values of those
/// of a frame.
fn bounds(reference: &Reference, window: usize, companions: usize) -> Bounds {
    let mut bounds = Bounds::default();
    for lambda in LAMBDAS {
        for seed in 10..20 {
            let companions = noise((window + 2) * companions, 20 + seed);
            let level = reference.at(f64::from(lambda)).unwrap().given(widen(&companions));
            bounds.widen(&level, &widen(&path(&level, window + 2, seed)));
        }
    }
    bounds
}

/// Calls `check` with the runtime's predictor of `file` and the reference of `model`, at several λ
/// and windows.
fn compare(file: &Model, precision: Precision, model: &Model, name: &str) {
    let reference = Reference::new(model).unwrap();
    let bounds = match precision {
        Precision::Int16 => {
            let companions = model.meta.companions() * model.meta.grid().unwrap().points();
            bounds(&reference, model.meta.system.window, companions)
        }
        _ => Bounds::default(),
    };
    let tolerance = |what: &str| match (precision, what) {
        (Precision::Int16, "vjp" | "path score") => KINKS,
        // Every block rounds two factors, and multiplies what both lack.
        (Precision::Int16, "increment" | "noise") => {
            ROUNDED * if model.meta.network.segments() > 0 { 2.0 } else { 1.0 }
        }
        _ => TOLERANCE,
    };
    let stored = AlignedBytes::new(&board_file(file, precision, &bounds).unwrap());
    let view = stored.parse().unwrap();
    let mut memory = vec![f32::NAN; Trained::memory_len(&view)];
    let mut runtime = Trained::new(&view, &mut memory).unwrap();
    for lambda in LAMBDAS {
        let runtime = runtime.prepare(lambda).unwrap();
        let frame = runtime.frame_len();
        let companions = |frames: usize| noise(frames * runtime.companions_len(), 8);
        let level = |frames: usize| {
            let level = reference.at(f64::from(lambda)).unwrap();
            level.given(widen(&companions(frames)))
        };
        let one = level(1);
        for frames in 1..=runtime.window {
            let close = |what: &str, got: &[f32], expected: &[f64]| {
                let error = error(got, expected);
                assert!(
                    error < tolerance(what),
                    "{name} λ {lambda} of {frames}, {what}: {error:e}"
                );
            };
            let s = one.innovation(frames);
            close("innovation", runtime.innovation(frames), s);
            let path = |frames: usize, seed| path(&one, frames, seed);
            let window = path(frames, 5);
            let expected = one.predict(&widen(&window));
            let seen = companions(1);
            let predictor = runtime.given(Path::fields(&seen));
            let mut scratch = vec![f32::NAN; runtime.scratch_len];
            let mut increment = vec![f32::NAN; frame];
            predictor
                .increment(Path::modes(&window), Modes::from_mut(&mut increment), &mut scratch)
                .unwrap();
            close("increment", &increment, &expected.increment);

            let cotangent = noise(frame, 6);
            let mut gradient = vec![0.0; window.len()];
            predictor
                .vjp(Modes::new(&cotangent), Path::modes_mut(&mut gradient), &mut scratch)
                .unwrap();
            close("vjp", &gradient, &one.vjp(&widen(&window), &widen(&cotangent)));

            let mut estimate = vec![f32::NAN; frame];
            let got =
                runtime.noise(Path::modes(&window), Modes::from_mut(&mut estimate), &mut scratch);
            match &expected.noise {
                Some(noise) => close("noise", &estimate, noise),
                None => assert_eq!(got, Err(Error::NoScoreHead)),
            }

            let path = path(frames + 2, 7);
            let (seen, level) = (companions(frames + 2), level(frames + 2));
            let predictor = runtime.given(Path::fields(&seen));
            let mut score = vec![f32::NAN; path.len()];
            let mut scratch = vec![f32::NAN; path_score_scratch_len(&runtime)];
            path_score(
                &predictor,
                PathDensity::FULL,
                Path::modes(&path),
                Path::modes_mut(&mut score),
                &mut scratch,
            )
            .unwrap();
            close("path score", &score, &level.path_score(&widen(&path)));
        }
    }
}

#[test]
fn f32_is_the_reference() {
    for kind in kinds() {
        let model = model(&kind);
        compare(&model, Precision::F32, &model, kind.name);
    }
}

#[test]
fn eight_bits_are_the_reference_of_the_rounded_weights() {
    for kind in kinds() {
        let model = model(&kind);
        compare(&model, Precision::Int8, &quantize::rounded(&model), kind.name);
    }
}

#[test]
fn sixteen_bits_are_near_the_reference_of_the_rounded_weights() {
    for kind in kinds() {
        let model = model(&kind);
        compare(&model, Precision::Int16, &quantize::rounded(&model), kind.name);
    }
}

#[test]
fn short_memory_and_scratch_are_refused() {
    let model = model(&kinds()[2]);
    let stored =
        AlignedBytes::new(&board_file(&model, Precision::F32, &Bounds::default()).unwrap());
    let view = stored.parse().unwrap();
    let needed = Trained::memory_len(&view);
    let mut memory = vec![0.0; needed - 1];
    let refused = Trained::new(&view, &mut memory).err();
    assert_eq!(refused, Some(Error::MemoryLength { values: needed - 1, needed }));
    let mut memory = vec![0.0; needed];
    let mut runtime = Trained::new(&view, &mut memory).unwrap();
    let runtime = runtime.prepare(0.1).unwrap();
    let (needed, frame) = (runtime.scratch_len, runtime.grid.points());
    let (window, mut increment) = (vec![0.0; 3 * frame], vec![0.0; frame]);
    let mut scratch = vec![0.0; needed - 1];
    let short =
        runtime.increment(Path::modes(&window), Modes::from_mut(&mut increment), &mut scratch);
    assert_eq!(short, Err(Error::ScratchLength { values: needed - 1, needed }));
}

/// If it failed, a network would see what an earlier task had left, or nothing.
#[test]
fn companions_that_are_not_the_paths_are_refused() {
    let model = model(kinds().iter().find(|kind| kind.name == "residuals").unwrap());
    let stored =
        AlignedBytes::new(&board_file(&model, Precision::F32, &Bounds::default()).unwrap());
    let view = stored.parse().unwrap();
    let mut memory = vec![0.0; Trained::memory_len(&view)];
    let mut runtime = Trained::new(&view, &mut memory).unwrap();
    let (frames, frame) = (3, runtime.describe().frame_len());
    let each = runtime.describe().companions_len();
    assert_eq!(each, 2 * frame);
    let sampler = Sampler::ancestral(0.3);
    let mut scratch = vec![0.0; sampler.scratch_len(runtime.describe(), frames)];
    let stream = NoiseStream { seed: 1, member: 0, frame: 0, draw: 0 };
    let mut draw = |companions: &[f32]| {
        let mut path = vec![7.0; frames * frame];
        let mut given = Given { predictor: &mut runtime, companions: Path::fields(companions) };
        let drawn = sampler.generate(
            &mut given,
            Start::Rollout,
            None,
            &stream,
            Path::modes_mut(&mut path),
            &mut scratch,
        );
        (drawn.err(), path)
    };
    for values in [0, frames * each - 1, (frames + 1) * each] {
        let (refused, path) = draw(&vec![0.0; values]);
        assert_eq!(refused, Some(Error::Companions { values, needed: frames * each }));
        assert!(path.iter().all(|value| *value == 7.0));
    }
    let mut companions = noise(frames * each, 3);
    let (_, drawn) = draw(&companions);
    // Nothing predicts frame 0.
    companions[0] += 1.0;
    assert_eq!(draw(&companions).1, drawn);
    companions[each] += 1.0;
    assert_ne!(draw(&companions).1, drawn);
    companions[each] = f32::NAN;
    let refused = draw(&companions).0;
    assert_eq!(refused, Some(Error::NotFinite { name: "companions", index: each }));
}
