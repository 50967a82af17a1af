//! Debian packages: what is absent is announced, then installed; without root it is named.

use std::process::Command;

use anyhow::Result;

use super::Missing;
use crate::{command, paths};

/// The package with this QEMU program.
pub(super) fn package_of(system: &str) -> &'static str {
    if system == "qemu-system-arm" { "qemu-system-arm" } else { "qemu-system-misc" }
}

/// Those of these packages that are not installed.
pub(super) fn absent<'a>(packages: &[&'a str]) -> Vec<&'a str> {
    let installed = |package: &str| {
        let mut query = Command::new("dpkg-query");
        query.args(["-W", "-f=${db:Status-Status}", package]);
        command::capture(&mut query).is_ok_and(|(_, text)| text == "installed")
    };
    packages.iter().copied().filter(|package| !installed(package)).collect()
}

/// Installs these packages, `lacking` being the targets that the active compiler has not.
pub(super) fn install(packages: &[&str], lacking: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    let advice = advice(&list, lacking);
    if paths::find_program("apt-get").is_none() {
        return Err(Missing(advice).into());
    }
    let (_, user) = command::capture(Command::new("id").arg("-u"))?;
    if user.trim() != "0" {
        return Err(Missing(advice).into());
    }

    println!("the firmware needs these Debian packages: {list}");
    command::run(&mut apt_get(&["update", "-qq"]))?;
    let arguments = [&["install", "--no-install-recommends"], packages].concat();
    let (possible, plan) = command::capture(apt_get(&arguments).arg("--simulate"))?;
    if !possible {
        return Err(Missing(format!("apt-get cannot install {list}; {advice}")).into());
    }
    for line in plan.lines().filter_map(|line| line.strip_prefix("Remv ")) {
        println!("apt-get removes, because the versions conflict: {line}");
    }
    command::run(apt_get(&arguments).args(["--yes", "-qq"]))
}

/// The one sentence for somebody who has to install by hand.
fn advice(list: &str, lacking: &[&str]) -> String {
    let debian = format!("install with `sudo apt-get install --no-install-recommends {list}`");
    if lacking.is_empty() {
        debian
    } else {
        let targets = lacking.join(" ");
        format!(
            "the compiler lacks the firmware's targets: run `rustup target add {targets}` and have QEMU \
             (qemu-system-arm, qemu-system-riscv32) on PATH, or, on Debian, {debian}"
        )
    }
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
