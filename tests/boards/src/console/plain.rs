//! Text over semihosting, for a board whose host tools do not know defmt, and for the proof build.

use finescale::Error;
use finescale_board::line;

/// A case whose every value is the golden one.
pub(crate) fn pass(case: &str, values: usize) {
    line(format_args!("pass  {case}: {values} values, bit for bit"));
}

/// The first value of a case that differs, as bits.
pub(crate) fn mismatch(case: &str, index: usize, got: u32, want: u32) {
    line(format_args!("FAIL  {case}: value {index} is {got:#010x}, want {want:#010x}"));
}

/// A case that gave too few or too many values.
pub(crate) fn wrong_length(case: &str, got: usize, want: usize) {
    line(format_args!("FAIL  {case}: {got} values, want {want}"));
}

/// A case that the runtime refused to run. The error's own sentence prints a float in decimals,
/// which panics deep inside `core`.
pub(crate) fn refused(case: &str, error: Error) {
    match error {
        Error::Parameter { name, expected, .. }
        | Error::Count { name, expected, .. }
        | Error::Conflict { name, expected } => {
            line(format_args!("FAIL  {case}: {name} must be {expected}"));
        }
        Error::NotFinite { name, index } => {
            line(format_args!("FAIL  {case}: {name} has no number at index {index}"));
        }
        _ => line(format_args!("FAIL  {case}: refused; the host test `golden` prints why")),
    }
}

/// A super-resolution that the runtime refused.
pub(crate) fn no_frames(case: &str) {
    line(format_args!("FAIL  {case}: refused; the host test `golden` prints why"));
}

/// What a super-resolution took.
pub(crate) fn frames(case: &str, frames: usize, instructions: u64) {
    line(format_args!("      {case}: {frames} frames, {instructions} instructions a frame"));
}

/// Instructions of a kernel for a hundred multiply-accumulates.
pub(crate) fn kernel(name: &str, path: &str, hundredths: u32, bound: u32) {
    let verdict = if hundredths <= bound { "pass" } else { "FAIL" };
    line(format_args!(
        "{verdict}  {name} ({path}): {hundredths} instructions for 100 multiply-accumulates, at \
         most {bound}"
    ));
}

/// The closing line.
pub(crate) fn summary(passed: usize, cases: usize, kept: usize, kernels: usize) {
    line(format_args!(
        "golden cases: {passed} of {cases} pass; kernels within bounds: {kept} of {kernels}"
    ));
}
