//! Every shipped model on every backend of this program: Burn, the boards' runtime with every precision, and tract must
//! give the same increments and path scores, Burn's by automatic differentiation. Boards give the runtime's bits
//! (`cargo xtask firmware`), ONNX Runtime is in `tests/onnx.rs`.
#![cfg(all(feature = "train", feature = "onnx"))]

use std::path::{Path, PathBuf};

use burn::tensor::{Tensor, TensorData};
use finescale::predictor::{PathDensity, Trained, path_score, path_score_scratch_len};
use finescale::{NoiseStream, Predictor as _, spectral};
use finescale_trainer::export::{AlignedBytes, Bounds, Precision, file};
use finescale_trainer::model::reference::Reference;
use finescale_trainer::model::{Calibration, Model, NetworkMeta, Shells};
use finescale_trainer::onnx::{self, Array, Session};
use finescale_trainer::train::backend::{Cpu, Differentiable};
use finescale_trainer::train::calibrate;
use finescale_trainer::train::config::Config;
use finescale_trainer::train::network::Corrected;
use finescale_trainer::train::predictor::{Input, Linear, Predictor, Window};
use finescale_trainer::train::tables::Tables;
use finescale_trainer::train::weights;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

type A = Differentiable<Cpu>;

/// Largest ‖difference‖ / ‖the runtime's‖ in f32.
const SAME: f64 = 1e-5;
/// With weights of eight bits: the shipped models are within a third of it.
const ROUNDED: f64 = 0.1;
/// Of scores on planes too large to look for a path without kinks: where a rectifier's input is zero but for rounding, its
/// derivative is either of two.
const KINKS: f64 = 5e-3;
/// Points of a grid on which such a path is looked for.
const POINTS: usize = 1024;
/// Frames of a path beyond a window.
const BEYOND: usize = 1;

fn shipped() -> Vec<PathBuf> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let folders = std::fs::read_dir(models).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<_> = folders.filter(|f| f.join("model.safetensors").is_file()).collect();
    folders.sort();
    assert!(folders.len() >= 3);
    folders
}

fn relative(got: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let square = |v: f64| v * v;
    let error: f64 =
        got.iter().zip(expected).map(|(g, e)| square(f64::from(*g) - f64::from(*e))).sum();
    (error / expected.iter().map(|e| square(f64::from(*e))).sum::<f64>()).sqrt()
}

/// A path of the size that it has at λ, in modes, that no rectifier sees near its kink.
fn path(reference: &Reference, lambda: f64, frames: usize) -> Vec<f32> {
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

/// Increment of the first whole window and score of the path, in modes, by the boards' runtime.
fn runtime(model: &Model, precision: Precision, lambda: f64, path: &[f32]) -> [Vec<f32>; 2] {
    let mut bounds = Bounds::default();
    let reference = Reference::new(model).unwrap();
    let wide: Vec<f64> = path.iter().copied().map(f64::from).collect();
    bounds.widen(&reference.at(lambda).unwrap(), &wide);
    let bytes = AlignedBytes::new(&file(model, precision, &bounds).unwrap());
    let view = bytes.parse().unwrap();
    let mut memory = vec![0.0; Trained::memory_len(&view)];
    let mut predictor = Trained::new(&view, &mut memory).unwrap();
    predictor.prepare(lambda as f32).unwrap();
    let frame = predictor.channels() * predictor.grid().points();
    let mut scratch = vec![0.0; path_score_scratch_len(&predictor)];
    let mut increment = vec![0.0; frame];
    let window = &path[..predictor.window() * frame];
    predictor.increment(window, &mut increment, &mut scratch).unwrap();
    let mut score = vec![0.0; path.len()];
    path_score(&predictor, PathDensity::OURS, path, &mut score, &mut scratch).unwrap();
    [increment, score]
}

/// The same by Burn.
fn burn(folder: &Path, model: &Model, lambda: f64, path: &[f32]) -> [Vec<f32>; 2] {
    let device = Default::default();
    let config = Config::open(&folder.join("config.toml")).unwrap();
    let (base, shells) = (model.base().unwrap(), Shells::new(&model.meta.grid().unwrap()));
    // At a λ of the calibration, whose ratios there are then not interpolated.
    let calibration = Calibration::of(model).unwrap();
    let index = model.meta.lambdas.iter().position(|known| *known == lambda).unwrap();
    let width = calibration.width;
    let calibration = Calibration {
        lambdas: vec![lambda],
        innovation_ratio: calibration.innovation_ratio[index * width..][..width].to_vec(),
        ..calibration
    };
    let tables = Tables::<Cpu>::new(&base, &config, &[lambda], &device).unwrap();
    let (c, w, m) = (model.meta.channels.len(), model.meta.window, base.grid.points());
    let tensor = |values: &[f32]| {
        Tensor::<Cpu, 4>::from_data(
            TensorData::new(values.to_vec(), [1, values.len() / (c * m), c, m]),
            &device,
        )
    };
    let lifted = tables.lift::<A>();
    let window = Window {
        spectra: Tensor::from_inner(tensor(&path[..w * c * m])),
        lambda: lifted.index(vec![0], &device),
        row: lifted.index(vec![lifted.row(0, w)], &device),
    };
    let level = calibrate::Level::new(0, &tables, &calibration, &base.power(), &shells);
    let input = Input::new(&window, &lifted);
    let (increment, score) = if model.meta.network == NetworkMeta::Linear {
        let score = calibrate::path_score::<A>(&Linear, tensor(path), 0, &lifted, &level);
        (Linear.predict(input, &lifted).increment, score)
    } else {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let network = Corrected::<A>::new(&config, &lifted, &mut rng, &device);
        let network = weights::import::<A, _>(network, &model.arrays).unwrap();
        let score = calibrate::path_score::<A>(&network, tensor(path), 0, &lifted, &level);
        (network.predict(input, &lifted).increment, score)
    };
    [increment.into_data().to_vec().unwrap(), score.into_data().to_vec().unwrap()]
}

/// The same by tract.
fn tract(model: &Model, lambda: f64, path: &[f32]) -> [Vec<f32>; 2] {
    let grid = model.meta.grid().unwrap();
    let (c, w) = (model.meta.channels.len(), model.meta.window);
    let frame = c * grid.points();
    let mut scratch = vec![0.0; spectral::scratch_len(&grid)];
    let mut fields = path.to_vec();
    spectral::inverse(&grid, &mut fields, &mut scratch).unwrap();
    let mut run = |file: Vec<u8>, frames: usize| {
        let shape = [1, frames, c, grid.ny(), grid.nx()];
        let session = Session::new(&file, &[&shape, &[1]]).unwrap();
        let values = fields[..frames * frame].to_vec();
        let lambda = Array { shape: vec![1], values: vec![lambda as f32] };
        let input = Array { shape: shape.to_vec(), values };
        let mut output = session.run(&[input, lambda]).unwrap().swap_remove(0).values;
        spectral::forward(&grid, &mut output, &mut scratch).unwrap();
        output
    };
    let frames = path.len() / frame;
    [run(onnx::predictor(model).unwrap(), w), run(onnx::score(model).unwrap(), frames)]
}

#[test]
fn every_backend_gives_the_same_increment_and_score() {
    for folder in shipped() {
        let model = Model::open(&folder.join("model.safetensors")).unwrap();
        let reference = Reference::new(&model).unwrap();
        let lambdas = &model.meta.lambdas;
        for lambda in [lambdas[0], lambdas[lambdas.len() / 2]] {
            let path = path(&reference, lambda, model.meta.window + BEYOND);
            let expected = runtime(&model, Precision::F32, lambda, &path);
            let backends = [
                ("Burn", burn(&folder, &model, lambda, &path), SAME),
                ("tract", tract(&model, lambda, &path), SAME),
                ("int8", runtime(&model, Precision::Int8, lambda, &path), ROUNDED),
                ("int16", runtime(&model, Precision::Int16, lambda, &path), ROUNDED),
            ];
            let kinks = expected[0].len() > POINTS && model.meta.network != NetworkMeta::Linear;
            for (backend, got, tolerance) in backends {
                for (what, (got, expected)) in
                    ["increment", "score"].into_iter().zip(got.iter().zip(&expected))
                {
                    let loose = kinks && what == "score";
                    let tolerance = if loose { tolerance.max(KINKS) } else { tolerance };
                    let error = relative(got, expected);
                    let name = folder.display();
                    println!("{name} λ {lambda:.4} {backend} {what}: {error:.1e}");
                    assert!(error < tolerance, "{name} λ {lambda} {backend} {what}: {error:e}");
                }
            }
        }
    }
}
