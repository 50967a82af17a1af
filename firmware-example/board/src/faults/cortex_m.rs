//! Cortex-M. From ARMv8-M on the core itself compares the stack pointer with its limit, which the
//! start-up code sets to the end of the stack. On ARMv7-M a region of the memory protection unit
//! forbids the 64 KiB below the end; a core without the unit has a guard only where nothing else
//! lies there. Either way what goes beyond the end is a fault, which becomes a HardFault.

use core::arch::global_asm;

// Before any static variable is written. No access, no execution, 2^16 bytes; everywhere else the
// memory is as without the unit.
#[cfg(not(stack_limit))]
global_asm!(
    ".section .text.__pre_init, \"ax\", %progbits",
    ".global __pre_init",
    ".type __pre_init, %function",
    ".thumb_func",
    "__pre_init:",
    "ldr r0, =0xE000ED94", // MPU_CTRL
    "movs r1, #0",
    "str r1, [r0, #4]", // MPU_RNR
    "ldr r1, =_stack_end",
    "sub r1, r1, #0x10000",
    "str r1, [r0, #8]", // MPU_RBAR
    "ldr r1, =0x1000001F",
    "str r1, [r0, #12]", // MPU_RASR
    "movs r1, #5",
    "str r1, [r0]",
    "dsb",
    "isb",
    "bx lr",
    ".ltorg",
    ".size __pre_init, . - __pre_init",
);

// The core pushes registers before it comes here, which fails where the stack is full: only then
// can the frame at the pointer be read. Registers of the floating-point unit that still wait to be
// pushed are forgotten, since nobody goes back.
global_asm!(
    ".section .HardFault.user, \"ax\", %progbits",
    ".global HardFault",
    ".type HardFault, %function",
    ".thumb_func",
    "HardFault:",
    "ldr r2, =0xE000EF34", // Floating-point context control register.
    "ldr r3, [r2]",
    "bic r3, r3, #1", // Lazy state preservation is active.
    "str r3, [r2]",
    "mrs r0, msp",
    "movs r1, #0",
    "ldr r2, =_stack_end",
    "ldr r3, =_stack_start",
    "cmp r0, r2",
    "blo 1f",
    "cmp r0, r3",
    "bhs 1f",
    "ldr r1, [r0, #24]", // The program counter.
    "1: mov sp, r3",
    "bl finescale_hard_fault",
    "udf #0",
    ".ltorg",
    ".size HardFault, . - HardFault",
);

/// Configurable fault status register: which fault was escalated.
const CFSR: *const u32 = 0xE000_ED28 as *const u32;
/// Faults that only a full stack has: the one forbidden region, the two when the core itself pushes,
/// and the core's limit.
const STACK: u32 = 1 << 1 | 1 << 4 | 1 << 12 | 1 << 20;
/// Bytes that the core pushes at most for a handler. Where they just fitted, the pointer is this
/// near to the end.
const FRAME: u32 = 26 * 4;

/// What the stack pointer was, and the program counter, if that could be read.
// The assembly above finds it by this name.
#[unsafe(no_mangle)]
extern "C" fn finescale_hard_fault(pointer: u32, counter: u32) -> ! {
    // SAFETY: an aligned register of every core from ARMv7-M on.
    let cause = unsafe { CFSR.read_volatile() };
    if cause & STACK != 0 || pointer < super::end_of_stack().saturating_add(FRAME) {
        super::stack_overflow(pointer)
    }
    super::fault(cause, counter)
}
