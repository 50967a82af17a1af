//! What the network sees of frames, `[a][frame][channel][y][x]`, and back: see
//! [`finescale::model::View`].

use anyhow::Result;
use finescale::model::{Component, View};
use finescale::{Axis, Boundary, Grid, Laplacian};

use super::graph::{Graph, Value};
use super::level::deviation;
use super::modes::Modes;
use crate::Meta;
use crate::reference::inputs::axis;

/// A component of the views at the λ of the graph's input.
pub(super) struct Seen {
    /// C × modes; none where a raw frame needs no transform.
    pub(super) filter: Option<Value>,
    /// What fields are multiplied with at the end, C × 1 × 1; none for 1.
    factor: Option<Value>,
    difference: Option<Difference>,
}

/// A centred difference along an axis.
struct Difference {
    axis: Axis,
    /// The axis' place among the dimensions.
    dim: i64,
}

/// Variances of a model's modes at the λ of a graph's input, C × modes each.
pub(super) struct Variances<'a> {
    /// C²P times the Wiener filter.
    pub(super) kept: &'a Value,
    /// The Wiener filter.
    pub(super) wiener: &'a Value,
    /// C²P + Σ.
    pub(super) total: &'a Value,
}

/// The components of a model's views.
pub(super) fn seen(graph: &mut Graph, meta: &Meta, variances: &Variances<'_>) -> Result<Vec<Seen>> {
    let grid = meta.grid()?;
    let components: Vec<Component> = meta.views().components(&grid).collect();
    Ok(components.into_iter().map(|of| component(graph, meta, &grid, of, variances)).collect())
}

fn component(
    graph: &mut Graph,
    meta: &Meta,
    grid: &Grid,
    component: Component,
    variances: &Variances<'_>,
) -> Seen {
    let Variances { kept, wiener, total } = variances;
    let c = meta.channels.len() as i64;
    let per_channel = |graph: &mut Graph, value: &Value| graph.reshape(value, &[c, 1, 1]);
    if component.view == View::Raw {
        let all = deviation(graph, total);
        let factor = graph.inverse_of(&all, 1.0);
        let factor = per_channel(graph, &factor);
        return Seen { filter: None, factor: Some(factor), difference: None };
    }
    let potential = matches!(component.view, View::Potential | View::Velocity);
    let (filter, unit) = if potential {
        let inverse = squares(graph, grid, "inverse", -1);
        let fourth = squares(graph, grid, "inverse.squared", -2);
        let filter = graph.mul(wiener, &inverse);
        (graph.neg(&filter), graph.mul(kept, &fourth))
    } else {
        ((*wiener).clone(), (*kept).clone())
    };
    let unit = deviation(graph, &unit);
    let filter = graph.div(&filter, &unit);
    let Some((axis, along_y)) = axis(grid, component) else {
        return Seen { filter: Some(filter), factor: None, difference: None };
    };
    let slopes = if potential {
        squares(graph, grid, "inverse", -1)
    } else {
        squares(graph, grid, "squared", 1)
    };
    let slopes = graph.mul(kept, &slopes);
    let axes = if grid.is_line() { 1.0 } else { 2.0 };
    let slopes = graph.scaled(&slopes, 1.0 / axes);
    let slopes = deviation(graph, &slopes);
    let factor = graph.div(&unit, &slopes);
    let sign = if component.negative { -1.0 } else { 1.0 };
    let spacing = f64::from(axis.length()) / axis.points() as f64;
    let factor = graph.scaled(&factor, sign / (2.0 * spacing));
    let factor = per_channel(graph, &factor);
    let dim = if along_y { 3 } else { 4 };
    Seen { filter: Some(filter), factor: Some(factor), difference: Some(Difference { axis, dim }) }
}

/// A power of |k|² of every mode; 0 of the mean.
fn squares(graph: &mut Graph, grid: &Grid, name: &str, power: i32) -> Value {
    let values = grid.kappas(Laplacian::Spectral).map(f64::from);
    let values = values.map(|k2| if k2 > 0.0 { k2.powi(power) } else { 0.0 });
    graph.constant(&format!("wavenumbers.{name}"), &[grid.points()], values)
}

impl Seen {
    /// Fields of frames with the modes `flat`, `[a][frame][channel][mode]`, and the fields `raw`.
    pub(super) fn fields(
        &self,
        graph: &mut Graph,
        modes: &Modes,
        flat: &Value,
        raw: &Value,
    ) -> Value {
        let fields = match &self.filter {
            Some(filter) => {
                let filtered = graph.mul(flat, filter);
                let filtered = modes.on_grid(graph, &filtered);
                modes.inverse(graph, &filtered)
            }
            None => raw.clone(),
        };
        let fields = match &self.difference {
            Some(difference) => difference.of(graph, &fields),
            None => fields,
        };
        self.scaled(graph, &fields)
    }

    /// The transpose of [`Seen::fields`] as far as the fields before the filter's transform, and
    /// for a raw frame as far as its fields.
    pub(super) fn before(&self, graph: &mut Graph, fields: &Value) -> Value {
        let fields = self.scaled(graph, fields);
        match &self.difference {
            Some(difference) => difference.transposed(graph, &fields),
            None => fields,
        }
    }

    fn scaled(&self, graph: &mut Graph, fields: &Value) -> Value {
        match &self.factor {
            Some(factor) => graph.mul(fields, factor),
            None => fields.clone(),
        }
    }
}

impl Difference {
    /// v\[i+1\] − v\[i−1\].
    fn of(&self, graph: &mut Graph, values: &Value) -> Value {
        let [before, behind] = self.neighbours(graph, values);
        graph.sub(&behind, &before)
    }

    /// The transpose: w\[i−1\] − w\[i+1\], where beyond a mirror w has the other sign.
    fn transposed(&self, graph: &mut Graph, values: &Value) -> Value {
        let [mut before, mut behind] = self.neighbours(graph, values);
        if self.axis.boundary() == Boundary::Reflecting {
            let n = self.axis.points();
            let mut signed = |values: &Value, place: usize, name: &str| {
                let signs = (0..n).map(|i| if i == place { -1.0 } else { 1.0 });
                let mut shape = vec![1; 5];
                shape[self.dim as usize] = n;
                let signs = graph.constant(&format!("mirror.{name}.{}", self.dim), &shape, signs);
                graph.mul(values, &signs)
            };
            before = signed(&before, 0, "first");
            behind = signed(&behind, n - 1, "last");
        }
        graph.sub(&before, &behind)
    }

    /// v\[i−1\] and v\[i+1\].
    fn neighbours(&self, graph: &mut Graph, values: &Value) -> [Value; 2] {
        let n = self.axis.points() as i64;
        let place = |i: i64| match self.axis.boundary() {
            Boundary::Periodic => i.rem_euclid(n),
            Boundary::Reflecting => i.clamp(0, n - 1),
        };
        [-1, 1].map(|offset| {
            let places: Vec<i64> = (0..n).map(|i| place(i + offset)).collect();
            graph.gather(values, self.dim, &places)
        })
    }
}
