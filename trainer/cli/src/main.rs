//! `finescale`: data sets, the forward process, training, sampling and scores from the command
//! line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
#[cfg(feature = "train")]
use finescale_cli::commands::TrainArgs;
use finescale_cli::commands::{
    BaselinesArgs, CardArgs, DampArgs, DataArgs, ExportArgs, ForecastArgs, GenerateArgs,
    ListenArgs, ModelArgs, RegimesArgs, ReportArgs, ScoreArgs, SimulateArgs, SuperResolveArgs,
    ValidateArgs,
};
use finescale_host::interrupt::{self, Interrupted};

#[cfg(feature = "train")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Predictor-driven diffusion for spatiotemporal fields.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Baselines(BaselinesArgs),
    Card(CardArgs),
    Data(DataArgs),
    Damp(DampArgs),
    Export(ExportArgs),
    Forecast(Box<ForecastArgs>),
    Generate(Box<GenerateArgs>),
    Listen(ListenArgs),
    Model(ModelArgs),
    Regimes(RegimesArgs),
    Report(ReportArgs),
    Score(ScoreArgs),
    Simulate(Box<SimulateArgs>),
    SuperResolve(Box<SuperResolveArgs>),
    #[cfg(feature = "train")]
    Train(TrainArgs),
    Validate(ValidateArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = interrupt::install().and_then(|()| match cli.command {
        Command::Baselines(args) => args.run(),
        Command::Card(args) => args.run(),
        Command::Data(args) => args.run(),
        Command::Damp(args) => args.run(),
        Command::Export(args) => args.run(),
        Command::Forecast(args) => args.run(),
        Command::Generate(args) => args.run(),
        Command::Listen(args) => args.run(),
        Command::Model(args) => args.run(),
        Command::Regimes(args) => args.run(),
        Command::Report(args) => args.run(),
        Command::Score(args) => args.run(),
        Command::Simulate(args) => args.run(),
        Command::SuperResolve(args) => args.run(),
        #[cfg(feature = "train")]
        Command::Train(args) => args.run(),
        Command::Validate(args) => args.run(),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The chain of causes makes one sentence.
            eprintln!("error: {error:#}");
            let interrupted = error.chain().any(|cause| cause.is::<Interrupted>());
            if interrupted { ExitCode::from(interrupt::EXIT_CODE) } else { ExitCode::FAILURE }
        }
    }
}
