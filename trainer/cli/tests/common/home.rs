//! A folder to run the program in.
#![allow(dead_code, reason = "not every test file uses all of it")]

use std::fs::DirEntry;
use std::path::PathBuf;
use std::process::{Command, Output};

pub(crate) struct Home(pub(crate) tempfile::TempDir);

impl Home {
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With so many frames of so many trajectories of small waves, in `ks.zarr`.
    pub(crate) fn with_waves(trajectories: usize, frames: usize) -> Self {
        let home = Self::empty();
        home.waves(trajectories, frames, "ks.zarr");
        home
    }

    /// Makes such a data set.
    pub(crate) fn waves(&self, trajectories: usize, frames: usize, name: &str) {
        self.succeeds(&format!(
            "data simulate kuramoto-sivashinsky --grid 32 --length 22 --trajectories \
             {trajectories} --frames {frames} --out {name} --force"
        ));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_finescale"));
        command.args(line.split_whitespace()).current_dir(self.0.path());
        command
    }

    fn taken(&self, line: &str) -> Output {
        let output = self.command(line).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// What a command prints that must succeed.
    pub(crate) fn succeeds(&self, line: &str) -> String {
        String::from_utf8(self.taken(line).stdout).unwrap()
    }

    /// What a command says on standard error that must succeed.
    pub(crate) fn warns(&self, line: &str) -> String {
        String::from_utf8(self.taken(line).stderr).unwrap()
    }

    /// The one sentence of a command that must fail and leave nothing behind.
    pub(crate) fn refuses(&self, line: &str) -> String {
        let before = self.entries();
        let error = one_sentence(line, &self.command(line).output().unwrap());
        assert_eq!(self.entries(), before, "{line}: something was left behind");
        error
    }

    /// Names of what is there, hidden files included.
    pub(crate) fn entries(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let name = |entry: std::io::Result<DirEntry>| entry.unwrap().file_name().into_string();
        let mut names: Vec<String> = entries.map(|entry| name(entry).unwrap()).collect();
        names.sort();
        names
    }
}

/// The one sentence of a command that failed.
pub(crate) fn one_sentence(line: &str, output: &Output) -> String {
    let error = sentence(output);
    assert_eq!(output.status.code(), Some(1), "{line}: {error}");
    error
}

/// The one sentence on standard error.
pub(crate) fn sentence(output: &Output) -> String {
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(error.trim().lines().count(), 1, "not one sentence: {error}");
    error
}
