//! The images for real boards: each is built, and the flash and the RAM that it takes are compared
//! with what is recorded. None is run: that needs the board.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use crate::board::Board;
use crate::setup::{self, Lints, Tools};
use crate::size::{PERCENT, Size};
use crate::stages::Count;
use crate::{command, paths};

/// A board: a folder with the program that is its own, `memory.x`, and cargo's settings for it.
pub(crate) struct Image {
    pub(crate) name: String,
    /// rustc's target.
    target: String,
}

/// What an image takes.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Taken {
    /// Bytes of code and constants, with the model.
    flash: u64,
    /// Bytes of static memory, without the stack.
    ram: u64,
}

const HEAD: &str = "# What the images for real boards take: `cargo xtask images --write` writes it, and the gate\n\
     # compares. Bytes of flash, and of static RAM without the stack.\n\n";

/// The workspace of the images.
pub(crate) fn folder() -> PathBuf {
    paths::firmware().join("hardware")
}

impl Image {
    /// The boards of these names, or all of them.
    pub(crate) fn named(names: &[&str]) -> Result<Vec<Self>> {
        let folder = folder();
        let mut all = Vec::new();
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let entry = entry?;
            if entry.path().join("memory.x").is_file() {
                all.push(Self::load(entry.file_name().to_string_lossy().into_owned())?);
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(name) = names.iter().find(|name| all.iter().all(|image| image.name != **name)) {
            let known: Vec<_> = all.iter().map(|image| image.name.as_str()).collect();
            bail!("no board is called `{name}`; {} has {}", folder.display(), known.join(", "));
        }
        Ok(all.into_iter().filter(|i| names.is_empty() || names.contains(&&*i.name)).collect())
    }

    fn load(name: String) -> Result<Self> {
        let file = folder().join(&name).join(".cargo/config.toml");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let settings: toml::Table = text.parse().with_context(|| file.display().to_string())?;
        let target = settings.get("build").and_then(|build| build.get("target")?.as_str());
        let target = target.with_context(|| format!("{} has no build.target", file.display()))?;
        Ok(Self { target: target.into(), name })
    }

    fn cargo(&self, tools: &Tools, subcommand: &str) -> Command {
        let mut cargo =
            tools.toolchain.cargo_in(&folder().join(&self.name), subcommand, &self.target);
        cargo.args(["--quiet", "--release", "--locked"]);
        cargo
    }

    fn build(&self, tools: &Tools) -> Result<Taken> {
        command::run(&mut self.cargo(tools, "build"))
            .context("if the linker says that a section will not fit, the model needs more RAM")?;
        let built = folder().join("target").join(&self.target).join("release").join(&self.name);
        let Size { flash, ram, initialised } = Size::of(&built)?;
        Ok(Taken { flash, ram: ram + initialised })
    }

    /// Bytes of a region of `memory.x`.
    fn region(&self, name: &str) -> Result<u64> {
        let file = folder().join(&self.name).join("memory.x");
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        length(&text, name)
            .with_context(|| format!("{} has no LENGTH of {name} in K or M", file.display()))
    }

    fn row(&self, taken: Taken) -> Result<String> {
        let kib = |bytes: u64| format!("{:.1}", bytes as f64 / 1024.0);
        let (flash, ram) = (self.region("FLASH")?, self.region("RAM")?);
        let stack = self.region("STACK")?;
        Ok(format!(
            "| {} | {} of {} | {} of {} | {} |",
            self.name,
            kib(taken.flash),
            flash / 1024,
            kib(taken.ram),
            ram / 1024,
            stack / 1024
        ))
    }
}

/// Builds the images, and prints what they take as a table. `write` records it; otherwise it is
/// compared with what is recorded.
pub(crate) fn run(names: &[&str], write: bool) -> Result<bool> {
    let tools = setup::find(&Board::all()?, Lints::Without)?;
    let mut recorded = recorded()?;
    let (mut rows, mut grown) = (Vec::new(), Vec::new());
    for image in Image::named(names)? {
        let taken = image.build(&tools)?;
        rows.push(image.row(taken)?);
        if write {
            recorded.insert(image.name, taken);
        } else {
            grown.extend(beyond(&recorded, &image.name, taken)?);
        }
    }
    println!("\n| board | flash, KiB | static RAM, KiB | stack, KiB |");
    println!("|---|---|---|---|\n{}", rows.join("\n"));
    if write {
        let text = toml::to_string(&recorded).context("what the images take")?;
        fs::write(budget(), format!("{HEAD}{text}"))?;
    }
    ensure!(grown.is_empty(), "more than {PERCENT} % beyond budget.toml: {}", grown.join("; "));
    Ok(true)
}

/// Whether an image is within what is recorded.
pub(crate) fn check(tools: &Tools, image: &Image) -> Result<Count> {
    let taken = image.build(tools)?;
    println!("{}", image.row(taken)?);
    let grown = beyond(&recorded()?, &image.name, taken)?;
    ensure!(grown.is_empty(), "more than {PERCENT} % beyond budget.toml: {}", grown.join("; "));
    Ok(Count::ONE)
}

/// Lints an image's program and what it shares with the others.
pub(crate) fn clippy(tools: &Tools, image: &Image) -> Result<()> {
    command::run(image.cargo(tools, "clippy").args(["--", "-Dwarnings"]))
}

fn budget() -> PathBuf {
    folder().join("budget.toml")
}

fn recorded() -> Result<BTreeMap<String, Taken>> {
    let text = fs::read_to_string(budget()).with_context(|| budget().display().to_string())?;
    toml::from_str(&text).with_context(|| budget().display().to_string())
}

/// What is more than it may be.
fn beyond(recorded: &BTreeMap<String, Taken>, name: &str, taken: Taken) -> Result<Vec<String>> {
    let bound = recorded
        .get(name)
        .with_context(|| format!("nothing is recorded of {name}: cargo xtask images --write"))?;
    let both = [("flash", taken.flash, bound.flash), ("static RAM", taken.ram, bound.ram)];
    let grown = both.into_iter().filter(|(_, found, bound)| 100 * found > (100 + PERCENT) * bound);
    Ok(grown
        .map(|(what, found, bound)| format!("{name}: {what} is {found}, recorded is {bound}"))
        .collect())
}

/// The bytes of a region such as `RAM : ORIGIN = 0x20006000, LENGTH = 640K - 24K`.
fn length(memory: &str, region: &str) -> Option<u64> {
    let of_region = |line: &&str| line.trim_start().split([' ', ':']).next() == Some(region);
    let (_, length) = memory.lines().find(of_region)?.split_once("LENGTH = ")?;
    let bytes = |term: &str| {
        let (number, unit) = term.trim().split_at_checked(term.trim().len().checked_sub(1)?)?;
        let unit = match unit {
            "K" => 1024,
            "M" => 1024 * 1024,
            _ => return None,
        };
        Some(number.parse::<u64>().ok()? * unit)
    };
    let mut terms = length.split('-').map(bytes);
    let first = terms.next()??;
    terms.try_fold(first, |left, term| left.checked_sub(term?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_of_the_repository_loads_and_is_recorded() {
        let (images, recorded) = (Image::named(&[]).expect("images load"), recorded().unwrap());
        assert!(images.len() >= 4);
        for image in images {
            let taken = recorded[&image.name];
            assert!(taken.flash <= image.region("FLASH").unwrap(), "{}", image.name);
            assert!(taken.ram <= image.region("RAM").unwrap(), "{}", image.name);
            assert!(image.region("STACK").unwrap() >= 16 * 1024, "{}", image.name);
        }
    }

    #[test]
    fn lengths_of_regions_are_read() {
        let memory = "MEMORY\n{\n  FLASH : ORIGIN = 0x0, LENGTH = 2M\n  RAM   : ORIGIN = \
                      0x20000000 + 24K, LENGTH = 640K - 24K\n}\n";
        assert_eq!(length(memory, "FLASH"), Some(2 << 20));
        assert_eq!(length(memory, "RAM"), Some(616 << 10));
        assert_eq!(length(memory, "STACK"), None);
        assert_eq!(length("RAM : ORIGIN = 0, LENGTH = 640", "RAM"), None);
    }
}
