//! The predictor as a graph: frames to what it sees, windows to increments, and back.
//!
//! Everything has five or four dimensions with two in front: samples and frames of a path, or
//! samples and windows.

use anyhow::Result;

use super::graph::{Graph, Value};
use super::level::Level;
use super::modes::Modes;
use super::network::{Network, Tape};
use crate::reference::BOUND;
use crate::{Model, NetworkMeta};

/// A model's predictor at the λ of a graph's input.
pub(super) struct Predictor<'a> {
    model: &'a Model,
    pub(super) modes: Modes,
    pub(super) level: Level,
    network: Option<Network<'a>>,
}

/// What frames, or windows of them, are to the predictor.
pub(super) struct Frames {
    /// Modes, turned apart: `[a][frame][channel][mode]`, or `[a][window][frame · channel][mode]`.
    pub(super) modes: Value,
    /// Fields for the network, one for each component of the views: `[a][…][…][y][x]`.
    pub(super) fields: Vec<Value>,
    /// 1 where the frame is there, 0 where it is all zeros: `[a][frame][1]`, `[a][window][frame]`.
    pub(super) there: Value,
    /// What the network sees beside them, `[a][window][field][y][x]`; only of windows.
    pub(super) companions: Option<Value>,
}

/// What is said of windows.
pub(super) struct Increments {
    /// `[a][window][channel][mode]`, turned apart.
    pub(super) increment: Value,
    /// As `increment`.
    pub(super) noise: Option<Value>,
    /// Frames there in each window, less one, as integers: `[a][window]`.
    pub(super) row: Value,
    tape: Option<(Tape, Value)>,
}

impl Frames {
    /// Frames that are a window already, `[a][frame][…]`, as one window for each sample.
    ///
    /// `companions`: those of the frame that is predicted, `[a][field][y][x]`, where there are any.
    pub(super) fn as_windows(
        &self,
        graph: &mut Graph,
        model: &Model,
        companions: Option<&Value>,
    ) -> Self {
        let width = (model.meta.system.window * model.meta.channels.len()) as i64;
        let ny = model.meta.y.as_ref().map_or(1, |y| y.points) as i64;
        let nx = model.meta.x.points as i64;
        let fields = self.fields.iter().map(|f| graph.reshape(f, &[0, 1, width, ny, nx]));
        Self {
            fields: fields.collect(),
            modes: graph.reshape(&self.modes, &[0, 1, width, ny * nx]),
            there: graph.reshape(&self.there, &[0, 1, model.meta.system.window as i64]),
            companions: companions.map(|companions| graph.unsqueeze(companions, &[1])),
        }
    }
}

impl<'a> Predictor<'a> {
    pub(super) fn new(
        graph: &mut Graph,
        model: &'a Model,
        lambda: &Value,
        with_adjoint: bool,
    ) -> Result<Self> {
        let modes = Modes::new(graph, &model.meta.grid()?);
        let level = Level::new(graph, model, &modes, lambda)?;
        let network = match &model.meta.network {
            NetworkMeta::Other(other) => {
                let inputs = model.meta.input_fields()?;
                Some(Network::other(graph, model, other, inputs, Some(lambda))?)
            }
            _ => Network::new(graph, model, &model.meta.layers()?, Some(lambda), with_adjoint)?,
        };
        Ok(Self { model, modes, level, network })
    }

    /// `[a][frame][channel][y][x]`.
    pub(super) fn frames(&self, graph: &mut Graph, fields: &Value) -> Frames {
        graph.part("frames");
        let spectra = self.modes.forward(graph, fields);
        let flat = self.modes.flat(graph, &spectra);
        let mut seen = Vec::new();
        if self.network.is_some() {
            for component in &self.level.seen {
                seen.push(component.fields(graph, &self.modes, &flat, fields));
            }
        }
        let modes = self.modes.apart(graph, &flat);
        let size = graph.abs(fields);
        let largest = graph.largest(&size, &[2, 3, 4]);
        let zero = graph.scalar(0.0);
        let there = graph.less(&zero, &largest);
        let there = graph.float(&there);
        let there = graph.unsqueeze(&there, &[2]);
        Frames { modes, fields: seen, there, companions: None }
    }

    /// Increments of windows, and noises where there is a score head.
    ///
    /// # Errors
    /// If an array of the network is missing or of the wrong size.
    pub(super) fn predict(&self, graph: &mut Graph, windows: &Frames) -> Result<Increments> {
        graph.part("linear");
        // A window without any frame is taken as one with the newest.
        let count = graph.sum(&windows.there, 2);
        let one = graph.scalar(1.0);
        let count = graph.max(&count, &one);
        let row = graph.shifted(&count, -1.0);
        let row = graph.whole(&row);
        let base = self.model.meta.system.linear_base;
        let linear = |graph: &mut Graph, operator: &Value| {
            let operator = graph.gather_by(operator, 0, &row);
            let both = match self.modes.exchanged(graph, &windows.modes) {
                Some(exchanged) => graph.concat(2, &[&windows.modes, &exchanged]),
                None => windows.modes.clone(),
            };
            let both = graph.unsqueeze(&both, &[2]);
            let products = graph.mul(&operator, &both);
            graph.sum(&products, 3)
        };
        let mut increment = base.then(|| linear(graph, &self.level.increment));
        let noise_operator = self.level.noise.as_ref().filter(|_| base);
        let mut noise = noise_operator.map(|operator| linear(graph, operator));
        let mut tape = None;
        if let Some(network) = &self.network {
            let input = self.merged(graph, windows);
            let (out, inner) = network.forward(graph, &input)?;
            graph.part("heads");
            let c = self.level.sizes.channels as i64;
            let head = |graph: &mut Graph, n: i64, scale: &Value| {
                let out = graph.slice(&out, 1, n * c, (n + 1) * c);
                let (bent, corrected) = if self.model.meta.system.bounded {
                    let small = graph.scaled(&out, 1.0 / BOUND);
                    let bent = graph.tanh(&small);
                    let most = graph.scaled(scale, BOUND);
                    (bent.clone(), graph.mul(&bent, &most))
                } else {
                    (out.clone(), out.clone())
                };
                (bent, self.spectra(graph, &corrected, &row))
            };
            let (bent, correction) = head(graph, 0, &self.level.increment_scale);
            increment = Some(plus(graph, increment, correction));
            tape = Some((inner, bent));
            if let Some(scale) = &self.level.noise_scale {
                let (_, correction) = head(graph, 1, scale);
                noise = Some(plus(graph, noise, correction));
            }
        }
        let increment = increment.unwrap_or_else(|| graph.scalar(0.0));
        Ok(Increments { increment, noise, row, tape })
    }

    /// Adjoint of [`Self::predict`]: `[a][window][channel][mode]` to windows' modes, and to the
    /// fields that the network saw.
    pub(super) fn vjp(
        &self,
        graph: &mut Graph,
        output: &Increments,
        cotangent: &Value,
    ) -> (Option<Value>, Vec<Value>) {
        graph.part("linear.vjp");
        let sizes = self.level.sizes;
        let f = (sizes.window * sizes.channels) as i64;
        let modes = self.model.meta.system.linear_base.then(|| {
            let operator = graph.gather_by(&self.level.increment, 0, &output.row);
            let v = graph.unsqueeze(cotangent, &[3]);
            let products = graph.mul(&operator, &v);
            let both = graph.sum(&products, 2);
            if self.modes.planes() == 1 {
                return both;
            }
            let (own, imaginary) = (graph.slice(&both, 2, 0, f), graph.from(&both, 2, f));
            let exchanged = self.modes.exchanged(graph, &imaginary).expect("there are two planes");
            graph.add(&own, &exchanged)
        });
        let (Some(network), Some((tape, bent))) = (&self.network, &output.tape) else {
            return (modes, Vec::new());
        };
        graph.part("heads.vjp");
        let n = sizes.channels as i64;
        let fields = self.fields(graph, cotangent);
        let (ny, nx) = self.shape();
        let mut v = graph.reshape(&fields, &[-1, n, ny, nx]);
        if self.model.meta.system.bounded {
            let square = graph.mul(bent, bent);
            let slope = graph.neg(&square);
            let slope = graph.shifted(&slope, 1.0);
            let slope = graph.mul(&slope, &self.level.increment_scale);
            v = graph.mul(&v, &slope);
        }
        if self.level.noise_scale.is_some() {
            v = graph.zeros_around(&v, 4, 1, 0, n);
        }
        let gradient = network.vjp(graph, &v, tape);
        graph.part("heads.vjp");
        let parts = (0..self.level.seen.len() as i64).map(|kind| {
            let part = graph.slice(&gradient, 1, kind * f, (kind + 1) * f);
            self.split(graph, &part, &output.row, f)
        });
        (modes, parts.collect())
    }

    /// Modes turned apart to fields, `[a][b][channel][y][x]`.
    pub(super) fn fields(&self, graph: &mut Graph, modes: &Value) -> Value {
        let together = self.modes.together(graph, modes);
        let spectra = self.modes.on_grid(graph, &together);
        self.modes.inverse(graph, &spectra)
    }

    /// Corrections `[n][channel][y][x]` to modes `[a][window][channel][mode]`, turned apart.
    fn spectra(&self, graph: &mut Graph, fields: &Value, row: &Value) -> Value {
        let fields = self.split(graph, fields, row, self.level.sizes.channels as i64);
        let spectra = self.modes.forward(graph, &fields);
        let flat = self.modes.flat(graph, &spectra);
        self.modes.apart(graph, &flat)
    }

    /// `[a · window][channel][y][x]` to `[a][window][channel][y][x]`.
    fn split(&self, graph: &mut Graph, fields: &Value, row: &Value, channels: i64) -> Value {
        let (ny, nx) = self.shape();
        let outer = graph.shape(row);
        let inner = graph.integers(&[channels, ny, nx]);
        let shape = graph.concat(0, &[&outer, &inner]);
        graph.reshape_to(fields, &shape)
    }

    /// Fields of windows to the network's input.
    fn merged(&self, graph: &mut Graph, windows: &Frames) -> Value {
        let (ny, nx) = self.shape();
        let seen: Vec<&Value> = windows.fields.iter().chain(&windows.companions).collect();
        let all = graph.concat(2, &seen);
        let count = self.level.seen.len() as i64 * self.width();
        graph.reshape(&all, &[-1, count + self.model.meta.companions() as i64, ny, nx])
    }

    /// Channels of all frames of a window.
    fn width(&self) -> i64 {
        (self.level.sizes.window * self.level.sizes.channels) as i64
    }

    fn shape(&self) -> (i64, i64) {
        let ny = self.model.meta.y.as_ref().map_or(1, |y| y.points);
        (ny as i64, self.model.meta.x.points as i64)
    }
}

fn plus(graph: &mut Graph, base: Option<Value>, correction: Value) -> Value {
    match base {
        Some(base) => graph.add(&base, &correction),
        None => correction,
    }
}
