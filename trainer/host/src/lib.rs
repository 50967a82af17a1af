//! What every command needs: whole output files, a clean end after Ctrl-C, progress, tables.

pub mod digest;
pub mod interrupt;
pub mod progress;
pub mod table;
pub mod write;
