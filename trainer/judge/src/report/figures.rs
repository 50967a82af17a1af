//! Pictures of results side by side. A method has the same colour in all of them.

use anyhow::Result;

use super::Scored;
use crate::score::spectrum::EnergySpectrum;
use crate::score::{ChannelScores, Truth};
use finescale_plot::{
    Axis, Bars, Color, Colors, Coordinate, Dash, Field, FieldGrid, Figure, PALETTE, Panel, Plot,
    Series,
};

/// The truth's colour; methods take the palette's others.
const TRUTH: Color = Color { r: 0x1a, g: 0x1a, b: 0x1a };
/// Orders of magnitude that maps of power show.
const DECADES: f64 = 5.0;

fn style(series: Series, method: usize) -> Series {
    // The palette's last colour is nearly the truth's.
    let colors = PALETTE.len() - 1;
    let dash = [Dash::Solid, Dash::Dashed, Dash::Dotted][(method / colors).min(2)];
    series.color(PALETTE[method % colors]).dash(dash)
}

fn units(scored: &[Scored], channel: usize) -> String {
    let units = &scored[0].result.spec.channels[channel].units;
    if units == "1" { String::new() } else { units.clone() }
}

fn column(scores: &Scored, channel: usize) -> &ChannelScores {
    &scores.scores.channels[channel]
}

/// A picture that stands beside fields of one frame, or of a whole path on a line (space to the
/// right, time upwards).
struct Panes {
    ny: usize,
    nx: usize,
    /// Frames that the panes show.
    frames: std::ops::Range<usize>,
}

impl Panes {
    fn new(scored: &Scored, frame: usize) -> Self {
        let spec = &scored.result.spec;
        let line = spec.y.is_none();
        let frames = if line { 0..spec.frames() } else { frame..frame + 1 };
        let ny = if line { spec.frames() } else { spec.ny() };
        Self { ny, nx: spec.nx(), frames }
    }

    /// Values `[y][x]`, or `[time][x]`, of a channel of frames.
    fn of<'a>(&self, channel: usize, frame: impl Fn(usize) -> &'a [f32]) -> Vec<f32> {
        let points = self.ny / self.frames.len() * self.nx;
        self.frames.clone().flat_map(|n| &frame(n)[channel * points..][..points]).copied().collect()
    }
}

/// Input, truth, and of every method two members, their mean and its error, of one channel and
/// trajectory. `frame`: which frame of a plane.
///
/// # Errors
/// If a picture cannot be laid out.
pub fn fields(
    scored: &[Scored],
    truth: Option<&Truth>,
    channel: usize,
    trajectory: usize,
    frame: usize,
) -> Result<Vec<Pane>> {
    let panes = Panes::new(&scored[0], frame);
    let pane = |title: &str, values: Vec<f32>| Pane {
        title: title.into(),
        ny: panes.ny,
        nx: panes.nx,
        row: String::new(),
        error: false,
        values,
    };
    let wrong = |title: &str, values: Vec<f32>| Pane { error: true, ..pane(title, values) };
    let mut out = Vec::new();
    let truth =
        truth.filter(|t| t.paired).map(|truth| panes.of(channel, |n| truth.frame(trajectory, n)));
    if let Some(input) = &scored[0].result.input {
        let spec = &input.spec;
        let coarse = |n: usize| {
            let place = trajectory * spec.frames() + n;
            &input.values[place * spec.frame_len()..][..spec.frame_len()]
        };
        let small = Panes {
            ny: if spec.y.is_none() { panes.ny } else { spec.ny() },
            nx: spec.nx(),
            frames: panes.frames.clone(),
        };
        let values = small.of(channel, coarse);
        let at = |y: usize, x: usize| {
            values[y * small.ny / panes.ny * small.nx + x * small.nx / panes.nx]
        };
        let values = (0..panes.ny).flat_map(|y| (0..panes.nx).map(move |x| (y, x)));
        out.push(pane("coarse input", values.map(|(y, x)| at(y, x)).collect()));
    }
    if let Some(truth) = &truth {
        out.push(pane("truth", truth.clone()));
    }
    // Ensembles have a row each; methods of one member share rows, their errors beneath.
    for method in scored.iter().filter(|method| method.result.members > 1) {
        let result = &method.result;
        let member = |m: usize| panes.of(channel, |n| result.frame(trajectory, n, m));
        let mut mean = vec![0.0; panes.ny * panes.nx];
        for m in 0..result.members {
            let share = result.members as f32;
            mean.iter_mut().zip(member(m)).for_each(|(mean, x)| *mean += x / share);
        }
        let mut row = vec![pane("member 1", member(0)), pane("member 2", member(1))];
        let error = truth.as_ref().map(|truth| difference(&mean, truth));
        row.push(pane("mean", mean));
        row.extend(error.map(|error| wrong("error of the mean", error)));
        row.iter_mut().for_each(|pane| pane.row = method.name.clone());
        out.extend(row);
    }
    // A constant field is no picture.
    let constant = |method: &Scored| {
        column(method, channel).spectrum.as_ref().is_some_and(EnergySpectrum::is_constant)
    };
    let singles: Vec<&Scored> =
        scored.iter().filter(|method| method.result.members == 1 && !constant(method)).collect();
    for (number, methods) in singles.chunks(4).enumerate() {
        let mut errors = Vec::new();
        for method in methods {
            let values = panes.of(channel, |n| method.result.frame(trajectory, n, 0));
            errors.extend(
                truth.as_ref().map(|truth| wrong(&method.name, difference(&values, truth))),
            );
            let row = format!("prediction{}", " ".repeat(number));
            out.push(Pane { row, ..pane(&method.name, values) });
        }
        errors.iter_mut().for_each(|pane| pane.row = format!("error{}", " ".repeat(number)));
        out.extend(errors);
    }
    Ok(out)
}

fn difference(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// One picture of [`fields`], with its values.
#[derive(Clone, Debug)]
pub struct Pane {
    title: String,
    /// The method; empty for input and truth.
    row: String,
    /// Whether it is a difference from the truth.
    error: bool,
    ny: usize,
    nx: usize,
    values: Vec<f32>,
}

/// Panes as rows of methods, under one colour bar.
///
/// # Errors
/// If a pane has no points.
pub fn field_grid<'a>(panes: &'a [Pane], name: &str, units: &str) -> Result<Panel<'a>> {
    let mut grid = FieldGrid::new().name(name);
    // Errors do not stretch the scale: that of the truth, or of what there is.
    let shown = panes.iter().filter(|p| p.row.is_empty()).chain(panes).take_while({
        let any = panes.iter().any(|p| p.row.is_empty());
        move |pane| !any || pane.row.is_empty()
    });
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &value in shown.flat_map(|pane| &pane.values) {
        (low, high) = (low.min(value.into()), high.max(value.into()));
    }
    let both = low < 0.0 && high > 0.0;
    let most = low.abs().max(high.abs());
    for row in panes.chunk_by(|a, b| a.row == b.row) {
        let fields = row.iter().map(|pane| {
            let field = Field::new(&pane.values, pane.ny, pane.nx)?.units(units);
            // Beside fields that are far from zero an error needs colours of its own.
            if !pane.error || both {
                return Ok(field.title(&pane.title));
            }
            let largest = pane.values.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
            let title = format!("{} (±{largest:.2})", pane.title);
            Ok(field.title(title).diverging(f64::from(largest.max(f32::MIN_POSITIVE))))
        });
        grid = grid.push(&row[0].row, fields.collect::<Result<_>>()?);
    }
    let grid = if both {
        grid.colors(Colors::Diverging).range(-most, most)
    } else {
        grid.range(low, high)
    };
    Ok(grid.panel_width(if panes[0].nx > panes[0].ny { 190.0 } else { 150.0 }).into())
}

/// Fields of one channel as a figure.
///
/// # Errors
/// As [`field_grid`].
pub fn fields_figure<'a>(
    scored: &[Scored],
    channel: usize,
    panes: &'a [Pane],
) -> Result<Figure<'a>> {
    let about = &scored[0].result.spec.channels[channel];
    Ok(Figure::new().push(field_grid(panes, &about.long_name, &units(scored, channel))?))
}

/// Energy spectra of a channel, and their ratio to the truth's.
///
/// # Errors
/// If a curve cannot be drawn.
pub fn spectra(scored: &[Scored], channel: usize) -> Result<Option<Figure<'static>>> {
    let Some(first) = &column(&scored[0], channel).spectrum else { return Ok(None) };
    let units = units(scored, channel);
    let label = if units.is_empty() { "power".into() } else { format!("power ({units})²") };
    let title = &scored[0].result.spec.channels[channel].long_name;
    let positive = || first.truth[1..].iter().copied().filter(|p| *p > 0.0);
    let high = positive().fold(0.0, f64::max);
    let low = positive().fold(high, f64::min).max(1e-9 * high);
    let k = || first.wavenumber[1..].to_vec();
    let truth = Series::new("truth", k(), shown(&first.truth))?.color(TRUTH);
    let mut powers =
        Plot::new(Axis::log("wavenumber"), Axis::log(label).range(0.3 * low, 3.0 * high))
            .title(title)
            .series(truth);
    let mut ratios =
        Plot::new(Axis::log("wavenumber"), Axis::log("predicted / true power").range(0.05, 5.0))
            .title("ratio to the truth")
            .level(1.0, "");
    for (n, method) in scored.iter().enumerate() {
        let Some(spectrum) = &column(method, channel).spectrum else { continue };
        let power = shown(&spectrum.prediction);
        if spectrum.is_constant() {
            // A constant field has no waves.
            continue;
        }
        let drawn = |q: &Option<f64>| q.filter(|q| *q > 0.0).unwrap_or(f64::NAN);
        let ratio = spectrum.ratios()[1..].iter().map(drawn).collect();
        powers = powers.series(style(Series::new(&method.name, k(), power)?, n));
        ratios = ratios.series(style(Series::new("", k(), ratio)?, n));
    }
    Ok(Some(Figure::new().push(vec![powers.size(500.0, 330.0), ratios.size(500.0, 330.0)])))
}

/// Power of the waves, with gaps where there is none.
fn shown(power: &[f64]) -> Vec<f64> {
    power[1..].iter().map(|&p| if p > 0.0 { p } else { f64::NAN }).collect()
}

/// Space-time spectra of a channel, truth first: log₁₀ of power over wavenumber and frequency.
pub struct Maps {
    names: Vec<String>,
    maps: Vec<Vec<f32>>,
    frequencies: usize,
    shells: usize,
    high: f64,
    axes: [Coordinate; 2],
}

/// Maps of power; none for single frames.
pub fn space_time(scored: &[Scored], channel: usize) -> Option<Maps> {
    let first = column(&scored[0], channel).space_time.as_ref()?;
    let width = first.wavenumber.len();
    let most = first.truth.iter().copied().fold(0.0, f64::max).max(1e-30);
    // Beyond the last shell that shows anything of the truth, all maps are dark.
    let seen = |p: &f64| *p > most * 10f64.powf(-DECADES);
    let last =
        first.truth.iter().enumerate().filter(|(_, p)| seen(p)).map(|(n, _)| n % width).max();
    let shells = (last? + 2).clamp(2, width);
    let log = |power: &[f64]| -> Vec<f32> {
        let rows = power.chunks_exact(width).flat_map(|row| &row[..shells]);
        rows.map(|p| p.max(1e-30).log10() as f32).collect()
    };
    let mut maps = Maps {
        names: vec!["truth".into()],
        maps: vec![log(&first.truth)],
        frequencies: first.frequency.len(),
        shells,
        high: most.log10(),
        axes: [
            Coordinate::new("frequency", 0.0, *first.frequency.last()?),
            Coordinate::new("wavenumber", 0.0, first.wavenumber[shells - 1]),
        ],
    };
    for method in scored {
        let Some(spectrum) = &column(method, channel).space_time else { continue };
        maps.names.push(method.name.clone());
        maps.maps.push(log(&spectrum.prediction));
    }
    Some(maps)
}

impl Maps {
    /// As a figure.
    ///
    /// # Errors
    /// If a map has no points.
    pub fn figure(&self) -> Result<Figure<'_>> {
        let fields = self.names.iter().zip(&self.maps).map(|(name, values)| {
            let [y, x] = self.axes.clone();
            let mut field = Field::new(values, self.frequencies, self.shells)?.title(name);
            field.x = Some(x);
            field.y = Some(y);
            Ok(field)
        });
        let grid = FieldGrid::wrapped(fields.collect::<Result<_>>()?, 5)
            .name("log₁₀ power")
            .colors(Colors::Sequential)
            .range(self.high - DECADES, self.high)
            .panel_width(160.0)
            .panel_height(120.0);
        Ok(Figure::new().push(grid))
    }
}

/// Rank histograms of all methods with members.
///
/// # Errors
/// If bars cannot be drawn.
pub fn ranks(scored: &[Scored]) -> Result<Option<Figure<'static>>> {
    let mut plots = Vec::new();
    for (n, method) in scored.iter().enumerate() {
        let Some(rank) = &method.scores.overall.rank else { continue };
        let count = rank.frequencies.len();
        let centers = (0..count).map(|r| r as f64).collect();
        // In units of an even share, so that ensembles of different sizes compare.
        let heights: Vec<f64> = rank.frequencies.iter().map(|f| f * count as f64).collect();
        let most = heights.iter().copied().fold(2.0, f64::max);
        let bars = Bars::new("", centers, heights)?.color(PALETTE[n % (PALETTE.len() - 1)]);
        let plot = Plot::new(
            Axis::linear("rank of the truth"),
            Axis::linear("frequency × (M + 1)").range(0.0, 1.05 * most),
        )
        .title(&method.name)
        .bars(bars)
        .level(1.0, "")
        .size(290.0, 220.0);
        plots.push(plot);
    }
    Ok(rows_of(plots, 3))
}

/// Plots in rows of equal width; none without plots.
fn rows_of(plots: Vec<Plot>, columns: usize) -> Option<Figure<'static>> {
    if plots.is_empty() {
        return None;
    }
    let figure = Figure::new();
    Some(plots.chunks(columns).fold(figure, |figure, row| figure.push(row.to_vec())))
}

/// Scores over lead time, or over the frames of a super-resolution.
///
/// # Errors
/// If a curve cannot be drawn.
pub fn lead(scored: &[Scored]) -> Result<Option<Figure<'static>>> {
    let paired: Vec<(usize, &Scored)> =
        scored.iter().enumerate().filter(|(_, s)| s.scores.paired).collect();
    if paired.is_empty() || paired[0].1.scores.frames < 2 {
        return Ok(None);
    }
    type Curve = fn(&ChannelScores) -> Option<&Vec<f64>>;
    let curves: [(&str, Option<f64>, Curve); 4] = [
        ("relative L² of the mean", None, |s| {
            Some(&s.error.as_ref()?.relative_l2_of_mean_by_lead)
        }),
        ("fair CRPS / σ", None, |s| Some(&s.crps.as_ref()?.relative_by_lead)),
        ("spread-skill ratio", Some(1.0), |s| Some(&s.spread.as_ref()?.ratio_by_lead)),
        ("correlation of the mean", Some(0.8), |s| Some(&s.correlation.as_ref()?.of_mean_by_lead)),
    ];
    let spec = &scored[0].result.spec;
    let units = spec.time.attributes.get("units").and_then(|u| u.as_str()).unwrap_or("1");
    let units = units.split(" since ").next().unwrap_or_default();
    let time = if scored[0].scores.given > 0 { "lead time" } else { "time" };
    let time = if units == "1" { time.into() } else { format!("{time} ({units})") };
    let mut plots = Vec::new();
    for (title, level, curve) in curves {
        let mut plot = Plot::new(Axis::linear(&time), Axis::linear("")).title(title);
        let mut any = false;
        for (n, method) in &paired {
            let Some(values) = curve(&method.scores.overall) else { continue };
            // Constant fields have no correlation to draw.
            let x = method.scores.lead.clone();
            // One legend is enough: that of the first plot.
            let label = if plots.is_empty() { method.name.as_str() } else { "" };
            plot = plot.series(style(Series::new(label, x, values.clone())?, *n));
            any = true;
        }
        if any {
            plots.push(level.iter().fold(plot, |plot, y| plot.level(*y, "")).size(460.0, 270.0));
        }
    }
    Ok(rows_of(plots, 2))
}
