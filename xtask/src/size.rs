//! What the small program needs of a board, for each kind of weights and two levels of
//! optimisation: flash, static memory, stack, instructions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::board::Board;
use crate::firmware::RELEASE;
use crate::setup::{self, Lints, TICKS, Tools};
use crate::stages::Count;
use crate::{command, firmware, paths};

/// The program, the one that measures what it does, and the profile that optimises for size.
const PROGRAM: &str = "stream";
const MEASURING: &str = "budget";
const SMALL: &str = "small";
/// The kinds of weights: the cargo feature, and the end of the model's name.
const KINDS: [(&str, &str); 3] = [("f32", ""), ("int8", "-int8"), ("int16", "-int16")];
/// What an ELF file says of a section: that it lies in memory, that the program writes there, and that
/// it has no bytes in the file.
const ALLOCATED: u32 = 2;
const WRITABLE: u32 = 1;
const NO_BITS: u32 = 8;

/// What a program with one kind of weights needs; of two numbers the first is at opt-level 3, the
/// second at s.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Budget {
    /// Bytes of code and constants, without the model and its input.
    flash: [u64; 2],
    /// Bytes of static memory.
    ram: u64,
    /// Bytes of stack, painted.
    #[serde(default)]
    stack: [u64; 2],
    /// Instructions of a frame.
    #[serde(default)]
    frame: [u64; 2],
    /// Instructions of the longest piece of a frame.
    #[serde(default)]
    piece: [u64; 2],
}

/// Budgets by board and kind of weights, as `firmware-example/budget.toml` has them.
type Budgets = BTreeMap<String, BTreeMap<String, Budget>>;

/// Measures the program in every way for these boards, and prints the table. `write` records the
/// figures; otherwise they are compared with those that are recorded.
pub(crate) fn run(arguments: &[&str]) -> Result<bool> {
    let kinds = KINDS.iter().filter(|(kind, _)| arguments.contains(kind)).collect::<Vec<_>>();
    let kinds = if kinds.is_empty() { KINDS.iter().collect() } else { kinds };
    let (options, boards): (Vec<&str>, Vec<&str>) = arguments
        .iter()
        .filter(|word| !KINDS.iter().any(|(kind, _)| kind == *word))
        .partition(|word| word.starts_with("--"));
    ensure!(
        options.iter().all(|option| *option == "--write"),
        "`size` has the option --write, not {}",
        options.join(" ")
    );
    let (boards, write) = (Board::named(or_m4f(&boards))?, !options.is_empty());
    sizes(&boards, &kinds, write)
}

/// These boards, or the usual one.
fn or_m4f<'b>(boards: &'b [&'b str]) -> &'b [&'b str] {
    if boards.is_empty() { &["mps2-an386"] } else { boards }
}

fn sizes(boards: &[Board], kinds: &[&(&str, &str)], write: bool) -> Result<bool> {
    let tools = setup::find(boards, Lints::Without)?;
    let (mut rows, mut grown) = (Vec::new(), Vec::new());
    for board in boards {
        for (kind, _) in kinds {
            let budget = measure(&tools, board, kind, true)?;
            rows.push(budget.row(board, kind));
            // Each as soon as it is known: measuring a board takes minutes.
            let mut budgets = recorded()?;
            let of_board = budgets.entry(board.name.clone()).or_default();
            if write {
                of_board.insert((*kind).into(), budget);
                record(&budgets)?;
            } else if let Some(bound) = of_board.get(*kind) {
                grown.extend(
                    budget.beyond(bound).map(|what| format!("{} {kind}: {what}", board.name)),
                );
            }
        }
    }
    println!(
        "\n| core | weights | flash, KiB | static RAM, KiB | stack, bytes | instructions a frame, millions | of its longest piece |"
    );
    println!("|---|---|---|---|---|---|---|\n{}", rows.join("\n"));
    ensure!(
        grown.is_empty(),
        "more than {} % beyond firmware-example/budget.toml: {}",
        PERCENT,
        grown.join("; ")
    );
    Ok(true)
}

/// Whether a program with int16 activations is within what is recorded for the board. Without a
/// floating-point unit its flash and RAM alone are compared: it would run for minutes.
pub(crate) fn check(tools: &Tools, board: &Board) -> Result<Count> {
    let bound = recorded()?.remove(&board.name).and_then(|mut kinds| kinds.remove("int16"));
    let bound =
        bound.with_context(|| format!("no budget of {}: cargo xtask size --write", board.name))?;
    let run = firmware::has_float(board);
    let grown: Vec<String> = measure(tools, board, "int16", run)?.beyond(&bound).collect();
    ensure!(
        grown.is_empty(),
        "more than {PERCENT} % beyond firmware-example/budget.toml: {}",
        grown.join("; ")
    );
    Ok(Count::ONE)
}

/// How much more than its budget a program may need.
pub(crate) const PERCENT: u64 = 5;
const HEAD: &str = "# What the program `stream` needs with one kind of weights: `cargo xtask size --write BOARD…` writes it,
# and the gate compares. Of two numbers the first is at opt-level 3, the second at s.

";

fn budgets_file() -> PathBuf {
    paths::firmware().join("budget.toml")
}

fn recorded() -> Result<Budgets> {
    let file = budgets_file();
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    toml::from_str(&text).with_context(|| file.display().to_string())
}

fn record(budgets: &Budgets) -> Result<()> {
    let text = toml::to_string(budgets).context("the budgets")?;
    let (file, part) = (budgets_file(), budgets_file().with_extension("toml.part"));
    fs::write(&part, format!("{HEAD}{text}")).with_context(|| part.display().to_string())?;
    fs::rename(&part, &file).with_context(|| file.display().to_string())
}

/// Builds the programs with one kind of weights at both levels; `run`: runs the one that measures.
fn measure(tools: &Tools, board: &Board, kind: &str, run: bool) -> Result<Budget> {
    let suffix = KINDS.iter().find(|(of, _)| *of == kind).map_or("", |(_, suffix)| suffix);
    let model = format!("models/kolmogorov-32/kolmogorov-32{suffix}.finescale");
    let mut data = 0;
    for file in [&*model, "tests/golden/vectors/kolmogorov-8x8.f32"] {
        data += fs::metadata(paths::root().join(file)).with_context(|| file.to_owned())?.len();
    }
    let mut budget = Budget::default();
    for (n, profile) in [RELEASE, SMALL].into_iter().enumerate() {
        let mut cargo = tools.toolchain.cargo("build", &paths::firmware(), board, profile);
        cargo.args(["--quiet", "--bin", PROGRAM, "--bin", MEASURING]);
        cargo.env(TICKS, board.instructions_per_100_ticks.to_string());
        command::run(cargo.args(["--no-default-features", "--features", kind]))?;
        let built = paths::firmware_target().join(&board.target).join(profile);
        let size = Size::of(&built.join(PROGRAM))?;
        budget.flash[n] = size.flash.checked_sub(data).context("the model is not in flash")?;
        budget.ram = budget.ram.max(size.ram);
        let measured = run.then(|| firmware::budget(tools, board, &built.join(MEASURING)));
        if let Some([stack, frame, piece]) = measured.transpose()?.flatten() {
            (budget.stack[n], budget.frame[n], budget.piece[n]) = (stack, frame, piece);
        }
    }
    Ok(budget)
}

impl Budget {
    fn row(&self, board: &Board, kind: &str) -> String {
        let kib = |bytes: u64| format!("{:.1}", bytes as f64 / 1024.0);
        let millions = |count: u64| format!("{:.1}", count as f64 / 1e6);
        let both = |values: [u64; 2], shown: &dyn Fn(u64) -> String| {
            if values == [0, 0] { "–".into() } else { values.map(shown).join(" / ") }
        };
        let cells = [
            board.core.clone(),
            kind.into(),
            both(self.flash, &kib),
            kib(self.ram),
            both(self.stack, &|bytes| bytes.to_string()),
            both(self.frame, &millions),
            both(self.piece, &millions),
        ];
        format!("| {} |", cells.join(" | "))
    }

    /// What is more than it may be.
    fn beyond(&self, bound: &Self) -> impl Iterator<Item = String> {
        let flat = |of: &Self| {
            let Self { flash: [f3, fs], ram, stack: [s3, ss], frame: [i3, is], piece: [p3, ps] } =
                *of;
            [f3, fs, ram, s3, ss, i3, is, p3, ps]
        };
        let names = [
            "flash at 3",
            "flash at s",
            "static RAM",
            "stack at 3",
            "stack at s",
            "a frame at 3",
            "a frame at s",
            "a piece at 3",
            "a piece at s",
        ];
        let both = flat(self).into_iter().zip(flat(bound));
        names.into_iter().zip(both).filter_map(|(name, (found, bound))| {
            let grown = 100 * found > (100 + PERCENT) * bound;
            grown.then(|| format!("{name} is {found}, recorded is {bound}"))
        })
    }
}

/// Bytes of a program.
pub(crate) struct Size {
    /// What lies in flash: code, constants, first values.
    pub(crate) flash: u64,
    /// Static variables that begin with zeros, or with anything.
    pub(crate) ram: u64,
    /// Those with first values, which lie in RAM as well.
    pub(crate) initialised: u64,
}

impl Size {
    /// Of a little-endian 32-bit ELF file.
    pub(crate) fn of(elf: &Path) -> Result<Self> {
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
        let names = number((table + number(0x32, 2)? * entry) as usize + 16, 4)?;
        let mut size = Self { flash: 0, ram: 0, initialised: 0 };
        for n in 0..count {
            let at = (table + n * entry) as usize;
            let (kind, flags, len) =
                (number(at + 4, 4)? as u32, number(at + 8, 4)? as u32, number(at + 20, 4)?);
            let name = bytes.get((names + number(at, 4)?) as usize..).unwrap_or_default();
            // On RISC-V the stack is a section with all of the memory that is left.
            if flags & ALLOCATED == 0 || name.starts_with(b".stack\0") {
                continue;
            }
            match kind {
                NO_BITS => size.ram += len,
                _ if flags & WRITABLE != 0 => {
                    size.flash += len;
                    size.initialised += len;
                }
                _ => size.flash += len,
            }
        }
        Ok(size)
    }
}
