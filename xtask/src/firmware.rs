//! Building the firmware for a board, running it under QEMU, and proving that it cannot panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::board::{Board, Console, Qemu};
use crate::setup::Tools;
use crate::stages::Count;
use crate::{command, paths};

/// Seconds after which a board that has not stopped is stopped; a run takes a few.
const LIMIT: &str = "120";
/// What the proof build calls in place of a panic; nothing defines it.
pub(crate) const UNDEFINED: &str = "finescale_panic_path_remains";
const PROOF: &str = "prove-no-panic";

/// A profile of the firmware's workspace.
pub(crate) const RELEASE: &str = "release";
/// The same with overflow checks.
pub(crate) const OVERFLOW: &str = "overflow";

/// Builds the firmware and runs the golden cases on the emulated board.
pub(crate) fn golden_cases(tools: &Tools, board: &Board) -> Result<Count> {
    let elf = build(tools, board, RELEASE, None)?;
    run(tools, board, board.console, &elf)
}

/// Runs the small program, whose exit code says whether its bits are the desktop's.
pub(crate) fn stream(tools: &Tools, board: &Board) -> Result<Count> {
    build(tools, board, RELEASE, None)?;
    if !has_float(board) {
        println!("{} has no floating-point unit: built, not run", board.name);
        return Ok(Count::ONE);
    }
    let built = paths::firmware_target().join(&board.target).join(RELEASE).join("stream");
    run(tools, board, Console::Plain, &built)
}

/// What the program that measures says: bytes of stack, instructions of a frame and of its longest
/// piece. `None` on a board that is not run: see [`stream`].
pub(crate) fn budget(tools: &Tools, board: &Board, program: &Path) -> Result<Option<[u64; 3]>> {
    let Some(qemu) = board.qemu.as_ref().filter(|_| has_float(board)) else { return Ok(None) };
    let mut timeout = Command::new("timeout");
    timeout.args(["--kill-after=5", LIMIT]).env("PATH", &tools.path);
    through_qemu(&mut timeout, qemu);
    let (succeeded, output) = command::capture(timeout.arg(program))?;
    ensure!(succeeded, "{} failed to measure:\n{output}", board.name);
    let words = output.lines().find_map(|line| line.strip_prefix("budget "));
    let numbers = words.unwrap_or("").split_whitespace().map(str::parse);
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().context(output.clone())?;
    <[u64; 3]>::try_from(numbers).ok().with_context(|| output).map(Some)
}

/// Without a floating-point unit the small programs take minutes under emulation.
fn has_float(board: &Board) -> bool {
    board.target.ends_with("hf")
}

/// Runs the chain from a recorded sensor to packets, whose exit code says whether its bits are the
/// desktop's.
pub(crate) fn sensor(tools: &Tools, board: &Board) -> Result<Count> {
    let mut cargo = tools.toolchain.cargo("build", board, RELEASE);
    cargo.args(["--quiet", "--bin", "sensor", "--no-default-features", "--features", "sensor"]);
    if board.watchdog {
        cargo.env("FINESCALE_WATCHDOG", "1");
    }
    command::run(&mut cargo)?;
    let built = paths::firmware_target().join(&board.target).join(RELEASE).join("sensor");
    run(tools, board, board.console, &built)
}

/// Builds the firmware so that it links only without any panic path, and runs that build as well.
pub(crate) fn no_panic_path(tools: &Tools, board: &Board) -> Result<Count> {
    let elf = prove(tools, board, RELEASE)?;
    run(tools, board, Console::Plain, &elf)
}

/// Builds the firmware so that it links only if no panic path is left with overflow checks either.
/// It counts other instructions than the firmware, so it is not run.
pub(crate) fn no_overflow_path(tools: &Tools, board: &Board) -> Result<Count> {
    prove(tools, board, OVERFLOW)?;
    Ok(Count::ONE)
}

fn prove(tools: &Tools, board: &Board, profile: &str) -> Result<PathBuf> {
    build(tools, board, profile, Some(PROOF))
        .with_context(|| format!("if the linker names {UNDEFINED}, a panic path remains"))
}

/// Shows that the proof notices a panic path: with the one that `feature` puts in on purpose, the
/// link must fail.
pub(crate) fn proof_bites(
    tools: &Tools,
    board: &Board,
    profile: &str,
    feature: &str,
) -> Result<Count> {
    let mut cargo = tools.toolchain.cargo("build", board, profile);
    cargo.args(["--features", feature]);
    println!("$ {}", command::shown(&cargo));
    let (linked, output) = command::capture(&mut cargo)?;
    ensure!(!linked, "a program with a panic path has linked: the proof proves nothing");
    if !output.contains(UNDEFINED) {
        bail!("the build failed for another reason than the panic path:\n{output}");
    }
    println!("refused by the linker, as it should be: undefined symbol {UNDEFINED}");
    Ok(Count::ONE)
}

/// Lints the firmware for a board's target.
pub(crate) fn clippy(tools: &Tools, board: &Board) -> Result<()> {
    command::run(tools.toolchain.cargo("clippy", board, RELEASE).args(["--", "-Dwarnings"]))
}

/// Builds and gives the program's path, named after the board.
fn build(tools: &Tools, board: &Board, profile: &str, feature: Option<&str>) -> Result<PathBuf> {
    println!("{} ({}), built by {}", board.name, board.core, tools.toolchain.describe());
    let mut cargo = tools.toolchain.cargo("build", board, profile);
    if let Some(feature) = feature {
        cargo.args(["--features", feature]);
    }
    command::run(cargo.arg("--quiet"))?;

    let target = paths::firmware_target();
    let built = target.join(&board.target).join(profile).join("finescale-firmware");
    let kind = match (feature, profile) {
        (None, _) => "",
        (Some(_), OVERFLOW) => "-overflow-proof",
        (Some(_), _) => "-proof",
    };
    let kept = paths::kept().join(format!("{}{kind}", board.name));
    fs::create_dir_all(paths::kept())?;
    fs::copy(&built, &kept).with_context(|| built.display().to_string())?;
    Ok(kept)
}

/// Runs a program on the board's emulator: its exit code decides.
pub(crate) fn run(tools: &Tools, board: &Board, console: Console, elf: &Path) -> Result<Count> {
    let Some(qemu) = &board.qemu else {
        println!("{} has no emulator: built, not run", board.name);
        return Ok(Count::ONE);
    };
    let mut timeout = Command::new("timeout");
    // What the program writes to files is left beside it.
    timeout.current_dir(paths::firmware_target());
    timeout.args(["--kill-after=5", LIMIT]).env("PATH", &tools.path);
    match console {
        Console::Defmt => through_qemu_run(&mut timeout, qemu, tools),
        Console::Plain => through_qemu(&mut timeout, qemu),
    }
    command::run(timeout.arg(elf)).with_context(|| {
        format!("{} failed (exit 1: bits differ; 101: panic; 102: fault; 124: not finished after {LIMIT} s)", board.name)
    })?;
    Ok(Count::ONE)
}

fn through_qemu_run(timeout: &mut Command, qemu: &Qemu, tools: &Tools) {
    timeout.arg(&tools.qemu_run);
    timeout.args(["--log-format", "{s}", "--machine", &qemu.machine]);
    for (name, value) in &qemu.options {
        timeout.arg("--arg").arg(format!("{name}={value}"));
    }
}

fn through_qemu(timeout: &mut Command, qemu: &Qemu) {
    timeout.arg(&qemu.system).args(["-machine", &qemu.machine]);
    for (name, value) in &qemu.options {
        timeout.args([&format!("-{name}"), value]);
    }
    timeout.args(["-nographic", "-monitor", "none", "-serial", "none"]);
    timeout.args(["-semihosting-config", "enable=on,target=native", "-kernel"]);
}
