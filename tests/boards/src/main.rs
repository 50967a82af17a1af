//! Runs finescale on a board and compares every bit with what the desktop computed: the golden
//! cases, then the main job, super-resolution with a shipped model. Counts the kernels'
//! instructions where the emulator can.
#![no_std]
#![no_main]

mod console;
mod downscale;
mod kernels;
#[cfg(any(feature = "panic-on-purpose", feature = "overflow-on-purpose"))]
mod on_purpose;

use finescale_board::counter;
use finescale_golden::{CASES, Case, FIELD_MAX, SCRATCH_MAX};
use semihosting::process::ExitCode;
use static_cell::ConstStaticCell;

static FIELD: ConstStaticCell<[f32; FIELD_MAX]> = ConstStaticCell::new([0.0; FIELD_MAX]);
static SCRATCH: ConstStaticCell<[f32; SCRATCH_MAX]> = ConstStaticCell::new([0.0; SCRATCH_MAX]);

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    let (Some(field), Some(scratch)) = (FIELD.try_take(), SCRATCH.try_take()) else {
        // The entry point has run twice.
        ExitCode::FAILURE.exit_process()
    };
    #[cfg(feature = "panic-on-purpose")]
    on_purpose::panic(field);
    #[cfg(feature = "overflow-on-purpose")]
    on_purpose::overflow();

    counter::start();
    let passed = number(CASES.iter().filter(|case| passes(case, field, scratch)));
    let (kept, kernels) = kernels::run();
    let (downscaled, downscales) = downscale::run();
    let passed = passed.saturating_add(downscaled);
    let cases = CASES.len().saturating_add(downscales);
    console::summary(passed, cases, kept, kernels);
    if passed == cases && kept == kernels { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        .exit_process()
}

/// Runs one case, reports it, and says whether every value came out bit for bit.
fn passes(case: &Case, field: &mut [f32; FIELD_MAX], scratch: &mut [f32; SCRATCH_MAX]) -> bool {
    let values = match case.run(field, scratch) {
        Ok(values) => values,
        Err(error) => {
            console::refused(case.name, error);
            return false;
        }
    };
    let want = case.expected_len();
    let result = match field.get(..values) {
        Some(result) if values == want => result,
        _ => {
            console::wrong_length(case.name, values, want);
            return false;
        }
    };
    if let Some((index, got, want)) = case.first_mismatch(result) {
        console::mismatch(case.name, index, got.to_bits(), want.to_bits());
        return false;
    }
    console::pass(case.name, values);
    true
}

/// How many things an iterator gives; `count` panics in builds with overflow checks where there are
/// too many.
fn number(things: impl Iterator) -> usize {
    things.fold(0, |n: usize, _| n.saturating_add(1))
}
