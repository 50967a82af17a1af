//! The command line: one file per command.

pub mod damp;
pub mod data;
pub mod data_import;
pub mod data_info;
pub mod data_plot;
mod data_simulate;

pub use damp::DampArgs;
pub use data::DataArgs;
