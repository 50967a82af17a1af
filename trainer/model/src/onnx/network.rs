//! The network, forward and backward, on `[n][channel][y][x]`.

use anyhow::Result;
use finescale::Grid;

use super::boundary::{Taps, adjoint, convolve};
use super::graph::{Graph, Value};
use crate::reference::SLOPE;
use crate::{Model, NetworkMeta};

/// Weights of a graph's network.
pub(super) struct Network {
    grid: Grid,
    layers: Vec<Layer>,
}

struct Layer {
    taps: Taps,
    weight: Value,
    bias: Value,
    flipped: Option<Value>,
    /// Factor and shift, 1 × channels × 1 × 1; none on the last layer.
    modulation: Option<[Value; 2]>,
}

/// Of every layer but the last, the slope of the rectifier times the factor, `[n][channel][y][x]`.
pub(super) struct Tape(Vec<Value>);

impl Network {
    /// None if the linear base is all there is; with weights turned over where the adjoint is asked
    /// for.
    pub(super) fn new(
        graph: &mut Graph,
        model: &Model,
        lambda: &Value,
        with_adjoint: bool,
    ) -> Result<Option<Self>> {
        let NetworkMeta::Tiny { channels, dilations, kernel } = &model.meta.network else {
            return Ok(None);
        };
        let (grid, last) = (model.meta.grid()?, dilations.len() - 1);
        graph.part("film");
        let modulation = film(graph, model, lambda)?;
        let mut layers = Vec::new();
        for (n, &dilation) in dilations.iter().enumerate() {
            graph.part(format!("layer.{n}"));
            let (weight, bias) = (format!("layers.{n}.weight"), format!("layers.{n}.bias"));
            let flipped = with_adjoint.then(|| flipped(graph, model, n)).transpose()?;
            let modulation = (n < last).then(|| {
                let width = *channels as i64;
                let (from, to) = (n as i64 * width, (n as i64 + 1) * width);
                let half = last as i64 * width;
                let mut part = |from: i64, to: i64| {
                    let part = graph.slice(&modulation, 1, from, to);
                    graph.reshape(&part, &[1, width, 1, 1])
                };
                let (factor, shift) = (part(from, to), part(half + from, half + to));
                [graph.shifted(&factor, 1.0), shift]
            });
            layers.push(Layer {
                taps: Taps { kernel: *kernel, dilation },
                weight: array(graph, model, &weight)?,
                bias: array(graph, model, &bias)?,
                flipped,
                modulation,
            });
        }
        Ok(Some(Self { grid, layers }))
    }

    /// Fields to what comes out of the last layer.
    pub(super) fn forward(&self, graph: &mut Graph, fields: &Value) -> (Value, Tape) {
        let (mut h, mut tape) = (fields.clone(), Vec::new());
        for (n, layer) in self.layers.iter().enumerate() {
            graph.part(format!("layer.{n}"));
            let sum = convolve(graph, &self.grid, layer.taps, &h, &layer.weight, &layer.bias);
            let Some([factor, shift]) = &layer.modulation else {
                return (sum, Tape(tape));
            };
            let sum = graph.mul(&sum, factor);
            let sum = graph.add(&sum, shift);
            let zero = graph.scalar(0.0);
            let below = graph.less(&sum, &zero);
            let lower = graph.scaled(factor, SLOPE);
            tape.push(graph.choose(&below, &lower, factor));
            let active = graph.leaky(&sum, SLOPE);
            h = if n == 0 { active } else { graph.add(&active, &h) };
        }
        (h, Tape(tape))
    }

    /// Gradient of the fields from that of the outputs.
    pub(super) fn vjp(&self, graph: &mut Graph, cotangent: &Value, tape: &Tape) -> Value {
        let mut v = cotangent.clone();
        for (n, layer) in self.layers.iter().enumerate().rev() {
            graph.part(format!("layer.{n}.vjp"));
            let behind = match tape.0.get(n) {
                Some(slope) => graph.mul(&v, slope),
                None => v.clone(),
            };
            let flipped = layer.flipped.as_ref().expect("made for the adjoint");
            let through = adjoint(graph, &self.grid, layer.taps, &behind, flipped);
            let residual = n > 0 && n + 1 < self.layers.len();
            v = if residual { graph.add(&through, &v) } else { through };
        }
        v
    }
}

fn array(graph: &mut Graph, model: &Model, name: &str) -> Result<Value> {
    let array = model.array(&format!("network.{name}"))?;
    Ok(graph.constant(name, &array.shape, array.values.iter().copied().map(f64::from)))
}

/// `[out][in][ky][kx]` to `[in][out]` with both taps from last to first.
fn flipped(graph: &mut Graph, model: &Model, n: usize) -> Result<Value> {
    let array = model.array(&format!("network.layers.{n}.weight"))?;
    let [out, from, ky, kx] = array.shape[..] else {
        anyhow::bail!("the model's layer {n} has weights of a wrong shape");
    };
    let taps = ky * kx;
    let values = (0..out * from * taps).map(|i| {
        let (to, o, tap) = (i / (out * taps), i / taps % out, i % taps);
        f64::from(array.values[(o * from + to) * taps + taps - 1 - tap])
    });
    Ok(graph.constant(&format!("layers.{n}.weight.flipped"), &[from, out, ky, kx], values))
}

/// λ to 1 × (factors − 1 of all layers, shifts of all layers).
fn film(graph: &mut Graph, model: &Model, lambda: &Value) -> Result<Value> {
    // t = 1 + 2 log₁₀ λ / 3.
    let log = graph.ln(lambda);
    let t = graph.scaled(&log, 2.0 / (3.0 * std::f64::consts::LN_10));
    let t = graph.shifted(&t, 1.0);
    let t2 = graph.mul(&t, &t);
    let t3 = graph.mul(&t2, &t);
    let angle = graph.scaled(&t, std::f64::consts::PI);
    let (sin, cos) = (graph.sin(&angle), graph.cos(&angle));
    let features = graph.concat(0, &[&t, &t2, &t3, &sin, &cos]);
    let features = graph.unsqueeze(&features, &[0]);
    let hidden = dense(graph, model, &features, ["film.hidden_weight", "film.hidden_bias"])?;
    let hidden = graph.leaky(&hidden, SLOPE);
    dense(graph, model, &hidden, ["film.weight", "film.bias"])
}

fn dense(graph: &mut Graph, model: &Model, input: &Value, names: [&str; 2]) -> Result<Value> {
    let [weight, bias] = [array(graph, model, names[0])?, array(graph, model, names[1])?];
    let product = graph.matmul(input, &weight);
    Ok(graph.add(&product, &bias))
}
