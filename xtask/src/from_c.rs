//! The static library for C, and the program in C that uses it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::board::{Board, Console};
use crate::firmware::{self, UNDEFINED};
use crate::setup::{self, Tools};
use crate::stages::Count;
use crate::{command, paths};

/// The board that the program in C is for.
const BOARD: &str = "mps2-an386";
/// The profile of the static library, in the repository's workspace.
const PROFILE: &str = "board";
/// The kind of weights of the program's models.
const KIND: &str = "int16";

/// Whether the program in C is for this board.
pub(crate) fn is_for(board: &Board) -> bool {
    board.name == BOARD
}

/// Builds the static library; it must not be able to panic.
pub(crate) fn library(tools: &Tools, board: &Board) -> Result<Count> {
    let library = build(tools, board, KIND)?;
    let panics = calls_undefined(&library)?;
    ensure!(!panics, "{} has a panic path: it calls {UNDEFINED}", library.display());
    let kept = kept(board);
    fs::create_dir_all(kept.parent().context("a folder")?)?;
    fs::copy(&library, &kept)?;
    Ok(Count::ONE)
}

/// Shows that the check notices a panic path that is put in on purpose.
pub(crate) fn proof_bites(tools: &Tools, board: &Board) -> Result<Count> {
    let library = build(tools, board, &format!("{KIND},panic-on-purpose"))?;
    let panics = calls_undefined(&library)?;
    ensure!(panics, "a library with a panic path does not call {UNDEFINED}: nothing is proved");
    println!("it calls {UNDEFINED}, as it should");
    Ok(Count::ONE)
}

/// Builds the program in C with the library of [`library`], and runs it on the emulated board. It
/// links only without any panic path, and exits with 0 where its bits are the desktop's.
pub(crate) fn program(tools: &Tools, board: &Board) -> Result<Count> {
    setup::find_c()?;
    let (source, build) = (paths::firmware().join("c"), paths::firmware_target().join("c"));
    let mut configure = cmake(tools, &source, &build);
    configure.arg("--toolchain").arg(source.join("arm-none-eabi.cmake"));
    configure.arg(format!("-DFINESCALE_LIBRARY={}", kept(board).display()));
    command::run(&mut configure)?;
    let mut make = Command::new("cmake");
    command::run(make.env("PATH", &tools.path).arg("--build").arg(&build))
        .with_context(|| format!("if the linker names {UNDEFINED}, a panic path remains"))?;
    firmware::run(tools, board, Console::Plain, &build.join("stream"))
}

/// Configures the Zephyr module with stand-ins for the functions of Zephyr's that it calls.
pub(crate) fn zephyr(tools: &Tools) -> Result<Count> {
    setup::find_c()?;
    let test = paths::root().join("runtime/c/zephyr/test");
    command::run(&mut cmake(tools, &test, &paths::firmware_target().join("zephyr")))?;
    Ok(Count::ONE)
}

/// `cmake` that configures anew what may lie there.
fn cmake(tools: &Tools, source: &Path, build: &Path) -> Command {
    let mut cmake = Command::new("cmake");
    cmake.env("PATH", &tools.path).args(["--fresh", "-G", "Unix Makefiles"]);
    cmake.arg("-S").arg(source).arg("-B").arg(build);
    cmake
}

/// Where the library for a board is kept.
fn kept(board: &Board) -> PathBuf {
    paths::kept().join(format!("{}-libfinescale_c.a", board.name))
}

fn build(tools: &Tools, board: &Board, features: &str) -> Result<PathBuf> {
    println!("{} ({}), built by {}", board.name, board.core, tools.toolchain.describe());
    let mut cargo = tools.toolchain.cargo_at_root("rustc", board, PROFILE);
    cargo.args(["--quiet", "--package", "finescale-c", "--crate-type", "staticlib"]);
    command::run(cargo.args(["--no-default-features", "--features", features]))?;
    let folder = paths::firmware_target().join(&board.target).join(PROFILE);
    Ok(folder.join("libfinescale_c.a"))
}

/// Whether the archive's symbols have the function that a panic calls.
fn calls_undefined(library: &Path) -> Result<bool> {
    let bytes = fs::read(library).with_context(|| library.display().to_string())?;
    Ok(bytes.windows(UNDEFINED.len()).any(|window| window == UNDEFINED.as_bytes()))
}
