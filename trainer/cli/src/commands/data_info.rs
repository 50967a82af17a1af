//! `finescale data info`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use finescale::Laplacian;
use serde_json::{Value, json};

use super::data_import::{Grid, parse_grid};
use super::process::ProcessArgs;
use finescale_data::dataset::{Reader, Spec, Split};
use finescale_field::emergence::{Emergence, cutoff};
use finescale_host::table::Table;

/// Describe a data set: shape, splits, statistics, spectrum, emergence scales.
#[derive(Debug, Args)]
pub(super) struct InfoArgs {
    /// The data set.
    path: PathBuf,
    #[command(flatten)]
    process: ProcessArgs,
    /// Coarse grid to suggest a λ* for, rows x columns (or points on a line).
    #[arg(long, value_parser = parse_grid)]
    coarse: Option<Grid>,
    /// Read everything and compare it with the hash written when the data set was made.
    #[arg(long)]
    verify: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What `info` tells, computed once for both ways of printing.
struct Info<'a> {
    reader: &'a Reader,
    process: &'a ProcessArgs,
    emergence: Emergence,
    coarse: Grid,
    suggested: Option<f64>,
}

impl InfoArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub(super) fn run(self) -> Result<()> {
        let process = self.process.process()?;
        let reader = Reader::open(&self.path)?;
        if self.verify {
            reader.verify().with_context(|| self.path.display().to_string())?;
        }
        let spec = reader.spec();
        let axes = if spec.y.is_some() { 2 } else { 1 };
        let coarse = self.coarse.unwrap_or_else(|| vec![8; axes]);
        ensure!(
            coarse.len() == axes && coarse.iter().all(|&n| n >= 2),
            "--coarse does not fit: give {}, at least 2 points per axis",
            if axes == 2 { "rows x columns, as in 8x8" } else { "the points of a line, as in 8" }
        );
        let emergence = Emergence::new(&process, &spec.grid()?);
        let cutoff = cutoff(coarse.iter().copied().zip(spec.axes().map(|axis| axis.length)));
        let powers = reader.statistics().channels.iter().map(|channel| channel.power.as_slice());
        let suggested = emergence.suggested(cutoff, powers);
        let process = &self.process;
        let info = Info { reader: &reader, process, emergence, coarse, suggested };
        if self.json {
            println!("{}", serde_json::to_string_pretty(&info.json())?);
        } else {
            info.print();
        }
        Ok(())
    }
}

/// First and last time as dates, where there are any, else as numbers.
fn time_span(spec: &Spec) -> (String, String) {
    let times = &spec.time.values;
    let shown = spec.time.dates().unwrap_or_else(|| times.iter().map(f64::to_string).collect());
    (shown[0].clone(), shown[shown.len() - 1].clone())
}

impl Info<'_> {
    fn emergence(&self, channel: usize, shell: usize) -> Option<f64> {
        self.emergence.scale(shell, self.reader.statistics().channels[channel].power[shell])
    }

    fn json(&self) -> Value {
        let (reader, spec, statistics) =
            (self.reader, self.reader.spec(), self.reader.statistics());
        let (first, last) = time_span(spec);
        let shells = statistics.shells.count;
        let wavenumbers: Vec<f64> = (0..shells).map(|s| statistics.shells.wavenumber(s)).collect();
        let channels: Vec<Value> = spec
            .channels
            .iter()
            .zip(&statistics.channels)
            .enumerate()
            .map(|(c, (channel, s))| {
                let emergence: Vec<Option<f64>> =
                    (0..shells).map(|k| self.emergence(c, k)).collect();
                json!({
                    "name": channel.name,
                    "units": channel.units,
                    "long_name": channel.long_name,
                    "standard_name": channel.standard_name,
                    "mean": s.mean,
                    "std": s.std,
                    "lag1": s.lag1,
                    "power_spectrum": s.power,
                    "lag1_spectrum": s.lag1_spectrum,
                    "emergence_scale": emergence,
                })
            })
            .collect();
        let axes: Vec<Value> = spec
            .axes()
            .map(|axis| {
                json!({
                    "name": axis.name,
                    "points": axis.points(),
                    "boundary": axis.boundary,
                    "length": axis.length,
                    "first": axis.coordinates[0],
                    "last": axis.coordinates[axis.points() - 1],
                    "attributes": axis.attributes,
                })
            })
            .collect();
        let splits: serde_json::Map<String, Value> = Split::ALL
            .iter()
            .map(|&s| {
                let segments = reader.segments(s).len();
                (
                    s.name().to_owned(),
                    json!({ "frames": reader.splits().count(s), "segments": segments }),
                )
            })
            .collect();
        json!({
            "title": spec.title,
            "hash": reader.hash(),
            "manifest": reader.manifest(),
            "trajectories": spec.trajectories,
            "frames": spec.frames(),
            "time": {
                "first": first,
                "last": last,
                "frame_interval": spec.time.interval,
                "attributes": spec.time.attributes,
            },
            "axes": axes,
            "anomaly": reader.climatology().map(|_| "monthly"),
            "splits": splits,
            "wavenumber": wavenumbers,
            "modes": statistics.shells.modes,
            "channels": channels,
            "alpha": self.process.alpha,
            "beta2": self.process.beta2,
            "laplacian": self.process.laplacian(),
            "coarse": self.coarse,
            "suggested_lambda": self.suggested,
        })
    }

    fn print(&self) {
        let (reader, spec, statistics) =
            (self.reader, self.reader.spec(), self.reader.statistics());
        let text = |a: &finescale_data::dataset::Attributes, name: &str| {
            a.get(name).and_then(Value::as_str).unwrap_or("1").to_owned()
        };
        let (first, last) = time_span(spec);
        println!("{}", spec.title);
        let mut table = Table::new().left("").left("");
        let mut line = |name: &str, about: String| table.row([name.to_owned(), about]);
        line("made by", reader.manifest().command.clone());
        line("hash", reader.hash().to_owned());
        line("trajectories", spec.trajectories.to_string());
        let (frames, apart) = (spec.frames(), spec.time.interval);
        let units = text(&spec.time.attributes, "units");
        line("frames", format!("{frames}, {first} to {last}, {apart} apart [{units}]"));
        for axis in spec.axes() {
            let about = format!(
                "{} points, {}, length {}, {} to {} [{}]",
                axis.points(),
                axis.boundary.name(),
                axis.length as f32,
                axis.coordinates[0],
                axis.coordinates[axis.points() - 1],
                text(&axis.attributes, "units")
            );
            line(&axis.name, about);
        }
        if reader.climatology().is_some() {
            line("anomaly", "from the monthly climatology stored with it".into());
        }
        for split in Split::ALL {
            let segments = reader.segments(split).len();
            let frames = reader.splits().count(split);
            line(split.name(), format!("{frames} frames in {segments} segments"));
        }
        print!("{}", table.text(2));
        println!("\nstatistics of the training part");
        let table = Table::new().left("channel").right("mean").right("std").right("lag-1");
        let mut table = table.left("units");
        for (channel, s) in spec.channels.iter().zip(&statistics.channels) {
            let (mean, std, lag1) = (number(s.mean), number(s.std), format!("{:.4}", s.lag1));
            table.row([channel.name.clone(), mean, std, lag1, channel.units.clone()]);
        }
        print!("{}", table.text(2));
        println!(
            "\nspectrum of the standardised fields; λ_S where C²P_k = Σ_k, α = {}, β² = {}, κ {}",
            self.process.alpha,
            self.process.beta2,
            match self.process.laplacian() {
                Laplacian::Spectral => "|k|²",
                Laplacian::FiniteDifference => "of the finite difference",
            }
        );
        for (c, (channel, s)) in spec.channels.iter().zip(&statistics.channels).enumerate() {
            let heads = ["k", "modes", "P_k", "lag-1", "λ_S"];
            let mut table = heads.into_iter().fold(Table::new(), Table::right).left(&channel.name);
            for shell in 0..s.power.len() {
                // To four decimals: on axes of odd lengths it has many.
                let wavenumber = (statistics.shells.wavenumber(shell) * 1e4).round() / 1e4;
                table.row([
                    wavenumber.to_string(),
                    statistics.shells.modes[shell].to_string(),
                    format!("{:.4e}", s.power[shell]),
                    format!("{:.4}", s.lag1_spectrum[shell]),
                    self.emergence(c, shell).map_or("—".into(), |l| format!("{l:.3e}")),
                    String::new(),
                ]);
            }
            print!("{}", table.text(2));
        }
        let coarse: Vec<String> = self.coarse.iter().map(usize::to_string).collect();
        let suggested = self.suggested.map_or(
            "none: some mode beyond its cut-off is stronger than its noise up to λ = 1".into(),
            |l| format!("{l:.4}"),
        );
        println!("\nsuggested λ* for coarse input on {} points: {suggested}", coarse.join("×"));
    }
}

/// Six digits, in whichever notation is shorter to read.
fn number(value: f64) -> String {
    if value == 0.0 || (1e-3..1e6).contains(&value.abs()) {
        format!("{value:.5}")
    } else {
        format!("{value:.5e}")
    }
}
