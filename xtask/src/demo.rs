//! `cargo xtask demo`: what the project does, in pictures, with nothing but Rust.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{command, paths};

/// The demo's command, and the folder it writes.
const COMMAND: &[&str] = &["damp", "tests/data/a1b_north_america.nc", "--out", OUT];
const OUT: &str = "out/demo";

/// Runs the demo and says where its pictures are.
pub(crate) fn run() -> Result<()> {
    let root = paths::root();
    let mut cargo = Command::new("cargo");
    cargo.args(["run", "--release", "-p", "finescale-trainer", "--bin", "finescale", "--"]);
    command::run(cargo.args(COMMAND).current_dir(&root))?;

    let folder = root.join(OUT);
    let mut pictures = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "png" || extension == "svg") {
            pictures.push(path);
        }
    }
    ensure!(!pictures.is_empty(), "the demo left no picture in {}", folder.display());
    pictures.sort();
    println!("pictures:");
    for picture in pictures {
        println!("  {}", picture.display());
    }
    Ok(())
}
