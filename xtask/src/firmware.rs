//! Building the firmware for a board, running it under QEMU, and proving that it cannot panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::board::{Board, Console, ICOUNT, Qemu};
use crate::setup::Tools;
use crate::stages::Count;
use crate::{command, paths};

/// Seconds after which a board that has not stopped is stopped; a run takes a few.
const LIMIT: &str = "300";
/// The same of the program that measures, which without a floating-point unit takes minutes.
const MEASURING: &str = "900";
/// What the proof build calls in place of a panic; nothing defines it.
pub(crate) const UNDEFINED: &str = "finescale_panic_path_remains";
const PROOF: &str = "prove-no-panic";
/// The program of the golden cases.
const GOLDEN: &str = "golden-cases";
/// The exit code of a program whose stack grew beyond its end.
const STACK_OVERFLOW: i32 = 103;

/// A profile of the firmware's workspaces.
pub(crate) const RELEASE: &str = "release";
/// The same with overflow checks.
pub(crate) const OVERFLOW: &str = "overflow";

/// Builds the tests that run on boards, and runs the golden cases on the emulated board.
pub(crate) fn golden_cases(tools: &Tools, board: &Board) -> Result<Count> {
    let features = [board.console.feature()];
    build(tools, &paths::board_tests(), board, RELEASE, &features)?;
    run(tools, board, board.console, &keep(board, RELEASE, GOLDEN, "")?)
}

/// A program whose stack has no end must be stopped by its guard, which says so. It was built by
/// [`golden_cases`].
pub(crate) fn stack_guard(tools: &Tools, board: &Board) -> Result<Count> {
    let Some(qemu) = &board.qemu else { return unrun(board) };
    let mut qemu = emulator(tools, qemu, board.console);
    qemu.arg(built(board, RELEASE, "overflow"));
    println!("$ {}", command::shown(&qemu));
    let (code, output) = command::code(&mut qemu)?;
    println!("{}", output.trim_end());
    ensure!(
        code == Some(STACK_OVERFLOW) && output.contains("STACK OVERFLOW"),
        "{}: a program without an end of its stack stopped with {code:?}, not with \
         {STACK_OVERFLOW} and the words STACK OVERFLOW",
        board.name
    );
    Ok(Count::ONE)
}

/// Builds the programs to copy, and runs the small one, whose exit code says whether its bits are
/// the desktop's.
pub(crate) fn stream(tools: &Tools, board: &Board) -> Result<Count> {
    build_examples(tools, board)?;
    if !has_float(board) {
        println!("{} has no floating-point unit: built, not run", board.name);
        return Ok(Count::ONE);
    }
    run(tools, board, board.console, &built(board, RELEASE, "stream"))
}

/// Runs the chain from a recorded sensor to packets, whose exit code says whether its bits are the
/// desktop's.
pub(crate) fn sensor(tools: &Tools, board: &Board) -> Result<Count> {
    build_examples(tools, board)?;
    run(tools, board, board.console, &built(board, RELEASE, "sensor"))
}

/// Runs the program whose frames are drawn by an asynchronous task; only Cortex-M has it.
pub(crate) fn tasks(tools: &Tools, board: &Board) -> Result<Count> {
    let features = [board.console.feature(), "tasks"];
    let mut cargo = cargo_build(tools, &paths::firmware(), board, RELEASE, &features);
    command::run(cargo.args(["--bin", "tasks"]))?;
    run(tools, board, board.console, &built(board, RELEASE, "tasks"))
}

fn build_examples(tools: &Tools, board: &Board) -> Result<()> {
    build(tools, &paths::firmware(), board, RELEASE, &[board.console.feature(), "sensor"])
}

/// What the program that measures says: bytes of stack, instructions of a frame and of its longest
/// piece. `None` on a board without an emulator.
pub(crate) fn budget(tools: &Tools, board: &Board, program: &Path) -> Result<Option<[u64; 3]>> {
    let Some(mut qemu) = board.qemu.clone() else { return Ok(None) };
    qemu.options.insert(ICOUNT.0.into(), ICOUNT.1.into());
    let mut timeout = Command::new("timeout");
    timeout.args(["--kill-after=5", MEASURING]).env("PATH", &tools.path);
    through_qemu(&mut timeout, &qemu);
    let (succeeded, output) = command::capture(timeout.arg(program))?;
    ensure!(succeeded, "{} failed to measure:\n{output}", board.name);
    let words = output.lines().find_map(|line| line.strip_prefix("budget "));
    let numbers = words.unwrap_or("").split_whitespace().map(str::parse);
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().context(output.clone())?;
    <[u64; 3]>::try_from(numbers).ok().with_context(|| output).map(Some)
}

/// Without a floating-point unit the small programs take minutes under emulation.
pub(crate) fn has_float(board: &Board) -> bool {
    board.target.ends_with("hf")
}

/// Builds the golden cases so that they link only without any panic path, and runs that build as
/// well. It prints as text: defmt's logger has panics of its own.
pub(crate) fn no_panic_path(tools: &Tools, board: &Board) -> Result<Count> {
    prove(tools, board, RELEASE)?;
    run(tools, board, Console::Plain, &keep(board, RELEASE, GOLDEN, "-proof")?)
}

/// As [`no_panic_path`] of the programs to copy, which are not run once more.
pub(crate) fn no_panic_path_of_examples(tools: &Tools, board: &Board) -> Result<Count> {
    let features = [PROOF, Console::Plain.feature(), "sensor"];
    let mut cargo = cargo_build(tools, &paths::firmware(), board, RELEASE, &features);
    command::run(cargo.args(["--bin", "stream", "--bin", "sensor"]))
        .with_context(|| format!("if the linker names {UNDEFINED}, a panic path remains"))?;
    Ok(Count::ONE)
}

/// Builds the firmware so that it links only if no panic path is left with overflow checks either.
/// It counts other instructions than the firmware, so it is not run.
pub(crate) fn no_overflow_path(tools: &Tools, board: &Board) -> Result<Count> {
    prove(tools, board, OVERFLOW)?;
    keep(board, OVERFLOW, GOLDEN, "-overflow-proof")?;
    Ok(Count::ONE)
}

fn prove(tools: &Tools, board: &Board, profile: &str) -> Result<()> {
    let features = [PROOF, Console::Plain.feature()];
    let mut cargo = cargo_build(tools, &paths::board_tests(), board, profile, &features);
    command::run(cargo.args(["--bin", GOLDEN]))
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
    let mut cargo = tools.toolchain.cargo("build", &paths::board_tests(), board, profile);
    cargo.args(["--bin", GOLDEN, "--no-default-features", "--features"]);
    cargo.arg([Console::Plain.feature(), feature].join(","));
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
    for (workspace, more) in [(paths::firmware(), ",sensor"), (paths::board_tests(), "")] {
        let mut cargo = tools.toolchain.cargo("clippy", &workspace, board, RELEASE);
        cargo.args(["--no-default-features", "--features"]);
        cargo.arg(format!("{}{more}", board.console.feature()));
        command::run(cargo.args(["--", "-Dwarnings"]))?;
    }
    Ok(())
}

/// Builds all programs of a workspace that these features allow.
fn build(
    tools: &Tools,
    workspace: &Path,
    board: &Board,
    profile: &str,
    features: &[&str],
) -> Result<()> {
    command::run(&mut cargo_build(tools, workspace, board, profile, features))
}

fn cargo_build(
    tools: &Tools,
    workspace: &Path,
    board: &Board,
    profile: &str,
    features: &[&str],
) -> Command {
    println!("{} ({}), built by {}", board.name, board.core, tools.toolchain.describe());
    let mut cargo = tools.toolchain.cargo("build", workspace, board, profile);
    cargo.args(["--quiet", "--no-default-features", "--features", &features.join(",")]);
    cargo
}

/// Where a program lies that was built.
fn built(board: &Board, profile: &str, program: &str) -> PathBuf {
    paths::firmware_target().join(&board.target).join(profile).join(program)
}

/// Copies a program that was built to a name of its board.
fn keep(board: &Board, profile: &str, program: &str, kind: &str) -> Result<PathBuf> {
    let (built, kept) = (built(board, profile, program), paths::kept());
    fs::create_dir_all(&kept)?;
    let kept = kept.join(format!("{}{kind}", board.name));
    fs::copy(&built, &kept).with_context(|| built.display().to_string())?;
    Ok(kept)
}

/// What holds of a board without an emulator.
fn unrun(board: &Board) -> Result<Count> {
    println!("{} has no emulator: built, not run", board.name);
    Ok(Count::ONE)
}

/// Runs a program on the board's emulator: its exit code decides.
pub(crate) fn run(tools: &Tools, board: &Board, console: Console, elf: &Path) -> Result<Count> {
    let Some(qemu) = &board.qemu else { return unrun(board) };
    let mut qemu = emulator(tools, qemu, console);
    qemu.arg(elf);
    println!("$ {}", command::shown(&qemu));
    let (code, output) = command::code(&mut qemu)?;
    println!("{}", output.trim_end());
    // `qemu-run` ends with 0 where the emulator gives up on a locked processor.
    ensure!(
        code == Some(0) && !output.contains("qemu: fatal"),
        "{} stopped with {code:?} (1: bits differ; 101: panic; 102: fault; 103: stack overflow; 124: \
         not finished after {LIMIT} s)",
        board.name
    );
    Ok(Count::ONE)
}

/// The emulator, which lacks but the program.
fn emulator(tools: &Tools, qemu: &Qemu, console: Console) -> Command {
    let mut timeout = Command::new("timeout");
    // What the program writes to files is left beside it.
    timeout.current_dir(paths::firmware_target());
    timeout.args(["--kill-after=5", LIMIT]).env("PATH", &tools.path);
    match console {
        Console::Defmt => through_qemu_run(&mut timeout, qemu, tools),
        Console::Plain => through_qemu(&mut timeout, qemu),
    }
    timeout
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
