//! The network of a reference.

use anyhow::{Result, bail, ensure};

use super::convolution::Convolution;
use crate::{Model, NetworkMeta};

/// Slope of the leaky rectifier below zero.
pub const SLOPE: f64 = finescale::layer::SLOPE as f64;
/// Standard deviations of the base's error that a bounded correction cannot exceed.
pub const BOUND: f64 = finescale::predictor::CORRECTION_MAX as f64;
/// How many numbers describe λ to the network.
pub const LAMBDA_FEATURES: usize = 5;

/// λ as the network sees it: t, t², t³, sin πt, cos πt, where t runs from −1 at λ = 0.001 to 1 at λ
/// = 1 with log λ.
pub fn lambda_features(lambda: f64) -> [f64; LAMBDA_FEATURES] {
    let t = 1.0 + 2.0 * lambda.max(1e-9).log10() / 3.0;
    let (sin, cos) = (std::f64::consts::PI * t).sin_cos();
    [t, t * t, t * t * t, sin, cos]
}

/// Residual dilated convolutions, modulated by λ.
pub(super) struct Network {
    layers: Vec<(Convolution, Vec<f64>)>,
    film: Film,
}

/// A dense layer, a leaky rectifier, a dense layer; weights `[in][out]`.
struct Film {
    hidden_weight: Vec<f64>,
    hidden_bias: Vec<f64>,
    weight: Vec<f64>,
    bias: Vec<f64>,
}

/// Factors and shifts of every layer but the last, `[channel of every layer]` each.
pub(super) struct Modulation {
    factors: Vec<f64>,
    shifts: Vec<f64>,
}

/// What a forward pass leaves.
pub(super) struct Tape {
    /// Of every layer but the last, for every value whether it was below zero.
    below: Vec<Vec<bool>>,
    /// Of every layer, the largest absolute value of its input.
    pub(super) input_bounds: Vec<f64>,
    /// The smallest absolute value that a rectifier was given.
    pub(super) margin: f64,
}

impl Network {
    /// Of a model, `None` if the linear base is all there is.
    pub(super) fn of(model: &Model) -> Result<Option<Self>> {
        let meta = &model.meta;
        let (channels, kernel, dilations) = match &meta.network {
            NetworkMeta::Linear => return Ok(None),
            NetworkMeta::Tiny { channels, kernel, dilations } => (*channels, *kernel, dilations),
            NetworkMeta::Other(other) => bail!(
                "a network `{}` stays on the machine that trains it: train the network `tiny` to \
                 export a model",
                other.kind
            ),
        };
        let grid = meta.grid()?;
        let array = |name: &str, len: usize| -> Result<Vec<f64>> {
            let values = &model.array(name)?.values;
            ensure!(values.len() == len, "the array `{name}` has the wrong size");
            Ok(values.iter().copied().map(f64::from).collect())
        };
        let last = dilations.len().checked_sub(1).filter(|last| *last > 0);
        let Some(last) = last else { bail!("the model's network has fewer than two layers") };
        let inputs = meta.input_fields();
        let outputs = meta.channels.len() * if meta.system.score_head { 2 } else { 1 };
        let taps = if grid.is_line() { kernel } else { kernel * kernel };
        let layers = dilations.iter().enumerate().map(|(n, &dilation)| {
            let from = if n == 0 { inputs } else { channels };
            let to = if n == last { outputs } else { channels };
            let weight = array(&format!("network.layers.{n}.weight"), to * from * taps)?;
            let bias = array(&format!("network.layers.{n}.bias"), to)?;
            let convolution =
                Convolution { grid, inputs: from, outputs: to, kernel, dilation, weight };
            Ok((convolution, bias))
        });
        let layers = layers.collect::<Result<_>>()?;
        let hidden = model.array("network.film.hidden_bias")?.values.len();
        let modulated = 2 * last * channels;
        let film = Film {
            hidden_weight: array("network.film.hidden_weight", 5 * hidden)?,
            hidden_bias: array("network.film.hidden_bias", hidden)?,
            weight: array("network.film.weight", hidden * modulated)?,
            bias: array("network.film.bias", modulated)?,
        };
        Ok(Some(Self { layers, film }))
    }

    pub(super) fn modulation(&self, lambda: f64) -> Modulation {
        let film = &self.film;
        let mut hidden = dense(&lambda_features(lambda), &film.hidden_weight, &film.hidden_bias);
        hidden.iter_mut().for_each(|h| *h *= if *h < 0.0 { SLOPE } else { 1.0 });
        let mut factors = dense(&hidden, &film.weight, &film.bias);
        let shifts = factors.split_off(factors.len() / 2);
        factors.iter_mut().for_each(|factor| *factor += 1.0);
        Modulation { factors, shifts }
    }

    /// `[inputs][y][x]` to `[outputs][y][x]`.
    pub(super) fn forward(&self, fields: &[f64], modulation: &Modulation) -> (Vec<f64>, Tape) {
        let points = self.layers[0].0.grid.points();
        let (last, inner) = self.layers.split_last().expect("at least two layers");
        let mut tape = Tape { below: Vec::new(), input_bounds: Vec::new(), margin: f64::INFINITY };
        let (mut h, mut channel) = (fields.to_vec(), 0);
        for (n, (convolution, bias)) in inner.iter().enumerate() {
            let mut a = convolution.forward(&h);
            tape.input_bounds.push(largest(&h));
            for (plane, bias) in a.chunks_exact_mut(points).zip(bias) {
                let (factor, shift) = (modulation.factors[channel], modulation.shifts[channel]);
                plane.iter_mut().for_each(|value| *value = factor * (*value + bias) + shift);
                channel += 1;
            }
            tape.margin = a.iter().fold(tape.margin, |least, value| least.min(value.abs()));
            let below: Vec<bool> = a.iter().map(|value| *value < 0.0).collect();
            a.iter_mut().zip(&below).for_each(|(a, below)| *a *= if *below { SLOPE } else { 1.0 });
            if n > 0 {
                a.iter_mut().zip(&h).for_each(|(a, h)| *a += h);
            }
            tape.below.push(below);
            h = a;
        }
        let (convolution, bias) = last;
        let mut out = convolution.forward(&h);
        tape.input_bounds.push(largest(&h));
        for (plane, bias) in out.chunks_exact_mut(points).zip(bias) {
            plane.iter_mut().for_each(|value| *value += bias);
        }
        (out, tape)
    }

    /// Gradient of the fields from that of the outputs; `visit` is given that of every layer's
    /// input, from the last layer on.
    pub(super) fn vjp(
        &self,
        cotangent: &[f64],
        modulation: &Modulation,
        tape: &Tape,
        mut visit: impl FnMut(&[f64]),
    ) -> Vec<f64> {
        let points = self.layers[0].0.grid.points();
        let (last, inner) = self.layers.split_last().expect("at least two layers");
        let mut v = last.0.adjoint(cotangent);
        visit(&v);
        let mut channel = modulation.factors.len();
        for (n, ((convolution, _), below)) in inner.iter().zip(&tape.below).enumerate().rev() {
            let mut behind = v.clone();
            channel -= convolution.outputs;
            for (i, value) in behind.iter_mut().enumerate() {
                let slope = if below[i] { SLOPE } else { 1.0 };
                *value *= slope * modulation.factors[channel + i / points];
            }
            let mut through = convolution.adjoint(&behind);
            if n > 0 {
                through.iter_mut().zip(&v).for_each(|(t, v)| *t += v);
            }
            v = through;
            visit(&v);
        }
        v
    }
}

pub(super) fn largest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

/// x W + b.
fn dense(x: &[f64], weight: &[f64], bias: &[f64]) -> Vec<f64> {
    let mut out = bias.to_vec();
    for (x, row) in x.iter().zip(weight.chunks_exact(bias.len())) {
        out.iter_mut().zip(row).for_each(|(out, w)| *out += x * w);
    }
    out
}
