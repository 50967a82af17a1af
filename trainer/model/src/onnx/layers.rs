//! A network of layers one after the other, forward and backward, on `[n][channel][y][x]`.

use anyhow::Result;
use finescale::model::Activation;

use super::blocks::flipped;
use super::boundary::{Domain, Taps, adjoint, convolve};
use super::graph::{Graph, Value};
use crate::reference::{FACTOR_MAX, SLOPE};
use crate::{LayerMeta, Model};

/// Weights of a graph's network.
pub(super) struct Layers {
    domain: Domain,
    layers: Vec<Layer>,
}

struct Layer {
    taps: Taps,
    weight: Value,
    bias: Value,
    flipped: Option<Value>,
    /// Channels of the convolution.
    outputs: i64,
    activation: Activation,
    residual: bool,
    /// Factor and shift, 1 × channels × 1 × 1; none on the last layer.
    modulation: Option<[Value; 2]>,
}

/// How a layer's output depends on what its convolution gives, `[n][channel][y][x]`.
pub(super) enum Slopes {
    /// As it is.
    One,
    /// Times the slope of a rectifier and the factor of the modulation.
    Times(Value),
    /// The derivatives with respect to p and to q, with the factors of the modulation.
    Both(Value, Value),
}

impl Layers {
    /// Of a model whose network has these layers, modulated by λ, whose features are given, if there
    /// is one; none if there are no layers. With weights turned over where the adjoint is asked for.
    pub(super) fn new<S>(
        graph: &mut Graph,
        model: &Model<S>,
        metas: &[LayerMeta],
        features: Option<&Value>,
        with_adjoint: bool,
    ) -> Result<Option<Self>> {
        let domain = Domain::of(&model.meta.grid()?);
        let Some((_, inner)) = metas.split_last() else { return Ok(None) };
        let all = inner.iter().map(|layer| layer.outputs as i64).sum::<i64>();
        graph.part("film");
        let modulation = match features {
            Some(features) => film(graph, model, features)?,
            // Factors less 1 and shifts of nothing.
            None => graph.constant("film", &[1, 2 * all as usize], vec![0.0; 2 * all as usize]),
        };
        let (mut layers, mut channel) = (Vec::new(), 0);
        for (n, meta) in metas.iter().enumerate() {
            graph.part(format!("layer.{n}"));
            let (weight, bias) = (format!("layers.{n}.weight"), format!("layers.{n}.bias"));
            let flipped = with_adjoint.then(|| turned(graph, model, n)).transpose()?;
            let modulation = (n < inner.len()).then(|| {
                let width = meta.outputs as i64;
                let (from, to) = (channel, channel + width);
                let mut part = |from: i64, to: i64| {
                    let part = graph.slice(&modulation, 1, from, to);
                    graph.reshape(&part, &[1, width, 1, 1])
                };
                let (factor, shift) = (part(from, to), part(all + from, all + to));
                [graph.shifted(&factor, 1.0), shift]
            });
            channel += meta.outputs as i64;
            layers.push(Layer {
                taps: Taps { kernel: meta.kernel, dilation: meta.dilation },
                weight: array(graph, model, &weight)?,
                bias: array(graph, model, &bias)?,
                flipped,
                outputs: meta.outputs as i64,
                activation: meta.activation,
                residual: meta.residual,
                modulation,
            });
        }
        Ok(Some(Self { domain, layers }))
    }

    /// Fields to what comes out of the last layer.
    pub(super) fn forward(&self, graph: &mut Graph, fields: &Value) -> (Value, Vec<Slopes>) {
        let (mut h, mut tape) = (fields.clone(), Vec::new());
        for (n, layer) in self.layers.iter().enumerate() {
            graph.part(format!("layer.{n}"));
            let sum = convolve(graph, &self.domain, layer.taps, &h, &layer.weight, &layer.bias);
            let Some([factor, shift]) = &layer.modulation else {
                tape.push(Slopes::One);
                return (sum, tape);
            };
            let sum = graph.mul(&sum, factor);
            let sum = graph.add(&sum, shift);
            let (out, slopes) = layer.activate(graph, &sum, factor);
            tape.push(slopes);
            h = if layer.residual { graph.add(&out, &h) } else { out };
        }
        (h, tape)
    }

    /// Gradient of the fields from that of the outputs.
    pub(super) fn vjp(&self, graph: &mut Graph, cotangent: &Value, tape: &[Slopes]) -> Value {
        let mut v = cotangent.clone();
        for (n, layer) in self.layers.iter().enumerate().rev() {
            graph.part(format!("layer.{n}.vjp"));
            let behind = match &tape[n] {
                Slopes::One => v.clone(),
                Slopes::Times(slope) => graph.mul(&v, slope),
                Slopes::Both(of_p, of_q) => {
                    let (of_p, of_q) = (graph.mul(&v, of_p), graph.mul(&v, of_q));
                    graph.concat(1, &[&of_p, &of_q])
                }
            };
            let flipped = layer.flipped.as_ref().expect("made for the adjoint");
            let through = adjoint(graph, &self.domain, layer.taps, &behind, flipped);
            v = if layer.residual { graph.add(&through, &v) } else { through };
        }
        v
    }
}

impl Layer {
    /// The activation of modulated sums, whose factor is `factor`, and its derivatives.
    fn activate(&self, graph: &mut Graph, sum: &Value, factor: &Value) -> (Value, Slopes) {
        match self.activation {
            Activation::None => (sum.clone(), Slopes::Times(factor.clone())),
            Activation::Rectifier => {
                let zero = graph.scalar(0.0);
                let below = graph.less(sum, &zero);
                let lower = graph.scaled(factor, SLOPE);
                let slope = graph.choose(&below, &lower, factor);
                (graph.leaky(sum, SLOPE), Slopes::Times(slope))
            }
            Activation::Product => {
                let half = self.outputs / 2;
                let mut halves = |all: &Value| {
                    [graph.slice(all, 1, 0, half), graph.slice(all, 1, half, 2 * half)]
                };
                let [p, q] = halves(sum);
                let [of_p, of_q] = halves(factor);
                let (most, least) = (graph.scalar(FACTOR_MAX), graph.scalar(-FACTOR_MAX));
                let held = graph.min(&q, &most);
                let held = graph.max(&held, &least);
                let size = graph.abs(&q);
                let free = graph.less(&size, &most);
                let zero = graph.scalar(0.0);
                let slope = graph.mul(&p, &of_q);
                let slope = graph.choose(&free, &slope, &zero);
                let out = graph.mul(&p, &held);
                (out, Slopes::Both(graph.mul(&held, &of_p), slope))
            }
        }
    }
}

fn array<S>(graph: &mut Graph, model: &Model<S>, name: &str) -> Result<Value> {
    let array = model.array(&format!("network.{name}"))?;
    Ok(graph.constant(name, &array.shape, array.values.iter().copied().map(f64::from)))
}

/// The weights of layer `n` as [`adjoint`] takes them.
fn turned<S>(graph: &mut Graph, model: &Model<S>, n: usize) -> Result<Value> {
    let array = model.array(&format!("network.layers.{n}.weight"))?;
    let [out, from, ky, kx] = array.shape[..] else {
        anyhow::bail!("the model's layer {n} has weights of a wrong shape");
    };
    let values = flipped(array, [out, from, ky * kx]);
    Ok(graph.constant(&format!("layers.{n}.weight.flipped"), &[from, out, ky, kx], values))
}

/// Features of λ to 1 × (factors − 1 of all layers, shifts of all layers).
fn film<S>(graph: &mut Graph, model: &Model<S>, features: &Value) -> Result<Value> {
    let hidden = dense(graph, model, features, ["film.hidden_weight", "film.hidden_bias"])?;
    let hidden = graph.leaky(&hidden, SLOPE);
    dense(graph, model, &hidden, ["film.weight", "film.bias"])
}

fn dense<S>(graph: &mut Graph, model: &Model<S>, input: &Value, names: [&str; 2]) -> Result<Value> {
    let [weight, bias] = [array(graph, model, names[0])?, array(graph, model, names[1])?];
    let product = graph.matmul(input, &weight);
    Ok(graph.add(&product, &bias))
}
