//! `finescale data …`: data sets.

use anyhow::Result;
use clap::{Args, Subcommand};

use super::data_import::ImportArgs;
use super::data_info::InfoArgs;

/// Make, import and describe data sets.
#[derive(Debug, Args)]
pub struct DataArgs {
    #[command(subcommand)]
    command: DataCommand,
}

#[derive(Debug, Subcommand)]
enum DataCommand {
    Import(Box<ImportArgs>),
    Info(InfoArgs),
}

impl DataArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        match self.command {
            DataCommand::Import(args) => args.run(),
            DataCommand::Info(args) => args.run(),
        }
    }
}
