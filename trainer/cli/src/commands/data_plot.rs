//! `finescale data plot`: what a data set looks like.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;

use finescale_data::dataset::{Reader, SpatialAxis};
use finescale_plot::{ChannelMeta, Coordinate, Spectrum, TrajectoryMeta, plot_trajectory};

/// Draw a trajectory of a data set: fields over time (a space-time diagram on a line) and power
/// spectra.
#[derive(Debug, Args)]
pub(super) struct PlotArgs {
    /// The data set.
    path: PathBuf,
    /// Folder for the pictures `fields` and `spectra`; by default the data set's name without
    /// .zarr.
    #[arg(short, long)]
    out: Option<PathBuf>,
    /// Trajectory to draw.
    #[arg(long, default_value_t = 0)]
    trajectory: usize,
    /// Frames to show, taken evenly.
    #[arg(long, default_value_t = 6)]
    frames: usize,
    /// Kind of picture.
    #[arg(long, default_value = "png", value_parser = ["png", "svg"])]
    format: String,
}

impl PlotArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub(super) fn run(self) -> Result<()> {
        let reader = Reader::open(&self.path)?;
        let spec = reader.spec();
        ensure!(
            self.trajectory < spec.trajectories,
            "--trajectory is {}: the data set has trajectories 0 to {}",
            self.trajectory,
            spec.trajectories - 1
        );
        ensure!(self.frames > 0, "--frames is 0: show at least one");
        let values = reader.read(self.trajectory, 0..spec.frames())?;
        let folder = self.out.unwrap_or_else(|| self.path.with_extension(""));
        fs::create_dir_all(&folder)
            .with_context(|| format!("--out {} cannot be made", folder.display()))?;
        let meta = meta(&reader, self.trajectory);
        for path in plot_trajectory(&values, &meta, self.frames, &folder, &self.format)? {
            println!("{}", path.display());
        }
        Ok(())
    }
}

fn meta(reader: &Reader, trajectory: usize) -> TrajectoryMeta {
    let (spec, statistics) = (reader.spec(), reader.statistics());
    let wavenumber: Vec<f64> =
        (0..statistics.shells.count).map(|s| statistics.shells.wavenumber(s)).collect();
    let channels = spec.channels.iter().zip(&statistics.channels).map(|(channel, statistics)| {
        // The statistics are of the standardised field; the picture is in the channel's units.
        let power = statistics.power.iter().map(|p| p * statistics.std.powi(2)).collect();
        ChannelMeta {
            name: channel.long_name.clone(),
            units: unit(&channel.units),
            spectra: vec![Spectrum::new("training split", wavenumber.clone(), power)],
        }
    });
    let units = spec.time.attributes.get("units").and_then(|u| u.as_str()).unwrap_or_default();
    let times = &spec.time.values;
    TrajectoryMeta {
        title: format!("{}, trajectory {trajectory}", spec.title),
        ny: spec.ny(),
        nx: spec.nx(),
        channels: channels.collect(),
        time: (times[0], times[times.len() - 1]),
        time_units: unit(units.split(" since ").next().unwrap_or_default()),
        dates: spec.time.dates().unwrap_or_default().iter().map(|date| short(date)).collect(),
        y: spec.y.as_ref().map(coordinate),
        x: Some(coordinate(&spec.x)),
    }
}

/// A date without seconds of zero, and without a time of day of zeros.
fn short(date: &str) -> String {
    let shorter = date.strip_suffix(" 00:00:00").or(date.strip_suffix(":00"));
    shorter.unwrap_or(date).to_owned()
}

/// The axis as a plot labels it.
pub(super) fn coordinate(axis: &SpatialAxis) -> Coordinate {
    let units = axis.attributes.get("units").and_then(|u| u.as_str()).map(unit).unwrap_or_default();
    let label = match units.as_str() {
        "" => axis.name.clone(),
        "°N" => "latitude (°N)".into(),
        "°E" => "longitude (°E)".into(),
        units => format!("{} ({units})", axis.name),
    };
    let last = axis.points() - 1;
    Coordinate::new(label, axis.coordinates[0], axis.coordinates[last])
}

/// Units as a reader wants them: none for CF's "1", symbols for degrees.
pub(super) fn unit(units: &str) -> String {
    match units {
        "1" => String::new(),
        "degrees_north" => "°N".into(),
        "degrees_east" => "°E".into(),
        other => other.into(),
    }
}
