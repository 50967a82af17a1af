//! Host side of finescale: data, predictors, plots, and the commands of the binary.

pub mod linear;
