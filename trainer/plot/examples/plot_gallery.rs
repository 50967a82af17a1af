//! Writes one picture of each kind, as PNG and SVG, into the folder given.
//!
//! ```text
//! cargo run -p finescale-plot --example plot_gallery -- gallery
//! ```

use std::f64::consts::TAU;
use std::path::Path;

use anyhow::{Context, Result};
use finescale_plot::{
    Axis, Bars, ChannelMeta, Coordinate, Dash, Field, FieldGrid, Figure, Plot, Series, SpaceTime,
    Spectrum, TrajectoryMeta, field_strip, ladder, space_time, spectra, trajectory_fields,
    trajectory_spectra,
};

const N: usize = 64;
const LAMBDAS: [f64; 6] = [0.0, 0.003, 0.01, 0.03, 0.1, 0.3];

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).context("name a folder for the pictures")?;
    std::fs::create_dir_all(&folder)?;
    let save = |name: &str, figure: Figure| -> Result<()> {
        for suffix in ["png", "svg"] {
            figure.save(Path::new(&folder).join(format!("{name}.{suffix}")))?;
        }
        Ok(())
    };
    let damped: Vec<Vec<f32>> = LAMBDAS.iter().map(|l| random_field(*l, 0.0)).collect();
    let noised: Vec<Vec<f32>> = LAMBDAS.iter().map(|l| random_field(*l, 1.4 * l.sqrt())).collect();
    save("strip", strip(&damped, &noised)?)?;
    save("map", map()?)?;
    let waves = chaos(400, 128);
    save("space_time", hovmoller(&waves)?)?;
    save("curves", curves()?)?;
    save("spectra", banded()?)?;
    save("trajectory_plane", plane(&damped)?)?;
    save("trajectory_line", line(&waves)?)?;
    save("edge_cases", edge_cases()?)
}

/// Numbers between −1 and 1 that look random.
fn noise(i: usize) -> f64 {
    let mut z = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) as f64 / 2f64.powi(63) - 1.0
}

/// A sum of waves of random phase, damped by exp(−0.3 k² λ), with white noise of this deviation.
fn random_field(lambda: f64, deviation: f64) -> Vec<f32> {
    let mut field = vec![0.0; N * N];
    for ky in -12i32..=12 {
        for kx in 0..=12 {
            let k2 = f64::from(kx * kx + ky * ky);
            if k2 == 0.0 {
                continue;
            }
            let seed = ((ky + 12) * 13 + kx) as usize;
            let size = k2.powf(-1.1) * (-0.3 * k2 * lambda).exp() * (1.0 + noise(seed + 999));
            for (i, value) in field.iter_mut().enumerate() {
                let (y, x) = ((i / N) as f64 / N as f64, (i % N) as f64 / N as f64);
                let phase = TAU * (f64::from(kx) * x + f64::from(ky) * y + noise(seed));
                *value += size * phase.cos();
            }
        }
    }
    let white = |i: usize| (0..6).map(|j| noise(i * 6 + j)).sum::<f64>() / 2f64.sqrt();
    field.iter().enumerate().map(|(i, v)| (v + deviation * white(i)) as f32).collect()
}

/// A spectrum like that of the field above.
fn power(lambda: f64, deviation: f64) -> (Vec<f64>, Vec<f64>) {
    let k: Vec<f64> = (0..=32).map(f64::from).collect();
    let floor = deviation * deviation / 4096.0;
    let at = |k: &f64| k.max(0.5).powf(-3.4) * (-0.6 * k * k * lambda).exp() + floor;
    let power = k.iter().map(at).collect();
    (k, power)
}

fn strip<'a>(damped: &'a [Vec<f32>], noised: &'a [Vec<f32>]) -> Result<Figure<'a>> {
    let row = |fields: &'a [Vec<f32>], titles: bool| -> Result<Vec<Field<'a>>> {
        let titled = |(field, lambda): (&'a Vec<f32>, &f64)| {
            let title = if titles { format!("λ = {lambda}") } else { String::new() };
            Ok(Field::new(field, N, N)?.title(title).units("m s⁻¹"))
        };
        fields.iter().zip(&LAMBDAS).map(titled).collect()
    };
    let grid = FieldGrid::new()
        .push("damped only", row(damped, true)?)
        .push("damped + noise", row(noised, false)?)
        .name("zonal wind");
    let plot = |title: &str, beta: f64| {
        let lines = LAMBDAS.iter().zip(ladder(LAMBDAS.len())).map(|(l, color)| {
            let (k, p) = power(*l, beta * l.sqrt());
            Spectrum { color: Some(color), ..Spectrum::new(format!("λ = {l}"), k, p) }
        });
        spectra(title, &lines.collect::<Vec<_>>(), "m² s⁻²")
    };
    let plots = vec![plot("damped only", 0.0)?, plot("damped + noise", 1.4)?];
    Ok(field_strip("A field under the forward process", grid, plots))
}

/// A map with coordinates, its rows stored from north to south, with a land mask.
fn map() -> Result<Figure<'static>> {
    let (ny, nx) = (73, 144);
    let value = |i: usize| {
        let (lat, lon) = (90.0 - 2.5 * (i / nx) as f64, 2.5 * (i % nx) as f64);
        let land = (lon - 60.0).hypot(1.4 * (lat - 40.0)) < 35.0;
        let (phi, theta) = (lat.to_radians(), lon.to_radians());
        let wind = 12.0 * (2.0 * phi).sin().powi(2) - 6.0 * phi.cos().powi(6)
            + 3.0 * (4.0 * theta).sin() * phi.cos().powi(2);
        if land { f32::NAN } else { wind as f32 }
    };
    let values: Vec<f32> = (0..ny * nx).map(value).collect();
    let lat = Coordinate::new("latitude (°N)", 90.0, -90.0);
    let lon = Coordinate::new("longitude (°E)", 0.0, 357.5);
    let values: &'static [f32] = values.leak();
    let field = Field::new(values, ny, nx)?.units("m s⁻¹").coordinates(lat, lon);
    let grid = FieldGrid::row(vec![field]).name("zonal wind").panel_width(576.0);
    Ok(Figure::new().title("Zonal wind, January").push(grid))
}

/// Wandering, merging waves: Kuramoto–Sivashinsky by a crude implicit step.
fn chaos(frames: usize, points: usize) -> Vec<f32> {
    let h = 60.0 / points as f64;
    let (dt, inner) = (0.002, 250);
    let mut u: Vec<f64> = (0..points).map(|i| noise(i) * 0.5).collect();
    let mut out = Vec::with_capacity(frames * points);
    for _ in 0..frames {
        out.extend(u.iter().map(|v| *v as f32));
        for _ in 0..inner {
            let at = |i: usize, d: isize| u[(i as isize + d).rem_euclid(points as isize) as usize];
            let rate = |i: usize| {
                let second = (at(i, 1) - 2.0 * at(i, 0) + at(i, -1)) / (h * h);
                let fourth = (at(i, 2) - 4.0 * at(i, 1) + 6.0 * at(i, 0) - 4.0 * at(i, -1)
                    + at(i, -2))
                    / h.powi(4);
                -second - fourth - (at(i, 1).powi(2) - at(i, -1).powi(2)) / (4.0 * h)
            };
            u = (0..points).map(|i| u[i] + dt * rate(i)).collect();
        }
    }
    out
}

fn hovmoller(waves: &[f32]) -> Result<Figure<'static>> {
    let time = || Coordinate::new("time", 0.0, 199.5);
    let x = || Coordinate::new("x", 0.0, 60.0);
    let speed: Vec<f32> = waves.iter().map(|v| v.abs()).collect();
    let u = SpaceTime::new(waves.to_vec(), 400, 128, time(), x())?.title("u").units("m s⁻¹");
    let s = SpaceTime::new(speed, 400, 128, time(), x())?.title("|u|").units("m s⁻¹");
    space_time("Kuramoto–Sivashinsky", vec![u, s])
}

fn curves() -> Result<Figure<'static>> {
    let steps: Vec<f64> = (0..400).map(|i| f64::from(i) * 50.0).collect();
    let loss = |floor: f64, seed: usize| -> Vec<f64> {
        let value = |(i, s): (usize, &f64)| {
            floor + 0.9 * (-s / 2500.0).exp() * (1.0 + 0.25 * noise(seed + i))
        };
        steps.iter().enumerate().map(value).collect()
    };
    let training = Plot::new(Axis::linear("step"), Axis::log("loss"))
        .title("Training")
        .series(Series::new("train", steps.clone(), loss(0.05, 0))?)
        .series(Series::new("valid", steps.clone(), loss(0.07, 4000))?);
    let lead: Vec<f64> = (1..=20).map(|i| f64::from(i) * 0.5).collect();
    let mut skill = Plot::new(Axis::linear("lead time (h)"), Axis::linear("RMSE (m s⁻¹)"))
        .title("Skill by lead time");
    for (name, rate) in [("persistence", 0.9), ("deterministic", 0.55), ("ensemble mean", 0.4)] {
        let y: Vec<f64> = lead.iter().map(|t| 2.0 * (1.0 - (-rate * t * 0.5).exp())).collect();
        let edge = |f: f64| y.iter().map(|v| v * f).collect::<Vec<f64>>();
        let series = Series::new(name, lead.clone(), y.clone())?.band(edge(0.9), edge(1.1))?;
        skill = skill.series(series);
    }
    let skill = skill.level(2.0, "climatology");
    let ranks: Vec<f64> = (0..=10).map(f64::from).collect();
    let counts = |bend: f64, seed: usize| -> Vec<f64> {
        let count = |r: &f64| 90.0 + bend * (r - 5.0).powi(2) + 8.0 * noise(seed + *r as usize);
        ranks.iter().map(count).collect()
    };
    let histogram = Plot::new(Axis::linear("rank"), Axis::linear("count"))
        .title("Rank histogram")
        .bars(Bars::new("λ* = 0.03", ranks.clone(), counts(0.3, 7))?)
        .bars(Bars::new("λ* = 0.3", ranks.clone(), counts(3.0, 70))?)
        .level(95.0, "uniform");
    let mut many = Plot::new(Axis::linear("lead time (h)"), Axis::linear("correlation"))
        .title("A line per member, legend outside");
    for member in 0..10 {
        let value = |t: &f64| (-t / (3.0 + member as f64)).exp() + 0.02 * noise((t * 7.0) as usize);
        let y = lead.iter().map(value).collect();
        let dash = if member == 9 { Dash::Dotted } else { Dash::Solid };
        let series = Series::new(format!("member {member}"), lead.clone(), y)?.dash(dash).markers();
        many = many.series(series);
    }
    Ok(Figure::new().title("Curves").push(vec![training, skill]).push(vec![histogram, many]))
}

fn banded() -> Result<Figure<'static>> {
    let spectrum = |label: &str, lambda: f64| {
        let (k, power) = power(lambda, 0.0);
        let band = power.iter().map(|p| 0.5 * p).collect();
        let band = (band, power.iter().map(|p| 2.0 * p).collect());
        Spectrum { band: Some(band), ..Spectrum::new(label, k, power) }
    };
    let lines = [spectrum("truth", 0.0), spectrum("generated", 0.002), spectrum("coarse", 0.05)];
    let plot = spectra("", &lines, "m² s⁻²")?.slope(-3.0, "k⁻³").size(560.0, 380.0);
    Ok(Figure::new().title("Power spectra").push(plot))
}

fn plane(frames: &[Vec<f32>]) -> Result<Figure<'static>> {
    // Two channels: the field and its square.
    let values: Vec<f32> = frames
        .iter()
        .flat_map(|f| f.iter().copied().chain(f.iter().map(|v| v * v)).collect::<Vec<_>>())
        .collect();
    let channel = |name: &str, units: &str| ChannelMeta {
        name: name.into(),
        units: units.into(),
        spectra: vec![],
    };
    let side = || Coordinate::new("", 0.0, TAU * 63.0 / 64.0);
    let meta = TrajectoryMeta {
        title: "kolmogorov: trajectory 0 of the test split".into(),
        ny: N,
        nx: N,
        channels: vec![channel("vorticity", "s⁻¹"), channel("enstrophy", "s⁻²")],
        time: (0.0, 2.5),
        time_units: "h".into(),
        dates: vec![],
        y: Some(side()),
        x: Some(side()),
    };
    trajectory_fields(values.leak(), &meta, 6)
}

fn line(waves: &[f32]) -> Result<Figure<'static>> {
    let (k, power) = power(0.0, 0.0);
    let meta = TrajectoryMeta {
        title: "kuramoto-sivashinsky: trajectory 0 of the training split".into(),
        ny: 1,
        nx: 128,
        channels: vec![ChannelMeta {
            name: "u".into(),
            units: "m/s".into(),
            spectra: vec![Spectrum::new("this trajectory", k, power)],
        }],
        time: (0.0, 199.5),
        time_units: String::new(),
        dates: vec![],
        y: None,
        x: None,
    };
    trajectory_spectra(&meta)?.context("the channel has a spectrum")?;
    trajectory_fields(waves.to_vec().leak(), &meta, 4)
}

/// What must look sensible although there is little to see.
fn edge_cases() -> Result<Figure<'static>> {
    let constant: &'static [f32] = vec![3.0f32; 64].leak();
    let nothing: &'static [f32] = vec![f32::NAN; 64].leak();
    let single: &'static [f32] = vec![1.0f32].leak();
    let grid = FieldGrid::row(vec![
        Field::new(constant, 8, 8)?.title("constant"),
        Field::new(nothing, 8, 8)?.title("no finite value at all, in a long title"),
        Field::new(single, 1, 1)?.title("one point"),
    ]);
    let axes = || Plot::new(Axis::log("k"), Axis::log("power"));
    let k = vec![1.0, 2.0, 3.0, 4.0];
    let plots = vec![
        axes()
            .title("one point, and values ≤ 0")
            .series(Series::new("single", vec![2.0], vec![5.0])?)
            .series(Series::new("gaps", k.clone(), vec![1.0, 2.0, 0.0, 4.0])?)
            .series(Series::new("negative", k.clone(), vec![-1.0; 4])?),
        axes().title("nothing").series(Series::new("empty", vec![], vec![])?),
        Plot::new(Axis::linear("t (s)"), Axis::linear("tiny"))
            .title("constant, tiny")
            .series(Series::new("flat", k.clone(), vec![2e-7; 4])?),
    ];
    Ok(Figure::new().title("Edge cases").push(grid).push(plots))
}
