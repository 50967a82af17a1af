//! What has to pass: `test`, and `ci`, which is the lints and then exactly `test` with nothing left
//! out. Neither installs anything: what is missing is named, and `setup` gets it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::beside::{self, Beside};
use crate::board::Board;
use crate::firmware::{OVERFLOW, RELEASE};
use crate::hardware::{self, Image};
use crate::setup::{self, Lints, Missing, Tools, python, winds};
use crate::stages::{Count, Skipping, Stages};
use crate::{command, firmware, from_c, gpu, paths, site, size};

/// All tests. What cannot be run here is skipped, with the reason.
pub(crate) fn test() -> Result<bool> {
    let boards = Board::all()?;
    let mut stages = Stages::new(Skipping::Allowed);
    desktop_tests(&mut stages);
    let tools = stages.run("firmware tools", || setup::find(&boards, Lints::Without));
    firmware_tests(&mut stages, tools.as_ref(), &boards, |_, _| ());
    Ok(stages.close())
}

/// The lints, then all tests.
pub(crate) fn ci() -> Result<bool> {
    let boards = Board::all()?;
    let mut stages = Stages::new(Skipping::Refused);
    lints(&mut stages);
    desktop_tests(&mut stages);
    let tools = stages.run("firmware tools", || setup::find(&boards, Lints::With));
    if let Some(tools) = &tools {
        for board in one_for_each_target(&boards) {
            stages.run(&format!("clippy, {}", board.target), || firmware::clippy(tools, board));
        }
    }
    let images = Image::named(&[])?;
    firmware_tests(&mut stages, tools.as_ref(), &boards, |stages, tools| {
        images_of_boards(stages, tools, &images);
    });
    Ok(stages.close())
}

/// The images for real boards.
fn images_of_boards(stages: &mut Stages, tools: &Tools, images: &[Image]) {
    // The others differ from the first by their pins.
    if let Some(image) = images.first() {
        stages.run(&format!("clippy, {}", image.name), || hardware::clippy(tools, image));
    }
    for image in images {
        stages.test(&format!("{}: image", image.name), || hardware::check(tools, image));
    }
}

/// The firmware's tests for some boards.
pub(crate) fn firmware(boards: &[Board]) -> Result<bool> {
    let mut stages = Stages::new(Skipping::Refused);
    let tools = stages.run("firmware tools", || setup::find(boards, Lints::Without));
    firmware_tests(&mut stages, tools.as_ref(), boards, |_, _| ());
    Ok(stages.close())
}

/// The chain from a recorded sensor to packets, alone.
pub(crate) fn sensor(boards: &[Board]) -> Result<bool> {
    let mut stages = Stages::new(Skipping::Refused);
    if let Some(tools) = stages.run("firmware tools", || setup::find(boards, Lints::Without)) {
        for board in boards {
            stages.test(&format!("{}: sensor", board.name), || firmware::sensor(&tools, board));
        }
    }
    Ok(stages.close())
}

/// The boards of two groups are built and run beside each other; `meanwhile` the second group, which
/// takes longer, is waited for.
fn firmware_tests(
    stages: &mut Stages,
    tools: Option<&Tools>,
    boards: &[Board],
    meanwhile: impl FnOnce(&mut Stages, &Tools),
) {
    let (boards, others) = beside::lanes(boards);
    let beside = tools.filter(|_| !others.is_empty()).map(|_| Beside::start(&others));
    tests_of_boards(stages, tools, &boards);
    if let Some(tools) = tools {
        meanwhile(stages, tools);
    }
    if let Some(beside) = beside {
        let names: Vec<_> = others.iter().map(|board| board.name.as_str()).collect();
        stages.test(&format!("beside: {}", names.join(", ")), || beside?.finish());
    } else {
        tests_of_boards(stages, tools, &others);
    }
}

fn tests_of_boards(stages: &mut Stages, tools: Option<&Tools>, boards: &[Board]) {
    let ready = || tools.ok_or_else(|| Missing("the firmware tools are missing".into()));
    let first = one_for_each(boards, |board| &board.core);
    for board in boards {
        let name = &board.name;
        stages.test(&format!("{name}: golden cases"), || firmware::golden_cases(ready()?, board));
        // Another board with a core has other kernels, which the golden cases go through.
        if !first.iter().any(|of| of.name == *name) {
            continue;
        }
        // It was built with them, and lies where the next board's will.
        stages.test(&format!("{name}: stack guard"), || firmware::stack_guard(ready()?, board));
        stages.test(&format!("{name}: stream"), || firmware::stream(ready()?, board));
        stages.test(&format!("{name}: sensor"), || firmware::sensor(ready()?, board));
        stages.test(&format!("{name}: no panic path"), || firmware::no_panic_path(ready()?, board));
    }
    for board in boards.iter().filter(|board| board.name == "mps2-an386") {
        stages.test(&format!("{}: tasks", board.name), || firmware::tasks(ready()?, board));
    }
    for board in &first {
        stages.test(&format!("{}: budget", board.name), || size::check(ready()?, board));
    }
    from_c_tests(stages, tools, boards);
    for board in one_for_each_target(boards) {
        let name = &board.name;
        stages.test(&format!("{name}: no panic path in the examples"), || {
            firmware::no_panic_path_of_examples(ready()?, board)
        });
        stages.test(&format!("{name}: no panic path with overflow checks"), || {
            firmware::no_overflow_path(ready()?, board)
        });
        stages.test(&format!("{name}: the proof bites"), || {
            firmware::proof_bites(ready()?, board, RELEASE, "panic-on-purpose")
        });
        stages.test(&format!("{name}: the proof with overflow checks bites"), || {
            firmware::proof_bites(ready()?, board, OVERFLOW, "overflow-on-purpose")
        });
    }
}

/// The static library for every core, and the program in C on the board that it is for.
fn from_c_tests(stages: &mut Stages, tools: Option<&Tools>, boards: &[Board]) {
    let ready = || tools.ok_or_else(|| Missing("the firmware tools are missing".into()));
    for board in one_for_each(boards, |board| &board.core) {
        let name = &board.name;
        stages.test(&format!("{name}: static library"), || from_c::library(ready()?, board));
        if from_c::is_for(board) {
            stages.test(&format!("{name}: from C"), || from_c::program(ready()?, board));
            stages.test(&format!("{name}: the library's proof bites"), || {
                from_c::proof_bites(ready()?, board)
            });
            stages.test("Zephyr module, with stand-ins for Zephyr", || from_c::zephyr(ready()?));
        }
    }
}

fn lints(stages: &mut Stages) {
    stages.run("format", || {
        command::run(&mut cargo(&["fmt", "--all", "--check"]))?;
        for workspace in ["firmware-example", "firmware-example/hardware", "tests/boards"] {
            let manifest = format!("{workspace}/Cargo.toml");
            command::run(&mut cargo(&["fmt", "--all", "--check", "--manifest-path", &manifest]))?;
        }
        Ok(())
    });
    stages.run("clippy", || {
        command::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-Dwarnings"]))?;
        command::run(&mut cargo(&[
            "clippy",
            "-p",
            "finescale",
            "--all-features",
            "--",
            "-Dwarnings",
        ]))
    });
    stages.run("clippy, CUDA", || {
        // Checked, not built: that would take ten minutes. The version is what the bindings assume
        // where there is no toolkit. The whole workspace, so that what it shares with the stage
        // before has the same features and is not checked again.
        let all = ["clippy", "--workspace", "--lib", "--bins", "--features"];
        let mut clippy =
            cargo(&[&all[..], &["finescale-benches/cuda", "--", "-Dwarnings"]].concat());
        command::run(clippy.env(gpu::CUDA_VERSION.0, gpu::CUDA_VERSION.1))
    });
    stages.run("documentation", || {
        // The libraries only: the program `finescale` would write over the library of the same
        // name.
        let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--lib"]);
        command::run(doc.env("RUSTDOCFLAGS", "-Dwarnings"))
    });
    stages.run("package", || {
        // The runtime as others will get it: it builds from the package alone, with its licences.
        let package = ["package", "-p", "finescale", "--allow-dirty"];
        let (listed, files) = command::capture(cargo(&package).args(["--list", "--quiet"]))?;
        for file in ["Cargo.lock", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"] {
            ensure!(listed && files.lines().any(|of| of == file), "the package lacks {file}");
        }
        command::run(cargo(&package).arg("--quiet"))
    });
    stages.optional("the runtime on its oldest Rust", || {
        let (found, _) =
            command::capture(Command::new("rustup").args(["run", OLDEST, "rustc", "-V"]))?;
        if !found {
            return Err(Missing(format!(
                "Rust {OLDEST} is missing: rustup toolchain install {OLDEST}"
            ))
            .into());
        }
        let mut check = Command::new("rustup");
        check.args(["run", OLDEST, "cargo", "check", "-p", "finescale", "--target-dir"]);
        command::run(check.arg(paths::target().join("oldest")))?;
        Ok(Count::ONE)
    });
    site::check_and_build(stages);
}

/// The oldest Rust that builds the runtime, as `runtime/Cargo.toml` says.
const OLDEST: &str = "1.89.0";

fn desktop_tests(stages: &mut Stages) {
    stages.test("tests on the desktop", || {
        cargo_test(&mut cargo(&["test", "--workspace", "--no-fail-fast"]))
    });
    for feature in ["f32", "int8", "int16"] {
        stages.test(&format!("kinds of weights, {feature} alone"), || {
            let alone = ["--no-default-features", "--features", feature];
            cargo_test(&mut cargo(
                &[&["test", "-p", "finescale", "--test", "weights"], &alone[..]].concat(),
            ))
        });
    }
    stages.test("changed model files", || cargo_test(&mut ignored_test("mutated_models")));
    // What they need comes from places that may be out of reach, which is no fault of the
    // project's.
    stages.optional("ONNX Runtime", || {
        cargo_test(ignored_test("onnx_runtime").env("FINESCALE_PYTHON", python()?))
    });
    stages.optional("files of Python's libraries", || {
        cargo_test(ignored_test("python_files").env("FINESCALE_PYTHON", python()?))
    });
    stages.optional("real winds in xarray", || {
        let winds = winds::find().ok_or_else(|| Missing::until_setup("the file of real winds"))?;
        let mut test = ignored_test("navy_winds");
        cargo_test(test.env("FINESCALE_WINDS", winds).env("FINESCALE_PYTHON", python()?))
    });
}

fn python() -> Result<PathBuf> {
    let python = python::find()?;
    python.ok_or_else(|| Missing::until_setup("the environment of Python").into())
}

/// A test that needs more than Rust, or a minute.
fn ignored_test(name: &str) -> Command {
    cargo(&["test", "--workspace", "--test", name, "--", "--ignored", "--nocapture"])
}

/// Runs `cargo test` and counts.
fn cargo_test(tests: &mut Command) -> Result<Count> {
    let mut count = Count::default();
    let passed = command::run_reading(tests, |line| {
        if let Some(result) = test_result(line) {
            count.passed += result.passed;
            count.failed += result.failed;
            count.skipped += result.skipped;
        }
    })?;
    // A test program that does not build or dies has no result line.
    if !passed && count.failed == 0 {
        count.failed = 1;
    }
    Ok(count)
}

/// Reads `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
fn test_result(line: &str) -> Option<Count> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |word: &str| {
        let part = counts.split("; ").find_map(|part| part.strip_suffix(word))?;
        part.trim().parse().ok()
    };
    Some(Count {
        passed: number("passed")?,
        failed: number("failed")?,
        skipped: number("ignored")?,
    })
}

fn one_for_each_target(boards: &[Board]) -> Vec<&Board> {
    one_for_each(boards, |board| &board.target)
}

/// The first board of each kind.
fn one_for_each(boards: &[Board], kind: fn(&Board) -> &String) -> Vec<&Board> {
    let mut chosen: Vec<&Board> = Vec::new();
    for board in boards {
        if chosen.iter().all(|other| kind(other) != kind(board)) {
            chosen.push(board);
        }
    }
    chosen
}

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(arguments).current_dir(paths::root());
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_are_read_and_other_lines_are_not() {
        let line = "test result: FAILED. 12 passed; 2 failed; 3 ignored; 0 measured; 4 filtered out; finished in 0.10s";
        assert_eq!(test_result(line), Some(Count { passed: 12, failed: 2, skipped: 3 }));
        assert_eq!(test_result("test tests::result ... ok"), None);
    }

    #[test]
    fn one_board_stands_for_each_target() {
        let boards = Board::all().expect("boards load");
        let targets: Vec<_> =
            one_for_each_target(&boards).iter().map(|board| board.target.as_str()).collect();
        assert_eq!(
            targets,
            ["thumbv7em-none-eabihf", "thumbv8m.main-none-eabihf", "riscv32imac-unknown-none-elf"]
        );
    }
}
