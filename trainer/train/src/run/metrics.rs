//! The course of a training: a file of lines, and its plot.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::systems::Validation;

/// One report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The stage that is trained; the first is 0.
    #[serde(default, skip_serializing_if = "is_first")]
    pub stage: usize,
    /// Steps of it that are done.
    pub step: usize,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Mean training loss since the last report, by band of levels; 0 where a band has none.
    pub train: Vec<f64>,
    /// (level, loss) on the validation part.
    pub valid: Vec<(f64, f64)>,
    /// Relative L² error of the simulation after 1, 2, … frames.
    pub rollout: Vec<f64>,
    /// Relative L1 error of its spectrum.
    pub spectrum: Vec<f64>,
}

impl Report {
    /// From a validation.
    pub fn new(
        stage: usize,
        step: usize,
        learning_rate: f64,
        train: Vec<f64>,
        valid: Validation,
    ) -> Self {
        let Validation { losses, rollout, spectrum, .. } = valid;
        Self { stage, step, learning_rate, train, valid: losses, rollout, spectrum }
    }

    /// Mean validation loss.
    pub fn valid_loss(&self) -> f64 {
        self.valid.iter().map(|(_, loss)| loss).sum::<f64>() / self.valid.len().max(1) as f64
    }
}

fn is_first(stage: &usize) -> bool {
    *stage == 0
}

/// Sums of losses by band of levels.
#[derive(Clone, Debug)]
pub struct Bands {
    ends: &'static [f64],
    sums: Vec<(f64, u32)>,
}

impl Bands {
    /// Of the bands' upper ends, rising.
    pub fn new(ends: &'static [f64]) -> Self {
        Self { ends, sums: vec![(0.0, 0); ends.len()] }
    }

    /// Adds a sample; what is above all ends counts in the last band.
    pub fn add(&mut self, level: f64, loss: f64) {
        let band = self.ends.iter().position(|end| level <= *end);
        let last = self.sums.len().saturating_sub(1);
        if let Some((sum, count)) = self.sums.get_mut(band.unwrap_or(last)) {
            *sum += loss;
            *count += 1;
        }
    }

    /// Means, and starts again.
    pub fn take(&mut self) -> Vec<f64> {
        let sums = std::mem::replace(&mut self.sums, vec![(0.0, 0); self.ends.len()]);
        sums.into_iter().map(|(sum, n)| sum / f64::from(n.max(1))).collect()
    }
}

const FILE: &str = "metrics.jsonl";

/// Appends a report to the run's file.
///
/// # Errors
/// If it cannot be written.
pub fn append(folder: &Path, report: &Report) -> Result<()> {
    let path = folder.join(FILE);
    let write = || -> Result<()> {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&path)?;
        let mut line = serde_json::to_string(report)?;
        line.push('\n');
        file.write_all(line.as_bytes())?;
        Ok(())
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

/// The reports of a stage up to a step. Later ones, and a line that was being written when the run
/// was killed, are dropped from the file; those of earlier stages stay in it.
///
/// # Errors
/// If it cannot be read or written.
pub fn resume(folder: &Path, stage: usize, step: usize) -> Result<Vec<Report>> {
    let path = folder.join(FILE);
    let text = if path.exists() { std::fs::read_to_string(&path)? } else { String::new() };
    let reports: Vec<Report> = text
        .lines()
        .map_while(|line| serde_json::from_str(line).ok())
        .take_while(|report: &Report| (report.stage, report.step) <= (stage, step))
        .collect();
    let lines: Vec<String> = reports
        .iter()
        .map(|report| Ok(serde_json::to_string(report)? + "\n"))
        .collect::<Result<_>>()?;
    finescale_host::write::atomically(&path, lines.concat().as_bytes())?;
    Ok(reports.into_iter().filter(|report| report.stage == stage).collect())
}
