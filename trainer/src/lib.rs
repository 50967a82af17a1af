//! Host side of finescale: data, predictors, plots, and the commands of the binary.

pub mod linear;
pub mod plot;
//! Host side of finescale: data, training, export, sampling, scores and plots.

pub mod calendar;
pub mod commands;
pub mod dataset;
pub mod interrupt;
pub mod import;
//! Host side of finescale: data, training, export, sampling, scores and plots.

pub mod simulate;
