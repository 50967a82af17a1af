//! Training: from a data set to a calibrated model.
//!
//! Batches are made on the device from the data's spectra ([`batch`]); a [`predictor`] corrects the closed-form linear one
//! by a [`network`]; [`loss`] weights its errors.

pub mod backend;
pub mod basis;
pub mod batch;
pub mod calibrate;
mod checkpoint;
pub mod config;
pub mod convolution;
mod curves;
mod dashboard;
mod finish;
pub mod learner;
pub mod loss;
pub mod metrics;
pub mod network;
pub mod optimizer;
pub mod predictor;
pub mod presets;
mod progress;
pub mod run;
pub mod step;
pub mod tables;
mod unmeasured;
pub mod validate;
pub mod weights;
