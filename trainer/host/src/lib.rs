//! What every command needs: settings in layers, whole output files, a clean end after Ctrl-C,
//! progress, tables.

pub mod digest;
pub mod interrupt;
pub mod layers;
pub mod progress;
pub mod table;
pub mod write;
