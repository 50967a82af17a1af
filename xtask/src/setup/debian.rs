//! Debian packages, unpacked into the target folder: nothing is installed, upgraded or removed, and
//! nobody has to be root.
//!
//! `apt-get` resolves and downloads, on lists and a cache of its own; `dpkg-deb` unpacks. Programs
//! find the libraries that were unpacked with them through wrappers in `bin/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::Missing;
use crate::{command, paths};

/// The packages that a folder was asked for, one a line.
const LIST: &str = "packages.txt";
/// Programs of the folder, each with its libraries.
const WRAPPERS: &str = "bin";

/// Where the packages with the firmware's tools lie.
fn tools() -> PathBuf {
    paths::tools().join("debian")
}

/// The package with this QEMU program.
pub(super) fn package_of(system: &str) -> &'static str {
    if system == "qemu-system-arm" { "qemu-system-arm" } else { "qemu-system-misc" }
}

/// Those of these packages that the system has not installed.
pub(super) fn not_installed<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let installed = |package: &str| {
        let mut query = Command::new("dpkg-query");
        query.args(["-W", "-f=${db:Status-Status}", package]);
        command::capture(&mut query).is_ok_and(|(_, text)| text == "installed")
    };
    packages.iter().copied().filter(|package| !installed(package)).collect()
}

/// Those of these packages that are not among the unpacked tools.
pub(super) fn not_unpacked<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let list = fs::read_to_string(tools().join(LIST)).unwrap_or_default();
    packages.iter().copied().filter(|package| list.lines().all(|line| line != *package)).collect()
}

/// The folder with the programs of the unpacked tools.
pub(super) fn programs() -> PathBuf {
    tools().join(WRAPPERS)
}

/// A program of Debian's: the unpacked one, or the one that is installed.
pub(super) fn program(name: &str) -> PathBuf {
    let unpacked = programs().join(name);
    if unpacked.is_file() { unpacked } else { Path::new("/usr/bin").join(name) }
}

/// Replaces the unpacked tools by these packages and what they depend on.
pub(super) fn unpack_tools(packages: &[&str]) -> Result<()> {
    let apt = Apt::new()?;
    let all = apt.with_dependencies(packages)?;
    let made = apt.unpack(&all)?;
    wrap_programs(&made, &tools())?;
    fs::write(made.join(LIST), packages.join("\n"))?;
    put(&made, &tools())
}

/// Replaces `folder` by what this package holds, without its dependencies; `file` must be in it.
pub(super) fn unpack(package: &str, file: &str, folder: &Path) -> Result<()> {
    let apt = Apt::new()?;
    let made = apt.unpack(&[package.into()])?;
    ensure!(made.join(file).is_file(), "Debian's package {package} has no {file}");
    put(&made, folder)
}

/// Gives a whole folder its name.
fn put(made: &Path, folder: &Path) -> Result<()> {
    let placed = || {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder.parent().unwrap_or(folder))?;
        fs::rename(made, folder)
    };
    placed().with_context(|| folder.display().to_string())
}

/// `apt-get` on lists and a cache in a temporary folder of the target folder.
struct Apt {
    work: tempfile::TempDir,
}

impl Apt {
    /// Fetches the lists of packages.
    fn new() -> Result<Self> {
        for program in ["apt-get", "dpkg-deb"] {
            let there = paths::find_program(program).is_some();
            ensure!(there, Missing(format!("there is no {program}, so this is no Debian")));
        }
        fs::create_dir_all(paths::target())?;
        let work = tempfile::Builder::new().prefix("debian-").tempdir_in(paths::target())?;
        for folder in ["lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(work.path().join(folder))?;
        }
        let apt = Self { work };
        command::run(&mut apt.get(&["update", "-qq"])).map_err(out_of_reach)?;
        Ok(apt)
    }

    /// These packages and all that they depend on, but for what the system has.
    fn with_dependencies(&self, packages: &[&str]) -> Result<Vec<String>> {
        // Only a plan is asked for: in it `apt-get` may remove what it likes.
        let arguments = [&["install", "--simulate", "--no-install-recommends"], packages].concat();
        let (possible, plan) = command::capture(&mut self.get(&arguments))?;
        ensure!(possible, Missing(format!("apt-get does not know {}: {plan}", packages.join(" "))));
        Ok(planned(&plan))
    }

    /// Downloads packages and unpacks them; gives the folder, which is temporary.
    fn unpack(&self, packages: &[String]) -> Result<PathBuf> {
        let (archives, root) = (self.work.path().join("archives"), self.work.path().join("root"));
        fs::create_dir(&archives)?;
        fs::create_dir(&root)?;
        let mut download = self.get(&["download", "-qq"]);
        command::run(download.args(packages).current_dir(&archives)).map_err(out_of_reach)?;
        for archive in fs::read_dir(&archives)? {
            let mut unpack = Command::new("dpkg-deb");
            command::run(unpack.arg("-x").arg(archive?.path()).arg(&root))?;
        }
        Ok(root)
    }

    fn get(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("apt-get");
        let folder = |name: &str| self.work.path().join(name).display().to_string();
        for option in [
            format!("Dir::State::Lists={}", folder("lists")),
            format!("Dir::Cache={}", folder("cache")),
            // Another user may not write here.
            "APT::Sandbox::User=root".into(),
            "Acquire::Retries=1".into(),
            "Acquire::http::Timeout=20".into(),
        ] {
            command.args(["-o", &option]);
        }
        command.args(arguments);
        command
    }
}

fn out_of_reach(error: anyhow::Error) -> anyhow::Error {
    Missing(format!("Debian's packages are out of reach: {error:#}")).into()
}

/// The packages that a plan of `apt-get --simulate` would install.
fn planned(plan: &str) -> Vec<String> {
    let lines = plan.lines().filter_map(|line| line.strip_prefix("Inst "));
    lines.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// Writes a script for each program of a folder, which will lie at `home`: its libraries are where
/// no program looks.
fn wrap_programs(made: &Path, home: &Path) -> Result<()> {
    let mut libraries = Vec::new();
    for base in ["usr/lib", "lib"] {
        with_libraries(made, Path::new(base), 2, &mut libraries)?;
    }
    let libraries: Vec<_> =
        libraries.iter().map(|folder| home.join(folder).display().to_string()).collect();
    let libraries = libraries.join(":");
    fs::create_dir(made.join(WRAPPERS))?;
    let programs = fs::read_dir(made.join("usr/bin")).context("the packages have no programs")?;
    for program in programs {
        let name = program?.file_name();
        let program = home.join("usr/bin").join(&name);
        let script = format!(
            "#!/bin/sh\nLD_LIBRARY_PATH='{libraries}'${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\n\
             export LD_LIBRARY_PATH\nexec '{}' \"$@\"\n",
            program.display()
        );
        let wrapper = made.join(WRAPPERS).join(name);
        fs::write(&wrapper, script)?;
        executable(&wrapper)?;
    }
    Ok(())
}

/// Folders below `made` that have a shared library, at most so deep.
fn with_libraries(made: &Path, at: &Path, deep: u32, found: &mut Vec<PathBuf>) -> Result<()> {
    // `/lib` is a link to `/usr/lib` or is not there.
    let Ok(entries) = fs::read_dir(made.join(at)) else { return Ok(()) };
    let (mut has_library, mut folders) = (false, Vec::new());
    for entry in entries {
        let entry = entry?;
        let path = at.join(entry.file_name());
        has_library |= entry.file_name().to_string_lossy().contains(".so");
        if entry.file_type()?.is_dir() && deep > 0 {
            folders.push(path);
        }
    }
    if has_library {
        found.push(at.to_owned());
    }
    folders.sort();
    folders.iter().try_for_each(|folder| with_libraries(made, folder, deep - 1, found))
}

#[cfg(unix)]
fn executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn executable(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_names_what_is_to_be_unpacked() {
        let plan = "NOTE: This is only a simulation!\nRemv qemu-utils [1:10]\nInst libfdt1 (1.6)\n\
                    Inst rustc-web [1.85] (1.96 Debian)\nConf libfdt1 (1.6)\n";
        assert_eq!(planned(plan), ["libfdt1", "rustc-web"]);
    }

    /// If this failed, QEMU would start without its libraries, or with those of another machine.
    #[test]
    fn a_wrapper_finds_the_libraries_that_were_unpacked() {
        let made = tempfile::tempdir().unwrap();
        let library = made.path().join("usr/lib/x86_64-linux-gnu/pulseaudio");
        fs::create_dir_all(&library).unwrap();
        fs::write(library.join("libcommon.so.1"), "").unwrap();
        fs::create_dir_all(made.path().join("usr/lib/nothing")).unwrap();
        fs::create_dir_all(made.path().join("usr/bin")).unwrap();
        let program = made.path().join("usr/bin/say");
        fs::write(&program, "#!/bin/sh\necho \"$LD_LIBRARY_PATH|$1\"\n").unwrap();
        executable(&program).unwrap();
        wrap_programs(made.path(), made.path()).unwrap();
        let mut say = Command::new(made.path().join("bin/say"));
        let (_, said) = command::capture(say.arg("a b").env_remove("LD_LIBRARY_PATH")).unwrap();
        assert_eq!(said.trim(), format!("{}|a b", library.display()));
    }
}
