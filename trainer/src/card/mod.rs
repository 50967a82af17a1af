//! A model's card: what it is, what it was trained on, how good it is, what it costs.

use std::fmt::Write;

use anyhow::{Context, Result};
use finescale::model::{Footprint, Model as View};

use crate::export::{AlignedBytes, Bounds, Precision, file};
use crate::model::{Meta, Model, NetworkMeta};
use crate::report::Scored;
use crate::score::{number, task_name};

/// Results of one task side by side, the model's own first.
pub struct Comparison {
    /// With the scores.
    pub scored: Vec<Scored>,
    /// The command that made the first one.
    pub command: String,
}

/// Writes the card in Markdown.
///
/// `made`: the commands that make data and model, as a reader repeats them; `licence`: of the data.
///
/// # Errors
/// If the model does not fit the runtime.
pub fn markdown(
    model: &Model,
    about: &str,
    made: &[String],
    licence: &str,
    comparisons: &[Comparison],
) -> Result<String> {
    let meta = &model.meta;
    let mut card = format!("# {}\n\n{about}\n", meta.name);
    if !made.is_empty() {
        card += "\n";
        made.iter().for_each(|command| card += &format!("    {command}\n"));
    }
    data(&mut card, meta)?;
    training(&mut card, meta)?;
    for comparison in comparisons {
        skill(&mut card, comparison)?;
    }
    footprint(&mut card, model)?;
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

fn training(card: &mut String, meta: &Meta) -> Result<()> {
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
        meta.window, meta.alpha, meta.beta2, meta.steps, meta.seed
    )?;
    for (name, value) in &meta.figures {
        writeln!(card, "| {name} | {} |", number(*value))?;
    }
    writeln!(card, "\n![Loss, validation by λ, simulation error](curves.png)")?;
    Ok(())
}

fn skill(card: &mut String, comparison: &Comparison) -> Result<()> {
    let Comparison { scored, command } = comparison;
    let first = scored.first().context("a comparison has results")?;
    let scores = &first.scores;
    writeln!(
        card,
        "\n## Skill: {}\n\n    {command}\n\n{} trajectories of {} frames that training has not seen, {} members. The best of a row is bold.\n",
        task_name(scores.provenance.task),
        scores.trajectories,
        scores.frames,
        scores.members,
    )?;
    let heads: Vec<&str> = scored.iter().map(|method| method.name.as_str()).collect();
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
    for precision in [Precision::F32, Precision::Int8, Precision::Int16] {
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
