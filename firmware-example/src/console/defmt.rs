//! Compact frames over semihosting; `qemu-run` or `probe-rs` turns them back into text on the host.

use core::panic::PanicInfo;

use defmt_semihosting as _;
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

/// The closing line.
pub(crate) fn summary(passed: usize, cases: usize) {
    defmt::info!("golden cases: {=usize} of {=usize} pass", passed, cases);
}

/// The processor refused an instruction or an access: its cause and where, as the core gives them.
pub(crate) fn fault(cause: u32, address: u32) {
    defmt::error!("FAULT cause {=u32:#010x} at {=u32:#010x}", cause, address);
}

/// A broken invariant.
pub(crate) fn panicked(info: &PanicInfo) {
    defmt::error!("PANIC {}", defmt::Display2Format(info));
}
