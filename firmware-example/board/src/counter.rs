//! Executed instructions, counted by the emulator's clock: repeatable on any host, under any load.
//!
//! With `-icount shift=0` QEMU's time goes on by a nanosecond for each instruction, so a tick of
//! the system timer is as many instructions as it has nanoseconds. On silicon the same timer counts
//! cycles. Instructions are not cycles. RISC-V has a register that counts instructions, which with
//! that option does.

#[cfg(target_arch = "arm")]
mod timer {
    use core::sync::atomic::{AtomicU32, Ordering};

    use cortex_m::peripheral::SYST;
    use cortex_m::peripheral::syst::SystClkSource;

    /// Ticks of a round of the timer, which has 24 bits.
    const ROUND: u32 = 1 << 24;
    static ROUNDS: AtomicU32 = AtomicU32::new(0);

    #[cortex_m_rt::exception]
    fn SysTick() {
        // Only this handler writes: no read-modify-write, which some cores lack.
        ROUNDS.store(ROUNDS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    pub(super) fn start() {
        if let Some(mut peripherals) = cortex_m::Peripherals::take() {
            let timer = &mut peripherals.SYST;
            timer.set_clock_source(SystClkSource::Core);
            timer.set_reload(ROUND - 1);
            timer.clear_current();
            timer.enable_interrupt();
            timer.enable_counter();
        }
    }

    pub(super) fn ticks() -> u64 {
        loop {
            let rounds = ROUNDS.load(Ordering::Relaxed);
            let left = SYST::get_current();
            // A round that ended in between would be missing.
            if ROUNDS.load(Ordering::Relaxed) == rounds {
                let left = u64::from((ROUND - 1).saturating_sub(left));
                return u64::from(rounds) * u64::from(ROUND) + left;
            }
        }
    }
}

#[cfg(target_arch = "riscv32")]
mod timer {
    pub(super) fn start() {}

    pub(super) fn ticks() -> u64 {
        riscv::register::minstret::read64()
    }
}

/// Nanoseconds of a tick, hundredfold, as the board's folder says; 0 where instructions are not
/// counted.
const INSTRUCTIONS_PER_100_TICKS: u64 =
    decimal(env!("FINESCALE_INSTRUCTIONS_PER_100_TICKS").as_bytes());
/// Whether the board counts.
pub const COUNTS: bool = INSTRUCTIONS_PER_100_TICKS != 0;

/// The number that these digits are.
pub const fn decimal(mut digits: &[u8]) -> u64 {
    let mut value: u64 = 0;
    while let [digit, rest @ ..] = digits {
        value = value.saturating_mul(10).saturating_add(digit.saturating_sub(b'0') as u64);
        digits = rest;
    }
    value
}

/// Starts the timer.
pub fn start() {
    timer::start();
}

/// Runs `work`; gives what it gives and the instructions that it took, to about a hundred. `None`
/// where the board does not count.
pub fn count<T>(work: impl FnOnce() -> T) -> (T, Option<u64>) {
    let before = timer::ticks();
    let result = work();
    let ticks = timer::ticks().saturating_sub(before);
    (result, COUNTS.then_some(ticks.saturating_mul(INSTRUCTIONS_PER_100_TICKS) / 100))
}
