//! Programs from crates.io, built into the target folder.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::Missing;
use crate::{command, paths};

/// A crate with a program of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    name: &'static str,
    version: &'static str,
    /// What is passed to `cargo install`.
    options: &'static [&'static str],
    /// What is done with it: the end of "NAME, which …".
    does: &'static str,
}

/// Runs firmware under QEMU.
pub(super) const QEMU_RUN: Program = Program {
    name: "qemu-run",
    version: "0.3.1",
    options: &[],
    does: "decodes the firmware's output",
};

/// Builds the site. Without its server, without what watches files and without optimisation it is
/// built in a third of the time, and the site still takes a second.
pub(crate) const MDBOOK: Program = Program {
    name: "mdbook",
    version: "0.5.4",
    options: &["--debug", "--no-default-features", "--features", "search"],
    does: "makes the site of the documentation",
};

impl Program {
    /// Where it is, or would be.
    pub(super) fn file(&self) -> PathBuf {
        self.folder().join("bin").join(self.name)
    }

    /// The program, if it has been built.
    pub(crate) fn find(&self) -> Option<PathBuf> {
        Some(self.file()).filter(|file| file.is_file())
    }

    /// What `setup` will do, in words.
    pub(super) fn plan(&self) -> String {
        format!("build {self} from crates.io")
    }

    pub(super) fn install(&self) -> Result<()> {
        let mut cargo = Command::new("cargo");
        cargo.args(["install", "--quiet", "--locked", "--root"]).arg(self.folder());
        cargo.args(self.options).arg(format!("--version=={}", self.version)).arg(self.name);
        command::run(&mut cargo).map_err(|error| {
            Missing(format!("{self}, which {}, cannot be built: {error}", self.does)).into()
        })
    }

    fn folder(&self) -> PathBuf {
        paths::tools().join(format!("{}-{}", self.name, self.version))
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}
