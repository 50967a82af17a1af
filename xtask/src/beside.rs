//! A part of the boards in a process of its own, beside the others: a link of the firmware keeps
//! one core busy and leaves the rest idle.

use std::env;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use crate::board::Board;
use crate::paths;
use crate::stages::{self, Count};

/// `cargo xtask firmware BOARD…` under way, in a target folder of its own.
pub(crate) struct Beside {
    process: Child,
    log: PathBuf,
}

/// The boards for this process, and those for one beside it: the first board's compiler target
/// against all others, since what is built for a target serves all of its boards. A process beside
/// another keeps them all.
pub(crate) fn lanes(boards: &[Board]) -> (Vec<Board>, Vec<Board>) {
    if env::var_os(paths::FIRMWARE_TARGET).is_some() {
        return (boards.to_vec(), Vec::new());
    }
    boards.iter().cloned().partition(|board| board.target == boards[0].target)
}

impl Beside {
    /// Starts it; what it prints goes to a file.
    pub(crate) fn start(boards: &[Board]) -> Result<Self> {
        let target = paths::firmware_target().join("beside");
        fs::create_dir_all(&target).with_context(|| target.display().to_string())?;
        let log = target.join("log.txt");
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        // Not this very program: the tests on the desktop may have built its file anew.
        let mut command = Command::new("cargo");
        command.args(["xtask", "firmware"]).args(boards.iter().map(|board| &board.name));
        command.current_dir(paths::root());
        command.env(paths::FIRMWARE_TARGET, &target).stdin(Stdio::null());
        let process = command.stdout(file.try_clone()?).stderr(file).spawn()?;
        Ok(Self { process, log })
    }

    /// Waits for it, shows what it printed, and counts.
    pub(crate) fn finish(mut self) -> Result<Count> {
        self.process.wait()?;
        let printed = fs::read(&self.log).with_context(|| self.log.display().to_string())?;
        let printed = String::from_utf8_lossy(&printed);
        println!("{printed}");
        let counts = printed.lines().last().and_then(stages::counts);
        counts.with_context(|| format!("{} ends without its counts", self.log.display()))
    }
}

impl Drop for Beside {
    /// Nothing is left running where the process before it gives up.
    fn drop(&mut self) {
        let _ = self.process.kill();
    }
}
