//! Every shipped model on every backend of this program: Burn, the boards' runtime with every
//! precision, and tract must give the same increments and path scores, Burn's by automatic
//! differentiation. Boards give the runtime's bits (`cargo xtask firmware`), ONNX Runtime is in
//! `tests/onnx_runtime.rs`.

#[allow(dead_code, reason = "estimates of the noise are compared in ONNX Runtime")]
#[path = "../../fixtures/shipped.rs"]
mod shipped;

use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use finescale::{Field, Modes, spectral};
use finescale_field::shells::Shells;
use finescale_model::export::Precision;
use finescale_model::onnx::{self, Array, Session};
use finescale_model::reference::Reference;
use finescale_model::{Calibration, Model};
use finescale_train::config::Config;
use finescale_train::engine::backend::{Cpu, Differentiable};
use finescale_train::engine::frames::index;
use finescale_train::engine::weights;
use finescale_train::systems::predictor_driven::predictor::{
    Corrected, Linear, NetworkInput, NoisedWindow, Predictor,
};
use finescale_train::systems::predictor_driven::tables::Tables;
use finescale_train::systems::predictor_driven::{calibrate, fresh};
use shipped::{KINKS, kinks, path, shipped as shipped_models};

type A = Differentiable<Cpu>;

/// Largest ‖difference‖ / ‖the runtime's‖ in f32.
const SAME: f64 = 1e-5;
/// With weights of eight bits: the shipped models are within a third of it.
const ROUNDED: f64 = 0.1;
/// Frames of a path beyond a window.
const BEYOND: usize = 1;

fn relative(got: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let square = |v: f64| v * v;
    let error: f64 =
        got.iter().zip(expected).map(|(g, e)| square(f64::from(*g) - f64::from(*e))).sum();
    (error / expected.iter().map(|e| square(f64::from(*e))).sum::<f64>()).sqrt()
}

/// Increment of the first whole window and score of the path, in modes, by the boards' runtime.
fn runtime(model: &Model, precision: Precision, lambda: f64, path: &[f32]) -> [Vec<f32>; 2] {
    let mut outputs = shipped::runtime(model, precision, lambda, path);
    [outputs.increments.pop().unwrap(), outputs.score]
}

/// The same by Burn.
fn burn(folder: &Path, model: &Model, lambda: f64, path: &[f32]) -> [Vec<f32>; 2] {
    let device = Default::default();
    let config = Config::open(&folder.join("config.toml")).unwrap();
    let (base, shells) = (model.base().unwrap(), Shells::new(&model.meta.grid().unwrap()));
    // At a λ of the calibration, whose ratios there are then not interpolated.
    let calibration = Calibration::of(model).unwrap();
    let place = model.meta.system.lambdas.iter().position(|known| *known == lambda).unwrap();
    let width = calibration.width;
    let calibration = Calibration {
        lambdas: vec![lambda],
        innovation_ratio: calibration.innovation_ratio[place * width..][..width].to_vec(),
        ..calibration
    };
    let tables = Tables::<Cpu>::new(&base, &config, &[lambda], &device).unwrap();
    let (c, w, m) = (model.meta.channels.len(), model.meta.system.window, base.grid.points());
    let tensor = |values: &[f32]| {
        Tensor::<Cpu, 4>::from_data(
            TensorData::new(values.to_vec(), [1, values.len() / (c * m), c, m]),
            &device,
        )
    };
    let lifted = tables.lift::<A>();
    let window = NoisedWindow {
        spectra: Tensor::from_inner(tensor(&path[..w * c * m])),
        lambda: index(vec![0], &device),
        row: index(vec![lifted.row(0, w)], &device),
        companions: None,
    };
    let level = calibrate::Level::new(0, &tables, &calibration, &shells);
    let input = NetworkInput::new(&window, &lifted);
    let (increment, score) = match fresh::<A>(&config, &base, &device) {
        None => {
            let score = calibrate::path_score::<A>(&Linear, tensor(path), None, 0, &lifted, &level);
            (Linear.predict(input, &lifted).increment, score)
        }
        Some(network) => {
            let network = weights::import::<A, _>(network, &model.arrays).unwrap();
            let predictor = Corrected::new(&network, &config.predictor);
            let score =
                calibrate::path_score::<A>(&predictor, tensor(path), None, 0, &lifted, &level);
            (predictor.predict(input, &lifted).increment, score)
        }
    };
    [increment.into_data().to_vec().unwrap(), score.into_data().to_vec().unwrap()]
}

/// The same by tract.
fn tract(model: &Model, lambda: f64, path: &[f32]) -> [Vec<f32>; 2] {
    let grid = model.meta.grid().unwrap();
    let (c, w) = (model.meta.channels.len(), model.meta.system.window);
    let frame = c * grid.points();
    let mut scratch = vec![0.0; spectral::scratch_len(&grid)];
    let mut fields = path.to_vec();
    spectral::inverse(&grid, Modes::from_mut(&mut fields), &mut scratch).unwrap();
    let mut run = |file: Vec<u8>, frames: usize| {
        let shape = [1, frames, c, grid.ny(), grid.nx()];
        let session = Session::new(&file, &[&shape, &[1]]).unwrap();
        let values = fields[..frames * frame].to_vec();
        let lambda = Array { shape: vec![1], values: vec![lambda as f32] };
        let input = Array { shape: shape.to_vec(), values };
        let mut output = session.run(&[input, lambda]).unwrap().swap_remove(0).values;
        spectral::forward(&grid, Field::from_mut(&mut output), &mut scratch).unwrap();
        output
    };
    let frames = path.len() / frame;
    [run(onnx::predictor(model).unwrap(), w), run(onnx::score(model).unwrap(), frames)]
}

#[test]
fn every_backend_gives_the_same_increment_and_score() {
    for folder in shipped_models() {
        let model = Model::open(&folder.join("model.safetensors")).unwrap();
        let reference = Reference::new(&model).unwrap();
        let lambdas = &model.meta.system.lambdas;
        for lambda in [lambdas[0], lambdas[lambdas.len() / 2]] {
            let path = path(&reference, lambda, model.meta.system.window + BEYOND);
            let expected = runtime(&model, Precision::F32, lambda, &path);
            let backends = [
                ("Burn", burn(&folder, &model, lambda, &path), SAME),
                ("tract", tract(&model, lambda, &path), SAME),
                ("int8", runtime(&model, Precision::Int8, lambda, &path), ROUNDED),
                ("int16", runtime(&model, Precision::Int16, lambda, &path), ROUNDED),
            ];
            for (backend, got, tolerance) in backends {
                for (what, (got, expected)) in
                    ["increment", "score"].into_iter().zip(got.iter().zip(&expected))
                {
                    let loose = kinks(&model) && what == "score";
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
