//! What lies beyond the ends of the grid, in convolutions and their adjoints, on
//! `[n][channel][y][x]`.

use finescale::{Boundary, Grid};

use super::graph::{Graph, Value, integers};

/// A dilated convolution's sizes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taps {
    pub(super) kernel: usize,
    pub(super) dilation: usize,
}

/// The points of a grid, or of every second of them, and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Domain(Vec<Side>);

/// One axis of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Side {
    /// Its place among the dimensions.
    dim: usize,
    points: i64,
    boundary: Boundary,
}

impl Domain {
    pub(super) fn of(grid: &Grid) -> Self {
        let axes = grid.y().map(|y| (2, y)).into_iter().chain([(3, grid.x())]);
        let side = |(dim, axis): (usize, finescale::Axis)| Side {
            dim,
            points: axis.points() as i64,
            boundary: axis.boundary(),
        };
        Self(axes.map(side).collect())
    }

    /// Half of the points along every axis.
    pub(super) fn halved(&self) -> Self {
        Self(self.0.iter().map(|side| Side { points: side.points / 2, ..*side }).collect())
    }

    /// Twice the points along every axis.
    pub(super) fn doubled(&self) -> Self {
        Self(self.0.iter().map(|side| Side { points: side.points * 2, ..*side }).collect())
    }

    /// Points along y, 1 of a line, and along x.
    pub(super) fn points(&self) -> [i64; 2] {
        match self.0[..] {
            [y, x] => [y.points, x.points],
            _ => [1, self.0[0].points],
        }
    }

    pub(super) fn is_line(&self) -> bool {
        self.0.len() == 1
    }
}

impl Taps {
    fn reach(self) -> i64 {
        (self.kernel / 2 * self.dilation) as i64
    }
}

/// weight ∗ input, with the grid's boundaries.
pub(super) fn convolve(
    graph: &mut Graph,
    domain: &Domain,
    taps: Taps,
    input: &Value,
    weight: &Value,
    bias: &Value,
) -> Value {
    let mut padded = input.clone();
    for &side in &domain.0 {
        padded = pad(graph, side, &padded, taps.reach());
    }
    conv(graph, taps, &[&padded, weight, bias], [0, 0])
}

/// The adjoint of [`convolve`] without its bias; `flipped` is the weight turned over and with its
/// channels exchanged.
///
/// Along a periodic axis that is a convolution again. Along a reflecting one, what the padding read
/// twice gets both contributions: the gradient of the padded input is folded.
pub(super) fn adjoint(
    graph: &mut Graph,
    domain: &Domain,
    taps: Taps,
    cotangent: &Value,
    flipped: &Value,
) -> Value {
    let mut padded = cotangent.clone();
    let mut zeros = [0, 0];
    for &side in &domain.0 {
        match side.boundary {
            Boundary::Periodic => padded = pad(graph, side, &padded, taps.reach()),
            Boundary::Reflecting => zeros[side.dim - 2] = 2 * taps.reach(),
        }
    }
    let mut gradient = conv(graph, taps, &[&padded, flipped], zeros);
    for &side in &domain.0 {
        if side.boundary == Boundary::Reflecting {
            gradient = fold(graph, side, &gradient, taps.reach());
        }
    }
    gradient
}

fn conv(graph: &mut Graph, taps: Taps, inputs: &[&Value], [y, x]: [i64; 2]) -> Value {
    let dilation = taps.dilation as i64;
    let attributes =
        vec![integers("dilations", &[dilation, dilation]), integers("pads", &[y, x, y, x])];
    graph.node("Conv", inputs, attributes)
}

/// Adds `reach` points at both ends. Slices and a concatenation: not every runtime pads circularly.
fn pad(graph: &mut Graph, side: Side, values: &Value, reach: i64) -> Value {
    if reach == 0 {
        return values.clone();
    }
    let (n, dim) = (side.points, side.dim as i64);
    let (before, after) = match side.boundary {
        Boundary::Periodic => {
            (graph.from(values, dim, n - reach), graph.slice(values, dim, 0, reach))
        }
        Boundary::Reflecting => {
            let first: Vec<i64> = (0..reach).rev().collect();
            let last: Vec<i64> = (n - reach..n).rev().collect();
            (graph.gather(values, dim, &first), graph.gather(values, dim, &last))
        }
    };
    graph.concat(dim, &[&before, values, &after])
}

/// The adjoint of [`pad`] along a reflecting axis.
fn fold(graph: &mut Graph, side: Side, values: &Value, reach: i64) -> Value {
    if reach == 0 {
        return values.clone();
    }
    let (n, dim, number) = (side.points, side.dim as i64, side.dim);
    let first: Vec<i64> = (0..reach).rev().collect();
    let last: Vec<i64> = (n + reach..n + 2 * reach).rev().collect();
    let before = graph.gather(values, dim, &first);
    let before = graph.zeros_around(&before, 4, number, 0, n - reach);
    let after = graph.gather(values, dim, &last);
    let after = graph.zeros_around(&after, 4, number, n - reach, 0);
    let inner = graph.slice(values, dim, reach, n + reach);
    let sum = graph.add(&inner, &before);
    graph.add(&sum, &after)
}
