//! A model's network in the caller's memory: what it sees, its layers, and where they keep what.
//!
//! ```text
//! spectra ──inputs──▶ fields ──layers──▶ fields,   and the gradient back
//! ```

mod evaluate;
mod film;
mod inputs;
mod int16;
mod layout;
mod probe;
mod products;

pub(crate) use evaluate::Network;
pub(crate) use inputs::Inputs;
pub(crate) use layout::{Layout, Scratch};
pub use probe::{Pass, Probe};
