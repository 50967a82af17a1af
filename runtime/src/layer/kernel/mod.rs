//! The inner loops of a convolution, once in safe code, compiled for several instruction sets.

mod boundary;
mod dispatch;
mod pass;
mod slot;
mod tile;

pub use dispatch::CodePath;
pub(super) use dispatch::run;
pub(super) use pass::Pass;
pub(super) use slot::Source;
