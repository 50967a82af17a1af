//! The command line: one file per command.

pub mod baselines;
pub mod card;
pub mod damp;
pub mod data;
pub mod data_import;
pub mod data_info;
pub mod data_plot;
mod data_simulate;
pub mod export;
pub mod forecast;
pub mod generate;
pub mod model;
pub mod origin;
pub mod process;
pub mod report;
pub mod score;
pub mod simulate;
pub mod super_resolve;
#[cfg(feature = "train")]
pub mod train;
pub mod validate;

pub use baselines::BaselinesArgs;
pub use card::CardArgs;
pub use damp::DampArgs;
pub use data::DataArgs;
pub use export::ExportArgs;
pub use forecast::ForecastArgs;
pub use generate::GenerateArgs;
pub use model::ModelArgs;
pub use report::ReportArgs;
pub use score::ScoreArgs;
pub use simulate::SimulateArgs;
pub use super_resolve::SuperResolveArgs;
#[cfg(feature = "train")]
pub use train::TrainArgs;
pub use validate::ValidateArgs;
