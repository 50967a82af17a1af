//! `finescale model`: what is in a board's file, whether it is whole, and the file as C source.

mod c;
pub(crate) mod mean;
pub(crate) mod predictor;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use finescale::model::{Activation, Channel, Layer, Weights};
use finescale::{Axis, Grid};

use crate::systems;
use finescale_data::dataset::{Reader, SpectralFrames, Split};
use finescale_model::export::AlignedBytes;
use finescale_model::{Calibration, Model, model_path};
use finescale_sample::drawn;

/// Look into model files for boards.
#[derive(Debug, Args)]
pub struct ModelArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print everything that a file says
    Info {
        /// The file
        file: PathBuf,
        /// The trained model that it was made from: compares the weights
        #[arg(long, value_name = "RUN")]
        trained: Option<PathBuf>,
    },
    /// Check that a file is whole
    Check {
        /// The file
        file: PathBuf,
    },
    /// Write a file as C source: its bytes as an array, and the memory that its tasks need as macros
    C(c::CArgs),
    /// Measure again, on paths that the sampler draws, the moments of the scores that rule
    /// `matched` takes
    Calibrate {
        /// The trained model: its `model.safetensors`, or its run's folder
        run: PathBuf,
        /// The data set that it was trained on: the validation part is taken
        #[arg(long, value_name = "DATASET")]
        data: PathBuf,
        /// The `model.safetensors` to write
        #[arg(long, short, value_name = "FILE")]
        out: PathBuf,
        /// Most paths
        #[arg(long, value_name = "N", default_value_t = drawn::PATHS)]
        paths: usize,
        /// Frames of each
        #[arg(long, value_name = "N", default_value_t = 16)]
        frames: usize,
    },
}

impl ModelArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence that says what is wrong with the file.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Info { file, trained } => {
                let bytes = read(&file)?;
                systems::of_bytes(bytes.bytes()).info(&bytes, &file, trained.as_deref())
            }
            Command::Check { file } => {
                let bytes = read(&file)?;
                systems::of_bytes(bytes.bytes()).check(&bytes, &file)
            }
            Command::C(arguments) => arguments.run(),
            Command::Calibrate { run, data, out, paths, frames } => {
                calibrate(&run, &data, &out, paths, frames)
            }
        }
    }
}

fn calibrate(run: &Path, data: &Path, out: &Path, paths: usize, frames: usize) -> Result<()> {
    ensure!(paths > 0, "--paths is 0: give at least 1");
    ensure!(frames > 1, "--frames is {frames}: give at least 2");
    ensure!(!out.exists(), "--out {} exists: give another name", out.display());
    let mut model: Model = Model::open(&model_path(run))?;
    ensure!(
        model.meta.system.given.is_none(),
        "{} is of the residuals of a conditional mean: train with --resume, which measures them",
        run.display()
    );
    let reader = Reader::open(data)?;
    ensure!(
        reader.hash() == model.meta.data,
        "--data {} is not the data set that {} was trained on: give that one",
        data.display(),
        run.display()
    );
    let mut valid = SpectralFrames::read(&reader, Split::Valid)?;
    model.meta.process()?.mix(valid.grid.points(), &mut valid.values);
    let clean: Vec<Vec<f32>> =
        valid.paths(frames, paths)?.into_iter().map(<[f32]>::to_vec).collect();
    let mut calibration = Calibration::of(&model)?;
    drawn::measure(&mut model, &mut calibration, &clean, &[])?;
    model.save(out)?;
    println!("{}: scores measured on {} drawn paths", out.display(), clean.len());
    Ok(())
}

fn read(file: &Path) -> Result<AlignedBytes> {
    let bytes =
        std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(AlignedBytes::new(&bytes))
}

/// The axes and channels of a model.
fn fields<'a>(
    line: &mut impl FnMut(&str, String),
    grid: &Grid,
    channels: impl Iterator<Item = Channel<'a>>,
) {
    if let Some(y) = grid.y() {
        line("y", axis(y));
    }
    line("x", axis(grid.x()));
    for Channel { name, units, mean, std } in channels {
        line("channel", format!("{name} ({units}), mean {mean}, standard deviation {std}"));
    }
}

fn axis(axis: Axis) -> String {
    format!("{} points, {}, length {}", axis.points(), axis.boundary().name(), axis.length())
}

fn stored(layer: &Layer<'_>) -> (&'static str, usize) {
    let name = match layer.weights {
        Weights::F32(_) => "f32",
        Weights::I8 { .. } => "int8",
        Weights::Int16 { .. } => "int8 for int16 activations, both ways",
    };
    (name, layer.weights.bytes())
}

fn described(layer: &Layer<'_>) -> String {
    let shape = &layer.shape;
    let (kind, bytes) = stored(layer);
    let mut text = format!(
        "{} → {} channels, {} taps, dilation {}, {kind}, {bytes} bytes",
        shape.inputs(),
        shape.outputs(),
        shape.taps(),
        shape.dilation()
    );
    if layer.input_bound > 0.0 {
        text += &format!(", inputs up to {}", layer.input_bound);
    }
    if layer.gradient_bound > 0.0 {
        text += &format!(", gradients up to {}", layer.gradient_bound);
    }
    if layer.factor_bound > 0.0 {
        text += &format!(", factors up to {}", layer.factor_bound);
    }
    text += match layer.activation {
        Activation::None => "",
        Activation::Rectifier => ", rectifier",
        Activation::Product => ", product",
    };
    if layer.residual {
        text += ", residual";
    }
    text
}
