//! A model's card: what it is, what it was trained on, how good it is, what it costs.

mod mean;
mod predictor;
mod seeds;
mod windows;

use std::fmt::Write;

use anyhow::{Context, Result};
use finescale::model::Layers;

use crate::report::Scored;
use crate::report::table::rows;
use crate::score::{Scores, number, task_name};
use finescale_host::table::Table;
use finescale_model::export::Precision;
use finescale_model::{Meta, Model, NetworkMeta, SystemMeta};

/// What a card says of a model that depends on its system.
pub trait OnCard: SystemMeta {
    /// What its curves show.
    const CURVES: &'static str;

    /// What the model is for, beside its fields: names and values.
    fn purpose(meta: &Meta<Self>) -> Vec<[String; 2]>;

    /// The network and how it was trained, as a part of a sentence.
    fn trained(meta: &Meta<Self>) -> String;

    /// What a board needs: a table, and a sentence on what it computes; none if no board has the
    /// system.
    ///
    /// # Errors
    /// If the model does not fit the runtime.
    fn footprint(model: &Model<Self>) -> Result<Option<(Table, String)>>;
}

/// Results of one task side by side, the model's own first.
pub struct Comparison {
    /// With the scores.
    pub scored: Vec<Scored>,
    /// The command that made the first one.
    pub command: String,
    /// Scores of the same command with models that other seeds of training made.
    pub seeds: Vec<Scores>,
}

/// What people say of a model, and what its training left beside it.
pub struct Words<'a> {
    /// One sentence on what the model is of.
    pub about: &'a str,
    /// The commands that make data and model, as a reader repeats them.
    pub made: &'a [String],
    /// Licence of the data, a sentence.
    pub licence: &'a str,
    /// What the program printed at the end of the training.
    pub printed: Option<String>,
    /// Markdown that goes in after the training.
    pub notes: Option<String>,
    /// Whether the training drew its curves.
    pub curves: bool,
}

/// Writes the card in Markdown.
///
/// # Errors
/// If the model does not fit the runtime.
pub fn markdown<S: OnCard>(
    model: &Model<S>,
    words: &Words<'_>,
    comparisons: &[Comparison],
) -> Result<String> {
    let meta = &model.meta;
    let mut card = format!("# {}\n\n{}\n", meta.name, words.about);
    if !words.made.is_empty() {
        card += "\n";
        words.made.iter().for_each(|command| card += &format!("    {command}\n"));
    }
    data(&mut card, meta)?;
    training(&mut card, meta, words)?;
    for comparison in comparisons {
        skill(&mut card, comparison)?;
    }
    seeds::table(&mut card, words.made, comparisons)?;
    let footprint = meta.network.on_boards().then(|| S::footprint(model)).transpose()?.flatten();
    if let Some((table, computes)) = footprint {
        writeln!(card, "\n## Footprint\n\n{}\n{computes}", table.markdown())?;
    }
    let licence = words.licence;
    writeln!(card, "\n## Licence\n\nWeights: MIT or Apache-2.0, at your choice. Data: {licence}")?;
    Ok(card)
}

fn data<S: OnCard>(card: &mut String, meta: &Meta<S>) -> Result<()> {
    let mut table = Table::new().left("").left("");
    for channel in &meta.channels {
        let (name, units, mean, std) = (&channel.name, &channel.units, channel.mean, channel.std);
        let about = format!("{units}; mean {mean:.4}, standard deviation {std:.4}");
        table.row([format!("channel `{name}`"), about]);
    }
    for (name, axis) in [("y", meta.y.as_ref()), ("x", Some(&meta.x))] {
        if let Some(axis) = axis {
            let (points, boundary) = (axis.points, axis.boundary.name());
            let about = format!("{points} points, {boundary}, length {:.4}", axis.length);
            table.row([name.to_owned(), about]);
        }
    }
    table.row(["time between frames".to_owned(), meta.frame_interval.to_string()]);
    S::purpose(meta).into_iter().for_each(|row| table.row(row));
    table.row(["content of the data set".to_owned(), format!("`{}`", meta.data)]);
    write!(card, "\n## Data\n\n{}", table.markdown())?;
    Ok(())
}

fn training<S: OnCard>(card: &mut String, meta: &Meta<S>, words: &Words<'_>) -> Result<()> {
    let trained = S::trained(meta);
    writeln!(card, "\n## Training\n\n{trained}. On the validation part:\n")?;
    let mut table = Table::new().left("").right("");
    meta.figures.iter().for_each(|(name, value)| table.row([name.clone(), number(*value)]));
    *card += &table.markdown();
    if let Some(printed) = &words.printed {
        writeln!(card, "\nWhat the program printed at the end:\n")?;
        printed.lines().for_each(|line| *card += &format!("    {line}\n"));
    }
    if words.curves {
        writeln!(card, "\n![{}](curves.png)", S::CURVES)?;
    }
    if let Some(notes) = &words.notes {
        writeln!(card, "\n{}", notes.trim())?;
    }
    Ok(())
}

fn skill(card: &mut String, comparison: &Comparison) -> Result<()> {
    let Comparison { scored, command, .. } = comparison;
    let first = scored.first().context("a comparison has results")?;
    let scores = &first.scores;
    let counted = |n: usize, one: &str, many: &str| match n {
        1 => format!("1 {one}"),
        _ => format!("{n} {many}"),
    };
    let (trajectories, frames) = (scores.trajectories, scores.frames);
    writeln!(
        card,
        "\n## Skill: {}\n\n    {command}\n\n{} of {frames} frames that training has not seen, {}. \
         The best of a row is bold.",
        task_name(scores.provenance.task),
        counted(trajectories, "trajectory", "trajectories"),
        counted(scores.members, "member", "members"),
    )?;
    let extremes = &scores.overall.extremes;
    writeln!(
        card,
        "{} of {} blew up: values are at most {} standard deviations from the mean, the truth's \
         {}.\n",
        if extremes.blown_up == 0 { "None".into() } else { extremes.blown_up.to_string() },
        counted(extremes.paths, "path", "paths"),
        number(extremes.largest),
        number(extremes.largest_of_truth),
    )?;
    // A mean of fewer members has a larger error by chance alone: that must be seen.
    let head = |method: &Scored| match method.scores.members {
        members if members == 1 || members == scores.members => method.name.clone(),
        members => format!("{}, {members} members", method.name),
    };
    let mut table = scored.iter().fold(Table::new().left(""), |table, m| table.right(head(m)));
    let figures: Vec<_> = scored.iter().map(|method| method.scores.figures()).collect();
    for (figure, cells) in rows(&figures) {
        let name = format!("{}, {}", figure.family, figure.name);
        table.row([vec![name.into()], cells].concat());
    }
    *card += &table.markdown();
    Ok(())
}

/// The network, with what it was made by.
fn network(network: &NetworkMeta) -> String {
    match network {
        NetworkMeta::Linear => "the linear base alone".to_owned(),
        NetworkMeta::Tiny { channels, kernel, dilations } => {
            format!("`tiny`, {channels} channels, kernel {kernel}, dilations {dilations:?}")
        }
        NetworkMeta::Product { channels, kernel, dilations, segments } => format!(
            "`product`, {channels} channels, kernel {kernel}, blocks with dilations {dilations:?}, \
             {segments} runs"
        ),
        NetworkMeta::Other(other) => {
            let settings = other.settings.iter().map(|(name, value)| format!(", {name} {value}"));
            format!("`{}`{}", other.kind, settings.collect::<String>())
        }
    }
}

/// The precisions in which a model can be exported: without a network there is nothing to round.
fn precisions(network: &NetworkMeta) -> &'static [Precision] {
    match network {
        NetworkMeta::Linear => &[Precision::F32],
        _ => &[Precision::F32, Precision::Int8, Precision::Int16],
    }
}

/// Bytes of the weights.
fn weights(layers: &Layers<'_>) -> u64 {
    layers.iter().map(|layer| layer.weights.bytes() as u64).sum()
}

/// Multiply-accumulates of one pass through the network.
fn macs(layers: &Layers<'_>) -> usize {
    layers.iter().map(|layer| layer.shape.macs()).sum()
}

/// A table of footprints; every row begins with the precision, the file and its weights.
fn footprints(heads: &[&str]) -> Table {
    let table = Table::new().left("weights").right("file, bytes").right("of these weights");
    heads.iter().copied().fold(table, Table::right)
}

/// Adds a precision's row.
fn add(table: &mut Table, precision: Precision, numbers: &[u64]) {
    let numbers = numbers.iter().map(ToString::to_string);
    table.row([precision.name().to_owned()].into_iter().chain(numbers));
}
