//! An environment of Python with the packages that the tests are pinned to, in the target folder.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::Missing;
use crate::{command, paths};

const REQUIREMENTS: &str = "tests/python/requirements.txt";
/// A copy of the requirements that the environment was made from, written last: half an environment
/// is not taken for a whole one.
const STAMP: &str = "requirements.txt";

fn home() -> PathBuf {
    paths::target().join("python")
}

fn wanted() -> Result<String> {
    fs::read_to_string(paths::root().join(REQUIREMENTS)).context(REQUIREMENTS)
}

/// Its interpreter, if the environment has the packages that are wanted now.
pub(crate) fn find() -> Result<Option<PathBuf>> {
    let wanted = wanted()?;
    let made = fs::read_to_string(home().join(STAMP)).is_ok_and(|made| made == wanted);
    Ok(made.then(|| home().join("bin/python")))
}

/// Makes it anew.
pub(super) fn make() -> Result<()> {
    let home = home();
    let mut venv = Command::new("python3");
    command::run(venv.args(["-m", "venv", "--clear"]).arg(&home)).map_err(|error| {
        Missing(format!(
            "python3 with its module venv is missing (Debian: python3-venv): {error:#}"
        ))
    })?;
    let mut pip = Command::new(home.join("bin/python"));
    pip.current_dir(paths::root()).args(["-m", "pip", "install", "--quiet", "-r", REQUIREMENTS]);
    command::run(&mut pip)
        .map_err(|_| Missing(format!("pip cannot install the packages of {REQUIREMENTS}")))?;
    Ok(fs::write(home.join(STAMP), wanted()?)?)
}
