//! Gives the linker the memory map of the board named by `FINESCALE_BOARD`.

use std::path::PathBuf;
use std::{env, fs, process};

const DEFAULT_BOARD: &str = "mps2-an386";
/// Instructions are counted where the board's emulator makes a clock of them.
const TICKS: &str = "FINESCALE_INSTRUCTIONS_PER_100_TICKS";

/// What the guard of the stack asks of the map.
const ALIGNED: &str = "
ASSERT(_stack_end % 0x10000 == 0, \"_stack_end must be a multiple of 64 KiB\");
";

fn main() {
    println!("cargo::rerun-if-env-changed=FINESCALE_BOARD");
    let board = env::var("FINESCALE_BOARD").unwrap_or_else(|_| DEFAULT_BOARD.into());
    let memory = PathBuf::from("../boards").join(&board).join("memory.x");
    println!("cargo::rerun-if-changed={}", memory.display());

    println!("cargo::rerun-if-env-changed={TICKS}");
    println!("cargo::rustc-env={TICKS}={}", env::var(TICKS).unwrap_or_else(|_| "0".into()));

    // From ARMv8-M on a core compares the stack pointer with a limit.
    println!("cargo::rustc-check-cfg=cfg(stack_limit)");
    if env::var("TARGET").is_ok_and(|target| target.starts_with("thumbv8m")) {
        println!("cargo::rustc-cfg=stack_limit");
    }

    let map = fs::read_to_string(&memory).unwrap_or_else(|error| {
        println!(
            "cargo::error=FINESCALE_BOARD is `{board}`, but {}: {error}; it must be the name of a \
             folder in firmware-example/boards/",
            memory.display()
        );
        process::exit(1)
    });
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(out.join("memory.x"), map + ALIGNED).expect("cargo's folder can be written to");
    println!("cargo::rustc-link-search={}", out.display());
}
