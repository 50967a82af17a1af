//! What `benches/gpu.py` runs: finescale's own training step on a GPU, timed, and compared with the
//! CPU's numbers.
//!
//! One program, so that a machine without a Rust toolchain needs one file: `data` is `finescale
//! data`, `train` a short run of what `finescale train` runs, `measure` times and checks a preset
//! on a data set, `blocks` checks the convolution on several kinds of grid, `export` writes what
//! PyTorch needs to take the same step. `measure` and `blocks` print JSON objects, one a line.

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use finescale_cli::commands::DataArgs;
use finescale_train::engine::backend::{Choice, Cpu, Differentiable, device};

mod case;
mod check;
mod export;
#[cfg(feature = "cuda")]
mod kernels;
mod pace;

use case::{CaseArgs, Named};

/// As the program that trains has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Training on a GPU: its pace, and its numbers against the CPU's.
#[derive(Debug, Parser)]
#[command(version, about)]
enum Cli {
    /// `finescale data`
    Data(DataArgs),
    /// Trains for a few steps, calibrates and writes a model
    Train(TrainArgs),
    /// Times training steps of a preset, then compares batches, losses, gradients, steps and scores
    /// with the CPU's
    Measure(MeasureArgs),
    /// Compares the modulated convolution and its gradients with the CPU's, on lines and planes of
    /// both kinds of border
    Blocks(BlocksArgs),
    /// Writes weights, tables, a batch, and its loss and gradients
    Export(export::ExportArgs),
}

#[derive(Debug, clap::Args)]
struct MeasureArgs {
    #[command(flatten)]
    case: CaseArgs,
    #[command(flatten)]
    pace: pace::PaceArgs,
    /// Where to compute
    #[arg(long, value_enum, default_value = "cuda")]
    backend: Choice,
    /// Times only
    #[arg(long)]
    no_check: bool,
    /// Compares only
    #[arg(long)]
    no_pace: bool,
}

#[derive(Debug, clap::Args)]
struct TrainArgs {
    #[command(flatten)]
    case: CaseArgs,
    /// Where to compute
    #[arg(long, value_enum, default_value = "cuda")]
    backend: Choice,
    /// Training steps
    #[arg(long, default_value_t = 200)]
    steps: i64,
    /// The run's folder
    #[arg(long)]
    out: std::path::PathBuf,
}

#[derive(Debug, clap::Args)]
struct BlocksArgs {
    /// Where to compute
    #[arg(long, value_enum, default_value = "cuda")]
    backend: Choice,
}

/// Calls a generic function with the backend that was chosen.
macro_rules! on {
    ($choice:expr, $function:ident($($argument:expr),*)) => {
        match $choice {
            Choice::Cpu => $function::<Differentiable<Cpu>>($($argument),*),
            #[cfg(feature = "cuda")]
            Choice::Cuda => {
                $function::<Differentiable<finescale_train::engine::backend::Cuda>>($($argument),*)
            }
            #[cfg(not(feature = "cuda"))]
            Choice::Cuda => unreachable!("the choice was checked"),
        }
    };
}

fn measure<A: Named>(args: &MeasureArgs) -> Result<bool> {
    let case = args.case.open()?;
    let device = device::<A>(0);
    if !args.no_pace {
        pace::pace::<A>(&case, &args.pace, &device)?;
    }
    if args.no_check { Ok(true) } else { check::step::<A>(&case, &device) }
}

fn train<A: Named>(args: &TrainArgs) -> Result<bool> {
    let run = args.case.run(args.steps, args.backend, args.out.clone())?;
    run.train::<A>(&[device::<A>(0)]).map(|()| true)
}

fn blocks<A: Named>() -> Result<bool> {
    check::blocks::<A>(&device::<A>(0))
}

fn run(cli: Cli) -> Result<bool> {
    match cli {
        Cli::Data(args) => args.run().map(|()| true),
        Cli::Train(args) => {
            args.backend.check(1)?;
            on!(args.backend, train(&args))
        }
        Cli::Measure(args) => {
            args.backend.check(1)?;
            on!(args.backend, measure(&args))
        }
        Cli::Blocks(args) => {
            args.backend.check(1)?;
            on!(args.backend, blocks())
        }
        Cli::Export(args) => args.run().map(|()| true),
    }
}

fn main() -> ExitCode {
    #[cfg(feature = "cuda")]
    kernels::watch();
    match run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
