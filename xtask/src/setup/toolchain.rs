//! Which compiler builds the firmware, and how cargo is told.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{Lints, debian};
use crate::board::Board;
use crate::{command, paths};

const RUST: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
const CLIPPY: &str = "rust-web-clippy";
const LINKER: &str = "lld";

/// The compiler that builds the firmware.
pub(crate) enum Toolchain {
    /// The one that builds everything else: it has the targets.
    Active,
    /// Debian's, with a sysroot of our own and the linker of a rustup toolchain or of LLVM.
    Debian {
        /// Has `lib/rustlib/TARGET/lib`.
        sysroot: PathBuf,
        /// An ELF linker for any target.
        linker: PathBuf,
    },
}

impl Toolchain {
    /// Whether to say in one line where the compiler comes from.
    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Active => "the active Rust toolchain",
            Self::Debian { .. } => "Debian's Rust with a sysroot built here",
        }
    }

    /// `cargo SUBCOMMAND` for a board, in a profile of one of the firmware's two workspaces, in the
    /// target folder that they share.
    pub(crate) fn cargo(
        &self,
        subcommand: &str,
        workspace: &Path,
        board: &Board,
        profile: &str,
    ) -> Command {
        let mut cargo = self.cargo_for(subcommand, board, profile);
        cargo.current_dir(workspace).env("FINESCALE_BOARD", &board.name);
        let ticks = if board.counts() { board.instructions_per_100_ticks } else { 0 };
        cargo.env(TICKS, ticks.to_string());
        let bounds = board.kernel_bounds.iter().map(|(name, bound)| {
            format!("{}={bound}", name.trim_end_matches(')').replacen(" (", "|", 1))
        });
        cargo.env("FINESCALE_KERNEL_BOUNDS", bounds.collect::<Vec<_>>().join(";"));
        if board.watchdog {
            cargo.env("FINESCALE_WATCHDOG", "1");
        }
        cargo
    }

    /// `cargo SUBCOMMAND` for a board, in a profile of the repository's workspace, in the firmware's
    /// target folder.
    pub(crate) fn cargo_at_root(&self, subcommand: &str, board: &Board, profile: &str) -> Command {
        let mut cargo = self.cargo_for(subcommand, board, profile);
        cargo.current_dir(paths::root());
        cargo
    }

    /// `cargo SUBCOMMAND` in a folder whose own settings name this target, in its own target folder.
    pub(crate) fn cargo_in(&self, folder: &Path, subcommand: &str, target: &str) -> Command {
        let mut cargo = self.cargo_with(subcommand, target, Vec::new());
        cargo.current_dir(folder);
        cargo
    }

    /// What is the same in both workspaces.
    fn cargo_for(&self, subcommand: &str, board: &Board, profile: &str) -> Command {
        let mut cargo = self.cargo_with(subcommand, &board.target, board.compiler_flags());
        cargo
            .args(["--profile", profile, "--target", &board.target, "--target-dir"])
            .arg(paths::firmware_target());
        cargo
    }

    /// `cargo SUBCOMMAND` by this compiler, with these flags for the target.
    fn cargo_with(&self, subcommand: &str, target: &str, mut flags: Vec<String>) -> Command {
        let mut cargo = match self {
            Self::Active => Command::new("cargo"),
            // Debian's cargo would find the clippy of rustup first.
            Self::Debian { .. } if subcommand == "clippy" => {
                Command::new(debian::program("cargo-clippy"))
            }
            Self::Debian { .. } => Command::new(debian::program("cargo")),
        };
        // Flags from outside would replace the board's, or put the output elsewhere.
        for (name, _) in env::vars_os() {
            let name = name.to_string_lossy();
            if name.contains("RUSTFLAGS")
                || name.starts_with("CARGO_BUILD_")
                || name == "CARGO_TARGET_DIR"
            {
                cargo.env_remove(&*name);
            }
        }
        if let Self::Debian { sysroot, linker } = self {
            flags.insert(0, format!("--sysroot={}", sysroot.display()));
            debian_environment(&mut cargo);
            cargo.env("CARGO", debian::program("cargo")).arg(subcommand);
            cargo
                .arg("--config")
                .arg(format!("target.{target}.linker={:?}", linker.display().to_string()));
        } else {
            cargo.arg(subcommand);
        }
        // The triple stays unquoted: cargo looks `thumbv8m.main-…` up as two nested tables.
        cargo.arg("--config").arg(format!("target.{target}.rustflags={flags:?}"));
        cargo
    }
}

/// How many instructions a hundred ticks are; 0 for a program that does not count.
pub(crate) const TICKS: &str = "FINESCALE_INSTRUCTIONS_PER_100_TICKS";

/// Keeps the variables that cargo and rustup set for `xtask` away from Debian's cargo.
pub(super) fn debian_environment(cargo: &mut Command) {
    cargo
        .env("RUSTC", debian::program("rustc"))
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("RUSTDOC");
    cargo.env_remove("RUSTC_WRAPPER").env_remove("RUSTC_WORKSPACE_WRAPPER");
}

/// The targets that the active compiler has no library for.
pub(super) fn lacking_targets<'a>(targets: &[&'a str]) -> Result<Vec<&'a str>> {
    let rustlib = active_sysroot()?.join("lib/rustlib");
    Ok(targets
        .iter()
        .copied()
        .filter(|target| !rustlib.join(target).join("lib").is_dir())
        .collect())
}

/// The Debian packages that the other way needs, but for those that are installed.
pub(super) fn debian_packages(lints: Lints) -> Vec<&'static str> {
    let mut packages = RUST.to_vec();
    if lints == Lints::With {
        packages.push(CLIPPY);
    }
    if rust_lld().is_none() && paths::find_program("ld.lld").is_none() {
        packages.push(LINKER);
    }
    debian::not_installed(&packages)
}

/// The linker of the rustup toolchain, or LLVM's.
pub(super) fn linker() -> PathBuf {
    let found = rust_lld().or_else(|| paths::find_program("ld.lld"));
    found.unwrap_or_else(|| debian::program("ld.lld"))
}

fn rust_lld() -> Option<PathBuf> {
    let rustlib = active_sysroot().ok()?.join("lib/rustlib");
    Some(rustlib.join(host().ok()?).join("bin/rust-lld")).filter(|linker| linker.is_file())
}

fn active_sysroot() -> Result<PathBuf> {
    let (known, text) = command::capture(Command::new("rustc").args(["--print", "sysroot"]))?;
    ensure!(known, "`rustc --print sysroot` fails: {text}");
    Ok(Path::new(text.trim()).to_path_buf())
}

fn host() -> Result<String> {
    let (_, text) = command::capture(Command::new("rustc").arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.into())
}
