//! What the firmware needs beside Rust: a compiler for its targets, QEMU, and `qemu-run`, which decodes defmt.
//!
//! A rustup toolchain that has the targets is used as it is. Where it has not, Debian's compiler is, with a sysroot
//! built from the library source of the same package ([`sysroot`]). Nothing is downloaded through rustup.

mod apt;
pub(crate) mod python;
mod sysroot;
mod toolchain;

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::board::{self, Board, Console};
use crate::{command, paths};
pub(crate) use toolchain::Toolchain;

const QEMU_RUN: &str = "0.3.1";

/// A tool that is absent and cannot be installed from here; the sentence says what to install.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) String);

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// Whether the firmware will be linted as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lints {
    With,
    Without,
}

/// What `setup` found or made.
pub(crate) struct Tools {
    /// The compiler for the firmware's targets.
    pub(crate) toolchain: Toolchain,
    /// The folder with `qemu-run`.
    pub(crate) bin: PathBuf,
}

/// Finds what these boards need and installs what is absent; quick when everything is there.
pub(crate) fn run(boards: &[Board], lints: Lints) -> Result<Tools> {
    let targets = board::targets(boards);
    let lacking = toolchain::lacking_targets(&targets)?;

    let mut packages = Vec::new();
    for system in boards.iter().filter_map(|board| Some(board.qemu.as_ref()?.system.as_str())) {
        if paths::find_program(system).is_none() {
            packages.push(apt::package_of(system));
        }
    }
    if paths::find_program("timeout").is_none() {
        packages.push("coreutils");
    }
    if !lacking.is_empty() {
        packages.extend(toolchain::debian_packages(lints));
    }
    packages.sort_unstable();
    packages.dedup();
    apt::install(&packages, &lacking)?;

    let toolchain = if lacking.is_empty() {
        Toolchain::Active
    } else {
        Toolchain::Debian { sysroot: sysroot::build(&targets)?, linker: toolchain::linker()? }
    };
    let bin = paths::tools().join(format!("qemu-run-{QEMU_RUN}"));
    let decodes = |board: &Board| board.console == Console::Defmt && board.qemu.is_some();
    if boards.iter().any(decodes) && !bin.join("bin/qemu-run").is_file() {
        install_qemu_run(&bin)?;
    }
    Ok(Tools { toolchain, bin: bin.join("bin") })
}

fn install_qemu_run(root: &PathBuf) -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.args(["install", "--quiet", "--locked", "--root"]).arg(root);
    cargo.args([format!("--version=={QEMU_RUN}").as_str(), "qemu-run"]);
    command::run(&mut cargo).map_err(|error| {
        Missing(format!(
            "qemu-run {QEMU_RUN}, which decodes the firmware's output, cannot be installed: {error}"
        ))
        .into()
    })
}
