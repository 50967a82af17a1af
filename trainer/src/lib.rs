//! Host side of finescale: data, training, export, sampling, scores and plots.

pub mod calendar;
pub mod commands;
pub mod dataset;
pub mod import;
pub mod interrupt;
