//! `finescale card`: a model's card, written from the model and from results.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use super::baselines::KnowledgeArgs;
use super::origin::OriginArgs;
use super::score::{RelativeArgs, truth};
use crate::systems;
use finescale_ensemble::{Ensemble, Task};
use finescale_host::write::atomically;
use finescale_judge::card::{Comparison, OnCard, Words, markdown};
use finescale_judge::report::scored;
use finescale_judge::score::{Scores, task_name};
use finescale_model::Model;

/// Write a model's card: data, training, skill beside baselines, footprint, licence
#[derive(Debug, Args)]
pub struct CardArgs {
    /// Results of the model and of others to compare with; those of one task are compared, the
    /// first one with baselines
    results: Vec<PathBuf>,
    /// One sentence on what the model is of
    #[arg(long)]
    about: String,
    /// A command that makes data or model, in order; may be repeated
    #[arg(long = "made-by", value_name = "COMMAND")]
    made: Vec<String>,
    /// The command that made the results of a task, in their order; may be repeated
    #[arg(long = "scored-by", value_name = "COMMAND")]
    scored_by: Vec<String>,
    /// Results of the same commands with models of other training seeds, of which the spread is
    /// told; may be repeated
    #[arg(long = "other-seed", value_name = "RESULT")]
    other_seeds: Vec<PathBuf>,
    /// What the program printed at the end of the training; by default `summary.txt` beside the
    /// model
    #[arg(long, value_name = "FILE")]
    printed: Option<PathBuf>,
    /// Markdown that goes in after the training; by default `notes.md` beside the model
    #[arg(long, value_name = "FILE")]
    notes: Option<PathBuf>,
    /// Licence of the data, a sentence
    #[arg(long)]
    licence: String,
    /// The card
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    relative: RelativeArgs,
    #[command(flatten)]
    knowledge: KnowledgeArgs,
    #[command(flatten)]
    origin: OriginArgs,
}

impl CardArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        let path = self.knowledge.model().context("which model is the card of? give --model")?;
        let (system, path) = systems::of_run(path)?;
        system.card(&self, &path)
    }

    /// Writes the card of a model of a system.
    pub(crate) fn write<S: OnCard>(&self, path: &Path) -> Result<()> {
        let model: Model<S> = Model::open(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let words = Words {
            about: &self.about,
            made: &self.made,
            licence: &self.licence,
            printed: beside(folder, "summary.txt", self.printed.as_deref())?,
            notes: beside(folder, "notes.md", self.notes.as_deref())?,
            curves: folder.join("curves.png").is_file(),
        };
        let mut others = self
            .other_seeds
            .iter()
            .map(|path| self.origin.read(path))
            .collect::<Result<Vec<_>>>()?;
        let reader = self.relative.reader()?;
        let mut groups: Vec<(Task, Vec<Ensemble>)> = Vec::new();
        for path in &self.results {
            let result = self.origin.read(path)?;
            let task = result.provenance.task;
            match groups.iter_mut().find(|(known, _)| *known == task) {
                Some((_, group)) => group.push(result),
                None => groups.push((task, vec![result])),
            }
        }
        ensure!(
            self.scored_by.len() == groups.len(),
            "--scored-by is given {} times for results of {} tasks: give the command of each task",
            self.scored_by.len(),
            groups.len()
        );
        let mut comparisons = Vec::new();
        for ((task, mut results), command) in groups.into_iter().zip(&self.scored_by) {
            let first = &results[0];
            let truth = truth(first, None, reader.as_ref())?;
            let baselines = self.knowledge.baselines(first, reader.as_ref())?;
            results.extend(baselines);
            let settings = self.relative.settings(reader.as_ref());
            let alike = others.extract_if(.., |other| other.provenance.task == task);
            let seeds = alike
                .map(|other| {
                    ensure!(
                        other.provenance.model_hash != results[0].provenance.model_hash,
                        "--other-seed has a result of the card's own model: name those of others"
                    );
                    Scores::new(&other, &truth, &settings)
                })
                .collect::<Result<Vec<_>>>()?;
            let scored = scored(results, Some(&truth), &settings)?;
            comparisons.push(Comparison { scored, command: command.clone(), seeds });
        }
        if let Some(other) = others.first() {
            let task = task_name(other.provenance.task);
            bail!(
                "--other-seed has a {task}, but RESULTS have none: name the card's own result of \
                 it too"
            );
        }
        let card = markdown(&model, &words, &comparisons)?;
        atomically(&self.out, card.as_bytes())?;
        println!("{}", self.out.display());
        Ok(())
    }
}

/// A text that was named, or that lies beside the model under its usual name.
fn beside(folder: &Path, usual: &str, named: Option<&Path>) -> Result<Option<String>> {
    let path = named.map_or_else(|| folder.join(usual), Path::to_owned);
    if named.is_none() && !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path);
    text.map(Some).with_context(|| format!("{} cannot be read", path.display()))
}
