//! Models with random weights on every kind of grid.

use std::collections::BTreeMap;
use std::f64::consts::TAU;

use finescale::{Axis, Boundary, Grid, Laplacian, NoiseStream};
use finescale_trainer::linear::modes::Group;
use finescale_trainer::model::{Array, AxisMeta, Channel, Meta, Model, NetworkMeta, Shells};
use nalgebra::{Complex, DMatrix};

/// Tables of every model.
pub(crate) const TABLES: &[&str] =
    &["innovation_ratio", "score_power", "score_truth", "score_drawn_power", "score_drawn_state"];
/// Tables of a score head.
const HEAD_TABLES: &[&str] = &["head_power", "head_truth", "head_drawn_power", "head_drawn_state"];

/// What a model is like.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) y: Option<(usize, Boundary)>,
    pub(crate) x: (usize, Boundary),
    pub(crate) channels: usize,
    pub(crate) window: usize,
    pub(crate) score_head: bool,
    pub(crate) filtered_inputs: bool,
    pub(crate) bounded: bool,
    pub(crate) linear_base: bool,
    /// Taps, or 0 for the linear base alone.
    pub(crate) kernel: usize,
}

const P: Boundary = Boundary::Periodic;
const R: Boundary = Boundary::Reflecting;

/// Lines and planes with every pairing of boundaries, several channels, every option both ways.
pub(crate) fn kinds() -> Vec<Kind> {
    let plain = Kind {
        name: "line",
        y: None,
        x: (16, P),
        channels: 1,
        window: 3,
        score_head: false,
        filtered_inputs: true,
        bounded: true,
        linear_base: true,
        kernel: 5,
    };
    vec![
        plain,
        Kind { name: "line-reflecting", x: (16, R), channels: 2, score_head: true, ..plain },
        Kind { name: "plane", y: Some((8, P)), x: (16, P), kernel: 3, ..plain },
        Kind {
            name: "plane-two-channels",
            y: Some((8, P)),
            x: (8, P),
            channels: 2,
            window: 2,
            score_head: true,
            kernel: 3,
            ..plain
        },
        Kind { name: "latitudes", y: Some((8, R)), x: (16, P), kernel: 3, ..plain },
        Kind { name: "channel", y: Some((8, P)), x: (8, R), kernel: 5, bounded: false, ..plain },
        Kind { name: "box", y: Some((8, R)), x: (8, R), channels: 2, kernel: 3, ..plain },
        Kind { name: "raw", filtered_inputs: false, linear_base: false, window: 1, ..plain },
        Kind { name: "linear", channels: 2, kernel: 0, score_head: true, ..plain },
    ]
}

/// Unit white noise, different for every `seed`.
pub(crate) fn noise(values: usize, seed: u64) -> Vec<f32> {
    let mut field = vec![0.0; values];
    NoiseStream { seed, member: 3, frame: 1, step: 4 }.fill(&mut field);
    field
}

fn axis((points, boundary): (usize, Boundary)) -> Axis {
    Axis::new(points, boundary).unwrap()
}

/// A model of a kind. Its weights are of the size that training gives them, none is zero.
pub(crate) fn model(kind: &Kind) -> Model {
    let x = axis(kind.x);
    let grid = match kind.y {
        Some(y) => Grid::plane(axis(y).with_length(3.0).unwrap(), x).unwrap(),
        None => Grid::line(x),
    };
    let (c, w) = (kind.channels, kind.window);
    let lambdas: Vec<f64> = (0..12).map(|i| 1e-3_f64.powf(1.0 - f64::from(i) / 11.0)).collect();
    let mut arrays = BTreeMap::new();
    let values = autocovariance(&grid, c, w);
    arrays.insert(
        "autocovariance".into(),
        Array { shape: vec![w + 1, c, c, grid.ny(), grid.nx()], values },
    );
    let shells = Shells::new(&grid).count;
    let head = if kind.score_head { HEAD_TABLES } else { &[] };
    for (seed, name) in TABLES.iter().chain(head).enumerate() {
        let values = noise(lambdas.len() * c * shells, 90 + seed as u64);
        let sign = if name.ends_with("state") { -1.0 } else { 1.0 };
        let values = values.iter().map(|v| sign * (0.2 * v).exp()).collect();
        arrays.insert((*name).into(), Array { shape: vec![lambdas.len(), c, shells], values });
    }
    let dilations = vec![1, 2, 1];
    let (inner, kernel) = (5, kind.kernel);
    let network = if kernel == 0 {
        NetworkMeta::Linear
    } else {
        NetworkMeta::Tiny { channels: inner, kernel, dilations: dilations.clone() }
    };
    let meta = Meta {
        name: kind.name.into(),
        version: "0.0.0".into(),
        channels: (0..c)
            .map(|n| Channel {
                name: format!("u{n}"),
                units: "m s⁻¹".into(),
                mean: 2.0 * n as f64,
                std: 1.5,
            })
            .collect(),
        y: grid.y().map(AxisMeta::of),
        x: AxisMeta::of(grid.x()),
        frame_interval: 0.5,
        alpha: 0.1,
        beta2: 2.0,
        laplacian: if kind.window == 2 { Laplacian::FiniteDifference } else { Laplacian::Spectral },
        window: w,
        network,
        linear_base: kind.linear_base,
        filtered_inputs: kind.filtered_inputs,
        bounded: kind.bounded,
        score_head: kind.score_head,
        lambdas,
        lambda_grid: vec![1.0, 0.1, 0.01, 0.0],
        data: "0".repeat(64),
        seed: 1,
        steps: 0,
        figures: BTreeMap::new(),
    };
    if kernel > 0 {
        let taps = if grid.is_line() { vec![1, kernel] } else { vec![kernel, kernel] };
        let last = dilations.len() - 1;
        let mut add = |name: String, shape: Vec<usize>, scale: f32| {
            let seed = 11
                + arrays.keys().filter(|name: &&String| name.starts_with("network.")).count()
                    as u64;
            let values = noise(shape.iter().product(), seed).iter().map(|v| scale * v).collect();
            arrays.insert(name, Array { shape, values });
        };
        for n in 0..=last {
            let from = if n == 0 { meta.input_fields() } else { inner };
            let to = if n == last { c * if kind.score_head { 2 } else { 1 } } else { inner };
            let shape = [vec![to, from], taps.clone()].concat();
            let fan_in = shape[1..].iter().product::<usize>() as f32;
            add(format!("network.layers.{n}.weight"), shape, 1.4 / fan_in.sqrt());
            add(format!("network.layers.{n}.bias"), vec![to], 0.1);
        }
        let (hidden, modulated) = (6, 2 * last * inner);
        add("network.film.hidden_weight".into(), vec![5, hidden], 0.4);
        add("network.film.hidden_bias".into(), vec![hidden], 0.4);
        add("network.film.weight".into(), vec![hidden, modulated], 0.1);
        add("network.film.bias".into(), vec![modulated], 0.1);
    }
    Model { meta, arrays }
}

/// Channels that drive each other, turn with the wavenumber and decay: lag l is Mˡ Γ(0). Packed.
fn autocovariance(grid: &Grid, c: usize, window: usize) -> Vec<f32> {
    let points = grid.points();
    let waves: Vec<(f32, f32)> = grid.wavenumbers().collect();
    let mut values = vec![0.0; (window + 1) * c * c * points];
    for group in Group::all(grid) {
        let place = group.members()[0];
        let lags = [1.0, -0.7].map(|sign| {
            let (ky, kx) = waves[place];
            let k = f64::from(ky.hypot(kx));
            let real = matches!(group, Group::One(_));
            let m = DMatrix::from_fn(c, c, |a, b| {
                let phase = if real { 0.0 } else { 0.2 * sign * k + (a as f64 - b as f64) * 0.3 };
                let size = if a == b { 0.85 - 0.02 * k } else { 0.05 };
                Complex::from_polar(size, phase % TAU)
            });
            let mut power = DMatrix::<Complex<f64>>::identity(c, c);
            let mut term = power.clone();
            for _ in 0..200 {
                term = &m * term * m.adjoint();
                power += &term;
            }
            power *= Complex::from(1.0 / (1.0 + (k / 2.0).powi(4)));
            (0..=window).map(|l| m.pow(l as u32) * &power).collect::<Vec<_>>()
        });
        for (plane, packed) in values.chunks_exact_mut(points).enumerate() {
            let (lag, a, b) = (plane / (c * c), plane / c % c, plane % c);
            group.pack([lags[0][lag][(a, b)], lags[1][lag][(a, b)]], packed);
        }
    }
    values
}
