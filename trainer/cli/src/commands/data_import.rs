//! `finescale data import`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use finescale::Boundary;

use finescale_data::dataset::Split;
use finescale_data::import::{self, Anomaly, Fill, Options, SplitOptions, Summary, TimeOptions};

/// Import NetCDF, Zarr, .npy or .npz fields as a data set.
#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// NetCDF file (classic or NetCDF-4), Zarr group (version 2 or 3), .npy or .npz file.
    file: PathBuf,
    /// Data set to make; by default the file's name with .zarr in the current folder.
    #[arg(short, long)]
    out: Option<PathBuf>,
    /// Replace the data set at --out.
    #[arg(long)]
    force: bool,
    /// Variables that become channels, in groups as forecast/u; by default all that are fields over
    /// time.
    #[arg(long = "var", value_name = "NAME,…", value_delimiter = ',')]
    variables: Vec<String>,
    /// Names of the dimensions of .npy and .npz arrays, slowest first, such as trajectory,time,y,x.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    axes: Option<Vec<String>>,
    /// The file is float32 in little-endian order without a header, frames of so many points, rows
    /// x columns (or points of a line), such as 24x32.
    #[arg(long, value_name = "YxX", value_parser = parse_grid, conflicts_with = "axes")]
    raw: Option<Grid>,
    /// Take a value that is exactly that of the step before as missing: for sensors that renew a
    /// part of their pixels in each record. Needs --fill interpolate.
    #[arg(long)]
    drop_repeats: bool,
    /// Dimension that is time, where the file does not say.
    #[arg(long, value_name = "NAME")]
    time_axis: Option<String>,
    /// Dimension whose entries are trajectories (members), where the file does not say.
    #[arg(long, value_name = "NAME")]
    trajectory_axis: Option<String>,
    /// Steps to take: indices (b excluded) or dates (both included), such as 0:120 or
    /// 1982-01:1990-12.
    #[arg(long, value_name = "A:B")]
    time: Option<String>,
    /// Broken steps to leave out, counted from 0 in the file.
    #[arg(long, value_name = "STEP,…", value_delimiter = ',')]
    drop_steps: Vec<usize>,
    /// Time between steps, for files without times.
    #[arg(long, value_name = "Δt")]
    interval: Option<f64>,
    /// Units of the times, where those of the file are missing or wrong: 'days since 1990-01-01'.
    #[arg(long)]
    time_units: Option<String>,
    /// Calendar, where that of the file is missing or wrong: standard, noleap, 360_day, …, or none
    /// for times without dates.
    #[arg(long)]
    calendar: Option<String>,
    /// Area by coordinates, south:north,west:east, such as 20:60,-140:-50.
    #[arg(long, allow_hyphen_values = true, value_name = "S:N,W:E")]
    area: Option<String>,
    /// Points by index: a range (b excluded) or one entry, such as y=10:74,level=3.
    #[arg(long, value_name = "NAME=…", value_delimiter = ',')]
    isel: Vec<String>,
    /// An entry of a dimension by its coordinate, such as level=500.
    #[arg(long, allow_hyphen_values = true, value_name = "NAME=VALUE", value_delimiter = ',')]
    sel: Vec<String>,
    /// Points of the new grid, rows x columns, such as 64x128 or 72x144 (128 on a line): even
    /// products of 2, 3 and 5. By default those of the file.
    #[arg(long, value_parser = parse_grid)]
    grid: Option<Grid>,
    /// What is beyond the ends, rows before columns, such as reflecting,periodic; by default a full
    /// circle of longitude is periodic and everything else reflecting.
    #[arg(long, value_parser = parse_boundary, value_delimiter = ',')]
    boundary: Vec<Boundary>,
    /// Lengths of the axes, rows before columns, such as 3.1416,6.2832: wavenumbers are radians per
    /// unit of them. By default 2π for the longer axis and in proportion for the other, if both
    /// have the same units.
    #[arg(long, value_name = "Y,X", value_delimiter = ',')]
    length: Vec<f64>,
    /// Subtract a climatology of the training part.
    #[arg(long, value_name = "CLIMATOLOGY")]
    anomaly: Option<Anomaly>,
    /// Fill missing values: nearest, zero, mean, interpolate (in time) or harmonic; more than one
    /// are tried in turn.
    #[arg(long, value_name = "METHOD,…", value_delimiter = ',')]
    fill: Vec<Fill>,
    /// Share out frames by trajectory, by blocks of time, or not at all; auto takes trajectories if
    /// there are three.
    #[arg(long, default_value = "auto", value_parser = ["auto", "trajectory", "time", "none"])]
    split: String,
    /// Share of the frames or trajectories for validation.
    #[arg(long, default_value_t = 0.1)]
    valid: f64,
    /// Share of the frames or trajectories for testing.
    #[arg(long, default_value_t = 0.1)]
    test: f64,
    /// Frames left out between blocks of time.
    #[arg(long, default_value_t = 5)]
    gap: usize,
    /// Blocks of time begin at multiples of so many frames; by default whole years of monthly data.
    #[arg(long)]
    block: Option<usize>,
}

/// Points per axis, rows before columns.
pub(super) type Grid = Vec<usize>;

/// `64x128` or `128`.
///
/// # Errors
/// If it is not of that form.
pub(super) fn parse_grid(text: &str) -> Result<Grid> {
    let numbers = text.split(['x', '×']).map(|n| n.trim().parse());
    numbers
        .collect::<Result<_, _>>()
        .with_context(|| format!("`{text}` is no grid: write 64x128 for a plane, 128 for a line"))
}

fn parse_boundary(text: &str) -> Result<Boundary> {
    [Boundary::Periodic, Boundary::Reflecting]
        .into_iter()
        .find(|b| b.name() == text)
        .with_context(|| format!("`{text}` is neither periodic nor reflecting"))
}

impl ImportArgs {
    fn options(self) -> Options {
        let output = self.out.unwrap_or_else(|| {
            let stem = self.file.file_stem().unwrap_or_default();
            PathBuf::from(stem).with_extension("zarr")
        });
        Options {
            input: self.file,
            output,
            force: self.force,
            variables: self.variables,
            axes: self.axes,
            raw: self.raw,
            drop_repeats: self.drop_repeats,
            time_axis: self.time_axis,
            trajectory_axis: self.trajectory_axis,
            time: TimeOptions {
                range: self.time,
                drop_steps: self.drop_steps,
                interval: self.interval,
                units: self.time_units,
                calendar: self.calendar,
            },
            area: self.area,
            isel: self.isel,
            sel: self.sel,
            grid: self.grid,
            boundary: self.boundary,
            length: self.length,
            anomaly: self.anomaly,
            fill: self.fill,
            split: SplitOptions {
                by: self.split,
                valid: self.valid,
                test: self.test,
                gap: self.gap,
                block: self.block,
            },
        }
    }

    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub(super) fn run(self) -> Result<()> {
        let options = self.options();
        let output = options.output.display().to_string();
        let summary = import::run(&options)?;
        print(&output, &summary);
        Ok(())
    }
}

fn print(output: &str, summary: &Summary) {
    let Summary { spec, source_grid: (rows, columns), splits, notes, .. } = summary;
    let units = spec.time.attributes.get("units").and_then(|u| u.as_str()).unwrap_or("1");
    let unit = units.split_whitespace().next().filter(|u| *u != "1");
    let unit = unit.map(|u| format!(" {u}")).unwrap_or_default();
    println!("{output}: {}", spec.title);
    println!(
        "  {} {} × {} frames, {}{unit} apart",
        spec.trajectories,
        if spec.trajectories == 1 { "trajectory" } else { "trajectories" },
        spec.frames(),
        (spec.time.interval * 1e6).round() / 1e6
    );
    let axes: Vec<String> = spec
        .axes()
        .map(|a| format!("{} {}, length {}", a.name, a.boundary.name(), a.length as f32))
        .collect();
    match &spec.y {
        Some(_) => print!("  grid {}×{} from {rows}×{columns}; ", spec.ny(), spec.nx()),
        None => print!("  grid {} from {columns}; ", spec.nx()),
    }
    println!("{}", axes.join("; "));
    let parts: Vec<String> =
        Split::ALL.iter().map(|&s| format!("{} {}", s.name(), splits.count(s))).collect();
    println!("  frames: {}", parts.join(", "));
    for note in notes {
        println!("  note: {note}");
    }
}
