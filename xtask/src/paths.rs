//! Where things are.

use std::env;
use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here =
        env::var_os("CARGO_MANIFEST_DIR").map_or(env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().map_or(here.clone(), Path::to_path_buf)
}

/// The workspace of the programs for boards, with the boards' folders.
pub(crate) fn firmware() -> PathBuf {
    root().join("firmware-example")
}

/// The workspace of the tests that run on boards.
pub(crate) fn board_tests() -> PathBuf {
    root().join("tests/boards")
}

/// Where a process that builds firmware beside another one has its target folder.
pub(crate) const FIRMWARE_TARGET: &str = "FINESCALE_FIRMWARE_TARGET";

/// The target folder of both: never the desktop's, whatever `CARGO_TARGET_DIR` says.
pub(crate) fn firmware_target() -> PathBuf {
    env::var_os(FIRMWARE_TARGET).map_or_else(|| firmware().join("target"), PathBuf::from)
}

/// Where programs and libraries are kept under their boards' names.
pub(crate) fn kept() -> PathBuf {
    firmware().join("target/boards")
}

/// The desktop's target folder.
pub(crate) fn target() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    root().join(target)
}

/// Where `setup` keeps what it builds, in the desktop's target folder.
pub(crate) fn tools() -> PathBuf {
    target().join("firmware-tools")
}

/// The program of this name on `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
