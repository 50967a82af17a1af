//! Writes the files that fuzzing of the model format starts from: `cargo run -p finescale-model
//! --example fuzz_seeds`.

#[path = "../../fixtures/means.rs"]
mod means;
#[path = "../../fixtures/models.rs"]
mod models;

use std::fs;
use std::path::Path;

use anyhow::Result;
use finescale_model::export::{Bounds, Precision, file, mean_file};
use means::{MeanKind, mean_kinds, mean_model};
use models::{Kind, kinds, model};

fn main() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/seeds");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    for kind in kinds() {
        // The shortest axes and windows that have every section; of no power of two, the kind's
        // own.
        let least = |(points, boundary): (usize, _)| {
            (if points.is_power_of_two() { 8 } else { points }, boundary)
        };
        let small =
            Kind { x: least(kind.x), y: kind.y.map(least), window: kind.window.min(2), ..kind };
        let model = model(&small);
        let bounds = Bounds::ones(model.meta.layers()?.len());
        let precisions = [Precision::F32, Precision::Int8, Precision::Int16];
        // Without a network all are the same.
        for precision in precisions.into_iter().take(if kind.kernel == 0 { 1 } else { 3 }) {
            let bytes = file(&model, precision, &bounds)?;
            let name = format!("{}-{}.finescale", kind.name, precision.name());
            fs::write(folder.join(name), bytes)?;
        }
    }
    means_of_conditions()
}

/// The same of conditional means.
fn means_of_conditions() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/means");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    for kind in mean_kinds() {
        let [ny, nx] = kind.coarse.map(|points| points.min(if points < 5 { 4 } else { 6 }));
        let small = |(_, boundary)| (8, boundary);
        let coarse = if kind.y.is_none() { [1, 4] } else { [ny, nx] };
        let model =
            mean_model(&MeanKind { y: kind.y.map(small), x: small(kind.x), coarse, ..kind });
        let ones = vec![1.0; model.meta.layers()?.len()];
        let bounds = Bounds { inputs: ones.clone(), gradients: Vec::new(), factors: ones };
        let precisions = [Precision::F32, Precision::Int8, Precision::Int16];
        for precision in precisions.into_iter().take(if kind.kernel == 0 { 1 } else { 3 }) {
            let bytes = mean_file(&model, precision, &bounds)?;
            let name = format!("{}-{}.finescale", kind.name, precision.name());
            fs::write(folder.join(name), bytes)?;
        }
    }
    Ok(())
}
