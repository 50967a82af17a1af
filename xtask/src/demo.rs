//! `cargo xtask demo`: the main job on real data, with nothing but Rust.
//!
//! Coarse frames become fine ones with shipped models, through the runtime that boards run; the
//! models are checked against tract; scores, NetCDF files, pictures and a report are left in
//! `out/demo`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::{command, paths};

const OUT: &str = "out/demo";
/// Members of an ensemble.
const MEMBERS: &str = "8";

/// A data set that is made coarse and super-resolved.
struct Job {
    /// Name of its files.
    name: &'static str,
    /// What the report is called.
    title: &'static str,
    /// Folder in `models/`.
    model: &'static str,
    /// Where its fields come from.
    data: Data,
    /// Frames that are super-resolved.
    frames: &'static str,
}

/// Where the fields of a [`Job`] come from.
enum Data {
    /// A data set that these arguments make, but for `--out`.
    Made(Vec<String>),
    /// A file with the model's resolution.
    File(&'static str),
}

/// Super-resolves everything that can be had here; says where the results are.
pub(crate) fn run() -> Result<()> {
    let root = paths::root();
    let out = root.join(OUT);
    std::fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
    let finescale = build(&root)?;
    let began = Instant::now();
    let jobs = [flow(), temperature()];
    let mut left = Vec::new();
    for job in &jobs {
        println!("\n== {}", job.title);
        left.extend(job.run(&Program { path: &finescale, root: &root })?);
    }
    println!("\nin {:.0} seconds:", began.elapsed().as_secs_f64());
    for file in left {
        println!("  {}", out.join(file).display());
    }
    Ok(())
}

/// A flow that no model has seen: simulated here, from another seed.
fn flow() -> Job {
    let data = "data simulate kolmogorov --interval 0.2 --trajectories 6 --frames 24 --seed 2026";
    Job {
        name: "flow",
        title: "Kolmogorov flow, 8 × 8 to 32 × 32",
        model: "kolmogorov-32",
        data: Data::Made(data.split(' ').map(str::to_owned).collect()),
        frames: "24",
    }
}

/// Two days of real temperatures that no model has seen, shipped with the model: a conditional mean,
/// which holds the terrain.
fn temperature() -> Job {
    Job {
        name: "temperature",
        title: "Temperature over the British Isles (ERA5), 8 × 12 to 32 × 48",
        model: "era5-uk",
        data: Data::File("models/era5-uk/sample.nc"),
        frames: "48",
    }
}

impl Job {
    /// Data, check against tract, ensembles, report and pictures; gives the files that are left, in
    /// `out/demo`.
    fn run(&self, finescale: &Program<'_>) -> Result<Vec<String>> {
        let Self { name, title, model, frames, .. } = self;
        let model = &format!("models/{model}");
        let path = |suffix: &str| format!("{OUT}/{name}{suffix}");
        let (data_set, ours, linear) = (path(".zarr"), path(".nc"), path("-linear.nc"));
        let (report, plots, check) = (path(".html"), path("-plots"), path("-validate.png"));
        let judge = ["validate", model, "--picture", &check];
        let data = match &self.data {
            Data::Made(arguments) => {
                let made: Vec<&str> = arguments.iter().map(String::as_str).collect();
                finescale.run(&[&made[..], &["--force", "--out", &data_set]].concat())?;
                finescale.run(&[&judge[..], &["--data", &data_set]].concat())?;
                &data_set
            }
            Data::File(file) => {
                finescale.run(&judge)?;
                *file
            }
        };
        let coarse = ["super-resolve", data, "--model", model, "--coarsen", "4", "--force"];
        let coarse = [&coarse[..], &["--members", MEMBERS, "--frames", frames]].concat();
        finescale.run(&[&coarse[..], &["--out", &ours]].concat())?;
        finescale.run(&["score", &ours, "--plots", &plots])?;
        let report_to = ["--title", title, "--out", &report];
        let mut left = vec!["-validate.png", ".nc", "-plots", ".html"];
        if let Data::Made(_) = self.data {
            // A predictor is compared with its linear base, and with what its data's climate tells.
            finescale.run(&[&coarse[..], &["--linear", "--out", &linear]].concat())?;
            let known = ["--model", model, "--draws", MEMBERS];
            finescale.run(&[&["report", &ours, &linear][..], &known, &report_to].concat())?;
            left.push("-linear.nc");
        } else {
            finescale.run(&[&["report", &ours][..], &report_to].concat())?;
        }
        Ok(left.into_iter().map(|suffix| format!("{name}{suffix}")).collect())
    }
}

/// The program `finescale`.
struct Program<'a> {
    path: &'a Path,
    root: &'a Path,
}

impl Program<'_> {
    fn run(&self, arguments: &[&str]) -> Result<()> {
        command::run(Command::new(self.path).args(arguments).current_dir(self.root))
    }
}

/// Builds the program without what trains, and gives its path.
pub(crate) fn build(root: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--no-default-features", "--features", "onnx"]);
    cargo.args(["-p", "finescale-cli", "--bin", "finescale"]).current_dir(root);
    command::run(&mut cargo)?;
    Ok(paths::target().join("release/finescale"))
}
