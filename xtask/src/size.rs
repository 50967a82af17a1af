//! How much flash and RAM the small program takes, for each kind of weights and two levels of
//! optimisation.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::board::Board;
use crate::firmware::RELEASE;
use crate::setup::{self, Lints};
use crate::{command, paths};

/// The program, and the profile that optimises for size.
const PROGRAM: &str = "stream";
const SMALL: &str = "small";
/// The kinds of weights: the cargo feature, and the end of the model's name.
const KINDS: [(&str, &str); 3] = [("f32", ""), ("int8", "-int8"), ("int16", "-int16")];
/// What an ELF file says of a section: that it lies in memory, and that it has no bytes in the file.
const ALLOCATED: u32 = 2;
const NO_BITS: u32 = 8;

/// Builds the program in every way for these boards, and prints the table.
pub(crate) fn run(boards: &[Board]) -> Result<bool> {
    let tools = setup::find(boards, Lints::Without)?;
    let mut rows = Vec::new();
    for board in boards {
        for (feature, suffix) in KINDS {
            let mut sizes = Vec::new();
            for profile in [RELEASE, SMALL] {
                let mut cargo = tools.toolchain.cargo("build", board, profile);
                cargo.args(["--quiet", "--bin", PROGRAM, "--no-default-features", "--features"]);
                command::run(cargo.arg(feature))?;
                let built = paths::firmware_target().join(&board.target).join(profile);
                sizes.push(Size::of(&built.join(PROGRAM))?);
            }
            let model = format!("models/kolmogorov-32/kolmogorov-32{suffix}.finescale");
            let frames = "tests/golden/vectors/kolmogorov-8x8.f32";
            let data = [&*model, frames].map(|file| fs::metadata(paths::root().join(file)));
            let data: u64 =
                data.into_iter().map(|file| file.map(|file| file.len())).sum::<Result<_, _>>()?;
            let code: Vec<String> = sizes
                .iter()
                .map(|size| size.flash.checked_sub(data).context("the model is not in flash"))
                .map(|code| code.map(|code| format!("{:.1}", code as f64 / 1024.0)))
                .collect::<Result<_>>()?;
            let ram = sizes.iter().map(|size| size.ram).max().unwrap_or(0) as f64 / 1024.0;
            rows.push(format!("| {} | {feature} | {} | {ram:.1} |", board.core, code.join(" | ")));
        }
    }
    println!("\n| core | weights | code, opt-level 3, KiB | opt-level s, KiB | static RAM, KiB |");
    println!("|---|---|---|---|---|\n{}", rows.join("\n"));
    Ok(true)
}

/// Bytes of a program.
struct Size {
    /// What lies in flash: code, constants, first values.
    flash: u64,
    /// Static variables.
    ram: u64,
}

impl Size {
    /// Of a little-endian 32-bit ELF file.
    fn of(elf: &Path) -> Result<Self> {
        let bytes = fs::read(elf).with_context(|| elf.display().to_string())?;
        ensure!(
            bytes.starts_with(b"\x7fELF\x01\x01"),
            "{} is no 32-bit ELF file: build the program for a board",
            elf.display()
        );
        let number = |at: usize, len: usize| -> Result<u64> {
            let bytes = bytes.get(at..at + len).context("the ELF file is cut off")?;
            Ok(bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)))
        };
        let (table, entry, count) = (number(0x20, 4)?, number(0x2E, 2)?, number(0x30, 2)?);
        let mut size = Self { flash: 0, ram: 0 };
        for n in 0..count {
            let at = (table + n * entry) as usize;
            let (kind, flags, len) =
                (number(at + 4, 4)? as u32, number(at + 8, 4)? as u32, number(at + 20, 4)?);
            if flags & ALLOCATED == 0 {
                continue;
            }
            if kind == NO_BITS { size.ram += len } else { size.flash += len }
        }
        Ok(size)
    }
}
