//! How much of a figure is the luck of one training: the same commands with models of other seeds.

use std::fmt::Write;

use anyhow::Result;

use super::Comparison;
use crate::score::{Scores, number, task_name};
use finescale_ensemble::Task;
use finescale_host::table::Table;

/// The figures that are shown, by family and name.
const SHOWN: [(&str, &str); 5] = [
    ("relative L²", "mean"),
    ("fair CRPS / σ", "all"),
    ("spread-skill", "all"),
    ("energy spectrum, |q − 1|", "mean"),
    ("space-time spectrum", "relative L1"),
];

/// Adds the table, if there is a result of another seed.
pub(super) fn table(card: &mut String, made: &[String], comparisons: &[Comparison]) -> Result<()> {
    if comparisons.iter().all(|comparison| comparison.seeds.is_empty()) {
        return Ok(());
    }
    writeln!(
        card,
        "\n## Spread over trainings\n\nThe commands above with models of other seeds: mean ± \
         standard deviation, and each, the one of this card first.\n"
    )?;
    if let Some(train) = made.iter().find(|command| command.starts_with("finescale train")) {
        writeln!(card, "    {train}-2 --seed 2   # and so on\n")?;
    }
    let mut table = Table::new().left("").left("").right("mean").left("each");
    for Comparison { scored, seeds, .. } in comparisons {
        let Some(first) = scored.first().filter(|_| !seeds.is_empty()) else { continue };
        let all: Vec<Vec<(String, f64)>> =
            [&first.scores].into_iter().chain(seeds).map(figures).collect();
        let task = task_name(first.scores.provenance.task);
        for (name, _) in &all[0] {
            let of = |figures: &Vec<(String, f64)>| {
                figures.iter().find(|(other, _)| other == name).map(|(_, value)| *value)
            };
            let values: Vec<f64> = all.iter().filter_map(of).collect();
            let (mean, spread) = moments(&values);
            let each: Vec<String> = values.into_iter().map(number).collect();
            let mean = format!("{} ± {}", number(mean), number(spread));
            table.row([task, name.as_str(), mean.as_str(), each.join(", ").as_str()]);
        }
    }
    *card += &table.markdown();
    Ok(())
}

/// Names and values.
fn figures(scores: &Scores) -> Vec<(String, f64)> {
    let shown = |family: &str, name: &str| SHOWN.contains(&(family, name));
    let figures = scores.figures().into_iter().filter(|f| shown(f.family, &f.name));
    let mut values: Vec<(String, f64)> =
        figures.filter_map(|f| Some((format!("{}, {}", f.family, f.name), f.value?))).collect();
    // What the paper calls its simulation error.
    let by_lead = scores.overall.error.as_ref().map(|error| &error.relative_l2_by_lead);
    if let (Task::Simulate, Some(by_lead)) = (scores.provenance.task, by_lead) {
        let last =
            by_lead.last().map(|error| (format!("relative L², frame {}", by_lead.len()), *error));
        values.extend(last);
    }
    values
}

/// Mean and standard deviation, over one less than there are.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0)).sqrt())
}
