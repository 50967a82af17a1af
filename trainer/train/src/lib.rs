//! Training: from a data set to a calibrated model.
//!
//! * [`engine`] is what every training does on Burn: backends, kernels, devices, the optimiser,
//!   checkpoints.
//! * [`networks`] has a file for each network.
//! * [`systems`] has a folder for each way to learn paths: what a batch is, what is minimised, what
//!   is measured, what the model is.
//! * [`run`] is the training loop, and the folder that holds all it leaves behind.
//! * [`config`] is its settings.

pub mod config;
pub mod engine;
pub mod networks;
pub mod run;
pub mod systems;
