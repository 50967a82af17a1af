//! Layers of the predictor network: forward, and the vector-Jacobian product beside it.
//!
//! Activations live in [`Padded`] planes: every row has a halo on both sides, filled from the row itself by the
//! boundary, so that a convolution reads its neighbours without asking where the row ends.

mod conv;
mod padded;

pub use conv::{Conv, Kernel};
pub use padded::Padded;
