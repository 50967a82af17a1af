//! Python with packages from its registry, in an environment under the target folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs a program; `None` if it is not there.
pub(crate) fn run(program: &str, arguments: &[&str], folder: &Path) -> Option<Output> {
    Command::new(program).args(arguments).current_dir(folder).output().ok()
}

pub(crate) fn succeeded(output: &Option<Output>) -> bool {
    output.as_ref().is_some_and(|output| output.status.success())
}

pub(crate) fn last_line(output: Option<Output>) -> String {
    let text = output.map(|o| String::from_utf8_lossy(&o.stderr).into_owned()).unwrap_or_default();
    text.lines().last().unwrap_or("it is not installed").to_owned()
}

pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// An interpreter that imports `modules`; `packages` are installed unless it does already.
///
/// # Errors
/// Why there is none.
pub(crate) fn python(
    environment: &str,
    modules: &str,
    packages: &[&str],
) -> Result<PathBuf, String> {
    let home = folder(environment);
    let python = home.join("bin/python");
    let program = python.to_string_lossy().into_owned();
    let imports = ["-c", &format!("import {modules}")];
    if succeeded(&run(&program, &imports, &home)) {
        return Ok(python);
    }
    let made = run("python3", &["-m", "venv", "."], &home);
    if !succeeded(&made) {
        return Err(format!("python3 cannot make an environment: {}", last_line(made)));
    }
    let install = [&["-m", "pip", "install", "--quiet"], packages].concat();
    let installed = run(&program, &install, &home);
    if !succeeded(&installed) {
        return Err(format!(
            "pip cannot install {}: {}",
            packages.join(", "),
            last_line(installed)
        ));
    }
    Ok(python)
}
