//! Scores as text for terminals, and as CSV for spreadsheets.

use super::{ChannelScores, Figure, Scores};
use finescale_ensemble::Task;

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
        let columns = self.columns();
        let width = columns.iter().map(|c| c.name.chars().count()).max().unwrap_or(0).max(9) + 2;
        let mut out = format!("{}\n", self.headline());
        let (low, middle) = (self.bands[0].to.unwrap_or(0.0), self.bands[1].to.unwrap_or(0.0));
        out += &format!(
            "low: |k| < {}, middle: up to {}, high: beyond\n\n{:46}",
            number(low),
            number(middle),
            ""
        );
        for column in &columns {
            out += &format!("{:>width$}", column.name);
        }
        out.push('\n');
        let mut family = "";
        for (figure, values) in self.rows() {
            let shown = if figure.family == family { "" } else { figure.family };
            family = figure.family;
            out += &format!("{shown:26}{:20}", figure.name);
            for value in values {
                out += &format!("{:>width$}", value.map_or("–".into(), number));
            }
            out.push('\n');
        }
        let provenance = &self.provenance;
        out += &format!(
            "\ncost of a frame: {} calls, {} s\n",
            number(provenance.calls_per_frame),
            number(provenance.seconds_per_frame)
        );
        out
    }

    /// One value a line: `method,channel,score,part,value`; the part is `all`, a band, or a lead time.
    pub fn csv(&self) -> String {
        let mut out = String::from("method,channel,score,part,value\n");
        let mut line = |channel: &str, score: &str, part: &str, value: f64| {
            let quoted = [&self.provenance.method, channel, score, part].map(quote).join(",");
            out += &format!("{quoted},{value}\n");
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
        out
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

fn quote(text: &str) -> String {
    match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.into(),
    }
}
