//! The self-test finds what would change bits.

use finescale::{Fault, self_test};

#[test]
fn this_processor_computes_as_it_should() {
    assert_eq!(self_test(), Ok(()));
}

/// Runs the self-test with other bits in the control register of SSE.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)] // No other way sets the rounding mode.
fn with_control(bits: u32) -> Result<(), Fault> {
    use std::arch::asm;
    let mut before = 0_u32;
    // SAFETY: both registers and memory are this function's own; the register is set back before
    // anything else computes.
    unsafe {
        asm!("stmxcsr [{}]", in(reg) &raw mut before);
        let during = before | bits;
        asm!("ldmxcsr [{}]", in(reg) &raw const during);
    }
    let found = self_test();
    // SAFETY: as above.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const before) }
    found
}

#[cfg(target_arch = "x86_64")]
#[test]
fn other_roundings_and_flushing_are_found() {
    let [down, up, to_zero] = [1 << 13, 2 << 13, 3 << 13];
    let [flush, subnormals_are_zero] = [1 << 15, 1 << 6];
    assert_eq!(with_control(0), Ok(()));
    for rounding in [down, up, to_zero] {
        assert_eq!(with_control(rounding), Err(Fault::Rounding));
    }
    for bit in [flush, subnormals_are_zero] {
        assert_eq!(with_control(bit), Err(Fault::FlushToZero));
    }
}
