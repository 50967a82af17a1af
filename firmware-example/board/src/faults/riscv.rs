//! RISC-V. The first entry of the physical memory protection forbids the 64 KiB below the end of
//! the stack, to the machine mode as well; a board without one has no guard.

use core::arch::global_asm;

// A region whose size is a power of two: its address and its size in one number, in words. The
// entry is locked, without any permission.
global_asm!(
    ".section .init.guard, \"ax\"",
    ".global __pre_init",
    "__pre_init:",
    "la t0, _stack_end",
    "li t1, 0x10000",
    "sub t0, t0, t1",
    "srli t0, t0, 2",
    "li t1, 0x1FFF",
    "or t0, t0, t1",
    "csrw pmpaddr0, t0",
    "li t0, 0x98",
    "csrw pmpcfg0, t0",
    "ret",
);

// The trap of the start-up code saves registers on the stack, for which 256 bytes suffice. Where
// they are not left, it must not be entered.
global_asm!(
    ".section .trap.start, \"ax\"",
    ".balign 4",
    ".global _start_trap",
    "_start_trap:",
    "csrw mscratch, t0",
    "la t0, _stack_end + 256",
    "bltu sp, t0, 1f",
    "csrr t0, mscratch",
    "j _default_start_trap",
    "1: mv a0, sp",
    "la sp, _stack_start",
    "j finescale_stack_overflow",
);

// The assembly above finds it by this name.
#[unsafe(no_mangle)]
extern "C" fn finescale_stack_overflow(pointer: u32) -> ! {
    super::stack_overflow(pointer)
}

// The start-up code finds the handler by this name.
#[unsafe(export_name = "ExceptionHandler")]
fn exception(_: &riscv_rt::TrapFrame) -> ! {
    let cause = riscv::register::mcause::read().bits() as u32;
    super::fault(cause, riscv::register::mepc::read() as u32)
}
