//! Writes the files that fuzzing of the model format starts from: `cargo run -p finescale-trainer --example fuzz_seeds`.

#[path = "../tests/common/models.rs"]
mod models;

use std::fs;
use std::path::Path;

use anyhow::Result;
use finescale_trainer::export::{Precision, file};
use models::{Kind, kinds, model};

fn main() -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/seeds");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    for kind in kinds() {
        // The shortest axes and windows that have every section.
        let small = Kind {
            x: (8, kind.x.1),
            y: kind.y.map(|(_, boundary)| (8, boundary)),
            window: kind.window.min(2),
            ..kind
        };
        let model = model(&small);
        let bounds = if kind.kernel == 0 { &[][..] } else { &[2.0, 3.0, 4.0] };
        let precisions = [(Precision::F32, "f32"), (Precision::Int8, "int8")];
        // Without a network both are the same.
        for (precision, name) in precisions.into_iter().take(1 + kind.kernel.min(1)) {
            let bytes = file(&model, precision, bounds)?;
            fs::write(folder.join(format!("{}-{name}.finescale", kind.name)), bytes)?;
        }
    }
    Ok(())
}
