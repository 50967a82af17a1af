//! What the firmware, the tests and the site need beside Rust: a compiler for the boards' targets,
//! QEMU, `qemu-run`, which decodes defmt, GCC and CMake for the program in C, mdBook, Python's
//! packages and real winds.
//!
//! [`find`] looks for it and changes nothing. [`run`], the command `setup`, says what is absent and
//! gets it, all of it into the target folder: the system stays as it is. A rustup toolchain that
//! has the targets is used as it is. Where it has not, Debian's compiler is, with a sysroot built
//! from the library source of the same package ([`sysroot`]). Nothing is downloaded through rustup.

mod c;
mod debian;
mod program;
pub(crate) mod python;
mod sysroot;
mod toolchain;
pub(crate) mod winds;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::{env, iter};

use anyhow::{Result, ensure};

use crate::board::{self, Board, Console};
use crate::paths;
use crate::stages::{Count, Skipping, Stages};
pub(crate) use c::find as find_c;
pub(crate) use program::MDBOOK;
use program::{Program, QEMU_RUN};
pub(crate) use toolchain::{TICKS, Toolchain};

/// A tool that is absent; the sentence says what to do.
#[derive(Debug)]
pub(crate) struct Missing(pub(crate) String);

impl Missing {
    /// For what `setup` gets.
    pub(crate) fn until_setup(what: impl fmt::Display) -> Self {
        Self(format!("{what} is missing: run `cargo xtask setup`"))
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missing {}

/// Whether the firmware will be linted as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lints {
    With,
    Without,
}

/// The firmware's tools.
pub(crate) struct Tools {
    /// The compiler for the firmware's targets.
    pub(crate) toolchain: Toolchain,
    /// The program `qemu-run`.
    pub(crate) qemu_run: PathBuf,
    /// `PATH` with the emulators on it.
    pub(crate) path: OsString,
}

/// Something that is absent, and that `setup` gets.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Need {
    /// Debian packages, and the targets that a library is built for by the compiler in them.
    Debian {
        absent: Vec<&'static str>,
        all: Vec<&'static str>,
        targets: Vec<String>,
    },
    Program(Program),
    Python,
    Winds,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Debian { absent, targets, .. } if absent.is_empty() => {
                write!(f, "Rust's core for {}", targets.join(", "))
            }
            Self::Debian { absent, .. } => write!(f, "Debian's {}", absent.join(", ")),
            Self::Program(program) => program.fmt(f),
            Self::Python => f.write_str("the environment of Python"),
            Self::Winds => f.write_str("the file of real winds"),
        }
    }
}

impl Need {
    /// What `setup` will do, in words.
    fn plan(&self) -> Vec<String> {
        match self {
            Self::Debian { absent, all, targets } => {
                let unpack = (!absent.is_empty()).then(|| {
                    format!(
                        "download the Debian packages {} and what they depend on, and unpack \
                         them: nothing is installed or removed",
                        all.join(", ")
                    )
                });
                let build = (!targets.is_empty()).then(|| {
                    format!(
                        "build core and alloc for {} with Debian's compiler (about 30 s of CPU \
                         each)",
                        targets.join(", ")
                    )
                });
                unpack.into_iter().chain(build).collect()
            }
            Self::Program(program) => vec![program.plan()],
            Self::Python => vec![
                "make an environment of Python with the packages of tests/python/requirements.txt"
                    .into(),
            ],
            Self::Winds => vec!["download Debian's ferret-datasets (28 MB) and unpack it".into()],
        }
    }

    /// Whether the gate does without it.
    fn optional(&self) -> bool {
        // Their packages come from places that may be out of reach, which is no fault of the
        // project's.
        matches!(self, Self::Python | Self::Winds)
    }

    fn get(&self) -> Result<()> {
        match self {
            Self::Debian { absent, all, targets } => {
                if !absent.is_empty() {
                    debian::unpack_tools(all)?;
                }
                if targets.is_empty() {
                    return Ok(());
                }
                sysroot::build(&targets.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Self::Program(program) => program.install(),
            Self::Python => python::make(),
            Self::Winds => winds::fetch().map(drop),
        }
    }
}

/// Says what is absent for every board and every test, and gets it; with `dry_run` it only says it.
/// Gives whether all is there that the gate cannot do without.
pub(crate) fn run(dry_run: bool) -> Result<bool> {
    let mut needs = firmware_needs(&Board::all()?, Lints::With, &c::packages())?;
    if MDBOOK.find().is_none() {
        needs.push(Need::Program(MDBOOK));
    }
    if python::find()?.is_none() {
        needs.push(Need::Python);
    }
    if winds::find().is_none() {
        needs.push(Need::Winds);
    }
    if needs.is_empty() {
        println!("everything is there");
        return Ok(true);
    }
    println!("into {}, setup will", paths::target().display());
    for step in needs.iter().flat_map(Need::plan) {
        println!("  - {step}");
    }
    if dry_run {
        return Ok(true);
    }
    let mut stages = Stages::new(Skipping::Refused);
    for need in &needs {
        let get = || need.get().map(|()| Count::ONE);
        if need.optional() {
            stages.optional(&need.to_string(), get);
        } else {
            stages.test(&need.to_string(), get);
        }
    }
    Ok(stages.close())
}

/// The tools for these boards. Nothing is fetched or built.
///
/// # Errors
/// [`Missing`] names what is absent.
pub(crate) fn find(boards: &[Board], lints: Lints) -> Result<Tools> {
    let needs = firmware_needs(boards, lints, &[])?;
    let list: Vec<_> = needs.iter().map(Need::to_string).collect();
    ensure!(needs.is_empty(), Missing::until_setup(list.join("; ")));
    let targets = board::targets(boards);
    let toolchain = if toolchain::lacking_targets(&targets)?.is_empty() {
        Toolchain::Active
    } else {
        Toolchain::Debian { sysroot: sysroot::find(&targets)?.0, linker: toolchain::linker() }
    };
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(env::split_paths(&path).chain(iter::once(debian::programs())))?;
    Ok(Tools { toolchain, qemu_run: QEMU_RUN.file(), path })
}

/// What is absent for these boards' firmware; `others` are Debian packages that lie with its own.
fn firmware_needs(boards: &[Board], lints: Lints, others: &[&'static str]) -> Result<Vec<Need>> {
    let targets = board::targets(boards);
    let lacking = toolchain::lacking_targets(&targets)?;
    let mut all = others.to_vec();
    for system in boards.iter().filter_map(|board| Some(board.qemu.as_ref()?.system.as_str())) {
        if paths::find_program(system).is_none() {
            all.push(debian::package_of(system));
        }
    }
    if paths::find_program("timeout").is_none() {
        all.push("coreutils");
    }
    if !lacking.is_empty() {
        all.extend(toolchain::debian_packages(lints));
    }
    all.sort_unstable();
    all.dedup();

    let absent = debian::not_unpacked(&all);
    let unbuilt = match lacking.is_empty() {
        true => Vec::new(),
        // The library is that of the compiler, which comes with the packages.
        false if absent.is_empty() => sysroot::find(&targets)?.1,
        false => targets,
    };
    let targets: Vec<_> = unbuilt.into_iter().map(str::to_owned).collect();
    let mut needs = Vec::new();
    if !(absent.is_empty() && targets.is_empty()) {
        needs.push(Need::Debian { absent, all, targets });
    }
    let decodes = |board: &Board| board.console == Console::Defmt && board.qemu.is_some();
    if boards.iter().any(decodes) && QEMU_RUN.find().is_none() {
        needs.push(Need::Program(QEMU_RUN));
    }
    Ok(needs)
}
