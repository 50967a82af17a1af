//! The network of a reference.

use anyhow::{Result, ensure};
use finescale::model::Activation;

use super::convolution::Convolution;
use crate::{LayerMeta, Model};

/// Slope of the leaky rectifier below zero.
pub const SLOPE: f64 = finescale::layer::SLOPE as f64;
/// Standard deviations of the base's error that a bounded correction cannot exceed.
pub const BOUND: f64 = finescale::predictor::CORRECTION_MAX as f64;
/// What the second factor of a product is held within.
pub const FACTOR_MAX: f64 = finescale::layer::FACTOR_MAX as f64;
/// How many numbers describe λ to the network.
pub const LAMBDA_FEATURES: usize = 5;

/// λ as the network sees it: t, t², t³, sin πt, cos πt, where t runs from −1 at λ = 0.001 to 1 at λ
/// = 1 with log λ.
pub fn lambda_features(lambda: f64) -> [f64; LAMBDA_FEATURES] {
    let t = 1.0 + 2.0 * lambda.max(1e-9).log10() / 3.0;
    let (sin, cos) = (std::f64::consts::PI * t).sin_cos();
    [t, t * t, t * t * t, sin, cos]
}

/// Dilated convolutions, modulated by λ, with rectifiers or products.
pub(super) struct Network {
    layers: Vec<Layer>,
    /// What λ does to them; none where nothing depends on λ.
    film: Option<Film>,
    /// Channels of all layers but the last.
    modulated: usize,
}

struct Layer {
    meta: LayerMeta,
    convolution: Convolution,
    bias: Vec<f64>,
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
    /// Of every layer but the last, what its activation was given.
    given: Vec<Vec<f64>>,
    /// Of every layer, the largest absolute value of its input.
    pub(super) input_bounds: Vec<f64>,
    /// Of every layer, the largest absolute value of the first factors of its products; 0 where it
    /// has none.
    pub(super) factor_bounds: Vec<f64>,
    /// How near an activation came to where its derivative jumps.
    pub(super) margin: f64,
}

impl Network {
    /// Of a model whose network has these layers; `None` if there are none.
    pub(super) fn of<S>(model: &Model<S>, metas: &[LayerMeta]) -> Result<Option<Self>> {
        let grid = model.meta.grid()?;
        let Some((_, inner)) = metas.split_last() else { return Ok(None) };
        let array = |name: &str, len: usize| -> Result<Vec<f64>> {
            let values = &model.array(name)?.values;
            ensure!(values.len() == len, "the array `{name}` has the wrong size");
            Ok(values.iter().copied().map(f64::from).collect())
        };
        let layers = metas.iter().enumerate().map(|(n, meta)| {
            let LayerMeta { inputs, outputs, kernel, dilation, .. } = *meta;
            let taps = if grid.is_line() { kernel } else { kernel * kernel };
            let weight = array(&format!("network.layers.{n}.weight"), outputs * inputs * taps)?;
            let bias = array(&format!("network.layers.{n}.bias"), outputs)?;
            let convolution = Convolution { grid, inputs, outputs, kernel, dilation, weight };
            Ok(Layer { meta: *meta, convolution, bias })
        });
        let layers = layers.collect::<Result<_>>()?;
        let modulated: usize = inner.iter().map(|layer| layer.outputs).sum();
        let film = match model.arrays.get("network.film.hidden_bias") {
            None => None,
            Some(bias) => {
                let hidden = bias.values.len();
                Some(Film {
                    hidden_weight: array("network.film.hidden_weight", 5 * hidden)?,
                    hidden_bias: array("network.film.hidden_bias", hidden)?,
                    weight: array("network.film.weight", hidden * 2 * modulated)?,
                    bias: array("network.film.bias", 2 * modulated)?,
                })
            }
        };
        Ok(Some(Self { layers, film, modulated }))
    }

    pub(super) fn modulation(&self, lambda: f64) -> Modulation {
        let Some(film) = &self.film else {
            return Modulation {
                factors: vec![1.0; self.modulated],
                shifts: vec![0.0; self.modulated],
            };
        };
        let mut hidden = dense(&lambda_features(lambda), &film.hidden_weight, &film.hidden_bias);
        hidden.iter_mut().for_each(|h| *h *= if *h < 0.0 { SLOPE } else { 1.0 });
        let mut factors = dense(&hidden, &film.weight, &film.bias);
        let shifts = factors.split_off(factors.len() / 2);
        factors.iter_mut().for_each(|factor| *factor += 1.0);
        Modulation { factors, shifts }
    }

    /// `[inputs][y][x]` to `[outputs][y][x]`.
    pub(super) fn forward(&self, fields: &[f64], modulation: &Modulation) -> (Vec<f64>, Tape) {
        let points = self.layers[0].convolution.grid.points();
        let mut tape = Tape {
            given: Vec::new(),
            input_bounds: Vec::new(),
            factor_bounds: Vec::new(),
            margin: f64::INFINITY,
        };
        let (mut h, mut channel) = (fields.to_vec(), 0);
        for (n, Layer { meta, convolution, bias }) in self.layers.iter().enumerate() {
            let mut a = convolution.forward(&h);
            tape.input_bounds.push(largest(&h));
            tape.factor_bounds.push(0.0);
            let last = n + 1 == self.layers.len();
            for (plane, bias) in a.chunks_exact_mut(points).zip(bias) {
                let (factor, shift) = if last {
                    (1.0, 0.0)
                } else {
                    (modulation.factors[channel], modulation.shifts[channel])
                };
                plane.iter_mut().for_each(|value| *value = factor * (*value + bias) + shift);
                channel += 1;
            }
            let mut out = match meta.activation {
                Activation::None => a.clone(),
                Activation::Rectifier => {
                    tape.margin = a.iter().fold(tape.margin, |least, a| least.min(a.abs()));
                    a.iter().map(|a| if *a < 0.0 { SLOPE * a } else { *a }).collect()
                }
                Activation::Product => {
                    let (p, q) = a.split_at(a.len() / 2);
                    let near = |q: &f64| (q.abs() - FACTOR_MAX).abs();
                    tape.margin = q.iter().map(near).fold(tape.margin, f64::min);
                    tape.factor_bounds[n] = largest(p);
                    p.iter().zip(q).map(|(p, q)| p * q.clamp(-FACTOR_MAX, FACTOR_MAX)).collect()
                }
            };
            if meta.residual {
                out.iter_mut().zip(&h).for_each(|(out, h)| *out += h);
            }
            tape.given.push(a);
            h = out;
        }
        (h, tape)
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
        let points = self.layers[0].convolution.grid.points();
        let mut v = cotangent.to_vec();
        let mut channel = modulation.factors.len();
        for (n, Layer { meta, convolution, .. }) in self.layers.iter().enumerate().rev() {
            let given = &tape.given[n];
            let mut behind = match meta.activation {
                Activation::None => v.clone(),
                Activation::Rectifier => {
                    let slope = |a: &f64| if *a < 0.0 { SLOPE } else { 1.0 };
                    v.iter().zip(given).map(|(v, a)| v * slope(a)).collect()
                }
                Activation::Product => {
                    let (p, q) = given.split_at(given.len() / 2);
                    let of_p = v.iter().zip(q);
                    let of_p = of_p.map(|(v, q)| v * q.clamp(-FACTOR_MAX, FACTOR_MAX));
                    let free = |q: &f64| if q.abs() < FACTOR_MAX { 1.0 } else { 0.0 };
                    let of_q = v.iter().zip(p.iter().zip(q)).map(|(v, (p, q))| v * p * free(q));
                    of_p.chain(of_q).collect::<Vec<f64>>()
                }
            };
            if n + 1 < self.layers.len() {
                channel -= convolution.outputs;
                for (i, value) in behind.iter_mut().enumerate() {
                    *value *= modulation.factors[channel + i / points];
                }
            }
            let mut through = convolution.adjoint(&behind);
            if meta.residual {
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
