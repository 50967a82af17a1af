//! `finescale data …`: data sets.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::data_import::ImportArgs;
use super::data_info::InfoArgs;
use super::data_plot::PlotArgs;
use super::data_simulate;
use finescale_data::simulate::SimulateArgs;

/// Simulate, import, describe and draw data sets.
#[derive(Debug, Args)]
pub struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    Simulate(Box<SimulateArgs>),
    Import(Box<ImportArgs>),
    Info(InfoArgs),
    Plot(PlotArgs),
}

impl DataArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        match self.command {
            DataCommand::Simulate(args) => data_simulate::run(&args),
            DataCommand::Import(args) => args.run(),
            DataCommand::Info(args) => args.run(),
            DataCommand::Plot(args) => args.run(),
        }
    }
}
