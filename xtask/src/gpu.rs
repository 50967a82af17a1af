//! `cargo xtask gpu`: builds the one program that a machine with a GPU needs, and runs `benches/gpu.py` with it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{command, paths};

/// Cargo's profile, and the program's name.
const GPU: &str = "gpu";
/// Most bytes of the program: it is sent to machines that have no compiler.
const LARGEST: u64 = 60_000_000;
/// The CUDA version that the bindings assume where no toolkit says which there is.
pub(crate) const CUDA_VERSION: (&str, &str) = ("CUDARC_CUDA_VERSION", "13000");

/// Builds, then runs the script with these arguments; `--build-only` among them stops before it.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let program = build()?;
    if arguments.contains(&"--build-only") {
        println!(
            "{} is ready; with benches/ it is all that `benches/gpu.py` needs",
            program.display()
        );
        return Ok(());
    }
    let mut python = Command::new("python3");
    python.current_dir(paths::root()).arg("benches/gpu.py").arg("--program").arg(program);
    command::run(python.args(arguments))
}

/// The stripped program, no larger than it may be.
fn build() -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(paths::root());
    cargo.args(["build", "--profile", GPU, "--package", "finescale-benches", "--bin", GPU]);
    cargo.args(["--no-default-features", "--features", "cuda"]);
    if paths::find_program("nvcc").is_none() {
        cargo.env(CUDA_VERSION.0, CUDA_VERSION.1);
    }
    command::run(&mut cargo)?;
    let program = paths::target().join(GPU).join(GPU);
    let size = program.metadata().with_context(|| program.display().to_string())?.len();
    ensure!(size <= LARGEST, "{} has {size} bytes: at most {LARGEST} may be", program.display());
    println!("{}: {:.1} MB", program.display(), size as f64 / 1e6);
    Ok(program)
}
