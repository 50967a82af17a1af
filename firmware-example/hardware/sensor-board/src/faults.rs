//! What ends the program is told to the debugger, and the chip begins again: panics of the HAL,
//! faults of the processor, and a stack that is full.

use core::arch::naked_asm;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use cortex_m::peripheral::SCB;

/// Configurable fault status register: which fault was escalated.
const CFSR: *const u32 = 0xE000_ED28 as *const u32;
/// Faults that only a full stack has: the two when the core itself pushes, and ARMv8-M's limit.
const STACK: u32 = 1 << 4 | 1 << 12 | 1 << 20;
/// Bytes that the core pushes at most for a handler. Where they just fitted, the pointer is this
/// near to the end.
const FRAME: usize = 26 * 4;

/// Waits until a debugger that listens has read all, and begins again.
pub(crate) fn reset() -> ! {
    defmt::flush();
    SCB::sys_reset()
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    static TOLD: AtomicBool = AtomicBool::new(false);
    // The logger has panics of its own.
    if TOLD.swap(true, Ordering::Relaxed) {
        SCB::sys_reset()
    }
    let (file, line) = info.location().map_or(("?", 0), |at| (at.file(), at.line()));
    defmt::error!("PANIC at {=str}:{=u32}", file, line);
    reset()
}

/// Goes on at the top of the stack, which may be full. Registers of the floating-point unit that
/// still wait to be pushed are forgotten, since nobody goes back.
#[allow(unsafe_code)] // The start-up code finds the handler by this name.
#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "C" fn HardFault() -> ! {
    naked_asm!(
        "ldr r2, =0xE000EF34", // Floating-point context control register.
        "ldr r3, [r2]",
        "bic r3, r3, #1", // Lazy state preservation is active.
        "str r3, [r2]",
        "mrs r0, msp",
        "ldr r3, =_stack_start",
        "mov sp, r3",
        "b {fault}",
        fault = sym fault
    )
}

/// `frame` is where the stack pointer was: there lies what the core has pushed, if that fitted.
#[allow(unsafe_code)]
extern "C" fn fault(frame: *const u32) -> ! {
    // SAFETY: memory.x defines the symbol; only its address is taken.
    unsafe extern "C" {
        safe static _stack_end: u8;
    }
    let end = (&raw const _stack_end).addr();
    // SAFETY: an aligned register of every core from ARMv7-M on.
    let cause = unsafe { CFSR.read_volatile() };
    if cause & STACK != 0 || frame.addr() < end.saturating_add(FRAME) {
        defmt::error!("the stack is full: give STACK in memory.x more (cause {=u32:#010x})", cause);
    } else {
        // SAFETY: the core has pushed eight registers there, the seventh of which says where it was.
        let at = unsafe { frame.add(6).read() };
        defmt::error!("FAULT at {=u32:#010x}, cause {=u32:#010x}", at, cause);
    }
    reset()
}
