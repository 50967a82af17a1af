//! An environment of Python with the packages that the tests are pinned to, in the target folder.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::Missing;
use crate::{command, paths};

const REQUIREMENTS: &str = "tests/python/requirements.txt";

/// Its interpreter; quick when it is there.
pub(crate) fn environment() -> Result<PathBuf> {
    let home = paths::target().join("python");
    let python = home.join("bin/python");
    let wanted = fs::read_to_string(paths::root().join(REQUIREMENTS)).context(REQUIREMENTS)?;
    // Written last, so half an environment is not taken for a whole one.
    let stamp = home.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    let missing = |what: &str| Missing(format!("{what}; ONNX Runtime is compared from Python"));
    let mut venv = Command::new("python3");
    command::run(venv.args(["-m", "venv", "--clear"]).arg(&home)).map_err(|error| {
        missing(&format!(
            "python3 with its module venv is missing (Debian: python3-venv): {error:#}"
        ))
    })?;
    let mut pip = Command::new(&python);
    pip.current_dir(paths::root()).args(["-m", "pip", "install", "--quiet", "-r", REQUIREMENTS]);
    command::run(&mut pip)
        .map_err(|_| missing(&format!("pip cannot install the packages of {REQUIREMENTS}")))?;
    fs::write(&stamp, wanted)?;
    Ok(python)
}
