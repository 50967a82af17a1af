//! The lines that the firmware prints, in the same words on every board.
//!
//! Values are printed as the 32 bits of their float: equality of bits is what is tested, and
//! printing decimals would cost over 14 KiB of flash.

#[cfg(all(target_arch = "arm", not(feature = "prove-no-panic")))]
#[path = "defmt.rs"]
mod kind;
#[cfg(not(all(target_arch = "arm", not(feature = "prove-no-panic"))))]
#[path = "plain.rs"]
mod kind;

#[cfg(not(feature = "prove-no-panic"))]
pub(crate) use kind::panicked;
pub(crate) use kind::{
    fault, frames, kernel, mismatch, no_frames, pass, refused, summary, wrong_length,
};
