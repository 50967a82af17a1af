//! `finescale baselines`: what interpolation, a Wiener filter, ridge regressions, persistence and
//! climatology make of a result's input.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::origin::OriginArgs;
use crate::systems;
use finescale_data::dataset::Reader;
use finescale_ensemble::{self, Ensemble};
use finescale_judge::baseline::{self, Climate, Knowledge};

/// Make the baselines of a result as results of their own, to score and report beside it
#[derive(Debug, Args)]
pub struct BaselinesArgs {
    /// The result whose input, given frames and truth they share
    result: PathBuf,
    /// Folder for the baselines, one .nc each
    #[arg(short, long, value_name = "DIR")]
    out: PathBuf,
    /// Replace baselines that are there
    #[arg(long)]
    force: bool,
    /// Data set that statistics come from, where no model is named, and whose training part ridge
    /// regressions learn from and climatology draws from
    #[arg(long, value_name = "DATASET")]
    data: Option<PathBuf>,
    #[command(flatten)]
    knowledge: KnowledgeArgs,
    #[command(flatten)]
    origin: OriginArgs,
}

/// Where baselines know the data from.
#[derive(Clone, Debug, Args)]
pub(super) struct KnowledgeArgs {
    /// Model (model.safetensors or a run's folder) that the Wiener filter and climatology take mean
    /// and spectrum from
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Members of draws
    #[arg(long = "draws", value_name = "N", default_value_t = 20)]
    draws: usize,
    /// Seed of draws
    #[arg(long = "draws-seed", value_name = "SEED", default_value_t = 0)]
    seed: u64,
}

impl KnowledgeArgs {
    /// The model, if one was named.
    pub(super) fn model(&self) -> Option<&Path> {
        self.model.as_deref()
    }

    /// All baselines of a result; `data` is where statistics and climatology come from, if no model
    /// is named.
    ///
    /// # Errors
    /// If the model cannot be read or is of other fields.
    pub(super) fn baselines(
        &self,
        result: &Ensemble,
        data: Option<&Reader>,
    ) -> Result<Vec<Ensemble>> {
        ensure!(self.draws >= 2, "--draws is {}: an ensemble has at least 2 members", self.draws);
        let climate = match (&self.model, data) {
            (Some(path), reader) => {
                let (system, path) =
                    systems::of_run(path).with_context(|| format!("--model {}", path.display()))?;
                system.climate(&path, reader)?
            }
            (None, Some(reader)) => Some(Climate::of_data(reader)?),
            (None, None) => None,
        };
        let climate = climate.as_ref();
        let knowledge = Knowledge { climate, data, members: self.draws, seed: self.seed };
        baseline::all(result, knowledge)
    }
}

impl BaselinesArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        ensure!(!self.out.is_file(), "--out {} is a file: name a folder", self.out.display());
        let result = self.origin.read(&self.result)?;
        let reader =
            self.data.as_deref().map(|path| Reader::open(path).context("--data")).transpose()?;
        let baselines = self.knowledge.baselines(&result, reader.as_ref())?;
        ensure!(
            !baselines.is_empty(),
            "nothing is known of {}: it has no coarse input and no given frames, so name --model \
             or --data for a climatology",
            self.result.display()
        );
        fs::create_dir_all(&self.out)
            .with_context(|| format!("--out {} cannot be made", self.out.display()))?;
        let files: Vec<PathBuf> = baselines
            .iter()
            .map(|b| {
                self.out
                    .join(format!("{}.nc", b.provenance.method.to_lowercase().replace(' ', "-")))
            })
            .collect();
        for file in &files {
            finescale_ensemble::check_output(file, self.force)?;
        }
        for (baseline, file) in baselines.iter().zip(&files) {
            baseline.write(file)?;
            println!("{}", file.display());
        }
        Ok(())
    }
}
