//! What depends on λ alone, computed inside the graph: exact for any λ > 0.

use anyhow::Result;

use super::graph::{Graph, Value};
use super::modes::Modes;
use super::seen::{Seen, Variances, seen};
use super::terms::Terms;
use super::windows::Windows;
use crate::{Calibration, Model};
use finescale_field::shells::Shells;

/// Sizes that every part needs.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) channels: usize,
    pub(super) window: usize,
    pub(super) points: usize,
}

/// Tables at one λ. C: channels, F: window × channels, Q: planes.
pub(super) struct Level {
    pub(super) sizes: Sizes,
    lambda: Value,
    /// V, C × modes.
    pub(super) variance: Value,
    /// What a network sees; nothing without one.
    pub(super) seen: Vec<Seen>,
    /// The linear increment and noise: W × C × QF × modes.
    pub(super) increment: Value,
    pub(super) noise: Option<Value>,
    /// Deviations of their errors on the grid, 1 × C × 1 × 1.
    pub(super) increment_scale: Value,
    pub(super) noise_scale: Option<Value>,
    /// S of the linear base, W × C × modes.
    innovation: Value,
}

impl Level {
    pub(super) fn new(
        graph: &mut Graph,
        model: &Model,
        modes: &Modes,
        lambda: &Value,
    ) -> Result<Self> {
        graph.part("level");
        let (meta, base) = (&model.meta, model.base()?);
        let sizes = Sizes {
            channels: meta.channels.len(),
            window: meta.system.window,
            points: base.grid.points(),
        };
        let Sizes { channels: c, window: w, points: n } = sizes;
        let f = w * c;
        // Where κ is 0, the smallest number for which tanh h/h is 1.
        let rates = base
            .grid
            .kappas(meta.system.laplacian)
            .map(|kappa| f64::from(meta.system.alpha * kappa));
        let rates = graph.constant("rates", &[n], rates.map(|rate| rate.max(1e-9)));
        let h = graph.mul(lambda, &rates);
        let twice = graph.scaled(&h, -2.0);
        let damping2 = graph.exp(&twice);
        // Σ = β²λ (1 − e^(−2h))/2h, and 1 − e^(−2h) = tanh h · (1 + e^(−2h)), in which nothing
        // cancels.
        let shape = graph.tanh(&h);
        let shape = graph.div(&shape, &h);
        let sum = graph.shifted(&damping2, 1.0);
        let shape = graph.mul(&shape, &sum);
        let strength = graph.scaled(lambda, 0.5 * f64::from(meta.system.beta2));
        let sigma = graph.mul(&shape, &strength);

        let power = base.power().into_iter().map(f64::from);
        let power = graph.constant("power", &[c, n], power);
        let signal = graph.mul(&power, &damping2);
        let variance = graph.add(&signal, &sigma);
        let wiener = graph.div(&signal, &variance);
        let filtered = graph.mul(&wiener, &signal);
        let variances = Variances { kept: &filtered, wiener: &wiener, total: &variance };
        let seen = seen(graph, meta, &variances)?;

        let terms = Terms::new(&base, modes.planes())?;
        let windows = Windows::new(graph, &terms, sizes, modes.planes(), &damping2, &sigma);
        let tables = terms.windows.iter().map(|window| &window.increment);
        let increment = windows.operator(graph, "increment", tables, &windows.damping2);
        let qf = modes.planes() * f;
        let newest = (0..c * qf).map(|i| {
            let (out, field) = (i / qf, i % qf);
            if field == (w - 1) * c + out { -1.0 } else { 0.0 }
        });
        let newest = graph.constant("minus.newest", &[c, qf, 1], newest);
        let increment = graph.add(&increment, &newest);
        let tables = terms.windows.iter().map(|window| &window.innovation);
        let excess = windows.variance(graph, "innovation", tables, &windows.sigma);
        let clean = terms.windows.iter().flat_map(|window| window.clean_innovation.iter().copied());
        let clean = graph.constant("clean.innovation", &[w, c, terms.places.len()], clean);
        let clean = windows.at_places(graph, &clean, 2);
        let innovation = graph.add(&clean, &excess);
        let innovation = graph.mul(&innovation, &damping2);
        let innovation = graph.add(&innovation, &sigma);
        let innovation = modes.mean_of_signs(graph, &innovation, 2);
        let increment_scale = grid_deviation(graph, &innovation, sizes);
        let (mut noise, mut noise_scale) = (None, None);
        if meta.system.score_head {
            let tables = terms.windows.iter().map(|window| &window.noise);
            let root = graph.sqrt(&windows.sigma);
            noise = Some(windows.operator(graph, "noise", tables, &root));
            let tables = terms.windows.iter().map(|window| &window.noise_residual);
            let residual = windows.variance(graph, "noise.residual", tables, &windows.damping2);
            noise_scale = Some(grid_deviation(graph, &residual, sizes));
        }
        Ok(Self {
            sizes,
            lambda: lambda.clone(),
            variance,
            seen,
            increment,
            noise,
            increment_scale,
            noise_scale,
            innovation,
        })
    }

    /// S with what was measured, W × C × modes: linear in log λ between the entries of the table,
    /// constant beyond it.
    pub(super) fn measured_innovation(&self, graph: &mut Graph, model: &Model) -> Result<Value> {
        let grid = model.meta.grid()?;
        let (shells, calibration) = (Shells::new(&grid), Calibration::of(model)?);
        let logs: Vec<f64> = calibration.lambdas.iter().map(|lambda| lambda.ln()).collect();
        let (c, l) = (self.sizes.channels, logs.len());
        // Each entry's weight is a hat around it; the first and the last go on at 1.
        let at = graph.ln(&self.lambda);
        let rising = (0..l).map(|i| if i == 0 { (0.0, 1.0) } else { line(logs[i - 1], logs[i]) });
        let falling =
            (0..l).map(|i| if i + 1 == l { (0.0, 1.0) } else { line(logs[i + 1], logs[i]) });
        let mut side = |name: &str, lines: Vec<(f64, f64)>| {
            let slopes = lines.iter().map(|(slope, _)| *slope);
            let slopes = graph.constant(&format!("{name}.slopes"), &[l], slopes);
            let starts = lines.iter().map(|(_, start)| *start);
            let starts = graph.constant(&format!("{name}.starts"), &[l], starts);
            let product = graph.mul(&at, &slopes);
            graph.add(&product, &starts)
        };
        let (rising, falling) =
            (side("rising", rising.collect()), side("falling", falling.collect()));
        let hat = graph.min(&rising, &falling);
        let (zero, one) = (graph.scalar(0.0), graph.scalar(1.0));
        let hat = graph.max(&hat, &zero);
        let hat = graph.min(&hat, &one);
        let hat = graph.unsqueeze(&hat, &[0]);
        let table = calibration.innovation_ratio.iter().copied().map(f64::from);
        let table = graph.constant("innovation.ratio", &[l, calibration.width], table);
        let ratio = graph.matmul(&hat, &table);
        let ratio = graph.reshape(&ratio, &[c as i64, shells.count as i64]);
        let of: Vec<i64> = shells.of.iter().map(|shell| *shell as i64).collect();
        let ratio = graph.gather(&ratio, 1, &of);
        Ok(graph.mul(&self.innovation, &ratio))
    }
}

/// Slope and start of the line that is 0 at `zero` and 1 at `one`.
fn line(zero: f64, one: f64) -> (f64, f64) {
    let slope = 1.0 / (one - zero);
    (slope, -slope * zero)
}

/// Square root of the mean over the modes, … × 1; never 0.
pub(super) fn deviation(graph: &mut Graph, variances: &Value) -> Value {
    let mean = graph.mean_last(variances);
    let root = graph.sqrt(&mean);
    let least = graph.scalar(1e-12);
    graph.max(&root, &least)
}

/// W × C × modes to the deviation on the grid with a whole window, 1 × C × 1 × 1.
fn grid_deviation(graph: &mut Graph, variances: &Value, sizes: Sizes) -> Value {
    let full = graph.from(variances, 0, sizes.window as i64 - 1);
    let root = deviation(graph, &full);
    graph.reshape(&root, &[1, sizes.channels as i64, 1, 1])
}
