//! `finescale model`: what is in a board's file, whether it is whole, and the file as C source.

mod c;
mod mean;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};
use finescale::model::{
    Activation, Channel, Footprint, KERNEL_LAYOUT, Layer, MEAN_MAGIC, Model as View, VERSION,
    Weights, checksum,
};
use finescale::predictor::Trained;
use finescale::{Axis, Grid, Laplacian};

use crate::commands::export::model_path;
use finescale_data::dataset::{Reader, SpectralFrames, Split};
use finescale_host::table::Table;
use finescale_model::export::AlignedBytes;
use finescale_model::export::quantize::histogram;
use finescale_model::{Calibration, Model};
use finescale_sample::drawn;
use finescale_sample::recommended::described as described_sampler;

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
                if bytes.bytes().starts_with(&MEAN_MAGIC) {
                    ensure!(
                        trained.is_none(),
                        "--trained compares predictors, and {} is a conditional mean: leave it out",
                        file.display()
                    );
                    return mean::info(&bytes, &file);
                }
                let view = parsed(&bytes, &file)?;
                info(&view, bytes.bytes());
                match trained {
                    Some(run) => compare(&view, &Model::open(&model_path(&run))?),
                    None => Ok(()),
                }
            }
            Command::Check { file } => {
                let bytes = read(&file)?;
                if bytes.bytes().starts_with(&MEAN_MAGIC) {
                    return mean::check(&bytes, &file);
                }
                let view = parsed(&bytes, &file)?;
                ensure!(
                    view.footprint() == Trained::footprint(&view),
                    "{}: another version of the runtime computed its footprint: export the model \
                     again",
                    file.display()
                );
                println!("{}: whole", file.display());
                Ok(())
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
    let valid = SpectralFrames::read(&reader, Split::Valid)?;
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

fn parsed<'a>(bytes: &'a AlignedBytes, file: &Path) -> Result<View<'a>> {
    bytes.parse().with_context(|| file.display().to_string())
}

fn info(view: &View<'_>, bytes: &[u8]) {
    let (grid, process, options) = (view.grid(), view.process(), view.options());
    let mut table = Table::new().left("").left("");
    let mut line = |name: &str, about: String| table.row([name.to_owned(), about]);
    line("name", view.name().to_owned());
    line("format", format!("version {VERSION}, kernel layout {KERNEL_LAYOUT}"));
    line("size", format!("{} bytes, checksum {:08x}", bytes.len(), checksum(&bytes[20..])));
    fields(&mut line, grid, view.channel_descriptions());
    let laplacian = match process.laplacian() {
        Laplacian::Spectral => "|k|²",
        Laplacian::FiniteDifference => "of the finite difference",
    };
    line("process", format!("α = {}, β² = {}, κ {laplacian}", process.alpha(), process.beta2()));
    line("window", format!("{} frames, {} apart", view.window(), view.frame_interval()));
    let yes = |is| if is { "yes" } else { "no" };
    line("linear base", yes(options.linear_base).into());
    let views: Vec<_> = view.views().iter().map(|view| view.name()).collect();
    if !views.is_empty() {
        line("inputs", views.join(", "));
    }
    if view.companions() > 0 {
        line("companions", view.companions().to_string());
    }
    line("bounded", yes(options.bounded).into());
    line("score head", yes(options.score_head).into());
    let tables = view.tables();
    if let [first, .., last] = tables.lambdas {
        line("calibration", format!("{} values of λ, {first} to {last}", tables.lambdas.len()));
    }
    line("sampler", described_sampler(view.recommended()));
    line("λ grid", format!("{:?}", tables.lambda_grid));
    line("linear base", format!("{} bytes", 4 * view.autocovariance().len()));
    let (mut macs, mut size) = (0, 0);
    for (n, layer) in view.layers().iter().enumerate() {
        macs += layer.shape.macs();
        size += stored(&layer).1;
        line(&format!("layer {n}"), described(&layer));
    }
    let Footprint { memory, predictor, reverse, frame, .. } = view.footprint();
    let sum = |a: u32, b: u32| u64::from(a) + u64::from(b);
    line("simulation", format!("{} bytes of RAM, and its path", sum(memory, predictor)));
    line(
        "reverse sampling",
        format!("{} bytes of RAM, and {frame} for each frame of the path", sum(memory, reverse)),
    );
    if !view.layers().is_empty() {
        line("runs of products", view.segments().to_string());
        line("network", format!("{macs} multiply-accumulates a frame, {size} bytes of weights"));
    }
    print!("{}", table.text(0));
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

/// Bins of a histogram.
const BINS: usize = 8;

fn compare(view: &View<'_>, trained: &Model) -> Result<()> {
    println!("error of the weights, in units of half a step of eight bits, −1 to 1:");
    let mut table = (0..BINS).fold(Table::new().left(""), |table, _| table.right(""));
    for (n, layer) in view.layers().iter().enumerate() {
        let weights = trained.array(&format!("network.layers.{n}.weight"))?;
        let counts = histogram(weights, &unpacked(&layer), BINS)
            .context("the file was not made from this model")?;
        let total: usize = counts.iter().sum();
        let shares = counts
            .iter()
            .map(|count| format!("{:.1} %", 100.0 * *count as f64 / total.max(1) as f64));
        table.row([format!("layer {n}")].into_iter().chain(shares));
    }
    print!("{}", table.text(0));
    Ok(())
}

/// `[out][in][ky][kx]`.
fn unpacked(layer: &Layer<'_>) -> Vec<f32> {
    let shape = &layer.shape;
    let number = |index: [usize; 4]| {
        let place = shape.place(index).expect("an index of the shape's own");
        match layer.weights {
            Weights::F32(weights) => weights[place],
            Weights::I8 { weights, multipliers } => {
                f32::from(weights[place]) * multipliers[index[0]]
            }
            Weights::Int16 { words: [forward, _], multipliers } => {
                f32::from(shape.int16_byte(forward, index)) * multipliers[index[0]]
            }
        }
    };
    shape.weight_indices().map(number).collect()
}
