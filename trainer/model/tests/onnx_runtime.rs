//! The exported graphs in ONNX Runtime against the boards' runtime: all shipped models, and one
//! with random weights for every kind of grid. `cargo xtask test` makes the environment that
//! `FINESCALE_PYTHON` names.
#![cfg(feature = "onnx")]

#[path = "../../fixtures/models.rs"]
mod models;
#[path = "../../fixtures/shipped.rs"]
mod shipped;

use std::fs;
use std::path::Path;
use std::process::Command;

use finescale::{Modes, spectral};
use finescale_model::Model;
use finescale_model::export::Precision;
use finescale_model::onnx;
use finescale_model::reference::Reference;
use models::{kinds, model};
use npyz::WriterBuilder;
use shipped::{KINKS, kinks, path, runtime, shipped as shipped_models};

/// Largest ‖difference‖ / ‖expected‖.
const SAME: f64 = 1e-5;

/// Writes one array in NumPy's format.
fn write(file: &Path, shape: &[usize], values: &[f32]) {
    let shape: Vec<u64> = shape.iter().map(|n| *n as u64).collect();
    let to = fs::File::create(file).unwrap();
    let builder = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(to);
    let mut npy = builder.begin_nd().unwrap();
    npy.extend(values.iter().copied()).unwrap();
    npy.finish().unwrap();
}

/// Writes a model's graphs to `folder`, and for each and some λ a folder with the inputs, what the
/// runtime makes of them, and the tolerance. The graphs are those of `from`, where it has any.
fn write_cases(model: &Model, from: Option<&Path>, folder: &Path) {
    let reference = Reference::new(model).unwrap();
    let grid = model.meta.grid().unwrap();
    let (c, w) = (model.meta.channels.len(), model.meta.system.window);
    let frame = c * grid.points();
    let mut scratch = vec![0.0; spectral::scratch_len(&grid)];
    let mut fields = |modes: &[f32]| {
        let mut values = modes.to_vec();
        spectral::inverse(&grid, Modes::from_mut(&mut values), &mut scratch).unwrap();
        values
    };
    let inner = [c, grid.ny(), grid.nx()];
    let graph = |name: &str, make: fn(&Model) -> anyhow::Result<Vec<u8>>| {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        let known = from.and_then(|from| fs::read(from.join(format!("{name}.onnx"))).ok());
        fs::write(folder.join("graph.onnx"), known.unwrap_or_else(|| make(model).unwrap()))
            .unwrap();
        folder
    };
    let [predictor, score] = [graph("predictor", onnx::predictor), graph("score", onnx::score)];
    let lambdas = &model.meta.system.lambdas;
    for (n, lambda) in [lambdas[0], lambdas[lambdas.len() / 2], 1.0].into_iter().enumerate() {
        let path = path(&reference, lambda, w + 1);
        let known = runtime(model, Precision::F32, lambda, &path);
        let case = |graph: &Path, tolerance: f64| {
            let case = graph.join(n.to_string());
            fs::create_dir(&case).unwrap();
            write(&case.join("lambda.npy"), &[1], &[lambda as f32]);
            write(&case.join("tolerance.npy"), &[], &[tolerance as f32]);
            case
        };
        // Sample n is a window of n + 1 frames: zeros stand for those that are not there.
        let to = case(&predictor, SAME);
        let shape = |leading: &[usize]| [leading, &inner].concat();
        let there = fields(&path[..w * frame]);
        let windows = (1..=w).flat_map(|frames| {
            let missing = vec![0.0; (w - frames) * frame];
            [&missing, &there[..frames * frame]].concat()
        });
        write(&to.join("window.npy"), &shape(&[w, w]), &windows.collect::<Vec<_>>());
        for (name, known) in [("increment", &known.increments), ("noise", &known.noise)] {
            if !known.is_empty() {
                write(&to.join(format!("{name}.npy")), &shape(&[w]), &fields(&known.concat()));
            }
        }
        let to = case(&score, if kinks(model) { KINKS } else { SAME });
        write(&to.join("path.npy"), &shape(&[1, w + 1]), &fields(&path));
        write(&to.join("score.npy"), &shape(&[1, w + 1]), &fields(&known.score));
    }
}

#[test]
#[ignore = "needs Python: `cargo xtask test` runs it"]
fn onnx_runtime_agrees_with_the_boards_runtime() {
    let python = std::env::var_os("FINESCALE_PYTHON").expect(
        "FINESCALE_PYTHON names an interpreter with the packages of tests/python/requirements.txt",
    );
    let cases = tempfile::tempdir().unwrap();
    for folder in shipped_models() {
        let model = Model::open(&folder.join("model.safetensors")).unwrap();
        let name = folder.file_name().unwrap().to_string_lossy();
        write_cases(&model, Some(&folder), &cases.path().join(format!("shipped-{name}")));
    }
    for kind in kinds().into_iter().filter(|kind| !kind.residuals && kind.coupling == 0.0) {
        write_cases(&model(&kind), None, &cases.path().join(kind.name));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/python/onnx_files.py");
    let status = Command::new(python).arg(script).arg(cases.path()).status().unwrap();
    assert!(status.success());
}
