//! Gives the linker the memory map of the board named by `FINESCALE_BOARD`.

use std::path::PathBuf;
use std::{env, fs, process};

const DEFAULT_BOARD: &str = "mps2-an386";

fn main() {
    println!("cargo::rerun-if-env-changed=FINESCALE_BOARD");
    println!("cargo::rerun-if-env-changed=FINESCALE_WATCHDOG");
    let board = env::var("FINESCALE_BOARD").unwrap_or_else(|_| DEFAULT_BOARD.into());
    let memory = PathBuf::from("boards").join(&board).join("memory.x");
    println!("cargo::rerun-if-changed={}", memory.display());

    // Instructions are counted where the board's emulator makes a clock of them.
    for (name, default) in [
        ("FINESCALE_INSTRUCTIONS_PER_100_TICKS", "0"),
        ("FINESCALE_KERNEL_BOUNDS", "0 0 0 0 0 0 0 0 0 0"),
    ] {
        println!("cargo::rerun-if-env-changed={name}");
        let value = env::var(name).unwrap_or_else(|_| default.into());
        println!("cargo::rustc-env={name}={value}");
    }

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    if let Err(error) = fs::copy(&memory, out.join("memory.x")) {
        println!(
            "cargo::error=FINESCALE_BOARD is `{board}`, but {}: {error}; it must be the name of a \
             folder in boards/",
            memory.display()
        );
        process::exit(1);
    }
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    println!("cargo::rustc-link-arg-bins=--nmagic");

    // defmt's table of strings; it also asks for a logger, which the golden cases and `sensor` need, and
    // which the proof build leaves out.
    let arm = env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("arm");
    let has = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    if arm && (has("GOLDEN") || has("SENSOR")) && !has("PROVE_NO_PANIC") {
        println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
    }
}
