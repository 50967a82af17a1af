//! The command line: one file per command.

pub mod data;
pub mod data_import;
pub mod data_info;

pub use data::DataArgs;
