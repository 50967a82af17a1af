//! The project's commands, as `cargo xtask COMMAND`: one place that people and CI call alike.

mod beside;
mod board;
mod command;
mod demo;
mod firmware;
mod from_c;
mod gate;
mod gpu;
mod hardware;
mod listen;
mod paths;
mod setup;
mod site;
mod size;
mod stages;

use std::env;
use std::process::ExitCode;

use anyhow::{Result, bail};
use board::Board;

const HELP: &str = "\
cargo xtask COMMAND

  demo                super-resolve flows and real temperatures with shipped models, score and draw them
  test                all tests: on the desktop, then the firmware under QEMU; what is missing is named
                      and its tests are skipped
  ci                  lints and documentation, then exactly what `test` runs; no firmware may be skipped
  site                check every link between the repository's pages, and make a site of them in target/site
  firmware [BOARD…]   build, run and prove the firmware for these boards (all by default)
  board [BOARD…]      run the program `sensor` on these emulated boards, from recorded frames to packets, and
                      show the last board's by `finescale listen`; m7 is the board with a Cortex-M7, and so on
  size [--write] [KIND…] [BOARD…]
                      flash, RAM, stack and instructions of the small program, for these kinds of
                      weights (f32, int8, int16; all by default) on these boards (Cortex-M4F by
                      default), compared with firmware-example/budget.toml (with --write: recorded
                      there)
  images [--write] [BOARD…]
                      build the images for real boards (all by default), and compare the flash and
                      RAM that they take with firmware-example/hardware/budget.toml (with --write:
                      record it there)
  setup [--dry-run]   say what the tests need beside Rust and is missing, then download and build it,
                      all of it into the target folder (with --dry-run: only say it)
  gpu [ARGUMENT…]     on an NVIDIA GPU: numbers against the CPU's, pace against PyTorch's
                      (benches/gpu.py has the arguments; --build-only builds what it needs, --dry-run
                      tries it without a GPU)";

fn main() -> ExitCode {
    match dispatch() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The sensor's program on these boards, and what it sent.
fn board(boards: &[Board]) -> Result<bool> {
    listen::forget();
    let passed = gate::sensor(boards)?;
    listen::show()?;
    Ok(passed)
}

/// Runs the command and says whether every stage of it passed.
fn dispatch() -> Result<bool> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match *words {
        ["demo"] => demo::run().map(|()| true),
        ["test"] => gate::test(),
        ["ci"] => gate::ci(),
        ["firmware", ref boards @ ..] => gate::firmware(&Board::named(boards)?),
        ["board", ref boards @ ..] => board(&Board::of_cores(boards)?),
        ["size", ref arguments @ ..] => size::run(arguments),
        ["images", "--write", ref boards @ ..] => hardware::run(boards, true),
        ["images", ref boards @ ..] => hardware::run(boards, false),
        ["gpu", ref arguments @ ..] => gpu::run(arguments).map(|()| true),
        ["site"] => site::run(),
        ["setup"] => setup::run(false),
        ["setup", "--dry-run"] => setup::run(true),
        [] | ["help" | "-h" | "--help"] => {
            println!("{HELP}");
            Ok(true)
        }
        _ => bail!("no command is called `{}`; these are:\n\n{HELP}", words.join(" ")),
    }
}
