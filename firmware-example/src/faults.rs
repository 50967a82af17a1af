//! Processor faults: report and stop with exit code 102, where the default handlers would spin for
//! ever.

#[cfg(target_arch = "arm")]
#[allow(unsafe_code)] // The attribute asks for `unsafe fn`: the handler may run in the middle of anything.
#[cortex_m_rt::exception]
unsafe fn HardFault(frame: &cortex_m_rt::ExceptionFrame) -> ! {
    /// Configurable fault status register: which fault was escalated.
    const CFSR: *const u32 = 0xE000_ED28 as *const u32;
    // SAFETY: an aligned register that every core with a HardFault handler of this kind has.
    let cause = unsafe { CFSR.read_volatile() };
    crate::console::fault(cause, frame.pc());
    semihosting::process::exit(102)
}

#[cfg(target_arch = "riscv32")]
#[allow(unsafe_code)] // The start-up code finds the handler by this name.
#[unsafe(export_name = "ExceptionHandler")]
fn exception(_: &riscv_rt::TrapFrame) -> ! {
    let cause = riscv::register::mcause::read().bits() as u32;
    let address = riscv::register::mepc::read() as u32;
    crate::console::fault(cause, address);
    semihosting::process::exit(102)
}
