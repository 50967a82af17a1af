#![no_std]
#![doc = include_str!("../README.md")]

#[cfg(feature = "std")]
extern crate std;

mod checked;
pub mod downscaler;
pub mod error;
pub mod grid;
pub mod layer;
pub mod layout;
pub mod mean;
pub mod model;
mod network;
pub mod noise;
pub mod predictor;
pub mod process;
pub mod sampler;
mod self_test;
pub mod spectral;

pub use downscaler::{Downscaler, Instrument, MeanDownscaler, Values};
pub use error::Error;
pub use grid::{Axis, Boundary, Grid, Laplacian};
pub use layout::{CoarseGrid, Field, FineGrid, Modes, Path};
pub use network::{Pass, Probe};
pub use noise::NoiseStream;
pub use predictor::Predictor;
pub use process::ForwardProcess;
pub use sampler::Sampler;
pub use self_test::{Fault, self_test};
