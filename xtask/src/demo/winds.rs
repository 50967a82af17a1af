//! Real winds: of Debian's package ferret-datasets, installed or fetched. Its files name no licence, so none of them is shipped.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{command, paths};

const PACKAGE: &str = "ferret-datasets";
const FILE: &str = "usr/share/ferret-vis/data/monthly_navy_winds.cdf";

/// The file where the package has put it, or out of the package, fetched into `folder` without installing it.
pub(super) fn find(folder: &Path) -> Result<PathBuf> {
    let installed = Path::new("/").join(FILE);
    if installed.is_file() {
        return Ok(installed);
    }
    let unpacked = folder.join(PACKAGE);
    let file = unpacked.join(FILE);
    if file.is_file() {
        return Ok(file);
    }
    let advice = || {
        format!("install Debian's package {PACKAGE}, or put its files into {}", unpacked.display())
    };
    for program in ["apt-get", "dpkg-deb"] {
        ensure!(paths::find_program(program).is_some(), "there is no {program}: {}", advice());
    }
    command::run(Command::new("apt-get").args(["download", PACKAGE]).current_dir(folder))
        .with_context(advice)?;
    let package = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|suffix| suffix == "deb"))
        .with_context(advice)?;
    command::run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&unpacked))?;
    // 28 MB that are in `unpacked` now.
    std::fs::remove_file(&package)?;
    ensure!(file.is_file(), "{PACKAGE} has no {FILE}: {}", advice());
    Ok(file)
}
