//! What every training does on Burn, whatever is learned.

pub mod backend;
pub mod basis;
pub mod checkpoint;
pub mod frames;
#[cfg(feature = "cuda")]
mod kernel_cache;
pub mod kernels;
pub mod learner;
pub mod optimizer;
pub mod symmetries;
pub mod views;
pub mod weights;

use burn::tensor::backend::AutodiffBackend;

use kernels::Kernels;

/// A backend that can train: it records what it computes, and has the kernels of our networks.
pub trait Trainable: AutodiffBackend<InnerBackend: Kernels> + Kernels {}

impl<A: AutodiffBackend<InnerBackend: Kernels> + Kernels> Trainable for A {}
