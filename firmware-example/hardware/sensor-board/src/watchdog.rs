//! Feeds the chip's watchdog after every frame, and after every layer of the network.

use core::cell::RefCell;

use critical_section::Mutex;
use finescale::{Pass, Probe};

/// The chip's watchdog, behind the function that feeds it.
pub(crate) struct Watchdog<F>(Mutex<RefCell<F>>);

impl<F: FnMut()> Watchdog<F> {
    pub(crate) const fn new(feed: F) -> Self {
        Self(Mutex::new(RefCell::new(feed)))
    }

    pub(crate) fn feed(&self) {
        critical_section::with(|section| (self.0.borrow_ref_mut(section))());
    }
}

impl<F: FnMut() + Send> Probe for Watchdog<F> {
    fn layer(&self, _: Pass, _: usize) {
        self.feed();
    }
}
