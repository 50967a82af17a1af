//! Transforms, and the order of modes inside the graphs.
//!
//! The two complex modes of a quadruple are mixed in the four real ones. Inside the graphs they are
//! turned apart, by an orthonormal turn: then every complex mode has a place for its real and one
//! for its imaginary part (times √2), an operator is a number for each place and one for its
//! partner, and what depends on λ is one number for both.

use finescale::Grid;

use super::graph::{Graph, Value};
use crate::basis::matrix;
use finescale_field::modes::Group;

/// Transforms of a grid as constants of a graph.
pub(super) struct Modes {
    ny: i64,
    nx: i64,
    /// Q and Qᵀ of each axis.
    y: Option<[Value; 2]>,
    x: [Value; 2],
    /// Place of a real part's imaginary part and the other way round.
    partner: Option<Vec<i64>>,
    /// Place of the same part of the other complex mode of a quadruple.
    other_sign: Option<Vec<i64>>,
    turn: Option<[Turn; 2]>,
}

/// out = a · in\[p\] + b · in\[q\].
struct Turn {
    p: Vec<i64>,
    q: Vec<i64>,
    a: Value,
    b: Value,
}

impl Modes {
    pub(super) fn new(graph: &mut Graph, grid: &Grid) -> Self {
        let groups = Group::all(grid);
        let mut both = |axis, name: &str| {
            let (n, q) = (finescale::Axis::points(&axis), matrix(axis));
            let transposed: Vec<f64> = (0..n * n).map(|i| q[i % n * n + i / n]).collect();
            [
                graph.constant(&format!("basis.{name}"), &[n, n], q),
                graph.constant(&format!("basis.{name}.transposed"), &[n, n], transposed),
            ]
        };
        let x = both(grid.x(), "x");
        let y = grid.y().map(|axis| both(axis, "y"));
        let some = |is: fn(&Group) -> bool| groups.iter().any(is);
        let quadruples = some(|group| matches!(group, Group::Four(_)));
        let pairs = quadruples || some(|group| matches!(group, Group::Two(_)));
        Self {
            ny: grid.ny() as i64,
            nx: grid.nx() as i64,
            y,
            x,
            partner: pairs.then(|| {
                places(&groups, |group| match *group {
                    Group::One(place) => vec![place],
                    Group::Two([c, s]) => vec![s, c],
                    Group::Four([cc, cs, sc, ss]) => vec![cs, cc, ss, sc],
                })
            }),
            other_sign: quadruples.then(|| {
                places(&groups, |group| match *group {
                    Group::Four([cc, cs, sc, ss]) => vec![sc, ss, cc, cs],
                    _ => group.members().to_vec(),
                })
            }),
            turn: quadruples.then(|| {
                // (cc, cs, sc, ss) to √2 (re₊, im₊, re₋, im₋), and back.
                [
                    Turn::new(
                        graph,
                        &groups,
                        "apart",
                        [(0, 1, 3, -1), (1, 1, 2, 1), (0, 1, 3, 1), (1, 1, 2, -1)],
                    ),
                    Turn::new(
                        graph,
                        &groups,
                        "together",
                        [(0, 1, 2, 1), (1, 1, 3, 1), (1, 1, 3, -1), (2, 1, 0, -1)],
                    ),
                ]
            }),
        }
    }

    /// Planes of an operator: its real parts, and its imaginary parts if any mode has one.
    pub(super) fn planes(&self) -> usize {
        if self.partner.is_some() { 2 } else { 1 }
    }

    /// `[…][y][x]` to spectra `[…][y mode][x mode]`.
    pub(super) fn forward(&self, graph: &mut Graph, fields: &Value) -> Value {
        let [_, transposed] = &self.x;
        let rows = graph.matmul(fields, transposed);
        match &self.y {
            Some([q, _]) => graph.matmul(q, &rows),
            None => rows,
        }
    }

    /// Spectra to fields.
    pub(super) fn inverse(&self, graph: &mut Graph, spectra: &Value) -> Value {
        let [q, _] = &self.x;
        let rows = graph.matmul(spectra, q);
        match &self.y {
            Some([_, transposed]) => graph.matmul(transposed, &rows),
            None => rows,
        }
    }

    /// `[a][b][c][y][x]` to `[a][b][c][mode]`.
    pub(super) fn flat(&self, graph: &mut Graph, spectra: &Value) -> Value {
        graph.reshape(spectra, &[0, 0, 0, self.ny * self.nx])
    }

    /// Undoes [`Self::flat`].
    pub(super) fn on_grid(&self, graph: &mut Graph, modes: &Value) -> Value {
        graph.reshape(modes, &[0, 0, 0, self.ny, self.nx])
    }

    /// Turns complex modes apart, `[a][b][c][mode]`.
    pub(super) fn apart(&self, graph: &mut Graph, modes: &Value) -> Value {
        self.turned(graph, modes, 0)
    }

    /// Undoes [`Self::apart`].
    pub(super) fn together(&self, graph: &mut Graph, modes: &Value) -> Value {
        self.turned(graph, modes, 1)
    }

    fn turned(&self, graph: &mut Graph, modes: &Value, direction: usize) -> Value {
        let Some(turns) = &self.turn else { return modes.clone() };
        let Turn { p, q, a, b } = &turns[direction];
        let (p, q) = (graph.gather(modes, 3, p), graph.gather(modes, 3, q));
        let (p, q) = (graph.mul(&p, a), graph.mul(&q, b));
        graph.add(&p, &q)
    }

    /// Real and imaginary parts exchanged, `[a][b][c][mode]`.
    pub(super) fn exchanged(&self, graph: &mut Graph, modes: &Value) -> Option<Value> {
        self.partner.as_ref().map(|partner| graph.gather(modes, 3, partner))
    }

    /// The mean of both complex modes of a quadruple, along an axis.
    pub(super) fn mean_of_signs(&self, graph: &mut Graph, modes: &Value, axis: i64) -> Value {
        let Some(other) = &self.other_sign else { return modes.clone() };
        let other = graph.gather(modes, axis, other);
        let sum = graph.add(modes, &other);
        graph.scaled(&sum, 0.5)
    }
}

impl Turn {
    /// From (p, sign, q, sign) of the four members.
    fn new(
        graph: &mut Graph,
        groups: &[Group],
        name: &str,
        terms: [(usize, i8, usize, i8); 4],
    ) -> Self {
        let n = groups.iter().map(|group| group.members().len()).sum();
        let mut p: Vec<i64> = (0..n as i64).collect();
        let (mut q, mut a, mut b) = (p.clone(), vec![1.0; n], vec![0.0; n]);
        for group in groups {
            let Group::Four(members) = group else { continue };
            for (member, (first, sign, second, other)) in members.iter().zip(terms) {
                (p[*member], q[*member]) = (members[first] as i64, members[second] as i64);
                let half = std::f64::consts::FRAC_1_SQRT_2;
                (a[*member], b[*member]) = (f64::from(sign) * half, f64::from(other) * half);
            }
        }
        Self {
            p,
            q,
            a: graph.constant(&format!("{name}.first"), &[n], a),
            b: graph.constant(&format!("{name}.second"), &[n], b),
        }
    }
}

/// For every place, another: `of` gives those of a group's members in order.
fn places(groups: &[Group], of: impl Fn(&Group) -> Vec<usize>) -> Vec<i64> {
    let n = groups.iter().map(|group| group.members().len()).sum();
    let mut all = vec![0; n];
    for group in groups {
        for (place, other) in group.members().iter().zip(of(group)) {
            all[*place] = other as i64;
        }
    }
    all
}
