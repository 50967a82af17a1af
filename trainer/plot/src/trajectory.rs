//! The pictures of `finescale data plot`: one trajectory of a data set.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::axes::Plot;
use super::axis::Axis;
use super::color::ladder;
use super::field::{Coordinate, Field};
use super::figure::Figure;
use super::grid::{FieldGrid, bar_label};
use super::series::Series;
use super::space_time::SpaceTime;
use super::spectra::{Spectrum, spectra};

/// Columns of a page of fields, fewer for wide ones, and profiles shown of a field on a line.
const COLUMNS: usize = 6;
const WIDE_COLUMNS: usize = 3;
const PROFILES: usize = 4;

/// What a picture needs to know of one channel.
#[derive(Clone, Debug, Default)]
pub struct ChannelMeta {
    /// Name, such as `"vorticity"`.
    pub name: String,
    /// Units; empty where there are none.
    pub units: String,
    /// Power spectra, one line each: of this trajectory, of the training split and so on.
    pub spectra: Vec<Spectrum>,
}

/// What a picture needs to know of a trajectory.
#[derive(Clone, Debug)]
pub struct TrajectoryMeta {
    /// Title of the pictures.
    pub title: String,
    /// Points along y; 1 for fields on a line.
    pub ny: usize,
    /// Points along x.
    pub nx: usize,
    /// Channels in the order of the values.
    pub channels: Vec<ChannelMeta>,
    /// Time of the first and of the last frame.
    pub time: (f64, f64),
    /// Units of time; empty where there are none.
    pub time_units: String,
    /// What to call each frame, its date say; empty for "t = …" with the units.
    pub dates: Vec<String>,
    /// Coordinate of the rows, if the data set has one.
    pub y: Option<Coordinate>,
    /// Coordinate of the columns, if the data set has one.
    pub x: Option<Coordinate>,
}

/// Plots one trajectory: fields over time ([`trajectory_fields`]) and power spectra
/// ([`trajectory_spectra`]).
///
/// Writes `fields` and, where a channel has spectra, `spectra` with the given suffix (`"png"` or
/// `"svg"`) into `folder` and returns their paths; files of these names are replaced.
///
/// # Errors
/// As [`trajectory_fields`], and where a picture cannot be written.
pub fn plot_trajectory(
    values: &[f32],
    meta: &TrajectoryMeta,
    shown: usize,
    folder: &Path,
    suffix: &str,
) -> Result<Vec<PathBuf>> {
    let pages = [
        ("fields", Some(trajectory_fields(values, meta, shown)?)),
        ("spectra", trajectory_spectra(meta)?),
    ];
    let mut written = vec![];
    for (name, page) in pages {
        if let Some(page) = page {
            let path = folder.join(format!("{name}.{suffix}"));
            page.save(&path)?;
            written.push(path);
        }
    }
    Ok(written)
}

/// Fields over time: on a plane, `shown` frames of each channel, taken evenly, the first and the
/// last among them; on a line, a space-time diagram of each channel and some of the same frames as
/// curves.
///
/// `values` are row-major `[frame][channel][y][x]`.
///
/// # Errors
/// Where the number of values does not match the sizes, or `shown` is zero.
pub fn trajectory_fields<'a>(
    values: &'a [f32],
    meta: &TrajectoryMeta,
    shown: usize,
) -> Result<Figure<'a>> {
    let frames = frames(values, meta)?;
    if shown == 0 {
        bail!("cannot plot 0 frames: ask for at least one");
    }
    let figure = Figure::new().title(&meta.title);
    if meta.ny > 1 {
        let channels = 0..meta.channels.len();
        let shown = evenly(frames, shown);
        channels
            .map(|c| plane(values, meta, c, frames, &shown))
            .try_fold(figure, |f, g| Ok(f.push(g?)))
    } else {
        let shown = evenly(frames, shown.min(PROFILES));
        (0..meta.channels.len()).try_fold(figure, |figure, c| {
            let history = channel(values, meta, c);
            let curves = profiles(&history, meta, c, frames, &shown)?;
            Ok(figure.push(diagram(history, meta, c, frames)?).push(curves))
        })
    }
}

/// The channels' power spectra beside each other; none where no channel has any.
///
/// # Errors
/// Where the lengths of a spectrum's columns differ.
pub fn trajectory_spectra(meta: &TrajectoryMeta) -> Result<Option<Figure<'static>>> {
    let channels: Vec<_> = meta.channels.iter().filter(|c| !c.spectra.is_empty()).collect();
    let plot = |c: &&ChannelMeta| spectra(&c.name, &c.spectra, &squared(&c.units));
    let plots = channels.iter().map(plot).collect::<Result<Vec<_>>>()?;
    let figure = Figure::new().title(&meta.title);
    // Two to a row keep the labels of many channels readable.
    let pages = plots.chunks(2).fold(figure, |figure, row| figure.push(row.to_vec()));
    Ok((!plots.is_empty()).then_some(pages))
}

/// Number of frames in `values`.
fn frames(values: &[f32], meta: &TrajectoryMeta) -> Result<usize> {
    let size = meta.channels.len() * meta.ny * meta.nx;
    if size == 0 || values.is_empty() || !values.len().is_multiple_of(size) {
        bail!(
            "cannot plot a trajectory of {} values: a frame of {} channels on {} × {} points has \
             {size}",
            values.len(),
            meta.channels.len(),
            meta.ny,
            meta.nx
        );
    }
    Ok(values.len() / size)
}

/// At most `shown` of `frames` indices, evenly spaced from the first to the last.
fn evenly(frames: usize, shown: usize) -> Vec<usize> {
    match shown.min(frames) {
        1 => vec![0],
        count => (0..count).map(|i| i * (frames - 1) / (count - 1)).collect(),
    }
}

/// Writes the time of a frame.
fn time_label(meta: &TrajectoryMeta, frame: usize, frames: usize) -> String {
    if let Some(date) = meta.dates.get(frame) {
        return date.clone();
    }
    let (first, last) = meta.time;
    let step = (last - first) / (frames.max(2) - 1) as f64;
    let decimals = (1.0 - step.abs().max(1e-9).log10()).floor().clamp(0.0, 4.0) as usize;
    let time = format!("{:.decimals$}", first + frame as f64 * step);
    let time =
        if time.contains('.') { time.trim_end_matches('0').trim_end_matches('.') } else { &time };
    let space = if meta.time_units.is_empty() { "" } else { " " };
    format!("t = {}{space}{}", time.replace('-', "−"), meta.time_units)
}

/// Frames of one channel on a plane.
fn plane<'a>(
    values: &'a [f32],
    meta: &TrajectoryMeta,
    channel: usize,
    frames: usize,
    shown: &[usize],
) -> Result<FieldGrid<'a>> {
    let size = meta.ny * meta.nx;
    let fields = shown.iter().map(|&frame| {
        let start = (frame * meta.channels.len() + channel) * size;
        let mut field = Field::new(&values[start..start + size], meta.ny, meta.nx)?
            .title(time_label(meta, frame, frames))
            .units(&meta.channels[channel].units);
        (field.y, field.x) = (meta.y.clone(), meta.x.clone());
        Ok(field)
    });
    let fields = fields.collect::<Result<Vec<_>>>()?;
    let columns = if 2 * meta.nx > 3 * meta.ny { WIDE_COLUMNS } else { COLUMNS };
    Ok(FieldGrid::wrapped(fields, columns).name(&meta.channels[channel].name))
}

/// All frames of one channel, row-major `[frame][x]`.
fn channel(values: &[f32], meta: &TrajectoryMeta, channel: usize) -> Vec<f32> {
    let frames = values.chunks_exact(meta.channels.len() * meta.nx);
    frames.flat_map(|f| &f[channel * meta.nx..(channel + 1) * meta.nx]).copied().collect()
}

fn coordinate(meta: &TrajectoryMeta) -> Coordinate {
    let default = || Coordinate::new("grid point", 0.0, (meta.nx - 1) as f64);
    meta.x.clone().unwrap_or_else(default)
}

fn diagram(
    history: Vec<f32>,
    meta: &TrajectoryMeta,
    channel: usize,
    frames: usize,
) -> Result<SpaceTime<'static>> {
    let time = Coordinate::new(bar_label("time", &meta.time_units), meta.time.0, meta.time.1);
    let ChannelMeta { name, units, .. } = &meta.channels[channel];
    let diagram = SpaceTime::new(history, frames, meta.nx, time, coordinate(meta))?;
    Ok(diagram.title(name).units(units))
}

/// Some frames of one channel on a line.
fn profiles(
    history: &[f32],
    meta: &TrajectoryMeta,
    channel: usize,
    frames: usize,
    shown: &[usize],
) -> Result<Plot> {
    let x = coordinate(meta);
    let step = if meta.nx > 1 { (x.last - x.first) / (meta.nx - 1) as f64 } else { 0.0 };
    let places: Vec<f64> = (0..meta.nx).map(|i| x.first + i as f64 * step).collect();
    let ChannelMeta { name, units, .. } = &meta.channels[channel];
    let plot = Plot::new(Axis::linear(&x.label), Axis::linear(bar_label(name, units)));
    shown.iter().zip(ladder(shown.len())).try_fold(
        plot.size(680.0, 200.0),
        |plot, (&frame, color)| {
            let values = &history[frame * meta.nx..(frame + 1) * meta.nx];
            let values = values.iter().map(|&v| f64::from(v)).collect();
            let series = Series::new(time_label(meta, frame, frames), places.clone(), values)?;
            Ok(plot.series(series.color(color)))
        },
    )
}

/// Units of power: the square of the units of a field.
fn squared(units: &str) -> String {
    match units {
        "" | "1" => String::new(),
        units if units.chars().all(char::is_alphanumeric) => format!("{units}²"),
        units => format!("({units})²"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(ny: usize, nx: usize, names: &[&str]) -> TrajectoryMeta {
        let channel = |name: &&str| ChannelMeta { name: name.to_string(), ..Default::default() };
        TrajectoryMeta {
            title: "Test".into(),
            ny,
            nx,
            channels: names.iter().map(channel).collect(),
            time: (0.0, 3.0),
            time_units: "h".into(),
            dates: vec![],
            y: None,
            x: None,
        }
    }

    #[test]
    fn frames_are_even_and_include_both_ends() {
        assert_eq!(evenly(101, 6), [0, 20, 40, 60, 80, 100]);
        assert_eq!(evenly(3, 6), [0, 1, 2]);
        assert_eq!(evenly(1, 6), [0]);
    }

    #[test]
    fn channels_are_taken_apart() {
        let values: Vec<f32> = (0..12).map(|i| i as f32).collect();
        // Two frames of two channels on three points.
        assert_eq!(channel(&values, &meta(1, 3, &["a", "b"]), 1), [3.0, 4.0, 5.0, 9.0, 10.0, 11.0]);
    }

    #[test]
    fn times_carry_their_units() {
        let meta = meta(1, 3, &["a"]);
        assert_eq!(time_label(&meta, 1, 4), "t = 1 h");
        assert_eq!(time_label(&meta, 1, 7), "t = 0.5 h");
        let dated = TrajectoryMeta { dates: vec!["1982-01-16".into()], ..meta };
        assert_eq!(time_label(&dated, 0, 4), "1982-01-16");
    }

    #[test]
    fn wrong_sizes_are_named() {
        let error = trajectory_fields(&[0.0; 7], &meta(2, 2, &["a"]), 3).unwrap_err().to_string();
        assert!(error.contains("7 values") && error.contains("2 × 2"), "{error}");
        let error = trajectory_fields(&[0.0; 8], &meta(2, 2, &["a"]), 0).unwrap_err().to_string();
        assert!(error.contains("at least one"), "{error}");
    }

    #[test]
    fn powers_have_squared_units() {
        assert_eq!(squared("K"), "K²");
        assert_eq!(squared("m s⁻¹"), "(m s⁻¹)²");
        assert_eq!(squared(""), "");
    }
}
