//! `finescale card`: a model's card, written from the model and from results.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::baselines::KnowledgeArgs;
use super::export::model_path;
use super::score::RelativeArgs;
use crate::card::{Comparison, markdown};
use crate::ensemble::{Ensemble, Task};
use crate::model::Model;
use crate::report::scored;
use crate::score::Truth;
use crate::write::atomically;

/// Write a model's card: data, training, skill beside baselines, footprint, licence
#[derive(Debug, Args)]
pub struct CardArgs {
    /// Results of the model and of others to compare with; those of one task are compared, the first one with baselines
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
}

impl CardArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        let path = self.knowledge.model().context("which model is the card of? give --model")?;
        let model = Model::open(&model_path(path))?;
        let reader = self.relative.reader()?;
        let mut groups: Vec<(Task, Vec<Ensemble>)> = Vec::new();
        for path in &self.results {
            let result = Ensemble::read(path)?;
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
        for ((_, mut results), command) in groups.into_iter().zip(&self.scored_by) {
            let first = &results[0];
            let truth = match (&first.truth, &reader) {
                (None, Some(reader)) => Truth::of_data(first, reader)?,
                _ => Truth::within(first)?,
            };
            let baselines = self.knowledge.baselines(first, reader.as_ref())?;
            results.extend(baselines);
            let settings = self.relative.settings(reader.as_ref());
            let scored = scored(results, Some(&truth), &settings)?;
            comparisons.push(Comparison { scored, command: command.clone() });
        }
        let card = markdown(&model, &self.about, &self.made, &self.licence, &comparisons)?;
        atomically(&self.out, card.as_bytes())?;
        println!("{}", self.out.display());
        Ok(())
    }
}
