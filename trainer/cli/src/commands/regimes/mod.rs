//! `finescale regimes`: at which λ the modes of a data set or a model are decided.

mod figures;
mod found;
mod source;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use finescale::Laplacian;
use finescale_host::write::atomically;
use finescale_regimes::shells::Coupling;

use found::{Options, Regimes};
use source::{Given, Source};

/// Say at which λ each mode and each combination of channels is decided, and from which λ on a
/// perfect score would replay its data.
#[derive(Debug, Args)]
pub struct RegimesArgs {
    /// The data set, or the model: its file for boards, its `model.safetensors` or its run's folder
    #[arg(value_name = "DATA-OR-MODEL")]
    path: PathBuf,
    /// Damping strength α of the forward process; by default the model's, or 0.1
    #[arg(long, allow_negative_numbers = true)]
    alpha: Option<f32>,
    /// Square of its noise strength, β²; by default the model's, or 2
    #[arg(long, allow_negative_numbers = true)]
    beta2: Option<f32>,
    /// Damp by the finite-difference Laplacian instead of |k|²; a model has its own
    #[arg(long)]
    finite_difference: bool,
    /// Coupling of the channels: each is drawn to the mean of the others with c times its damping;
    /// by default the model's, or 0
    #[arg(long, value_name = "c", allow_negative_numbers = true)]
    coupling: Option<f64>,
    /// λ below which the coupling holds; a negative one: above its magnitude; 0: everywhere; by
    /// default the model's, or 0
    #[arg(long, value_name = "λ", allow_negative_numbers = true)]
    coupling_switch: Option<f64>,
    /// Frames of a window of a data set; a model has its own
    #[arg(long, default_value_t = 3)]
    window: usize,
    /// Points of the network's receptive field along an axis; by default the model's, or the whole
    /// field
    #[arg(long, value_name = "POINTS")]
    receptive_field: Option<usize>,
    /// Independent windows that are learned from; by default as many as the data set has
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    samples: Option<f64>,
    /// Steps of the λ grid
    #[arg(long, default_value_t = 16)]
    steps: u32,
    /// JSON file to write
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Folder for the pictures `spectra`, `regimes` and `clones`
    #[arg(long, value_name = "FOLDER")]
    figures: Option<PathBuf>,
    /// Clones that are simulated for each point of the picture `clones`
    #[arg(long, value_name = "N", default_value_t = 2000)]
    clones: usize,
    /// Seed of the clones
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl RegimesArgs {
    /// The coupling that was asked for, or the model's own.
    fn coupling(&self, own: Coupling) -> Result<Coupling> {
        let c = self.coupling.unwrap_or(own.c);
        // The switch of a model belongs to its coupling.
        let own = if self.coupling.is_none() { own.switch } else { 0.0 };
        let switch = self.coupling_switch.unwrap_or(own);
        ensure!(switch.abs() <= 1.0, "--coupling-switch is {switch}: it must be from -1 to 1");
        ensure!(
            switch == 0.0 || c != 0.0,
            "--coupling-switch says where channels are coupled, and nothing couples them: give \
             --coupling"
        );
        Ok(Coupling { c, switch })
    }

    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        let c = self.coupling.unwrap_or(0.0);
        ensure!(c.abs() < 1.0, "--coupling is {c}: it must be above -1 and below 1");
        ensure!(self.window > 0, "--window is 0: use at least 1 frame");
        ensure!((1..=10_000).contains(&self.steps), "--steps is {}: use 1 to 10000", self.steps);
        ensure!(self.clones > 0, "--clones is 0: simulate at least 1");
        let samples = self.samples.unwrap_or(1.0);
        ensure!(samples >= 1.0, "--samples is {samples}: it must be at least 1");
        ensure!(
            self.receptive_field != Some(0),
            "--receptive-field is 0: a network sees at least 1 point"
        );
        if let Some(folder) = &self.figures {
            ensure!(!folder.is_file(), "--figures {} is a file: name a folder", folder.display());
        }
        let given = Given {
            alpha: self.alpha,
            beta2: self.beta2,
            laplacian: self.finite_difference.then_some(Laplacian::FiniteDifference),
        };
        let mut source = Source::open(&self.path, given, self.window)?;
        ensure!(
            c == 0.0 || source.channels.len() > 1,
            "--coupling needs two channels or more, and {} has one: leave it out",
            self.path.display()
        );
        source.windows = self.samples.or(source.windows);
        source.receptive_field = self.receptive_field.or(source.receptive_field);
        let coupling = self.coupling(source.coupling)?;
        let regimes = Regimes::of(&source, Options { coupling, steps: self.steps })?;
        print!("{}", regimes.text());
        if let Some(folder) = &self.figures {
            for path in figures::save(&regimes, folder, self.clones, self.seed)? {
                println!("{}", path.display());
            }
        }
        if let Some(path) = &self.json {
            let json = serde_json::to_string_pretty(&regimes.json())? + "\n";
            atomically(path, json.as_bytes())?;
            println!("{}", path.display());
        }
        Ok(())
    }
}
