//! How deep the stack was: it is painted first, and what is still painted was never reached.
#![allow(unsafe_code, reason = "the stack has no safe name")]

use core::hint::black_box;
use core::ptr::{read_volatile, write_volatile};

const PAINT: u32 = 0xC0DE_CAFE;
/// Bytes that are painted: more than any program of ours takes.
const DEPTH: usize = 32 * 1024;
/// Bytes below a local variable of [`paint`] that it may use itself.
const OWN: usize = 256;

/// Where the stack is now.
#[inline(never)]
fn here() -> usize {
    let local = 0_u32;
    (black_box(&raw const local) as usize) & !3
}

/// The lowest word that is painted.
fn lowest() -> *mut u32 {
    (here() & !0xFFF).wrapping_sub(DEPTH) as *mut u32
}

/// Paints what lies below the caller's frame.
#[inline(never)]
pub(crate) fn paint() {
    let (mut word, end) = (lowest(), here().wrapping_sub(OWN));
    while (word as usize) < end {
        // SAFETY: the memory maps of the boards have more room than that for the stack, which grows
        // down to these words; nothing lives there now.
        unsafe { write_volatile(word, PAINT) };
        word = word.wrapping_add(1);
    }
}

/// Bytes below the caller's frame that were used since, to a few hundred.
#[inline(never)]
pub(crate) fn used() -> usize {
    let (mut word, top) = (lowest(), here());
    // SAFETY: as in `paint`.
    while (word as usize) < top && unsafe { read_volatile(word) } == PAINT {
        word = word.wrapping_add(1);
    }
    top.saturating_sub(word as usize)
}
