//! Host side of finescale: data, training, export, sampling, scores and plots.

pub mod simulate;
