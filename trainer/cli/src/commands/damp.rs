//! `finescale damp`: the forward process on one frame of a data set, through the runtime that
//! boards run.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use finescale::{ForwardProcess, Grid, Modes, NoiseStream, layout};

use super::data_plot::{coordinate, unit};
use super::process::ProcessArgs;
use finescale_data::dataset::{Reader, Spec};
use finescale_field::noise::Purpose;
use finescale_field::scale::Scale;
use finescale_field::shells::Shells;
use finescale_plot::{
    self, Field, FieldGrid, Figure, Plot, Series, Spectrum, field_strip, ladder, spectra,
};

/// Damp and noise a field over a ladder of scales λ, and draw it with its power spectra.
#[derive(Debug, Args)]
pub struct DampArgs {
    /// The data set.
    path: PathBuf,
    /// Picture to write, .png or .svg.
    #[arg(short, long, default_value = "damp.png")]
    out: PathBuf,
    /// Channel to show; by default the first.
    #[arg(long)]
    channel: Option<String>,
    /// Trajectory to take the frame from.
    #[arg(long, default_value_t = 0)]
    trajectory: usize,
    /// Frame; by default the last.
    #[arg(long)]
    frame: Option<usize>,
    /// Scales to show.
    #[arg(long, value_delimiter = ',', value_name = "λ,…", default_values_t = [0.0, 0.003, 0.01, 0.03, 0.1, 0.3])]
    lambda: Vec<f32>,
    #[command(flatten)]
    process: ProcessArgs,
    /// Seed of the noise.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// A field at one λ, in the channel's units, and the power of its modes per shell (standardised).
struct Rung {
    lambda: f32,
    field: Vec<f32>,
    power: Vec<f64>,
}

impl DampArgs {
    /// Runs the command.
    ///
    /// # Errors
    /// One sentence.
    pub fn run(self) -> Result<()> {
        let reader = Reader::open(&self.path)?;
        let spec = reader.spec();
        let names = || spec.channels.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
        let channel = match &self.channel {
            None => 0,
            Some(name) => {
                spec.channels.iter().position(|c| c.name == *name).with_context(|| {
                    format!("--channel {name} is not there; the data set has {}", names())
                })?
            }
        };
        ensure!(
            self.trajectory < spec.trajectories,
            "--trajectory is {}: the data set has trajectories 0 to {}",
            self.trajectory,
            spec.trajectories - 1
        );
        let frame = self.frame.unwrap_or(spec.frames() - 1);
        ensure!(
            frame < spec.frames(),
            "--frame is {frame}: the data set has frames 0 to {}",
            spec.frames() - 1
        );
        ensure!(!self.lambda.is_empty(), "--lambda is empty: give at least one scale");
        let process = self.process.process()?;
        let grid = spec.grid()?;

        let statistics = &reader.statistics().channels[channel];
        let scale = Scale::from_iter([(statistics.mean as f32, statistics.std as f32)]);
        let values = reader.read(self.trajectory, frame..frame + 1)?;
        let mut spectrum = values[channel * spec.points()..][..spec.points()].to_vec();
        scale.spectra(&grid, layout::Field::from_mut(&mut spectrum))?;

        let ladder_of = |noise: Option<&NoiseStream>| -> Result<Vec<Rung>> {
            let rungs = self.lambda.iter();
            rungs.map(|&l| rung(&grid, &process, &spectrum, l, noise, &scale)).collect()
        };
        let damped = ladder_of(None)?;
        let noised = ladder_of(Some(&Purpose::Damp.stream(self.seed, 0, 0, 0)))?;
        self.draw(spec, channel, frame, &process, &damped, &noised)?;
        println!("{}", self.out.display());
        Ok(())
    }

    fn draw(
        &self,
        spec: &Spec,
        channel: usize,
        frame: usize,
        process: &ForwardProcess,
        damped: &[Rung],
        noised: &[Rung],
    ) -> Result<()> {
        let about = &spec.channels[channel];
        let title = format!(
            "{}, frame {frame}: α = {}, β² = {}",
            about.long_name,
            process.alpha(),
            process.beta2()
        );
        let shells = Shells::new(&spec.grid()?);
        let mut rows = FieldGrid::new();
        let (mut profiles, mut plots) = (Vec::new(), Vec::new());
        for (name, rungs) in [("damped", damped), ("+ noise", noised)] {
            let colors = ladder(rungs.len());
            if spec.y.is_some() {
                let fields = rungs.iter().map(|r| panel(spec, r, &about.units));
                rows = rows.push(name, fields.collect::<Result<_>>()?);
            } else {
                profiles.push(profile(spec, name, rungs, &about.units)?);
            }
            let lines: Vec<Spectrum> = rungs
                .iter()
                .zip(colors)
                .map(|(rung, color)| {
                    // Damping leaves nothing of high modes in f32: their lines end there.
                    let heard = rung.power.iter().enumerate().filter(|(_, p)| **p > 0.0);
                    let (k, power) = heard.map(|(b, p)| (shells.wavenumber(b), *p)).unzip();
                    let mut line = Spectrum::new(format!("λ = {}", rung.lambda), k, power);
                    line.color = Some(color);
                    line
                })
                .collect();
            plots.push(spectra(
                &format!("power per mode: {name}"),
                &lines,
                "of the standardised field",
            )?);
        }
        if profiles.is_empty() {
            field_strip(&title, rows, plots).save(&self.out)
        } else {
            Figure::new().title(&title).push(profiles).push(plots).save(&self.out)
        }
    }
}

fn rung(
    grid: &Grid,
    process: &ForwardProcess,
    spectrum: &[f32],
    lambda: f32,
    noise: Option<&NoiseStream>,
    scale: &Scale<f32>,
) -> Result<Rung> {
    let mut field = spectrum.to_vec();
    let modes = Modes::from_mut(&mut field);
    match noise {
        Some(stream) => process.apply_stream(grid, lambda, modes, stream)?,
        None => process.damp(grid, lambda, modes)?,
    }
    // In single precision, which is what boards have left of a mode.
    let squares: Vec<f64> = modes.iter().map(|u| f64::from(u * u)).collect();
    let power = Shells::new(grid).mean(&squares);
    scale.fields(grid, modes)?;
    Ok(Rung { lambda, field, power })
}

/// Fields on a line, one curve for each λ.
fn profile(spec: &Spec, name: &str, rungs: &[Rung], units: &str) -> Result<Plot> {
    let axes = (
        finescale_plot::Axis::linear(coordinate(&spec.x).label),
        finescale_plot::Axis::linear(unit(units)),
    );
    let plot = Plot::new(axes.0, axes.1).title(name);
    rungs.iter().zip(ladder(rungs.len())).try_fold(plot, |plot, (rung, color)| {
        let values = rung.field.iter().map(|v| f64::from(*v)).collect();
        let label = format!("λ = {}", rung.lambda);
        let series = Series::new(label, spec.x.coordinates.clone(), values)?;
        Ok(plot.series(series.color(color)))
    })
}

fn panel<'a>(spec: &Spec, rung: &'a Rung, units: &str) -> Result<Field<'a>> {
    let field = Field::new(&rung.field, spec.ny(), spec.nx())?
        .title(format!("λ = {}", rung.lambda))
        .units(unit(units));
    Ok(match &spec.y {
        Some(y) => field.coordinates(coordinate(y), coordinate(&spec.x)),
        None => field,
    })
}
