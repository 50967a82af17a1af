//! Where things are.

use std::env;
use std::path::{Path, PathBuf};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here =
        env::var_os("CARGO_MANIFEST_DIR").map_or(env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().map_or(here.clone(), Path::to_path_buf)
}

/// The firmware's own workspace.
pub(crate) fn firmware() -> PathBuf {
    root().join("firmware-example")
}

/// The firmware's target folder: never the desktop's, whatever `CARGO_TARGET_DIR` says.
pub(crate) fn firmware_target() -> PathBuf {
    firmware().join("target")
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
