//! The linear Gaussian predictor of one mode, in closed form.
//!
//! For a stationary mode with known autocovariance, the best predictor of the next frame of the
//! *noised* path from a window of W frames is linear, and its one-step error has a known covariance
//! S. It is exact where the data are Gaussian, it is the base that a network corrects elsewhere,
//! and it is the exact case that every sampler is checked on. Source: arXiv 2604.00327, sections 3
//! and 4; S per mode instead of the paper's isotropic variance is ours.

mod base;
mod estimate;
mod noised;
mod predictor;
mod shrink;

pub(crate) use base::variances;
pub use base::{BaseAt, LinearBase};
pub use estimate::PackedAutocovariance;
pub use noised::{Noised, deviations};
pub use predictor::{Autocovariance, LinearPredictor};
pub use shrink::Weights;
