//! From a thermal array to a fine field and an alarm: all that is the same on every board, and on
//! the desktop that tests it.
//!
//! ```text
//! I²C ─▶ thermal ─▶ calibration ─▶ engine ─▶ alarm ─▶ packet ─▶ wire
//!        driver     dead pixels    mean or   its      status,   postcard,
//!                   what is wrong  spline    chance   fields    CRC-32, COBS
//! ```
//!
//! On a board the bus is the HAL's: one of `embedded-hal`, for which the program waits
//! ([`Chain::step`]), or of `embedded-hal-async`, which is awaited ([`Chain::step_async`]).
//! [`replay::Replay`] is a bus of both kinds that answers from a recording, with faults put in.
//! Everything else stays as it is.
#![no_std]

pub mod calibration;
pub mod chain;
pub mod engine;
pub mod replay;
pub mod setup;
pub mod status;
pub mod thermal;
pub mod wire;

pub use chain::Chain;
pub use status::Status;
pub use wire::Packet;

/// Pixels along each axis of the array.
pub const PIXELS: usize = 8;
/// Values of a coarse frame.
pub const COARSE: usize = PIXELS * PIXELS;
/// Points along each axis of a fine frame.
pub const POINTS: usize = 32;
/// Values of a fine frame.
pub const FINE: usize = POINTS * POINTS;
