//! A model's card: what it is, what it was trained on, how good it is, what it costs.

mod seeds;

use std::fmt::Write;

use anyhow::{Context, Result};
use finescale::model::{Footprint, Model as View};

use crate::report::Scored;
use crate::score::{Scores, number, task_name};
use finescale_model::export::{AlignedBytes, Bounds, Precision, file};
use finescale_model::{Meta, Model, NetworkMeta};

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
pub fn markdown(model: &Model, words: &Words<'_>, comparisons: &[Comparison]) -> Result<String> {
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
    footprint(&mut card, model)?;
    let licence = words.licence;
    writeln!(card, "\n## Licence\n\nWeights: MIT or Apache-2.0, at your choice. Data: {licence}")?;
    Ok(card)
}

fn data(card: &mut String, meta: &Meta) -> Result<()> {
    writeln!(card, "\n## Data\n\n| | |\n|---|---|")?;
    for channel in &meta.channels {
        let (name, units, mean, std) = (&channel.name, &channel.units, channel.mean, channel.std);
        writeln!(
            card,
            "| channel `{name}` | {units}; mean {mean:.4}, standard deviation {std:.4} |"
        )?;
    }
    for (name, axis) in [("y", meta.y.as_ref()), ("x", Some(&meta.x))] {
        if let Some(axis) = axis {
            let (points, boundary) = (axis.points, axis.boundary.name());
            writeln!(card, "| {name} | {points} points, {boundary}, length {:.4} |", axis.length)?;
        }
    }
    writeln!(card, "| time between frames | {} |", meta.frame_interval)?;
    writeln!(card, "| content of the data set | `{}` |", meta.data)?;
    Ok(())
}

fn training(card: &mut String, meta: &Meta, words: &Words<'_>) -> Result<()> {
    let network = match &meta.network {
        NetworkMeta::Linear => "the linear base alone".to_owned(),
        NetworkMeta::Tiny { channels, kernel, dilations } => {
            format!("`tiny`, {channels} channels, kernel {kernel}, dilations {dilations:?}")
        }
        NetworkMeta::Unet { dim, multipliers } => format!("`unet`, {dim} × {multipliers:?}"),
    };
    writeln!(
        card,
        "\n## Training\n\nNetwork: {network}; window of {} frames; α = {}, β² = {}; {} steps, seed {}. On the validation part:\n\n| | |\n|---|---|",
        meta.system.window, meta.system.alpha, meta.system.beta2, meta.steps, meta.seed
    )?;
    for (name, value) in &meta.figures {
        writeln!(card, "| {name} | {} |", number(*value))?;
    }
    if let Some(printed) = &words.printed {
        writeln!(card, "\nWhat the program printed at the end:\n")?;
        printed.lines().for_each(|line| *card += &format!("    {line}\n"));
    }
    if words.curves {
        writeln!(card, "\n![Loss, validation by λ, simulation error](curves.png)")?;
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
        "\n## Skill: {}\n\n    {command}\n\n{} of {frames} frames that training has not seen, {}. The best of a row is bold.",
        task_name(scores.provenance.task),
        counted(trajectories, "trajectory", "trajectories"),
        counted(scores.members, "member", "members"),
    )?;
    let extremes = &scores.overall.extremes;
    writeln!(
        card,
        "{} of {} blew up: values are at most {} standard deviations from the mean, the truth's {}.\n",
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
    let heads: Vec<String> = scored.iter().map(head).collect();
    writeln!(card, "| | {} |\n|---|{}", heads.join(" | "), "---|".repeat(heads.len()))?;
    let figures: Vec<_> = scored.iter().map(|method| method.scores.figures()).collect();
    for (row, figure) in figures[0].iter().enumerate() {
        let values: Vec<Option<f64>> = figures.iter().map(|method| method[row].value).collect();
        if values.iter().all(Option::is_none) {
            continue;
        }
        let best = figure.sense.best(&values).and_then(|best| values[best]).map(number);
        let cells = values.iter().map(|value| match value.map(number) {
            Some(text) if values.len() > 1 && Some(&text) == best.as_ref() => format!("**{text}**"),
            Some(text) => text,
            None => "–".into(),
        });
        let cells: Vec<String> = cells.collect();
        // A bar would end the cell.
        let name = format!("{}, {}", figure.family, figure.name).replace('|', "\\|");
        writeln!(card, "| {name} | {} |", cells.join(" | "))?;
    }
    Ok(())
}

fn footprint(card: &mut String, model: &Model) -> Result<()> {
    if matches!(model.meta.network, NetworkMeta::Unet { .. }) {
        return Ok(());
    }
    writeln!(
        card,
        "\n## Footprint\n\n| weights | file, bytes | of these weights | RAM for simulation, bytes | for reverse sampling | and for each frame |\n|---|---|---|---|---|---|"
    )?;
    let mut macs = 0;
    let bounds = Bounds::ones(model)?;
    // Without a network there is nothing to round.
    let count = if model.meta.network == NetworkMeta::Linear { 1 } else { 3 };
    for precision in [Precision::F32, Precision::Int8, Precision::Int16].into_iter().take(count) {
        let name = precision.name();
        let bytes = AlignedBytes::new(&file(model, precision, &bounds)?);
        let view = bytes.parse()?;
        let Footprint { memory, predictor, reverse, frame } = view.footprint();
        let [memory, predictor, reverse] = [memory, predictor, reverse].map(u64::from);
        let (size, stored) = (bytes.bytes().len(), weights(&view));
        let (simulation, sampling) = (memory + predictor, memory + reverse);
        writeln!(card, "| {name} | {size} | {stored} | {simulation} | {sampling} | {frame} |")?;
        macs = view.layers().iter().map(|layer| layer.shape.macs()).sum();
    }
    writeln!(
        card,
        "\nAn increment takes {:.2} million multiply-accumulates, its vector-Jacobian product as many.",
        macs as f64 / 1e6
    )?;
    Ok(())
}

fn weights(view: &View<'_>) -> usize {
    view.layers().iter().map(|layer| layer.weights.bytes()).sum()
}
