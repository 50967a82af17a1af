#![no_std]
#![doc = include_str!("../README.md")]

#[cfg(feature = "std")]
extern crate std;

pub mod error;
pub mod grid;
pub mod layer;
pub mod model;
pub mod noise;
pub mod process;
pub mod spectral;

pub use error::Error;
pub use grid::{Axis, Boundary, Grid, Laplacian};
pub use noise::NoiseStream;
pub use process::ForwardProcess;
