//! The inner loops of a convolution, once in safe code, compiled for several instruction sets; and
//! where a processor has instructions that no safe code is compiled to, a tile of these with a safe
//! twin.

mod boundary;
mod dispatch;
mod dot;
mod pass;
mod portable;
mod products;
mod sink;
mod slot;
#[cfg(smlad)]
mod smlad;
mod span;
mod tile;
#[cfg(vfp)]
mod vfp;
#[cfg(all(feature = "std", target_arch = "x86_64"))]
mod x86;

pub(super) use boundary::{Sources, neighbour, readers};
pub use dispatch::CodePath;
pub(super) use dispatch::{add_products, run, run_numbers};
pub(super) use dot::{Walk, row};
#[expect(unreachable_pub, reason = "part of a sealed trait")]
pub use pass::Pass;
pub(super) use products::{INPUTS, Products, SHIFTS, padded_points, tiles};
pub(super) use sink::{Finish, PassSink};
pub(super) use slot::{PassSource, extend};
