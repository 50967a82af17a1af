//! The front door of [`finescale`] for C and C++: a static library, whose header is
//! `include/finescale.h`.
//!
//! Nothing is allocated: handles and memory are the caller's. No panic crosses the border: on boards
//! no path leads to one, which the link of a C program proves (`src/panic.rs`).
//! `docs/from-c.md` says how to use it.
#![no_std]

// A desktop's panic handler, which a static library must have.
#[cfg(not(target_os = "none"))]
extern crate std;

// In the header's order.
mod code;
mod model;

mod downscaler;
mod mean;

mod handle;
mod panic;
mod pointer;
mod types;

pub use code::{FinescaleCode, finescale_text};
pub use downscaler::*;
pub use handle::*;
pub use mean::*;
pub use model::*;
pub use pointer::{Handle, Input, Opaque, Output, Plain};
pub use types::*;
