//! Boards are data: a folder in `firmware-example/boards/` with `board.toml` and `memory.x`.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::paths;

/// A board and the emulator that stands for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Board {
    /// The folder's name.
    #[serde(skip)]
    pub(crate) name: String,
    /// The core, in its maker's words.
    pub(crate) core: String,
    /// rustc's target triple.
    pub(crate) target: String,
    /// rustc's `target-cpu`; the target's default if absent.
    pub(crate) target_cpu: Option<String>,
    /// More flags for rustc.
    #[serde(default)]
    pub(crate) rustflags: Vec<String>,
    /// How the firmware prints.
    pub(crate) console: Console,
    /// Instructions for 100 ticks of the timer, where the emulator makes a clock of instructions.
    pub(crate) instructions_per_100_ticks: u32,
    /// Most instructions of each kernel for 100 multiply-accumulates, where they are counted, under
    /// the names that the golden cases print.
    #[serde(default)]
    pub(crate) kernel_bounds: BTreeMap<String, u32>,
    /// Whether the board has the CMSDK APB watchdog at 0x40008000.
    #[serde(default)]
    pub(crate) watchdog: bool,
    /// The emulator; a board without one is built and proved, but not run.
    pub(crate) qemu: Option<Qemu>,
}

/// How the firmware prints, which is up to its target: a feature of its packages.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Console {
    /// defmt frames over semihosting, decoded by `qemu-run`.
    Defmt,
    /// Text over semihosting.
    Plain,
}

impl Console {
    /// The feature that prints so.
    pub(crate) const fn feature(self) -> &'static str {
        match self {
            Self::Defmt => "defmt",
            Self::Plain => "plain",
        }
    }
}

/// A machine of QEMU.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Qemu {
    /// The program, such as `qemu-system-arm`.
    pub(crate) system: String,
    /// `-machine`.
    pub(crate) machine: String,
    /// Further options, without the dash.
    #[serde(default)]
    pub(crate) options: BTreeMap<String, String>,
}

/// The option with which QEMU takes a nanosecond for an instruction.
pub(crate) const ICOUNT: (&str, &str) = ("icount", "shift=0");

impl Board {
    /// Every board, by name.
    pub(crate) fn all() -> Result<Vec<Self>> {
        let folder = paths::firmware().join("boards");
        let mut boards = Vec::new();
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                boards.push(Self::load(&entry.file_name().to_string_lossy())?);
            }
        }
        boards.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(boards)
    }

    /// The boards of these names, or every board if there are no names.
    pub(crate) fn named(names: &[&str]) -> Result<Vec<Self>> {
        let all = Self::all()?;
        for name in names {
            if !all.iter().any(|board| board.name == *name) {
                let known: Vec<_> = all.iter().map(|board| board.name.as_str()).collect();
                bail!(
                    "no board is called `{name}`; firmware-example/boards/ has {}",
                    known.join(", ")
                );
            }
        }
        Ok(all.into_iter().filter(|b| names.is_empty() || names.contains(&&*b.name)).collect())
    }

    /// As [`Board::named`], where the end of a core's name in small letters, such as `m7`, stands
    /// for the first board with that core.
    pub(crate) fn of_cores(names: &[&str]) -> Result<Vec<Self>> {
        let all = Self::all()?;
        let core = |board: &Self| board.core.to_lowercase().replace("cortex-", "");
        let found = |name: &str| all.iter().find(|board| core(board) == name);
        let names: Vec<&str> =
            names.iter().map(|name| found(name).map_or(*name, |board| &*board.name)).collect();
        Self::named(&names)
    }

    fn load(name: &str) -> Result<Self> {
        let folder = paths::firmware().join("boards").join(name);
        let file = folder.join("board.toml");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let mut board: Self = toml::from_str(&text).with_context(|| file.display().to_string())?;
        ensure!(
            folder.join("memory.x").is_file(),
            "{} has no memory.x; write the board's memory map there",
            folder.display()
        );
        board.name = name.into();
        Ok(board)
    }

    /// Whether every program counts instructions; where not, only the one that measures does.
    pub(crate) fn counts(&self) -> bool {
        self.qemu.as_ref().is_some_and(|qemu| qemu.options.contains_key(ICOUNT.0))
    }

    /// rustc's flags for this board, without those that depend on where the compiler comes from.
    pub(crate) fn compiler_flags(&self) -> Vec<String> {
        let cpu = self.target_cpu.iter().map(|cpu| format!("-Ctarget-cpu={cpu}"));
        cpu.chain(self.rustflags.iter().cloned()).collect()
    }
}

/// The targets of these boards, each once.
pub(crate) fn targets(boards: &[Board]) -> Vec<&str> {
    let mut targets: Vec<_> = boards.iter().map(|board| board.target.as_str()).collect();
    targets.sort_unstable();
    targets.dedup();
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_of_the_repository_loads() {
        let boards = Board::all().expect("boards load");
        assert!(boards.len() >= 5);
        for board in boards {
            let arm = board.target.starts_with("thumb");
            assert_eq!(
                board.console == Console::Defmt,
                arm,
                "{}: defmt's logger is for Cortex-M",
                board.name
            );
        }
    }

    #[test]
    fn an_unknown_board_is_refused_by_name() {
        let error = Board::named(&["mps2-an999"]).expect_err("no such board").to_string();
        assert!(error.contains("mps2-an999") && error.contains("mps2-an386"), "{error}");
    }
}
