//! What lies beyond the ends of the grid, in convolutions and their adjoints, on
//! `[n][channel][y][x]`.

use finescale::{Axis, Boundary, Grid};

use super::graph::{Graph, Value, integers};

/// A dilated convolution's sizes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taps {
    pub(super) kernel: usize,
    pub(super) dilation: usize,
}

impl Taps {
    fn reach(self) -> i64 {
        (self.kernel / 2 * self.dilation) as i64
    }
}

/// weight ∗ input, with the grid's boundaries.
pub(super) fn convolve(
    graph: &mut Graph,
    grid: &Grid,
    taps: Taps,
    input: &Value,
    weight: &Value,
    bias: &Value,
) -> Value {
    let mut padded = input.clone();
    for (number, axis) in axes(grid) {
        padded = pad(graph, axis, number, &padded, taps.reach());
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
    grid: &Grid,
    taps: Taps,
    cotangent: &Value,
    flipped: &Value,
) -> Value {
    let mut padded = cotangent.clone();
    let mut zeros = [0, 0];
    for (number, axis) in axes(grid) {
        match axis.boundary() {
            Boundary::Periodic => padded = pad(graph, axis, number, &padded, taps.reach()),
            Boundary::Reflecting => zeros[number - 2] = 2 * taps.reach(),
        }
    }
    let mut gradient = conv(graph, taps, &[&padded, flipped], zeros);
    for (number, axis) in axes(grid) {
        if axis.boundary() == Boundary::Reflecting {
            gradient = fold(graph, axis, number, &gradient, taps.reach());
        }
    }
    gradient
}

/// The axes with their place among the dimensions.
fn axes(grid: &Grid) -> impl Iterator<Item = (usize, Axis)> + use<> {
    grid.y().map(|y| (2, y)).into_iter().chain([(3, grid.x())])
}

fn conv(graph: &mut Graph, taps: Taps, inputs: &[&Value], [y, x]: [i64; 2]) -> Value {
    let dilation = taps.dilation as i64;
    let attributes =
        vec![integers("dilations", &[dilation, dilation]), integers("pads", &[y, x, y, x])];
    graph.node("Conv", inputs, attributes)
}

/// Adds `reach` points at both ends. Slices and a concatenation: not every runtime pads circularly.
fn pad(graph: &mut Graph, axis: Axis, number: usize, values: &Value, reach: i64) -> Value {
    if reach == 0 {
        return values.clone();
    }
    let (n, dim) = (axis.points() as i64, number as i64);
    let (before, after) = match axis.boundary() {
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
fn fold(graph: &mut Graph, axis: Axis, number: usize, values: &Value, reach: i64) -> Value {
    if reach == 0 {
        return values.clone();
    }
    let (n, dim) = (axis.points() as i64, number as i64);
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
