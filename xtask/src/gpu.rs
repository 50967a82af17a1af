//! `cargo xtask gpu`: builds the one program that a machine with a GPU needs, and runs
//! `benches/gpu.py` with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{command, paths};

/// Cargo's profile, and the program's name.
const GPU: &str = "gpu";
/// Most bytes of the packed program: it is sent to machines that have no compiler.
const LARGEST: u64 = 60_000_000;
/// The CUDA version that the bindings assume where no toolkit says which there is.
pub(crate) const CUDA_VERSION: (&str, &str) = ("CUDARC_CUDA_VERSION", "13000");

/// Builds, then runs the script with these arguments; `--build-only` among them stops before it.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let program = build()?;
    if arguments.contains(&"--build-only") {
        return pack(&program);
    }
    let mut python = Command::new("python3");
    python.current_dir(paths::root()).arg("benches/gpu.py").arg("--program").arg(program);
    command::run(python.args(arguments))
}

/// The stripped program.
fn build() -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(paths::root());
    cargo.args(["build", "--profile", GPU, "--package", "finescale-benches", "--bin", GPU]);
    cargo.args(["--no-default-features", "--features", "cuda"]);
    if paths::find_program("nvcc").is_none() {
        cargo.env(CUDA_VERSION.0, CUDA_VERSION.1);
    }
    command::run(&mut cargo)?;
    Ok(paths::target().join(GPU).join(GPU))
}

/// Packs the program beside itself, no larger than it may be.
fn pack(program: &Path) -> Result<()> {
    command::run(Command::new("xz").args(["--keep", "--force", "--threads=0"]).arg(program))
        .context("the program cannot be packed: install xz (Debian: xz-utils)")?;
    let packed = program.with_extension("xz");
    let size = packed.metadata().with_context(|| packed.display().to_string())?.len();
    ensure!(size <= LARGEST, "{} has {size} bytes: at most {LARGEST} may be", packed.display());
    println!(
        "{}: {:.1} MB; with benches/ it is all that `benches/gpu.py` needs",
        packed.display(),
        size as f64 / 1e6
    );
    Ok(())
}
