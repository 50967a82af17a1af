//! Scores as text for terminals, and as CSV for spreadsheets.

use anyhow::Result;

use super::{ChannelScores, Figure, Scores};
use finescale_ensemble::Task;
use finescale_host::table::Table;

/// Four significant digits, without exponents where they are short to read.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        "0".into()
    } else if !(1e-4..1e5).contains(&size) {
        format!("{value:.2e}")
    } else {
        // The exponent after rounding: 0.99999 is 1.000.
        let rounded = format!("{size:.3e}");
        let exponent: i32 = rounded.split('e').nth(1).and_then(|e| e.parse().ok()).unwrap_or(0);
        let digits = (3 - exponent).clamp(0, 6) as usize;
        format!("{value:.digits$}")
    }
}

/// The task, as commands call it.
pub fn task_name(task: Task) -> &'static str {
    match task {
        Task::Simulate => "simulation",
        Task::Forecast => "forecast",
        Task::Generate => "generation",
        Task::SuperResolve => "super-resolution",
    }
}

impl Scores {
    /// What was scored, in one line.
    pub fn headline(&self) -> String {
        let provenance = &self.provenance;
        let of = if provenance.model.is_empty() {
            String::new()
        } else {
            format!(" of {}", provenance.model)
        };
        let plural = |n: usize, what: &str| {
            if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
        };
        let truth =
            if self.paired { "" } else { "; spectra alone, as the truth is of other frames" };
        let trajectories = match self.trajectories {
            1 => "1 trajectory".into(),
            n => format!("{n} trajectories"),
        };
        format!(
            "{}{of}: {}, {}, {trajectories} of {}{truth}",
            provenance.method,
            task_name(provenance.task),
            plural(self.members, "member"),
            plural(self.frames, "frame"),
        )
    }

    /// Over all channels first, then each; a single channel stands for all.
    pub fn columns(&self) -> Vec<&ChannelScores> {
        match self.channels.as_slice() {
            [one] => vec![one],
            all => [&self.overall].into_iter().chain(all).collect(),
        }
    }

    /// Figures without those that apply to no column, `[figure][column]`.
    pub fn rows(&self) -> Vec<(Figure, Vec<Option<f64>>)> {
        let columns: Vec<_> = self.columns().iter().map(|c| self.figures_of(c)).collect();
        let rows = (0..columns[0].len()).map(|row| {
            let values: Vec<_> = columns.iter().map(|column| column[row].value).collect();
            (columns[0][row].clone(), values)
        });
        rows.filter(|(_, values)| values.iter().any(Option::is_some)).collect()
    }

    /// The table that `finescale score` prints.
    pub fn text(&self) -> String {
        let columns = self.columns().into_iter();
        let mut table =
            columns.fold(Table::new().left("").left(""), |table, column| table.right(&column.name));
        let mut family = "";
        for (figure, values) in self.rows() {
            let shown = if figure.family == family { "" } else { figure.family };
            family = figure.family;
            let values = values.into_iter().map(|value| value.map_or("–".into(), number));
            table.row([shown.to_owned(), figure.name].into_iter().chain(values));
        }
        let (low, middle) = (self.bands[0].to.unwrap_or(0.0), self.bands[1].to.unwrap_or(0.0));
        let provenance = &self.provenance;
        format!(
            "{}\nlow: |k| < {}, middle: up to {}, high: beyond\n\n{}\n\
             cost of a frame: {} calls, {} s\n",
            self.headline(),
            number(low),
            number(middle),
            table.text(0),
            number(provenance.calls_per_frame),
            number(provenance.seconds_per_frame)
        )
    }

    /// One value a line: `method,channel,score,part,value`; the part is `all`, a band, or a lead
    /// time.
    ///
    /// # Errors
    /// As [`Table::csv`], which has no reason here.
    pub fn csv(&self) -> Result<String> {
        let heads = ["method", "channel", "score", "part", "value"];
        let mut table = heads.into_iter().fold(Table::new(), Table::left);
        let mut line = |channel: &str, score: &str, part: &str, value: f64| {
            table.row([&self.provenance.method, channel, score, part, &value.to_string()]);
        };
        for channel in [&self.overall].into_iter().chain(&self.channels) {
            for figure in self.figures_of(channel) {
                if let Some(value) = figure.value {
                    line(&channel.name, figure.family, &figure.name, value);
                }
            }
            for (score, values) in by_lead(channel) {
                for (lead, value) in self.lead.iter().zip(values) {
                    line(&channel.name, score, &format!("lead {lead}"), *value);
                }
            }
        }
        for (score, value) in [
            ("calls per frame", self.provenance.calls_per_frame),
            ("seconds per frame", self.provenance.seconds_per_frame),
        ] {
            line("all", score, "all", value);
        }
        table.csv()
    }
}

/// Curves over lead time.
fn by_lead(scores: &ChannelScores) -> Vec<(&'static str, &[f64])> {
    let mut curves: Vec<(&str, &[f64])> = Vec::new();
    if let Some(error) = &scores.error {
        curves.push(("relative L²", &error.relative_l2_by_lead));
        curves.push(("relative L² of the mean", &error.relative_l2_of_mean_by_lead));
    }
    if let Some(crps) = &scores.crps {
        curves.push(("fair CRPS / σ", &crps.relative_by_lead));
    }
    if let Some(spread) = &scores.spread {
        curves.push(("spread-skill", &spread.ratio_by_lead));
    }
    if let Some(correlation) = &scores.correlation {
        curves.push(("correlation", &correlation.by_lead));
        curves.push(("correlation of the mean", &correlation.of_mean_by_lead));
    }
    curves
}
