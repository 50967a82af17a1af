//! The watchdog of Arm's MPS2 boards with a Cortex-M4 or M7, fed after every layer of the network.
//! Elsewhere nothing is fed: a board's own goes here.

use core::sync::atomic::{AtomicU32, Ordering};

use finescale::{Pass, Probe};

/// Ticks of 25 MHz that may pass between two feedings.
pub(crate) const LIMIT: u32 = 25_000_000;
/// The registers of the CMSDK APB watchdog, where the board has it.
const BASE: Option<usize> = match option_env!("FINESCALE_WATCHDOG") {
    Some(_) => Some(0x4000_8000),
    None => None,
};
const LOAD: usize = 0x00;
const VALUE: usize = 0x04;
const CONTROL: usize = 0x08;
const CLEAR: usize = 0x0C;
/// Counts; and resets the processor when a second period ends unfed.
const ON: u32 = 0b11;

/// The one watchdog.
pub(crate) static WATCHDOG: Watchdog = Watchdog { longest: AtomicU32::new(0) };

pub(crate) struct Watchdog {
    /// The longest gap between two feedings.
    longest: AtomicU32,
}

impl Watchdog {
    pub(crate) fn start(&self) {
        write(LOAD, LIMIT);
        write(CONTROL, ON);
    }

    pub(crate) fn feed(&self) {
        let gap = LIMIT.saturating_sub(read(VALUE).unwrap_or(LIMIT));
        self.longest.store(self.longest.load(Ordering::Relaxed).max(gap), Ordering::Relaxed);
        write(CLEAR, 1);
    }

    /// In ticks; `None` without a watchdog.
    pub(crate) fn longest_gap(&self) -> Option<u32> {
        BASE.map(|_| self.longest.load(Ordering::Relaxed))
    }
}

impl Probe for Watchdog {
    fn layer(&self, _: Pass, _: usize) {
        self.feed();
    }
}

#[allow(unsafe_code)]
fn write(register: usize, value: u32) {
    if let Some(base) = BASE {
        // SAFETY: an aligned register of the board, which nothing else in the program uses.
        unsafe { ((base + register) as *mut u32).write_volatile(value) }
    }
}

#[allow(unsafe_code)]
fn read(register: usize) -> Option<u32> {
    // SAFETY: as in `write`.
    BASE.map(|base| unsafe { ((base + register) as *const u32).read_volatile() })
}
