//! What builds the program in C for a board: Arm's GCC, without a C library, and CMake with make.

use anyhow::{Result, ensure};

use super::{Missing, debian};
use crate::paths;

/// Each program, and the Debian package that has it.
const PROGRAMS: [(&str, &str); 3] =
    [("arm-none-eabi-gcc", "gcc-arm-none-eabi"), ("cmake", "cmake"), ("make", "make")];

/// The packages of those that the system has not.
pub(super) fn packages() -> Vec<&'static str> {
    let absent = PROGRAMS.iter().filter(|(program, _)| paths::find_program(program).is_none());
    absent.map(|(_, package)| *package).collect()
}

/// Makes sure that all of them are there: on `PATH`, or among the unpacked packages.
///
/// # Errors
/// [`Missing`] names those that are not.
pub(crate) fn find() -> Result<()> {
    let missing = debian::not_unpacked(&packages());
    let names = format!("Debian's {}", missing.join(", "));
    ensure!(missing.is_empty(), Missing::until_setup(names));
    Ok(())
}
