//! A sysroot for bare-metal targets, built by Debian's compiler from its own library source, offline.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use anyhow::{Context, Result, ensure};

use super::toolchain::{self, DEBIAN_RUSTC};
use crate::{command, paths};

const SOURCE: &str = "/usr/lib/rustlib/src/rust";
const CRATES: [&str; 3] = ["libcore-", "liballoc-", "libcompiler_builtins-"];

/// The sysroot's folder with these targets in it; builds those that are absent, all in one go.
pub(super) fn build(targets: &[&str]) -> Result<PathBuf> {
    let cache = paths::tools().join(compiler_name()?);
    let rustlib = cache.join("sysroot/lib/rustlib");
    let absent: Vec<_> = targets
        .iter()
        .copied()
        .filter(|target| !rustlib.join(target).join("lib").is_dir())
        .collect();
    if !absent.is_empty() {
        println!("building core and alloc for {} (about 30 s of CPU each)", absent.join(", "));
        let work = cache.join(format!("build-{}", process::id()));
        write_stub(&work)?;
        command::run(&mut cargo(&work, &absent))?;
        for target in absent {
            keep(&work.join("target").join(target).join("release/deps"), &rustlib.join(target))?;
        }
        fs::remove_dir_all(&work)?;
    }
    Ok(cache.join("sysroot"))
}

/// A folder name that changes with the compiler: libraries of another one do not load.
fn compiler_name() -> Result<String> {
    let (known, text) = command::capture(Command::new(DEBIAN_RUSTC).arg("--version"))?;
    ensure!(known, "`{DEBIAN_RUSTC} --version` fails: {text}");
    let words = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .filter(|word| !word.is_empty());
    Ok(words.take(3).collect::<Vec<_>>().join("-"))
}

/// An empty library: building it builds the standard library crates, with the dependencies that come with their source.
fn write_stub(work: &Path) -> Result<()> {
    fs::create_dir_all(work.join("src"))?;
    fs::create_dir_all(work.join(".cargo"))?;
    fs::write(work.join("src/lib.rs"), "#![no_std]\n")?;
    let manifest = "[workspace]\n\n[package]\nname = \"stub\"\nedition = \"2021\"\n\n\
                    [profile.release]\nopt-level = 3\ncodegen-units = 1\n";
    fs::write(work.join("Cargo.toml"), manifest)?;
    let sources = format!(
        "[source.crates-io]\nreplace-with = \"vendored\"\n\n\
         [source.vendored]\ndirectory = \"{SOURCE}/library/vendor\"\n"
    );
    fs::write(work.join(".cargo/config.toml"), sources)?;
    Ok(())
}

fn cargo(work: &Path, targets: &[&str]) -> Command {
    let mut cargo = Command::new("/usr/bin/cargo");
    toolchain::debian_environment(&mut cargo);
    // -Z needs the bootstrap variable; the bitcode is for the firmware's link-time optimisation.
    cargo.env("RUSTC_BOOTSTRAP", "1");
    cargo.env("RUSTFLAGS", format!("-Cembed-bitcode=yes --remap-path-prefix={SOURCE}=/rustc/src"));
    cargo.current_dir(work).args(["build", "--quiet", "--release", "--target-dir", "target"]);
    cargo.args(["-Zbuild-std=core,alloc", "-Zbuild-std-features=compiler-builtins-mem"]);
    for target in targets {
        cargo.args(["--target", target]);
    }
    cargo
}

/// Copies a target's libraries into the sysroot; the folder gets its name when it is complete.
fn keep(built: &Path, target: &Path) -> Result<()> {
    let partial = target.join(format!("partial-{}", process::id()));
    fs::create_dir_all(&partial)?;
    for entry in fs::read_dir(built).with_context(|| built.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && CRATES.iter().any(|prefix| name.starts_with(prefix)) {
            fs::copy(entry.path(), partial.join(name))?;
        }
    }
    let count = fs::read_dir(&partial)?.count();
    ensure!(
        count == CRATES.len(),
        "{} has {count} of the sysroot's {} libraries",
        built.display(),
        CRATES.len()
    );
    fs::rename(&partial, target.join("lib"))?;
    Ok(())
}
