//! Host side of finescale: data, predictors, plots, and the commands of the binary.

pub mod baseline;
pub mod calendar;
pub mod card;
pub mod commands;
pub mod convolution;
pub mod dataset;
pub mod ensemble;
pub mod export;
pub mod import;
pub mod interrupt;
pub mod linear;
pub mod model;
pub mod noise;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod plot;
pub mod report;
pub mod sampling;
pub mod score;
pub mod simulate;
#[cfg(feature = "train")]
pub mod train;
pub mod write;
