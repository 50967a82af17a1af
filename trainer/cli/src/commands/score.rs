//! `finescale score`: how good a result is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use super::data_import::{Grid as Points, parse_grid};
use super::origin::OriginArgs;
use finescale_data::dataset::Reader;
use finescale_ensemble::Ensemble;
use finescale_host::write::atomically;
use finescale_judge::report::{Scored, figures, scored};
use finescale_judge::score::{Scores, Settings, Truth};

/// Score a result: errors, CRPS, spread, ranks, correlation, spectra, agreement with its coarse
/// input
#[derive(Debug, Args)]
pub struct ScoreArgs {
    /// The result: a file of `super-resolve`, `forecast`, `simulate` or `generate`
    prediction: PathBuf,
    /// What it is compared with: another result of the same frames, or a data set, whose spectra
    /// are; by default the truth inside the result
    truth: Option<PathBuf>,
    /// File to write all scores to, .json or .csv
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Folder for pictures: fields, spectra, space-time spectra, ranks, scores over time
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    #[command(flatten)]
    relative: RelativeArgs,
    #[command(flatten)]
    origin: OriginArgs,
}

/// What scores are relative to.
#[derive(Clone, Debug, Args)]
pub(super) struct RelativeArgs {
    /// Data set whose training part has the mean and deviation that errors are relative to (by
    /// default the truth's own), and that a report's baselines learn from
    #[arg(long, value_name = "DATASET")]
    data: Option<PathBuf>,
    /// Coarse grid that low, middle and high wavenumbers are seen from, rows x columns, or points
    /// on a line; by default the input's, else a quarter of the points
    #[arg(long, value_name = "YxX", value_parser = parse_grid)]
    bands: Option<Points>,
    /// Also score the alarm that a value exceeds this one, by its Brier score: one for all channels
    /// or one for each, in their units
    #[arg(long, value_name = "VALUE,…", value_delimiter = ',', allow_hyphen_values = true)]
    alarm: Vec<f64>,
}

impl RelativeArgs {
    /// The data set, if one was named.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub(super) fn reader(&self) -> Result<Option<Reader>> {
        self.data.as_deref().map(|path| Reader::open(path).context("--data")).transpose()
    }

    /// As scores take it.
    pub(super) fn settings(&self, reader: Option<&Reader>) -> Settings {
        Settings {
            scale: reader.map(|reader| reader.statistics().scale()),
            coarse: self.bands.clone(),
            alarm: self.alarm.clone(),
        }
    }
}

impl ScoreArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        let format = self.out.as_deref().map(Format::of).transpose()?;
        let result = self.origin.read(&self.prediction)?;
        let reader = self.relative.reader()?;
        let truth = truth(&result, self.truth.as_deref(), reader.as_ref())?;
        let settings = self.relative.settings(reader.as_ref());
        let mut all = scored(vec![result], Some(&truth), &settings)
            .with_context(|| format!("{} cannot be scored", self.prediction.display()))?;
        let Some(one) = all.pop() else { bail!("there is nothing to score") };
        print!("{}", one.scores.text());
        if let (Some(path), Some(format)) = (&self.out, format) {
            atomically(path, format.write(&one.scores)?.as_bytes())?;
            println!("\n{}", path.display());
        }
        if let Some(folder) = &self.plots {
            for path in pictures(&[one], &truth, folder)? {
                println!("{}", path.display());
            }
        }
        Ok(())
    }
}

/// What a result is scored with: the data set or other result at `path`, or else the truth inside
/// the result, or else the data set that it is compared with.
pub(super) fn truth(
    result: &Ensemble,
    path: Option<&Path>,
    reader: Option<&Reader>,
) -> Result<Truth> {
    let Some(path) = path else {
        return match (&result.truth, reader) {
            (None, Some(reader)) => Truth::of_data(result, reader),
            _ => Truth::within(result),
        };
    };
    let of = || -> Result<Truth> {
        let data = fs::read_to_string(path.join("zarr.json"))
            .is_ok_and(|text| text.contains("\"finescale_format\""));
        match data {
            true => Truth::of_data(result, &Reader::open(path)?),
            false => Truth::of_other(result, &Ensemble::read(path)?),
        }
    };
    of().with_context(|| format!("{} cannot be the truth", path.display()))
}

/// How scores are written.
#[derive(Clone, Copy)]
enum Format {
    Json,
    Csv,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|suffix| suffix.to_str()) {
            Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            _ => bail!("--out {} has no known suffix: end it in .json or .csv", path.display()),
        }
    }

    fn write(self, scores: &Scores) -> Result<String> {
        Ok(match self {
            Self::Json => serde_json::to_string_pretty(scores)? + "\n",
            Self::Csv => scores.csv()?,
        })
    }
}

/// Draws everything into a folder and returns the files.
fn pictures(scored: &[Scored], truth: &Truth, folder: &Path) -> Result<Vec<PathBuf>> {
    ensure!(!folder.is_file(), "--plots {} is a file: name a folder", folder.display());
    fs::create_dir_all(folder)
        .with_context(|| format!("--plots {} cannot be made", folder.display()))?;
    let spec = &scored[0].result.spec;
    let mut files = Vec::new();
    let mut save = |name: String, figure: &finescale_plot::Figure| -> Result<()> {
        let path = folder.join(format!("{name}.png"));
        figure.save(&path)?;
        files.push(path);
        Ok(())
    };
    for (c, channel) in spec.channels.iter().enumerate() {
        let of = |what: &str| match spec.channels.len() {
            1 => what.to_owned(),
            _ => format!("{what}-{}", channel.name),
        };
        let panes = figures::fields(scored, Some(truth), c, 0, spec.frames() - 1)?;
        save(of("fields"), &figures::fields_figure(scored, c, &panes)?)?;
        if let Some(figure) = figures::spectra(scored, c)? {
            save(of("spectra"), &figure)?;
        }
        if let Some(maps) = figures::space_time(scored, c) {
            save(of("space-time"), &maps.figure()?)?;
        }
    }
    if let Some(figure) = figures::ranks(scored)? {
        save("ranks".into(), &figure)?;
    }
    if let Some(figure) = figures::lead(scored)? {
        save("time".into(), &figure)?;
    }
    Ok(files)
}
