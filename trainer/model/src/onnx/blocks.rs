//! The layers that U-Nets are made of, with what their gradients need.
//!
//! Maps are `[n][channel][y][x]`; tokens are `[n][token][width]`.

use std::collections::BTreeMap;
use std::f64::consts::{PI, SQRT_2};

use anyhow::{Context, Result, ensure};

use super::boundary::{Domain, Taps, adjoint, convolve};
use super::graph::{Graph, Value};
use super::tape::Tape;
use crate::Array;

/// What is added to a variance before its root: that of Burn's norms.
const EPSILON: f64 = 1e-5;

/// A network while its graph is made.
pub(super) struct Blocks<'b> {
    pub(super) graph: &'b mut Graph,
    pub(super) tape: Tape,
    arrays: &'b BTreeMap<String, Array>,
}

/// A map with its channels.
#[derive(Clone)]
pub(super) struct Map {
    pub(super) value: Value,
    pub(super) channels: i64,
}

impl<'b> Blocks<'b> {
    pub(super) fn new(graph: &'b mut Graph, arrays: &'b BTreeMap<String, Array>) -> Self {
        Self { graph, tape: Tape::default(), arrays }
    }

    /// A weight by its path in the network.
    fn array(&self, name: &str, rank: usize) -> Result<&'b Array> {
        let array = self.arrays.get(&format!("network.{name}"));
        let array = array.with_context(|| format!("the model lacks its weight `{name}`"))?;
        ensure!(array.shape.len() == rank, "the model's weight `{name}` has a wrong shape");
        Ok(array)
    }

    /// Whether the network has a layer of weights under this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.arrays.contains_key(&format!("network.{name}.weight"))
    }

    fn constant(&mut self, name: &str, array: &Array, shape: &[usize]) -> Value {
        self.graph.constant(name, shape, array.values.iter().copied().map(f64::from))
    }

    /// A weight as a constant of another shape.
    pub(super) fn weight(&mut self, name: &str, shape: &[usize]) -> Result<Value> {
        let array = self.arrays.get(&format!("network.{name}"));
        let array = array.with_context(|| format!("the model lacks its weight `{name}`"))?;
        let fits = array.values.len() == shape.iter().product::<usize>();
        ensure!(fits, "the model's weight `{name}` has a wrong shape");
        Ok(self.constant(name, array, shape))
    }

    /// x W + b of rows that do not depend on the network's input: of λ.
    pub(super) fn dense(&mut self, name: &str, x: &Value) -> Result<Value> {
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        let (w, b) = (self.array(&weight, 2)?, self.array(&bias, 1)?);
        let (w, b) = (self.constant(&weight, w, &w.shape), self.constant(&bias, b, &b.shape));
        let product = self.graph.matmul(x, &w);
        Ok(self.graph.add(&product, &b))
    }

    /// x · σ(x), unrecorded.
    pub(super) fn silu_of_lambda(&mut self, x: &Value) -> Value {
        let gate = self.graph.sigmoid(x);
        self.graph.mul(x, &gate)
    }

    /// A convolution with the borders of `domain`.
    pub(super) fn conv(&mut self, name: &str, x: &Map, domain: &Domain) -> Result<Map> {
        self.graph.part(name);
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        let (w, b) = (self.array(&weight, 4)?, self.array(&bias, 1)?);
        let [out, from, ky, kx] = w.shape[..] else { unreachable!("its rank was checked") };
        ensure!(from as i64 == x.channels, "the model's weight `{weight}` has a wrong shape");
        let taps = Taps { kernel: kx, dilation: 1 };
        let values = flipped(w, [out, from, ky * kx]);
        let turned =
            self.graph.constant(&format!("{weight}.flipped"), &[from, out, ky, kx], values);
        let (w, b) = (self.constant(&weight, w, &w.shape), self.constant(&bias, b, &b.shape));
        let value = convolve(self.graph, domain, taps, &x.value, &w, &b);
        let domain = domain.clone();
        let value = self.tape.record(&[&x.value], value, move |graph, v| {
            vec![adjoint(graph, &domain, taps, v, &turned)]
        });
        Ok(Map { value, channels: out as i64 })
    }

    /// A dense layer of every token; without a bias where the model has none.
    pub(super) fn each(&mut self, name: &str, x: &Value) -> Result<Value> {
        self.graph.part(name);
        let (weight, bias) = (format!("{name}.weight"), format!("{name}.bias"));
        let product = self.product(&weight, x)?;
        let b = self.array(&bias, 1)?;
        let b = self.constant(&bias, b, &b.shape);
        Ok(self.shifted(&product, &b))
    }

    /// x W of every token.
    pub(super) fn product(&mut self, weight: &str, x: &Value) -> Result<Value> {
        let w = self.array(weight, 2)?;
        let w = self.constant(weight, w, &w.shape);
        let product = self.graph.matmul(x, &w);
        Ok(self.tape.record(&[x], product, move |graph, v| {
            let turned = graph.transpose(&w, &[1, 0]);
            vec![graph.matmul(v, &turned)]
        }))
    }

    /// x + c, c the same whatever the input.
    pub(super) fn shifted(&mut self, x: &Value, c: &Value) -> Value {
        let sum = self.graph.add(x, c);
        self.tape.record(&[x], sum, |_, v| vec![v.clone()])
    }

    /// x · c, c the same whatever the input.
    pub(super) fn scaled(&mut self, x: &Value, c: &Value) -> Value {
        let (product, c) = (self.graph.mul(x, c), c.clone());
        self.tape.record(&[x], product, move |graph, v| vec![graph.mul(v, &c)])
    }

    /// x + y.
    pub(super) fn add(&mut self, x: &Value, y: &Value) -> Value {
        let sum = self.graph.add(x, y);
        self.tape.record(&[x, y], sum, |_, v| vec![v.clone(), v.clone()])
    }

    /// x · σ(x).
    pub(super) fn silu(&mut self, x: &Value) -> Value {
        let gate = self.graph.sigmoid(x);
        let out = self.graph.mul(x, &gate);
        self.tape.record(&[x], out.clone(), move |graph, v| {
            // σ + x σ (1 − σ), of which x σ is known.
            let rest = graph.mul(&out, &gate);
            let slope = graph.add(&gate, &out);
            let slope = graph.sub(&slope, &rest);
            vec![graph.mul(v, &slope)]
        })
    }

    /// x Φ(x), Φ the normal distribution.
    pub(super) fn gelu(&mut self, x: &Value) -> Value {
        let part = self.graph.scaled(x, 1.0 / SQRT_2);
        let part = self.graph.erf(&part);
        let part = self.graph.shifted(&part, 1.0);
        let share = self.graph.scaled(&part, 0.5);
        let (out, x_) = (self.graph.mul(x, &share), x.clone());
        self.tape.record(&[x], out, move |graph, v| {
            // Φ + x φ
            let square = graph.mul(&x_, &x_);
            let square = graph.scaled(&square, -0.5);
            let density = graph.exp(&square);
            let density = graph.scaled(&density, 1.0 / (2.0 * PI).sqrt());
            let rest = graph.mul(&x_, &density);
            let slope = graph.add(&share, &rest);
            vec![graph.mul(v, &slope)]
        })
    }

    /// Softmax along an axis.
    pub(super) fn softmax(&mut self, x: &Value, axis: i64) -> Value {
        let out = self.graph.softmax(x, axis);
        let shares = out.clone();
        self.tape.record(&[x], out, move |graph, v| {
            let products = graph.mul(v, &shares);
            let mean = graph.sum_kept(&products, axis);
            let rest = graph.sub(v, &mean);
            vec![graph.mul(&shares, &rest)]
        })
    }

    /// The product of two stacks of matrices.
    pub(super) fn matmul(&mut self, a: &Value, b: &Value) -> Value {
        let (out, a_, b_) = (self.graph.matmul(a, b), a.clone(), b.clone());
        self.tape.record(&[a, b], out, move |graph, v| {
            let (a, b) = (graph.transpose(&a_, &[0, 1, 3, 2]), graph.transpose(&b_, &[0, 1, 3, 2]));
            vec![graph.matmul(v, &b), graph.matmul(&a, v)]
        })
    }

    /// Another shape; `back` is the one that it had. 0 keeps a dimension, −1 is what is left.
    pub(super) fn reshape(&mut self, x: &Value, shape: &[i64], back: &[i64]) -> Value {
        let (out, back) = (self.graph.reshape(x, shape), back.to_vec());
        self.tape.record(&[x], out, move |graph, v| vec![graph.reshape(v, &back)])
    }

    /// The axes in another order.
    pub(super) fn transpose(&mut self, x: &Value, order: &[i64]) -> Value {
        let out = self.graph.transpose(x, order);
        let mut back = vec![0; order.len()];
        (0..).zip(order).for_each(|(place, from)| back[*from as usize] = place);
        self.tape.record(&[x], out, move |graph, v| vec![graph.transpose(v, &back)])
    }

    /// Indices of an axis of `len`, of `rank` axes.
    pub(super) fn slice(
        &mut self,
        x: &Value,
        (rank, axis): (usize, usize),
        range: std::ops::Range<i64>,
        len: i64,
    ) -> Value {
        let out = self.graph.slice(x, axis as i64, range.start, range.end);
        self.tape.record(&[x], out, move |graph, v| {
            vec![graph.zeros_around(v, rank, axis, range.start, len - range.end)]
        })
    }

    /// Tokens of `[n][tokens][width]` behind one of zeros.
    pub(super) fn behind_zeros(&mut self, x: &Value) -> Value {
        let out = self.graph.zeros_around(x, 3, 1, 1, 0);
        self.tape.record(&[x], out, |graph, v| vec![graph.from(v, 1, 1)])
    }

    /// One behind the other along an axis, `a` of so many.
    pub(super) fn concat(&mut self, axis: i64, (a, len): (&Value, i64), b: &Value) -> Value {
        let out = self.graph.concat(axis, &[a, b]);
        self.tape.record(&[a, b], out, move |graph, v| {
            vec![graph.slice(v, axis, 0, len), graph.from(v, axis, len)]
        })
    }

    /// The channels of one map behind those of another.
    pub(super) fn joined(&mut self, a: &Map, b: &Map) -> Map {
        let value = self.concat(1, (&a.value, a.channels), &b.value);
        Map { value, channels: a.channels + b.channels }
    }

    /// Values with mean 0 and variance 1 over the last axis.
    fn normal(&mut self, x: &Value) -> Value {
        let mean = self.graph.mean_last(x);
        let rest = self.graph.sub(x, &mean);
        let square = self.graph.mul(&rest, &rest);
        let variance = self.graph.mean_last(&square);
        let variance = self.graph.shifted(&variance, EPSILON);
        let deviation = self.graph.sqrt(&variance);
        let out = self.graph.div(&rest, &deviation);
        let normal = out.clone();
        self.tape.record(&[x], out, move |graph, v| {
            let mean = graph.mean_last(v);
            let products = graph.mul(v, &normal);
            let along = graph.mean_last(&products);
            let along = graph.mul(&normal, &along);
            let rest = graph.sub(v, &mean);
            let rest = graph.sub(&rest, &along);
            vec![graph.div(&rest, &deviation)]
        })
    }

    /// Channels normalised together in groups, with a factor and a shift for each.
    pub(super) fn group_norm(
        &mut self,
        name: &str,
        x: &Map,
        groups: i64,
        domain: &Domain,
    ) -> Result<Map> {
        self.graph.part(name);
        let ([ny, nx], channels) = (domain.points(), x.channels);
        let shape = [0, channels, ny, nx];
        let grouped = self.reshape(&x.value, &[0, groups, -1], &shape);
        let normal = self.normal(&grouped);
        let value = self.reshape(&normal, &shape, &[0, groups, -1]);
        let value = self.affine(name, &value, &[1, channels as usize, 1, 1])?;
        Ok(Map { value, channels })
    }

    /// Each token normalised by itself, with a factor and a shift for each of its numbers.
    pub(super) fn layer_norm(&mut self, name: &str, x: &Value) -> Result<Value> {
        self.graph.part(name);
        let normal = self.normal(x);
        let width = self.array(&format!("{name}.gamma"), 1)?.shape[0];
        self.affine(name, &normal, &[width])
    }

    fn affine(&mut self, name: &str, x: &Value, shape: &[usize]) -> Result<Value> {
        let factor = self.weight(&format!("{name}.gamma"), shape)?;
        let shift = self.weight(&format!("{name}.beta"), shape)?;
        let x = self.scaled(x, &factor);
        Ok(self.shifted(&x, &shift))
    }

    /// (1 + γ) x + δ, of one γ and one δ for each channel, which come from λ by a dense layer.
    pub(super) fn modulated(&mut self, name: &str, x: &Map, embedding: &Value) -> Result<Map> {
        self.graph.part(name);
        let both = self.dense(name, embedding)?;
        let mut part = |start: i64| {
            let part = self.graph.slice(&both, 1, start, start + x.channels);
            self.graph.reshape(&part, &[1, x.channels, 1, 1])
        };
        let (gamma, delta) = (part(0), part(x.channels));
        let factor = self.graph.shifted(&gamma, 1.0);
        let value = self.scaled(&x.value, &factor);
        Ok(Map { value: self.shifted(&value, &delta), channels: x.channels })
    }

    /// Every point twice along every axis.
    pub(super) fn twice(&mut self, x: &Map, domain: &Domain) -> Map {
        let (value, back) = (double(self.graph, x, domain), domain.doubled());
        let channels = x.channels;
        let value = self.tape.record(&[&x.value], value, move |graph, v| {
            vec![pair_sums(graph, &Map { value: v.clone(), channels }, &back)]
        });
        Map { value, channels }
    }

    /// The mean of every two points along every axis.
    pub(super) fn half(&mut self, x: &Map, domain: &Domain) -> Map {
        let share = if domain.is_line() { 0.5 } else { 0.25 };
        let sums = pair_sums(self.graph, x, domain);
        let value = self.graph.scaled(&sums, share);
        let (back, channels) = (domain.halved(), x.channels);
        let value = self.tape.record(&[&x.value], value, move |graph, v| {
            let twice = double(graph, &Map { value: v.clone(), channels }, &back);
            vec![graph.scaled(&twice, share)]
        });
        Map { value, channels }
    }

    /// Every 2 × 2 points, two on a line, to one point with as many more channels.
    pub(super) fn folded(&mut self, x: &Map, domain: &Domain) -> Map {
        let ([ny, nx], c) = (domain.points(), x.channels);
        let (apart, order, together): (_, &[i64], _) = if domain.is_line() {
            (vec![0, c, 1, nx / 2, 2], &[0, 1, 4, 2, 3], [0, 2 * c, 1, nx / 2])
        } else {
            let apart = vec![0, c, ny / 2, 2, nx / 2, 2];
            (apart, &[0, 1, 5, 3, 2, 4], [0, 4 * c, ny / 2, nx / 2])
        };
        let parts = self.reshape(&x.value, &apart, &[0, c, ny, nx]);
        let parts = self.transpose(&parts, order);
        let back: Vec<i64> = order.iter().map(|axis| apart[*axis as usize]).collect();
        let value = self.reshape(&parts, &together, &back);
        Map { value, channels: together[1] }
    }
}

/// Every point of a map on `domain` twice along every axis.
fn double(graph: &mut Graph, map: &Map, domain: &Domain) -> Value {
    let ([ny, nx], c) = (domain.points(), map.channels);
    let apart = graph.reshape(&map.value, &[0, c, ny, 1, nx, 1]);
    let along_x = graph.concat(5, &[&apart, &apart]);
    if domain.is_line() {
        return graph.reshape(&along_x, &[0, c, 1, 2 * nx]);
    }
    let along_both = graph.concat(3, &[&along_x, &along_x]);
    graph.reshape(&along_both, &[0, c, 2 * ny, 2 * nx])
}

/// The sums of every two points of a map on `domain`, along every axis.
fn pair_sums(graph: &mut Graph, map: &Map, domain: &Domain) -> Value {
    let ([ny, nx], c) = (domain.points(), map.channels);
    let rows = if domain.is_line() { [1, 1] } else { [ny / 2, 2] };
    let apart = graph.reshape(&map.value, &[0, c, rows[0], rows[1], nx / 2, 2]);
    let along_x = graph.sum(&apart, 5);
    graph.sum(&along_x, 3)
}

/// `[out][in][tap]` to `[in][out][tap]` with the taps from last to first.
pub(super) fn flipped(array: &Array, [out, from, taps]: [usize; 3]) -> impl Iterator<Item = f64> {
    (0..out * from * taps).map(move |i| {
        let (to, o, tap) = (i / (out * taps), i / taps % out, i % taps);
        f64::from(array.values[(o * from + to) * taps + taps - 1 - tap])
    })
}
