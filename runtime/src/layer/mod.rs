//! Layers of the predictor network: forward, and the vector-Jacobian product beside it.
//!
//! Fields keep the layout of the rest of the crate, `[channel][y][x]`; weights are packed once and
//! serve both directions; what a layer needs besides comes from the caller's scratch.

mod conv;
mod epilogue;
pub mod int16;
mod kernel;
mod product;
mod shape;
mod weight;
mod weight_gradient;

pub use conv::Conv;
pub use epilogue::Epilogue;
pub use kernel::CodePath;
pub use product::{FACTOR_MAX, multiply, multiply_vjp};
pub use shape::ConvShape;
pub use weight::Weight;
pub use weight_gradient::WeightGradient;

/// Slope of the predictor's activations below zero.
pub const SLOPE: f32 = 0.1;
