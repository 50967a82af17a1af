//! The command line: one file per command.

pub mod damp;
pub mod data;
pub mod data_import;
pub mod data_info;
pub mod data_plot;
mod data_simulate;
#[cfg(feature = "train")]
pub mod train;

pub use damp::DampArgs;
pub use data::DataArgs;
#[cfg(feature = "train")]
pub use train::TrainArgs;
