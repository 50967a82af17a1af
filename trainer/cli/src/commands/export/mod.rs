//! `finescale export`: a trained model into what boards and other runtimes read.

mod mean;

use std::path::{Path, PathBuf};

use crate::systems;
use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};

use finescale_data::dataset::Reader;
use finescale_model::export::quantize::rounded;
use finescale_model::export::skill::Skill;
use finescale_model::export::{Bounds, Precision, file};
use finescale_model::{ConditionalMean, Model, NetworkMeta};
use finescale_sample::recommended::RecommendedArgs;
use finescale_sample::super_resolution;

/// Write a trained model for boards (`finescale`) or for other runtimes (`onnx`).
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The run's folder, or a `model.safetensors`
    run: PathBuf,
    /// What to write: `finescale` makes one file, `onnx` makes `predictor.onnx` and
    /// `score.onnx`, or `mean.onnx` of a conditional mean
    #[arg(long, value_enum, default_value = "finescale")]
    format: Format,
    /// Numbers that the network computes with
    #[arg(long, value_enum, default_value = "f32")]
    quantize: Precision,
    /// The data set that the model was trained on: its validation part measures what fewer bits
    /// cost
    #[arg(long, value_name = "DATASET")]
    data: Option<PathBuf>,
    /// Refuse fewer bits that raise the validation loss or the super-resolution error by more than
    /// this fraction
    #[arg(long, default_value_t = 0.02)]
    most_loss: f64,
    /// Write fewer bits whatever they cost
    #[arg(long)]
    force: bool,
    /// Where to write: a file for `finescale`, a folder for `onnx`; beside the model unless given
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
    #[command(flatten)]
    recommended: RecommendedArgs,
}

/// What can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Finescale,
    Onnx,
}

impl ExportArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence; nothing is written.
    pub fn run(self) -> Result<()> {
        let (system, path) = systems::of_run(&self.run)?;
        system.export(self, &path)
    }

    /// Writes a predictor for boards or for other runtimes.
    pub(crate) fn predictor(self, path: &Path) -> Result<()> {
        let mut model: Model = Model::open(path)?;
        let system = &mut model.meta.system;
        system.sampler = self.recommended.over(system.sampler, system.score_head)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        self.fits(model.meta.network == NetworkMeta::Linear)?;
        let residuals = model.meta.system.given.is_some();
        ensure!(
            !residuals || self.data.is_none(),
            "{} is of the residuals of a conditional mean, whose loss with fewer bits is not \
             measured: leave --data out, and export f32, or int8 with --force",
            path.display()
        );
        let bounds = match &self.data {
            Some(data) => self.measure(&model, data)?,
            None => Bounds::default(),
        };
        match self.format {
            Format::Finescale => {
                let out = self.out.unwrap_or_else(|| folder.join("model.finescale"));
                let bytes = file(&model, self.quantize, &bounds)?;
                finescale_host::write::atomically(&out, &bytes)?;
                println!("{}: {} bytes", out.display(), bytes.len());
                Ok(())
            }
            Format::Onnx => write(self.out.as_deref().unwrap_or(folder), &predictor_onnx(&model)?),
        }
    }

    /// Refuses options that do not go together, with a model that is `linear` or not.
    fn fits(&self, linear: bool) -> Result<()> {
        let (quantize, name) = (self.quantize != Precision::F32, self.quantize.name());
        ensure!(
            !quantize || !linear,
            "--quantize {name} has nothing to do: the model has no network"
        );
        ensure!(
            !quantize || self.format != Format::Onnx,
            "--quantize {name} is for --format finescale: leave it out"
        );
        match &self.data {
            None if self.quantize == Precision::Int16 => bail!(
                "--quantize int16 needs the data that the model was trained on, to find how large \
                 activations become: give --data"
            ),
            None if quantize && !self.force => bail!(
                "--quantize int8 needs the data that the model was trained on, to measure what is \
                 lost: give --data, or --force"
            ),
            _ => Ok(()),
        }
    }

    /// Prints what fewer bits cost; gives the bounds of the layers.
    fn measure(&self, model: &Model, data: &Path) -> Result<Bounds> {
        let reader = Reader::open(data)?;
        ensure!(
            reader.hash() == model.meta.data || self.force,
            "{} is not the data set that the model was trained on: give that one, or --force",
            data.display()
        );
        let before = Skill::measure(model, &reader)?;
        if self.quantize == Precision::F32 {
            return Ok(before.bounds);
        }
        let after = Skill::measure(&rounded(model), &reader)?;
        println!("validation loss by λ (f32 → int8 weights):");
        for ((lambda, before), (_, after)) in before.losses.iter().zip(&after.losses) {
            println!("  λ = {lambda:<9.4} {before:.5} → {after:.5}");
        }
        let lost = after.loss() / before.loss() - 1.0;
        println!(
            "  mean          {:.5} → {:.5} ({:+.2} %)",
            before.loss(),
            after.loss(),
            100.0 * lost
        );
        let [fine, rounded] = [Precision::F32, self.quantize]
            .map(|precision| super_resolution::error(model, precision, &after.bounds, &reader));
        let (fine, rounded, name) = (fine?, rounded?, self.quantize.name());
        println!(
            "super-resolution from a quarter of the points, relative L² (f32 → {name}): {fine:.4} \
             → {rounded:.4} ({:+.2} %)",
            100.0 * (rounded / fine - 1.0)
        );
        let lost = lost.max(rounded / fine - 1.0);
        ensure!(
            lost <= self.most_loss || self.force,
            "--quantize {name} raises the validation loss or the super-resolution error by {:.1} \
             %, more than --most-loss {} allows: export f32, or use --force",
            100.0 * lost,
            self.most_loss
        );
        Ok(after.bounds)
    }
}

#[cfg(feature = "onnx")]
fn predictor_onnx(model: &Model) -> Result<[(&'static str, Vec<u8>); 2]> {
    Ok([
        ("predictor.onnx", finescale_model::onnx::predictor(model)?),
        ("score.onnx", finescale_model::onnx::score(model)?),
    ])
}

#[cfg(feature = "onnx")]
fn mean_onnx(model: &Model<ConditionalMean>) -> Result<Vec<u8>> {
    finescale_model::onnx::mean(model)
}

#[cfg(not(feature = "onnx"))]
fn predictor_onnx(_: &Model) -> Result<[(&'static str, Vec<u8>); 2]> {
    without_onnx()
}

#[cfg(not(feature = "onnx"))]
fn mean_onnx(_: &Model<ConditionalMean>) -> Result<Vec<u8>> {
    without_onnx()
}

#[cfg(not(feature = "onnx"))]
fn without_onnx<T>() -> Result<T> {
    Err(anyhow::Error::msg("this program was built without ONNX: build it with the feature `onnx`"))
        .context("--format onnx cannot be written")
}

fn write(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    for (name, bytes) in files {
        let path = folder.join(name);
        finescale_host::write::atomically(&path, bytes)?;
        println!("{}: {} bytes", path.display(), bytes.len());
    }
    Ok(())
}
