//! Faults of the processor, and the guard of the stack: told, then the program stops, where the
//! default handlers would spin for ever.
//!
//! The memory map of a board puts the stack at the bottom of the memory, so that no static variable
//! lies below its end, `_stack_end`, and the processor refuses what is written there. The handler
//! cannot run on a stack that is full: it begins anew at the top.

#![allow(unsafe_code, reason = "traps are entered in assembly, and linkers know no safety")]

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(target_arch = "riscv32")]
mod riscv;

use semihosting::process;

use crate::exit;

unsafe extern "C" {
    /// The end of the stack, from the memory map.
    safe static _stack_end: u8;
}

/// The lowest address of the stack.
fn end_of_stack() -> u32 {
    &raw const _stack_end as usize as u32
}

/// A fault: its cause in the core's own code, and the address of the instruction.
fn fault(cause: u32, at: u32) -> ! {
    #[cfg(feature = "defmt")]
    defmt::error!("FAULT cause {=u32:#010x} at {=u32:#010x}", cause, at);
    #[cfg(feature = "plain")]
    crate::line(format_args!("FAULT cause {cause:#010x} at {at:#010x}"));
    let _ = (cause, at);
    process::exit(exit::FAULT)
}

/// The stack grew beyond its end.
fn stack_overflow(pointer: u32) -> ! {
    let end = end_of_stack();
    #[cfg(feature = "defmt")]
    defmt::error!(
        "STACK OVERFLOW the stack ends at {=u32:#010x}, its pointer is {=u32:#010x}",
        end,
        pointer
    );
    #[cfg(feature = "plain")]
    crate::line(format_args!(
        "STACK OVERFLOW the stack ends at {end:#010x}, its pointer is {pointer:#010x}"
    ));
    let _ = (end, pointer);
    process::exit(exit::STACK_OVERFLOW)
}
