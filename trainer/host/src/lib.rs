//! What every long command needs: whole output files and a clean end after Ctrl-C.

pub mod digest;
pub mod interrupt;
pub mod write;
