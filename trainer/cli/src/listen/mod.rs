//! The host's end of a sensor board's line.
//!
//! ```text
//! source ─▶ line ──▶ recording   NetCDF, frame by frame
//! bytes,    packets, view        the terminal
//! a thread  gaps     picture     the last frame
//! ```

pub(crate) mod line;
pub(crate) mod picture;
pub(crate) mod recording;
pub(crate) mod source;
mod temperatures;
pub(crate) mod view;
pub(crate) mod words;
