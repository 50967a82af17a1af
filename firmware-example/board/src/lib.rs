//! What the programs for boards share. A program that links it has an end for faults, for an
//! overflow of the stack and for panics: each is told, and has an exit code of its own.
#![no_std]

pub mod counter;
mod faults;
mod panic;
mod text;

// Linked for the critical section that defmt's logger needs, and for the logger.
#[cfg(target_arch = "arm")]
use cortex_m as _;
#[cfg(feature = "defmt")]
use defmt_semihosting as _;

pub use text::line;

/// Exit codes beside 0 and 1, by which the desktop knows what ended a program.
pub mod exit {
    /// A panic.
    pub const PANIC: i32 = 101;
    /// A fault of the processor.
    pub const FAULT: i32 = 102;
    /// The stack grew beyond its end.
    pub const STACK_OVERFLOW: i32 = 103;
}
