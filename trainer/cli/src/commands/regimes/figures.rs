//! Pictures of regimes: spectra against noise, a diagram in λ and wavenumber, curves of clones.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use finescale_plot::{
    Axis, Color, Dash, Figure, PALETTE, Plot, Series, Spectrum, ladder, spectra as plotted,
};
use finescale_regimes::clones::TwoClusters;
use finescale_regimes::experiment::Experiment;
use finescale_regimes::shells::{Emerging, Shell};

use super::found::Regimes;

/// Draws everything into a folder and returns the files.
pub(super) fn save(
    regimes: &Regimes,
    folder: &Path,
    clones: usize,
    seed: u64,
) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder)
        .with_context(|| format!("--figures {} cannot be made", folder.display()))?;
    let figures = [
        ("spectra", spectra(regimes)?),
        ("regimes", diagram(regimes)?),
        ("clones", curves(regimes, clones, seed)?),
        ("gaussian-clones", shared(regimes, clones, seed)?),
    ];
    let mut files = Vec::new();
    for (name, figure) in figures {
        let path = folder.join(format!("{name}.png"));
        figure.save(&path)?;
        files.push(path);
    }
    Ok(files)
}

/// λ of the ladders.
const LADDER: [f64; 5] = [0.001, 0.01, 0.05, 0.2, 1.0];

/// What is left of each channel, and its noise, at some λ.
fn spectra(regimes: &Regimes) -> Result<Figure<'static>> {
    let process = regimes.process;
    let k: Vec<f64> = regimes.shells.iter().map(|(shell, _)| shell.wavenumber).collect();
    let mut plots = Vec::new();
    for (channel, name) in regimes.channels.iter().enumerate() {
        let power = |lambda: f64| -> Vec<f64> {
            let signal = |(shell, _): &(Shell, Vec<Emerging>)| {
                shell.covariance[(channel, channel)] * process.damping(shell.kappa, lambda).powi(2)
            };
            regimes.shells.iter().map(signal).collect()
        };
        let mut lines = vec![Spectrum::new("data", k.clone(), power(0.0))];
        let mut noises = Vec::new();
        for (lambda, color) in LADDER.into_iter().zip(ladder(LADDER.len())) {
            let mut line = Spectrum::new(format!("left at λ = {lambda}"), k.clone(), power(lambda));
            line.color = Some(color);
            lines.push(line);
            let shells = regimes.shells.iter().map(|(shell, _)| shell);
            // The mean has no place on a logarithmic axis.
            let noise = shells.filter(|shell| shell.wavenumber > 0.0);
            let noise = noise.map(|s| (s.wavenumber, process.noise_variance(s.kappa, lambda)));
            let (k, noise) = noise.unzip();
            noises.push(Series::new("", k, noise)?.color(color).dash(Dash::Dotted));
        }
        let title = format!("{name}: what is left, and the noise (dotted)");
        let plot = plotted(&title, &lines, "of a standardised mode")?;
        plots.push(noises.into_iter().fold(plot, Plot::series).size(520.0, 330.0));
    }
    Ok(Figure::new().title(format!("{}: spectra against noise", regimes.name)).push(plots))
}

/// Where each combination is decided: above its line by the start, below it by the data.
fn diagram(regimes: &Regimes) -> Result<Figure<'static>> {
    let most = regimes.shells.iter().map(|(_, emerging)| emerging.len()).max().unwrap_or(0);
    let x = Axis::log("wavenumber");
    let mut plot = Plot::new(x, Axis::log("λ")).title("λ_S of each combination of channels");
    for n in 0..most {
        let points = regimes.shells.iter().filter(|(shell, _)| shell.wavenumber > 0.0);
        let points = points
            .filter_map(|(shell, emerging)| Some((shell.wavenumber, emerging.get(n)?.lambda)));
        let (k, lambda) = points.unzip();
        let label = match (most, n) {
            (1, _) => "decided".to_owned(),
            (_, 0) => "decided first".to_owned(),
            (_, n) if n + 1 == most => "decided last".to_owned(),
            (_, n) => format!("decided as number {}", n + 1),
        };
        plot = plot.series(Series::new(label, k, lambda)?);
    }
    plot = plot.level(1.0, "λ = 1, where sampling can start");
    if let Some(memory) = regimes.memory.as_ref().filter(|memory| memory.bound < 1.0) {
        plot = plot.level(memory.bound, "a perfect score replays below");
    }
    let title = format!("{}: when modes are decided", regimes.name);
    Ok(Figure::new().title(title).push(plot.size(560.0, 340.0)))
}

/// Part of a mode's variance that lies within the clusters, so that the score stays finite.
const WITHIN: f64 = 1.0 / 16.0;

/// Some shells in which something emerges, each with a colour.
fn chosen(regimes: &Regimes) -> impl Iterator<Item = (&(Shell, Vec<Emerging>), Color)> {
    let heard =
        |(shell, found): &&(Shell, Vec<Emerging>)| shell.wavenumber > 0.0 && !found.is_empty();
    let all: Vec<_> = regimes.shells.iter().filter(heard).collect();
    [1, 2, 4, 8, 16, 32].into_iter().filter_map(move |n| all.get(n - 1).copied()).zip(PALETTE)
}

/// λ around one that was given, in n steps over three decades.
fn around(lambda: f64, n: i32) -> impl Iterator<Item = f64> {
    (0..=n).map(move |i| lambda * 10_f64.powf(f64::from(2 * i - n) / f64::from(n) * 1.5))
}

/// A shell's curve, named by its wavenumber.
fn line(shell: &Shell, points: impl Iterator<Item = (f64, f64)>) -> Result<Series> {
    let (lambda, values) = points.unzip();
    Series::new(format!("k = {}", (shell.wavenumber * 1e2).round() / 1e2), lambda, values)
}

/// Clones of two clusters with the variances of some modes: theory, and simulated points.
fn curves(regimes: &Regimes, clones: usize, seed: u64) -> Result<Figure<'static>> {
    let mut plot = Plot::new(
        Axis::log("λ where clones part"),
        Axis::linear("φ, clones in one cluster").range(0.45, 1.02),
    )
    .title("lines: exact; points: simulated with the exact score");
    for ((shell, emerging), color) in chosen(regimes) {
        let one = &emerging[0];
        let clusters = TwoClusters {
            separation2: (1.0 - WITHIN) * one.power,
            variance: WITHIN * one.power,
            process: regimes.process,
            kappa: one.kappa,
        };
        let exact = around(one.lambda, 60).map(|at| (at, clusters.same_cluster(at)));
        plot = plot.series(line(shell, exact)?.color(color));
        for at in around(one.lambda, 8) {
            finescale_host::interrupt::check()?;
            let experiment = Experiment { repeats: clones, step: at.min(one.lambda) / 60.0, seed };
            let phi = experiment.two_clusters(&clusters, at, at);
            // A point alone is a dot.
            plot = plot.series(Series::new("", vec![at], vec![phi])?.color(color));
        }
    }
    let plot = plot.level(0.775, "φ = 0.775").size(560.0, 340.0);
    let title = format!("{}: clones of two clusters of a mode's variance", regimes.name);
    Ok(Figure::new().title(title).push(plot))
}

/// Clones of Gaussian data with the channels' covariance in some shells: theory, and simulated
/// points.
fn shared(regimes: &Regimes, clones: usize, seed: u64) -> Result<Figure<'static>> {
    let (process, c) = (regimes.process, regimes.options.coupling);
    let mut plot = Plot::new(
        Axis::log("λ where clones part"),
        Axis::linear("part of the variance that clones share").range(-0.08, 1.08),
    )
    .title("lines: exact; points: simulated with the exact score");
    for ((shell, emerging), color) in chosen(regimes) {
        let (data, coupled) = (&shell.covariance, shell.process(process, c));
        let (centre, all) = (emerging[0].lambda, data.trace());
        let known = |at| Some((at, coupled.moment(at).known(data)?.trace() / all));
        plot = plot.series(line(shell, around(centre, 60).filter_map(known))?.color(color));
        for at in around(centre, 8) {
            finescale_host::interrupt::check()?;
            let experiment = Experiment { repeats: clones, step: at.min(centre) / 60.0, seed };
            let found = experiment.gaussian(&coupled, data, at);
            plot = plot.series(Series::new("", vec![at], vec![found.trace() / all])?.color(color));
        }
    }
    let title = format!("{}: clones of Gaussian data", regimes.name);
    Ok(Figure::new().title(title).push(plot.size(560.0, 340.0)))
}
