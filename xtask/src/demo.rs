//! `cargo xtask demo`: what the project does, in pictures, with nothing but Rust.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{command, paths};

/// A real field, and how it is imported.
struct Input {
    file: &'static str,
    import: &'static [&'static str],
}

/// Ships with the project.
const SAMPLE: Input = Input {
    file: "tests/data/air_temperature.nc",
    import: &["--grid", "64x128", "--split", "none"],
};
/// Monthly winds of Debian's package ferret-datasets, taken where they are installed.
const WINDS: Input = Input {
    file: "/usr/share/ferret-vis/data/monthly_navy_winds.cdf",
    import: &["--var", "UWND,VWND", "--grid", "64x128"],
};
const OUT: &str = "out/demo";

/// Imports each real field and damps it over a ladder of scales; says where the pictures are.
pub(crate) fn run() -> Result<()> {
    let root = paths::root();
    let out = root.join(OUT);
    std::fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
    let mut pictures = vec![draw(&root, &SAMPLE)?];
    if Path::new(WINDS.file).is_file() {
        pictures.push(draw(&root, &WINDS)?);
    } else {
        println!(
            "{} is not there (Debian's package ferret-datasets): its winds are left out",
            WINDS.file
        );
    }
    println!("\npictures:");
    for picture in pictures {
        println!("  {}", picture.display());
    }
    Ok(())
}

fn draw(root: &Path, input: &Input) -> Result<PathBuf> {
    let name = Path::new(input.file).file_stem().unwrap_or_default().to_string_lossy();
    let data_set = format!("{OUT}/{name}.zarr");
    let picture = format!("{OUT}/{name}.png");
    let import = ["data", "import", input.file, "--force", "--out", &data_set];
    finescale(root, &[&import[..], input.import].concat())?;
    finescale(root, &["damp", &data_set, "--out", &picture])?;
    Ok(root.join(picture))
}

fn finescale(root: &Path, arguments: &[&str]) -> Result<()> {
    let mut cargo = Command::new("cargo");
    // Without default features: pure Rust, and quicker to compile.
    cargo.args(["run", "--quiet", "--release", "--no-default-features", "-p", "finescale-trainer"]);
    cargo.args(["--bin", "finescale", "--"]);
    command::run(cargo.args(arguments).current_dir(root))
}
