//! The commands of the program `finescale`.

pub mod commands;
mod listen;
mod systems;
