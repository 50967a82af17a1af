//! The lines that the program prints, in the same words on every board.
//!
//! Values are printed as the 32 bits of their float: equality of bits is what is tested, and
//! printing decimals would cost over 14 KiB of flash.

#[cfg_attr(feature = "defmt", path = "defmt.rs")]
#[cfg_attr(not(feature = "defmt"), path = "plain.rs")]
mod kind;

pub(crate) use kind::{frames, kernel, mismatch, no_frames, pass, refused, summary, wrong_length};
