//! The regimes of a data set or a model, computed once for the table, the JSON and the pictures.

use std::fmt::Write;

use anyhow::Result;
use finescale::Laplacian;
use finescale_field::emergence::{Process, generation_start};
use finescale_host::table::Table;
use finescale_model::linear::LinearBase;
use finescale_regimes::memory::{WindowInformation, bound};
use finescale_regimes::shells::{Advice, Coupling, Emerging, Shell, advice, gap, mean_gap, shells};
use finescale_regimes::steps::{Suggested, suggested};
use serde_json::{Value, json};

use super::source::Source;

/// What was asked for beside the source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) coupling: Coupling,
    pub(super) steps: u32,
}

/// From which λ on a perfect score would replay.
pub(super) struct Memory {
    pub(super) windows: f64,
    /// Points of a patch, of all.
    pub(super) patch: (usize, usize),
    pub(super) bound: f64,
}

pub(super) struct Regimes {
    pub(super) name: String,
    pub(super) channels: Vec<String>,
    pub(super) process: Process,
    pub(super) options: Options,
    pub(super) shells: Vec<(Shell, Vec<Emerging>)>,
    generation: f64,
    gap: Option<f64>,
    advice: Option<Advice>,
    spacings: Vec<Suggested>,
    pub(super) memory: Option<Memory>,
}

/// A coupling, and where it holds.
fn in_words(coupling: Coupling) -> String {
    match coupling {
        Coupling { c, switch: 0.0 } => c.to_string(),
        Coupling { c, switch } if switch > 0.0 => format!("{c} below λ = {switch}"),
        Coupling { c, switch } => format!("{c} above λ = {}", -switch),
    }
}

/// Where generation starts: of two coupled channels as a model of them would, whose channels are
/// their combinations; of more channels as without a coupling.
fn generation(base: &LinearBase, coupling: Coupling) -> Result<f64> {
    if coupling.c == 0.0 || base.autocovariance.channels != 2 {
        return Ok(generation_start(&base.process, &base.grid, &base.power()));
    }
    let process = base.process.with_coupling(coupling.c as f32)?;
    let process = process.with_switch(coupling.switch as f32)?;
    let autocovariance = base.autocovariance.mixed();
    let base = LinearBase { grid: base.grid, process, autocovariance };
    Ok(generation_start(&process, &base.grid, &base.power()))
}

impl Regimes {
    pub(super) fn of(source: &Source, options: Options) -> Result<Self> {
        let base = &source.base;
        let process = Process::from(&base.process);
        let shells = shells(base)?;
        let c = options.coupling;
        let (gap, advice) = (mean_gap(&shells, process, c), advice(&shells, process));
        let shells: Vec<(Shell, Vec<Emerging>)> = shells
            .into_iter()
            .map(|shell| {
                let emerging = shell.emerging(process, c);
                (shell, emerging)
            })
            .collect();
        let all = shells.iter().flat_map(|(shell, emerging)| {
            emerging.iter().map(|one| (one.lambda, one.power * shell.modes as f64))
        });
        let all: Vec<(f64, f64)> = all.collect();
        let start = all.iter().map(|(lambda, _)| *lambda).fold(0.0, f64::max).min(1.0);
        let memory = source.windows.map(|windows| -> Result<Memory> {
            let points = base.grid.points();
            let seen = source.receptive_field.unwrap_or(usize::MAX);
            let axes = base.grid.y().into_iter().chain([base.grid.x()]);
            let patch = axes.map(|axis| axis.points().min(seen)).product();
            let information = WindowInformation::new(base, c)?;
            let bound = bound(&information, windows, patch, points);
            Ok(Memory { windows, patch: (patch, points), bound })
        });
        Ok(Self {
            name: source.name.clone(),
            channels: source.channels.clone(),
            process,
            options,
            shells,
            generation: generation(base, c)?,
            gap,
            advice,
            spacings: suggested(&all, start, options.steps),
            memory: memory.transpose()?,
        })
    }

    /// Part of the variance that has not emerged at λ = 1.
    fn undecided(&self) -> f64 {
        let sum = |from: f64| -> f64 {
            let all = self.shells.iter().flat_map(|(shell, emerging)| {
                emerging.iter().map(|one| (one.lambda, one.power * shell.modes as f64))
            });
            all.filter(|(lambda, _)| *lambda > from).map(|(_, power)| power).sum()
        };
        sum(1.0) / sum(0.0)
    }

    /// A combination of channels, in words.
    pub(super) fn combination(&self, weights: &[f64]) -> String {
        if let [_] = weights {
            return self.channels[0].clone();
        }
        // The largest weight is positive, and what is next to nothing is left out.
        let largest = weights.iter().copied().max_by(|a, b| a.abs().total_cmp(&b.abs()));
        let sign = largest.unwrap_or(1.0).signum();
        let mut text = String::new();
        for (weight, channel) in weights.iter().zip(&self.channels) {
            let weight = sign * weight;
            if weight.abs() >= 0.005 {
                let between = match (text.is_empty(), weight < 0.0) {
                    (true, false) => "",
                    (true, true) => "−",
                    (false, false) => " + ",
                    (false, true) => " − ",
                };
                let _ = write!(text, "{between}{:.2} {channel}", weight.abs());
            }
        }
        text
    }

    fn kappa(&self) -> &'static str {
        match self.process.laplacian {
            Laplacian::Spectral => "|k|²",
            Laplacian::FiniteDifference => "of the finite difference",
        }
    }

    pub(super) fn text(&self) -> String {
        let Process { alpha, beta2, .. } = self.process;
        let mut text = format!(
            "{}: α = {}, β² = {}, κ {}, coupling {}\n",
            self.name,
            alpha as f32,
            beta2 as f32,
            self.kappa(),
            in_words(self.options.coupling)
        );
        let heads = ["k", "modes", "admissible P", "P", "λ_S", "gap"];
        let table = heads.into_iter().fold(Table::new(), Table::right);
        let mut table = table.left("combination");
        for (shell, emerging) in &self.shells {
            for (n, one) in emerging.iter().enumerate() {
                let of_shell = |text: String| if n == 0 { text } else { String::new() };
                table.row([
                    of_shell(((shell.wavenumber * 1e4).round() / 1e4).to_string()),
                    of_shell(shell.modes.to_string()),
                    of_shell(format!("{:.3e}", self.process.admissible(shell.kappa))),
                    format!("{:.4e}", one.power),
                    format!("{:.3e}", one.lambda),
                    of_shell(gap(emerging).map_or(String::new(), |gap| format!("{gap:.2}"))),
                    self.combination(&one.weights),
                ]);
            }
        }
        text += &table.text(2);
        text += "\n";
        for line in self.findings() {
            text += &line;
            text += "\n";
        }
        text
    }

    /// What follows from the numbers, a sentence each.
    fn findings(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let undecided = 100.0 * self.undecided();
        lines.push(if undecided > 0.0 {
            format!(
                "start: {undecided:.1} % of the variance stands out of the noise even at λ = 1, so \
                 that it has to be in the density that sampling starts from"
            )
        } else {
            "start: everything has emerged by λ = 1, so that sampling may start from noise".into()
        });
        lines.push(format!(
            "generation: a third of the variance of the channel that is decided last has yet to emerge \
             at λ = {:.4}, where models start that have no other start",
            self.generation
        ));
        let [best, others @ ..] = &self.spacings[..] else { return lines };
        let shares: Vec<String> =
            others.iter().map(|s| format!("{} {:.0} %", s.spacing, 100.0 * s.busiest)).collect();
        lines.push(format!(
            "λ grid: {} steps from {:.3}, spacing {}, whose busiest step decides {:.0} % of the \
             variance ({})",
            self.options.steps,
            best.lambdas[0],
            best.spacing,
            100.0 * best.busiest,
            shares.join(", ")
        ));
        if let (Some(gap), Some(advice)) = (self.gap, &self.advice) {
            let closest = advice.gaps.iter().min_by(|a, b| a.1.total_cmp(&b.1));
            let (c, least) = closest.copied().unwrap_or((0.0, gap));
            let advised = if advice.recommended == 0.0 {
                "not enough to couple them".to_owned()
            } else {
                format!("enough to try a coupling of {}", advice.recommended)
            };
            lines.push(format!(
                "synchronisation gap: λ_S of the combinations of a shell differ by a factor of \
                 {gap:.3} on average; a coupling of {c} makes it {least:.3}, which is {advised}; one \
                 of {} makes it {:.3}",
                in_words(advice.switched.0),
                advice.switched.1
            ));
        }
        lines.push(match &self.memory {
            None => {
                "memorisation: a model does not say what it was trained on: give --samples".into()
            }
            Some(Memory { windows, patch: (patch, points), bound }) => format!(
                "memorisation: a perfect score of {windows:.0} independent windows on {patch} of \
                 {points} points would replay them {}; a smooth network does not reach this bound",
                if *bound >= 1.0 {
                    "at every λ up to 1".to_owned()
                } else {
                    format!("below λ = {bound:.4}")
                }
            ),
        });
        lines
    }

    pub(super) fn json(&self) -> Value {
        let shells: Vec<Value> = self
            .shells
            .iter()
            .map(|(shell, emerging)| {
                json!({
                    "wavenumber": shell.wavenumber,
                    "modes": shell.modes,
                    "kappa": shell.kappa,
                    "admissible_power": self.process.admissible(shell.kappa),
                    "emerging": emerging,
                    "gap": gap(emerging),
                })
            })
            .collect();
        json!({
            "name": self.name,
            "channels": self.channels,
            "alpha": self.process.alpha,
            "beta2": self.process.beta2,
            "laplacian": self.process.laplacian,
            "coupling": self.options.coupling.c,
            "coupling_switch": self.options.coupling.switch,
            "shells": shells,
            "variance_undecided_at_one": self.undecided(),
            "generation_start": self.generation,
            "lambda_grids": self.spacings,
            "mean_gap": self.gap,
            "coupling_advice": self.advice,
            "memorisation": self.memory.as_ref().map(|memory| json!({
                "windows": memory.windows,
                "patch_points": memory.patch.0,
                "points": memory.patch.1,
                "lambda": memory.bound,
            })),
        })
    }
}
