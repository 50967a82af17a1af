//! Every shipped model on every backend of this program: Burn, the boards' runtime with every
//! precision, and tract must give the same increments and path scores, Burn's by automatic
//! differentiation. Boards give the runtime's bits (`cargo xtask firmware`), ONNX Runtime is in
//! `tests/onnx_runtime.rs`.

#[allow(dead_code, reason = "estimates of the noise are compared in ONNX Runtime")]
#[path = "../../fixtures/shipped.rs"]
mod shipped;

use std::path::Path;

use burn::tensor::{Tensor, TensorData};
use finescale::{Field, Modes, NoiseStream, spectral};
use finescale_field::shells::Shells;
use finescale_model::export::Precision;
use finescale_model::onnx::{self, Array, Session};
use finescale_model::reference::Reference;
use finescale_model::{Calibration, Model, NetworkMeta};
use finescale_train::config::Config;
use finescale_train::engine::backend::{Cpu, Differentiable};
use finescale_train::engine::frames::index;
use finescale_train::engine::weights;
use finescale_train::networks::{Kind, Settings};
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
fn burn(config: &Config, model: &Model, lambda: f64, path: &[f32]) -> [Vec<f32>; 2] {
    let device = Default::default();
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
    let tables = Tables::<Cpu>::new(&base, config, &[lambda], &device).unwrap();
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
    let (increment, score) = match fresh::<A>(config, &base, &device) {
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
        let config = Config::open(&folder.join("config.toml")).unwrap();
        let reference = Reference::new(&model).unwrap();
        let lambdas = &model.meta.system.lambdas;
        for lambda in [lambdas[0], lambdas[lambdas.len() / 2]] {
            let path = path(&reference, lambda, model.meta.system.window + BEYOND);
            let expected = runtime(&model, Precision::F32, lambda, &path);
            let backends = [
                ("Burn", burn(&config, &model, lambda, &path), SAME),
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

/// A model of the grid and the data of a shipped one, with a network that boards lack; its weights
/// are those before the first step, and noise, so that none is zero.
fn with_network(folder: &Path, network: impl FnOnce(&mut Settings)) -> (Config, Model) {
    let mut model = Model::open(&folder.join("model.safetensors")).unwrap();
    let mut config = Config::open(&folder.join("config.toml")).unwrap();
    network(&mut config.network);
    let fresh = fresh::<Cpu>(&config, &model.base().unwrap(), &Default::default()).unwrap();
    model.arrays.retain(|name, _| !name.starts_with("network."));
    for (draw, (name, mut array)) in (0..).zip(weights::export::<Cpu, _>(&fresh)) {
        let mut noise = vec![0.0; array.values.len()];
        NoiseStream { seed: 4, member: 0, frame: 0, draw }.fill(&mut noise);
        array.values.iter_mut().zip(noise).for_each(|(value, w)| *value += 0.05 * w);
        model.arrays.insert(name, array);
    }
    model.meta.network = config.network.meta();
    (config, model)
}

/// If it failed, a network that only the desktop has would be another one in ONNX than the one that
/// was trained, or its path score no gradient.
#[test]
fn networks_that_boards_lack_are_the_same_in_onnx() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
    for shipped in ["kuramoto-sivashinsky-head", "kolmogorov-32", "winds"] {
        for (kind, transformer) in [(Kind::Unet, false), (Kind::Flex, false), (Kind::Flex, true)] {
            let folder = models.join(shipped);
            let (config, model) = with_network(&folder, |network| {
                network.kind = kind;
                (network.unet.dim, network.unet.multipliers) = (8, vec![1, 2, 2]);
                let flex = &mut network.flex;
                (flex.channels, flex.blocks, flex.groups) = (vec![4, 8], vec![1, 2], 2);
                (flex.transformer, flex.depth, flex.heads) = (transformer, 5, 2);
            });
            let mut linear = model.clone();
            linear.meta.network = NetworkMeta::Linear;
            let lambda = model.meta.system.lambdas[model.meta.system.lambdas.len() / 2];
            let frames = model.meta.system.window + BEYOND;
            let path = path(&Reference::new(&linear).unwrap(), lambda, frames);
            let expected = burn(&config, &model, lambda, &path);
            let base = burn(
                &Config { network: base_alone(&config), ..config.clone() },
                &linear,
                lambda,
                &path,
            );
            let got = tract(&model, lambda, &path);
            for (n, what) in ["increment", "score"].into_iter().enumerate() {
                let error = relative(&got[n], &expected[n]);
                let name = format!("{shipped} {kind:?} {what}");
                println!(
                    "{name}: {error:.1e}, {:.1e} from the base",
                    relative(&base[n], &expected[n])
                );
                assert!(relative(&base[n], &expected[n]) > 100.0 * SAME, "{name} is the base");
                assert!(error < SAME, "{name}: {error:e}");
            }
        }
    }
}

fn base_alone(config: &Config) -> Settings {
    Settings { kind: Kind::Linear, ..config.network.clone() }
}
