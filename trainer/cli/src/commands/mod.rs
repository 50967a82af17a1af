//! The command line: one file per command.

mod baselines;
mod card;
mod damp;
mod data;
mod data_import;
mod data_info;
mod data_plot;
mod data_simulate;
mod export;
mod forecast;
mod generate;
mod listen;
pub(crate) mod model;
mod origin;
mod process;
mod regimes;
mod report;
mod score;
mod simulate;
mod super_resolve;
#[cfg(feature = "train")]
mod train;
mod validate;

pub use baselines::BaselinesArgs;
pub use card::CardArgs;
pub use damp::DampArgs;
pub use data::DataArgs;
pub use export::ExportArgs;
pub use forecast::ForecastArgs;
pub use generate::GenerateArgs;
pub use listen::ListenArgs;
pub use model::ModelArgs;
pub use regimes::RegimesArgs;
pub use report::ReportArgs;
pub use score::ScoreArgs;
pub use simulate::SimulateArgs;
pub use super_resolve::SuperResolveArgs;
#[cfg(feature = "train")]
pub use train::TrainArgs;
pub use validate::ValidateArgs;
