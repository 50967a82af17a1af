//! Import of real fields: NetCDF, Zarr and NumPy files become data sets.
//!
//! file → [`source`] → plan (variables, roles of dimensions, axes, steps) → stream (read, fill,
//! regrid) → [`Writer`]. Data larger than memory stream through in blocks of frames.

mod axes;
mod cf;
mod fields;
mod fill;
mod length;
mod missing;
mod plan;
mod read;
mod regrid;
pub mod source;
mod stream;
mod time;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

pub use fill::Fill;
pub use read::{Read, read};
pub use time::TimeOptions;

use finescale::{Axis, Boundary};

use crate::dataset::{
    Channel, Climatology, Manifest, Spec, Split, SplitRule, Splits, Statistics, Writer,
    check_points, most_points,
};
use plan::Plan;
use source::Source;
use stream::FrameStream;

/// How frames are shared out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SplitOptions {
    /// `auto`, `trajectory`, `time` or `none`.
    pub by: String,
    /// Share that validates.
    pub valid: f64,
    /// Share that tests.
    pub test: f64,
    /// Frames left out between blocks of time.
    pub gap: usize,
    /// Blocks of time begin at multiples of so many frames; by default whole years of monthly data.
    pub block: Option<usize>,
}

/// What to import, and how.
#[derive(Clone, Debug, Serialize)]
pub struct Options {
    /// File or Zarr folder.
    pub input: PathBuf,
    /// Data set to make.
    #[serde(skip)]
    pub output: PathBuf,
    /// Replace the data set there.
    #[serde(skip)]
    pub force: bool,
    /// Variables that become channels; none for all fields over time.
    pub variables: Vec<String>,
    /// Names of the dimensions of NumPy arrays.
    pub axes: Option<Vec<String>>,
    /// Points of a frame, y before x, of a file of f32 without a header.
    pub raw: Option<Vec<usize>>,
    /// Whether a value that is exactly that of the step before counts as missing.
    pub drop_repeats: bool,
    /// Dimension that is time.
    pub time_axis: Option<String>,
    /// Dimension that counts trajectories.
    pub trajectory_axis: Option<String>,
    /// Which steps.
    pub time: TimeOptions,
    /// `south:north,west:east`.
    pub area: Option<String>,
    /// `dimension=a:b` or `dimension=index`.
    pub isel: Vec<String>,
    /// `dimension=value`.
    pub sel: Vec<String>,
    /// Points of the new grid, y before x; by default those of the file.
    pub grid: Option<Vec<usize>>,
    /// Boundaries, y before x; none to look at the coordinates.
    pub boundary: Vec<Boundary>,
    /// Lengths of the axes, y before x; none to take them from the coordinates.
    pub length: Vec<f64>,
    /// Which climatology of the training part to subtract.
    pub anomaly: Option<Anomaly>,
    /// Ways to fill missing values, one after the other.
    pub fill: Vec<Fill>,
    /// How frames are shared out.
    pub split: SplitOptions,
}

/// A climatology with a value for every calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anomaly {
    /// The means of the calendar months.
    Monthly,
    /// The mean and two harmonics of the year: five numbers instead of twelve, which a few years
    /// tell better.
    AnnualCycle,
}

impl Options {
    fn open(&self) -> Result<Box<dyn Source>> {
        match &self.raw {
            Some(points) => source::open_raw(&self.input, points),
            None => source::open(&self.input, self.axes.as_deref()),
        }
    }

    /// The fields of a file as they are, on its own grid.
    pub fn of(input: &Path) -> Self {
        Self {
            input: input.to_owned(),
            output: PathBuf::new(),
            force: false,
            variables: Vec::new(),
            axes: None,
            raw: None,
            drop_repeats: false,
            time_axis: None,
            trajectory_axis: None,
            time: TimeOptions::default(),
            area: None,
            isel: Vec::new(),
            sel: Vec::new(),
            grid: None,
            boundary: Vec::new(),
            length: Vec::new(),
            anomaly: None,
            fill: Vec::new(),
            split: SplitOptions { by: "none".into(), valid: 0.1, test: 0.1, gap: 0, block: None },
        }
    }
}

/// What was imported.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The data set.
    pub spec: Spec,
    /// Rows and columns of the file that were taken.
    pub source_grid: (usize, usize),
    /// The part of every frame.
    pub splits: Splits,
    /// Statistics of the training part.
    pub statistics: Statistics,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Imports a file.
///
/// # Errors
/// One sentence that says what is wrong with file or options; nothing is left behind.
pub fn run(options: &Options) -> Result<Summary> {
    let source = options.open()?;
    let plan = Plan::new(source.as_ref(), options)
        .with_context(|| format!("{} cannot be imported", options.input.display()))?;
    let shape = match &options.grid {
        Some(points) => grid(&plan, points)?,
        None => own_grid(&plan)?,
    };
    let (stream, mut y, mut x) = FrameStream::new(&plan, options, shape)?;
    let no_common_unit = length::set(y.as_mut(), &mut x, &options.length)?;
    let spec = spec(options, &plan, y, x);
    spec.validate()?;
    let mut splits = rule(options, &plan)?.apply(spec.trajectories, spec.frames())?;
    splits.exclude(plan.steps.dropped.iter().copied());

    // Refuses a taken path before any work is done.
    let mut parameters = serde_json::to_value(options)?;
    parameters["length"] = spec.axes().map(|axis| axis.length).collect();
    let mut manifest = Manifest::new(parameters);
    let climatology = match options.anomaly {
        Some(kind) => {
            drop(Writer::create(&options.output, &spec, options.force)?);
            Some(climatology(kind, &plan, &stream, &spec, &splits)?)
        }
        None => None,
    };
    let writer =
        Writer::create_anomalies(&options.output, &spec, climatology.clone(), options.force)?;
    for member in 0..spec.trajectories {
        stream.blocks(member, writer.block(), |block, mut values| {
            if let (Some(climatology), Some(months)) = (&climatology, &plan.steps.months) {
                let months = &months[block * writer.block()..];
                for (frame, &month) in values.chunks_exact_mut(spec.frame_len()).zip(months) {
                    frame.iter_mut().zip(climatology.month(month)).for_each(|(v, mean)| *v -= mean);
                }
            }
            writer.write_block(member, block, &values)
        })?;
    }
    manifest.source = Some(source::identify(&options.input)?);
    let statistics = writer.finish(&splits, &manifest)?;
    let mut notes = notes(&plan, &stream, &splits);
    notes.extend(no_common_unit);
    let source_grid = (plan.fields.y.len(), plan.fields.x.len());
    Ok(Summary { spec, source_grid, splits, statistics, notes })
}

/// Points of the file along its axes, y before x.
fn points(plan: &Plan<'_>) -> Vec<usize> {
    let y = plan.y.as_ref().map(|_| plan.fields.y.len());
    y.into_iter().chain([plan.fields.x.len()]).collect()
}

/// The grid of the file.
///
/// # Errors
/// If it has no transforms; names the nearest that has.
fn own_grid(plan: &Plan<'_>) -> Result<(usize, usize)> {
    let points = points(plan);
    let most = most_points(plan.y.is_some());
    let shown =
        |points: &[usize]| points.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    let nearest: Vec<usize> = points.iter().map(|n| Axis::nearest_points(*n, most)).collect();
    ensure!(
        nearest == points,
        "a grid of {} points has no transform: give --grid {}, the nearest that has one",
        shown(&points),
        shown(&nearest)
    );
    grid(plan, &points)
}

/// The finest grid that has transforms and is nowhere finer than the file.
///
/// # Errors
/// As [`grid`].
fn grid_within(plan: &Plan<'_>) -> Result<(usize, usize)> {
    let most = most_points(plan.y.is_some());
    let within = points(plan).into_iter().map(|n| Axis::nearest_points(n, n.min(most)));
    grid(plan, &within.collect::<Vec<_>>())
}

/// Points of the new grid, (1, nx) on a line.
fn grid(plan: &Plan<'_>, points: &[usize]) -> Result<(usize, usize)> {
    let plane = plan.y.is_some();
    let (ny, nx) = match (points, plane) {
        (&[nx], false) => (1, nx),
        (&[ny, nx], true) => (ny, nx),
        (list, _) => bail!(
            "--grid names {} axes where the field has {}: write 64x128 for a plane, 128 for a line",
            list.len(),
            if plane { 2 } else { 1 }
        ),
    };
    if let Some(y) = &plan.y {
        check_points(&y.name, ny, true)?;
    }
    check_points(&plan.x.name, nx, plane)?;
    Ok((ny, nx))
}

fn spec(
    options: &Options,
    plan: &Plan<'_>,
    y: Option<crate::dataset::SpatialAxis>,
    x: crate::dataset::SpatialAxis,
) -> Spec {
    let variables = || plan.fields.channels.iter().map(|(variable, ..)| variable);
    let channels: Vec<Channel> = variables()
        .map(|variable| {
            let text = |name: &str| variable.text(name).filter(|t| !t.is_empty());
            // Groups tell variables of one name apart.
            let alone = variables().filter(|v| v.leaf() == variable.leaf()).count() == 1;
            let name = if alone { variable.leaf() } else { variable.name.as_str() };
            let long_name = text("long_name").unwrap_or(name);
            let anomaly = match options.anomaly {
                None => "",
                Some(Anomaly::Monthly) => ", anomaly from the monthly mean",
                Some(Anomaly::AnnualCycle) => ", anomaly from the annual cycle",
            };
            Channel {
                name: name.replace('/', "_"),
                units: text("units").unwrap_or("1").into(),
                long_name: format!("{long_name}{anomaly}"),
                standard_name: text("standard_name").map(str::to_owned),
            }
        })
        .collect();
    let names: Vec<&str> = channels.iter().map(|c| c.name.as_str()).collect();
    let file = options.input.file_name().unwrap_or(Path::new("a folder").as_os_str());
    Spec {
        title: format!("{} from {}", names.join(", "), file.to_string_lossy()),
        channels,
        trajectories: plan.members,
        time: plan.steps.axis.clone(),
        y,
        x,
    }
}

fn rule(options: &Options, plan: &Plan<'_>) -> Result<SplitRule> {
    let split = &options.split;
    let by = match split.by.as_str() {
        "auto" if plan.members >= 3 => "trajectory",
        "auto" => "time",
        by => by,
    };
    Ok(match by {
        "trajectory" => {
            ensure!(
                split.valid > 0.0 && split.test > 0.0 && split.valid + split.test < 1.0,
                "--valid {} and --test {} leave nothing to train on",
                split.valid,
                split.test
            );
            let count = |share: f64| (share * plan.members as f64).round().max(1.0) as usize;
            SplitRule::Trajectory { valid: count(split.valid), test: count(split.test) }
        }
        "time" => SplitRule::Time {
            valid: split.valid,
            test: split.test,
            gap: split.gap,
            // Whole years cost too much of a short series.
            block: split.block.unwrap_or_else(|| {
                let year = plan.steps.year;
                if plan.steps.indices.len() >= 10 * year { year } else { 1 }
            }),
        },
        "none" => SplitRule::None,
        other => bail!("--split {other} is none of auto, trajectory, time, none"),
    })
}

/// A climatology of the training part, on the new grid.
fn climatology(
    kind: Anomaly,
    plan: &Plan<'_>,
    stream: &FrameStream<'_>,
    spec: &Spec,
    splits: &Splits,
) -> Result<Climatology> {
    let months = plan.steps.months.as_ref().context(
        "--anomaly needs dates, and the times of the file have none: give them with --time-units, \
         as in --time-units 'days since 1990-01-01'",
    )?;
    let len = spec.frame_len();
    let (mut sums, mut counts) = (vec![0.0_f64; 12 * len], [0_u32; 12]);
    const BLOCK: usize = 64;
    for member in 0..spec.trajectories {
        stream.blocks(member, BLOCK, |block, values| {
            for (n, frame) in values.chunks_exact(len).enumerate() {
                let n = block * BLOCK + n;
                if splits.of(member, n) == Some(Split::Train) {
                    let month = usize::from(months[n] - 1);
                    counts[month] += 1;
                    let sum = &mut sums[month * len..][..len];
                    sum.iter_mut().zip(frame).for_each(|(sum, &v)| *sum += f64::from(v));
                }
            }
            Ok(())
        })?;
    }
    for &month in months {
        ensure!(
            counts[usize::from(month - 1)] > 0,
            "no month {month} is in the training part: --anomaly needs at least a year of it"
        );
    }
    // Months that no frame falls into (seasonal data) keep a mean of zero, which nothing reads.
    let mean = |(n, sum): (usize, &f64)| (sum / f64::from(counts[n / len].max(1))) as f32;
    let mut climatology = Climatology { values: sums.iter().enumerate().map(mean).collect() };
    if kind == Anomaly::AnnualCycle {
        climatology.smooth(&counts)?;
    }
    Ok(climatology)
}

fn notes(plan: &Plan<'_>, stream: &FrameStream<'_>, splits: &Splits) -> Vec<String> {
    let mut notes = Vec::new();
    for name in stream.uneven() {
        notes.push(format!(
            "`{name}` is not evenly spaced: fields were interpolated linearly to even spacing first"
        ));
    }
    let index = |axis: &axes::SourceAxis| axis.attributes["units"] == "1";
    for axis in plan.y.iter().chain([&plan.x]).filter(|axis| index(axis)) {
        notes.push(format!(
            "`{}` has no coordinate with units: its numbers are taken as they are",
            axis.name
        ));
    }
    if plan.steps.year_zero {
        notes.push(
            "the times lie in the year 0, which their calendar does not have: it was set to \
                    all_leap"
                .into(),
        );
    }
    if !plan.steps.dropped.is_empty() {
        notes.push(format!(
            "{} left out step(s) hold values interpolated in time and belong to no part",
            plan.steps.dropped.len()
        ));
    }
    if splits.count(Split::Test) == 0 {
        notes.push("nothing is split off for validation and testing".into());
    }
    notes
}
