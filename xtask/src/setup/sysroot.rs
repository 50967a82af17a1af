//! A sysroot for bare-metal targets, built by Debian's compiler from its own library source,
//! offline.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use anyhow::{Context, Result, ensure};

use super::{debian, toolchain};
use crate::{command, paths};

const CRATES: [&str; 3] = ["libcore-", "liballoc-", "libcompiler_builtins-"];

/// The sysroot's folder, and those of these targets that are not in it.
///
/// # Errors
/// If Debian's compiler is not there.
pub(super) fn find<'a>(targets: &[&'a str]) -> Result<(PathBuf, Vec<&'a str>)> {
    let sysroot = paths::tools().join(compiler_name()?).join("sysroot");
    let built = |target: &str| sysroot.join("lib/rustlib").join(target).join("lib").is_dir();
    let absent = targets.iter().copied().filter(|target| !built(target)).collect();
    Ok((sysroot, absent))
}

/// Builds those of these targets that are absent, all in one go.
pub(super) fn build(targets: &[&str]) -> Result<()> {
    let (sysroot, absent) = find(targets)?;
    if absent.is_empty() {
        return Ok(());
    }
    let work = paths::tools().join(format!("build-{}", process::id()));
    write_stub(&work)?;
    command::run(&mut cargo(&work, &absent)?)?;
    let rustlib = sysroot.join("lib/rustlib");
    for target in absent {
        keep(&work.join("target").join(target).join("release/deps"), &rustlib.join(target))?;
    }
    Ok(fs::remove_dir_all(&work)?)
}

/// The library's source, which comes with the compiler.
fn source() -> Result<PathBuf> {
    let mut rustc = Command::new(debian::program("rustc"));
    let (known, text) = command::capture(rustc.args(["--print", "sysroot"]))?;
    ensure!(known, "Debian's `rustc --print sysroot` fails: {text}");
    Ok(Path::new(text.trim()).join("lib/rustlib/src/rust"))
}

/// A folder name that changes with the compiler: libraries of another one do not load.
fn compiler_name() -> Result<String> {
    let mut rustc = Command::new(debian::program("rustc"));
    let (known, text) = command::capture(rustc.arg("--version"))?;
    ensure!(known, "Debian's `rustc --version` fails: {text}");
    let words = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .filter(|word| !word.is_empty());
    Ok(words.take(3).collect::<Vec<_>>().join("-"))
}

/// An empty library: building it builds the standard library crates, with the dependencies that
/// come with their source.
fn write_stub(work: &Path) -> Result<()> {
    fs::create_dir_all(work.join("src"))?;
    fs::create_dir_all(work.join(".cargo"))?;
    fs::write(work.join("src/lib.rs"), "#![no_std]\n")?;
    let manifest = "[workspace]\n\n[package]\nname = \"stub\"\nedition = \"2021\"\n\n\
                    [profile.release]\nopt-level = 3\ncodegen-units = 1\n";
    fs::write(work.join("Cargo.toml"), manifest)?;
    let sources = format!(
        "[source.crates-io]\nreplace-with = \"vendored\"\n\n\
         [source.vendored]\ndirectory = \"{}/library/vendor\"\n",
        source()?.display()
    );
    fs::write(work.join(".cargo/config.toml"), sources)?;
    Ok(())
}

fn cargo(work: &Path, targets: &[&str]) -> Result<Command> {
    let mut cargo = Command::new(debian::program("cargo"));
    toolchain::debian_environment(&mut cargo);
    // -Z needs the bootstrap variable; the bitcode is for the firmware's link-time optimisation.
    cargo.env("RUSTC_BOOTSTRAP", "1");
    let remap = format!("--remap-path-prefix={}=/rustc/src", source()?.display());
    cargo.env("RUSTFLAGS", format!("-Cembed-bitcode=yes {remap}"));
    cargo.current_dir(work).args(["build", "--quiet", "--release", "--target-dir", "target"]);
    cargo.args(["-Zbuild-std=core,alloc", "-Zbuild-std-features=compiler-builtins-mem"]);
    for target in targets {
        cargo.args(["--target", target]);
    }
    Ok(cargo)
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
