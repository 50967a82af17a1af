//! The course of a training: a file of lines, and its plot.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::validate::Validation;

/// Upper ends of the λ bands in which training losses are averaged.
pub const BANDS: [f64; 4] = [0.005, 0.03, 0.2, 1.0];

/// One report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Steps done.
    pub step: usize,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Mean training loss since the last report, by band of λ (see [`BANDS`]).
    pub train: [f64; BANDS.len()],
    /// (λ, loss) on the validation part.
    pub valid: Vec<(f64, f64)>,
    /// Relative L² error of the simulation after 1, 2, … frames.
    pub rollout: Vec<f64>,
    /// Relative L1 error of its spectrum.
    pub spectrum: Vec<f64>,
}

impl Report {
    /// From a validation.
    pub fn new(
        step: usize,
        learning_rate: f64,
        train: [f64; BANDS.len()],
        valid: Validation,
    ) -> Self {
        let Validation { losses, rollout, spectrum, .. } = valid;
        Self { step, learning_rate, train, valid: losses, rollout, spectrum }
    }

    /// Mean validation loss.
    pub fn valid_loss(&self) -> f64 {
        self.valid.iter().map(|(_, loss)| loss).sum::<f64>() / self.valid.len().max(1) as f64
    }
}

/// Sums of losses by band.
#[derive(Clone, Debug, Default)]
pub struct Bands {
    sums: [(f64, u32); BANDS.len()],
}

impl Bands {
    /// Adds a sample.
    pub fn add(&mut self, lambda: f64, loss: f64) {
        let band = BANDS.iter().position(|end| lambda <= *end).unwrap_or(BANDS.len() - 1);
        self.sums[band].0 += loss;
        self.sums[band].1 += 1;
    }

    /// Means, and starts again.
    pub fn take(&mut self) -> [f64; BANDS.len()] {
        std::mem::take(self).sums.map(|(sum, n)| sum / f64::from(n.max(1)))
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

/// The reports of a run up to a step; later ones, and a line that was being written when the run was killed, are dropped from
/// the file.
///
/// # Errors
/// If it cannot be read or written.
pub fn resume(folder: &Path, step: usize) -> Result<Vec<Report>> {
    let path = folder.join(FILE);
    let text = if path.exists() { std::fs::read_to_string(&path)? } else { String::new() };
    let reports: Vec<Report> = text
        .lines()
        .map_while(|line| serde_json::from_str(line).ok())
        .take_while(|report: &Report| report.step <= step)
        .collect();
    let lines: Vec<String> = reports
        .iter()
        .map(|report| Ok(serde_json::to_string(report)? + "\n"))
        .collect::<Result<_>>()?;
    finescale_host::write::atomically(&path, lines.concat().as_bytes())?;
    Ok(reports)
}
