//! Needs more stack than there is. What ends it must be the guard of the stack, which the exit code
//! says.
#![no_std]
#![no_main]

use core::hint::black_box;

// Linked for what it does with faults.
use finescale_board as _;
use semihosting::process::ExitCode;

#[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
#[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
fn main() -> ! {
    deeper(&[0; 16]);
    // Nobody comes here.
    ExitCode::FAILURE.exit_process()
}

/// Calls itself without end; that the array is looked at after the call keeps the compiler from
/// making it a loop.
#[expect(unconditional_recursion, reason = "what the program is for")]
fn deeper(before: &[u32; 16]) -> u32 {
    let own = before.map(|n| n.wrapping_add(1));
    let last = deeper(black_box(&own));
    black_box(&own).iter().fold(last, |sum, n| sum ^ n)
}
