//! The inner loops of a convolution, once in safe code, compiled for several instruction sets.

mod boundary;
mod dispatch;
mod pass;
mod products;
mod slot;
mod tile;

pub use dispatch::CodePath;
pub(super) use dispatch::{add_products, run};
pub(super) use pass::Pass;
pub(super) use products::{INPUTS, Products, SHIFTS, padded_points, tiles};
pub(super) use slot::Source;
