//! Compact frames over semihosting; `qemu-run` or `probe-rs` turns them back into text on the host.

use finescale::Error;

/// A case whose every value is the golden one.
pub(crate) fn pass(case: &str, values: usize) {
    defmt::info!("pass  {=str}: {=usize} values, bit for bit", case, values);
}

/// The first value of a case that differs, as bits.
pub(crate) fn mismatch(case: &str, index: usize, got: u32, want: u32) {
    defmt::error!(
        "FAIL  {=str}: value {=usize} is {=u32:#010x}, want {=u32:#010x}",
        case,
        index,
        got,
        want
    );
}

/// A case that gave too few or too many values.
pub(crate) fn wrong_length(case: &str, got: usize, want: usize) {
    defmt::error!("FAIL  {=str}: {=usize} values, want {=usize}", case, got, want);
}

/// A case that the runtime refused to run.
pub(crate) fn refused(case: &str, error: Error) {
    defmt::error!("FAIL  {=str}: {}", case, error);
}

/// A super-resolution that the runtime refused.
pub(crate) fn no_frames(case: &str) {
    defmt::error!("FAIL  {=str}: refused; the host test `golden` prints why", case);
}

/// What a super-resolution took.
pub(crate) fn frames(case: &str, frames: usize, instructions: u64) {
    defmt::info!(
        "      {=str}: {=usize} frames, {=u64} instructions a frame",
        case,
        frames,
        instructions
    );
}

/// Instructions of a kernel for a hundred multiply-accumulates.
pub(crate) fn kernel(name: &str, path: &str, hundredths: u32, bound: u32) {
    let verdict = if hundredths <= bound { "pass" } else { "FAIL" };
    defmt::info!(
        "{=str}  {=str} ({=str}): {=u32} instructions for 100 multiply-accumulates, at most {=u32}",
        verdict,
        name,
        path,
        hundredths,
        bound
    );
}

/// The closing line.
pub(crate) fn summary(passed: usize, cases: usize, kept: usize, kernels: usize) {
    defmt::info!(
        "golden cases: {=usize} of {=usize} pass; kernels within bounds: {=usize} of {=usize}",
        passed,
        cases,
        kept,
        kernels
    );
}
