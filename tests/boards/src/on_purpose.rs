//! Panic paths that are put in to show that the proofs notice them.

use core::hint::black_box;

/// A sum that may overflow for all that the optimiser knows.
#[cfg(feature = "overflow-on-purpose")]
pub(crate) fn overflow() {
    black_box(black_box(0_usize) + 1);
}

/// A bounds check that the optimiser cannot remove.
#[cfg(feature = "panic-on-purpose")]
pub(crate) fn panic(field: &mut [f32]) {
    let index = black_box(0);
    field[index] = 0.0;
}
