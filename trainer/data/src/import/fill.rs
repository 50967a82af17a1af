//! Ways to fill missing values, and the sentence about them when none was asked for.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

/// A way to fill missing values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fill {
    /// The nearest value of the same field, counted in grid steps.
    Nearest,
    /// Zero.
    Zero,
    /// The mean of the same field's values.
    Mean,
    /// Linear in time between the steps before and after, at most 16 steps apart from a missing
    /// one.
    Interpolate,
    /// The smooth field that solves Laplace's equation where values are missing.
    Harmonic,
}

impl FromStr for Fill {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "nearest" => Self::Nearest,
            "zero" => Self::Zero,
            "mean" => Self::Mean,
            "interpolate" => Self::Interpolate,
            "harmonic" => Self::Harmonic,
            _ => bail!("`{name}` is none of nearest, zero, mean, interpolate, harmonic"),
        })
    }
}

impl fmt::Display for Fill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nearest => "nearest",
            Self::Zero => "zero",
            Self::Mean => "mean",
            Self::Interpolate => "interpolate",
            Self::Harmonic => "harmonic",
        })
    }
}

/// The grid of a source field: which ends are joined.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Rows.
    pub ny: usize,
    /// Columns.
    pub nx: usize,
    /// Whether the first and last rows are neighbours.
    pub periodic_y: bool,
    /// Whether the first and last columns are neighbours.
    pub periodic_x: bool,
}

impl Shape {
    /// The neighbours of a point; fewer at ends that are not joined.
    fn neighbours(&self, point: usize) -> impl Iterator<Item = usize> + use<> {
        let Self { ny, nx, periodic_y, periodic_x } = *self;
        let (j, i) = (point / nx, point % nx);
        let step = |at: usize, n: usize, joined: bool| {
            let before = if at > 0 { Some(at - 1) } else { joined.then_some(n - 1) };
            let after = if at + 1 < n { Some(at + 1) } else { joined.then_some(0) };
            [before, after]
        };
        let rows = step(j, ny, periodic_y).map(|j| j.map(|j| j * nx + i));
        let columns = step(i, nx, periodic_x).map(|i| i.map(|i| j * nx + i));
        rows.into_iter().chain(columns).flatten().filter(move |&p| p != point)
    }
}

/// Fills the NaN of one field `[y][x]`.
///
/// # Errors
/// If the field has no value to start from, or `fill` works on time, not on fields.
pub(super) fn fill_field(field: &mut [f64], shape: Shape, fill: Fill) -> Result<()> {
    if field.iter().all(|v| v.is_finite()) || fill == Fill::Interpolate {
        return Ok(());
    }
    let missing: Vec<usize> = (0..field.len()).filter(|&p| field[p].is_nan()).collect();
    ensure!(
        missing.len() < field.len() || fill == Fill::Zero,
        "the field has no value at all: leave its step out with --drop-steps, or put `interpolate` first, \
         as in --fill interpolate,{fill}"
    );
    match fill {
        Fill::Zero => missing.iter().for_each(|&p| field[p] = 0.0),
        Fill::Mean => {
            let there = (field.len() - missing.len()) as f64;
            let mean = field.iter().filter(|v| v.is_finite()).sum::<f64>() / there;
            missing.iter().for_each(|&p| field[p] = mean);
        }
        Fill::Nearest => fill_nearest(field, shape),
        Fill::Harmonic => {
            fill_nearest(field, shape);
            relax(field, shape, &missing);
        }
        Fill::Interpolate => {}
    }
    Ok(())
}

/// Values spread outwards, ring by ring.
fn fill_nearest(field: &mut [f64], shape: Shape) {
    let mut edge: VecDeque<usize> = (0..field.len()).filter(|&p| field[p].is_finite()).collect();
    while let Some(point) = edge.pop_front() {
        for next in shape.neighbours(point) {
            if field[next].is_nan() {
                field[next] = field[point];
                edge.push_back(next);
            }
        }
    }
}

/// Laplace's equation on the missing points by successive over-relaxation, to a millionth of the
/// field's range.
fn relax(field: &mut [f64], shape: Shape, missing: &[usize]) {
    let (low, high) =
        field.iter().fold((f64::MAX, f64::MIN), |(low, high), &v| (low.min(v), high.max(v)));
    // The best factor for a square of this size.
    let omega = 2.0 / (1.0 + (std::f64::consts::PI / shape.ny.max(shape.nx) as f64).sin());
    for _ in 0..10_000 {
        let mut largest = 0.0_f64;
        for &point in missing {
            let (sum, count) =
                shape.neighbours(point).fold((0.0, 0.0), |(s, n), p| (s + field[p], n + 1.0));
            let change = omega * (sum / count - field[point]);
            field[point] += change;
            largest = largest.max(change.abs());
        }
        if largest <= 1e-6 * (high - low) {
            return;
        }
    }
}

/// Steps on either side within which `interpolate` looks for values.
pub(super) const REACH: usize = 16;

/// Fills gaps in a stream of frames linearly in time, looking at most [`REACH`] frames ahead.
#[derive(Debug)]
pub(super) struct Interpolator {
    /// Frames read but not yet given out.
    ahead: VecDeque<Vec<f64>>,
    /// Last value of every point, and its frame.
    last: Vec<Option<(usize, f64)>>,
    next: usize,
    /// Whether every frame is filled, or those wholly missing alone.
    all: bool,
}

impl Interpolator {
    /// `all`: fill every gap; else frames that are wholly missing only (steps left out).
    pub(super) fn new(values: usize, all: bool) -> Self {
        Self { ahead: VecDeque::new(), last: vec![None; values], next: 0, all }
    }

    /// Adds a frame; gives one out as soon as enough is known of what follows it.
    pub(super) fn push(&mut self, frame: Vec<f64>) -> Option<Vec<f64>> {
        self.ahead.push_back(frame);
        if self.ahead.len() > REACH { self.pop() } else { None }
    }

    /// Gives out the next frame when no more follow.
    pub(super) fn pop(&mut self) -> Option<Vec<f64>> {
        let mut frame = self.ahead.pop_front()?;
        let n = self.next;
        self.next += 1;
        let fill = self.all || frame.iter().all(|v| v.is_nan());
        for (point, value) in frame.iter_mut().enumerate() {
            if value.is_finite() {
                self.last[point] = Some((n, *value));
            } else if fill {
                let later =
                    self.ahead.iter().map(|f| f[point]).enumerate().find(|(_, v)| v.is_finite());
                let earlier = self.last[point].filter(|&(at, _)| n - at <= REACH);
                *value = match (earlier, later) {
                    (Some((at, a)), Some((after, b))) => {
                        let share = (n - at) as f64 / (n - at + after + 1) as f64;
                        a + (b - a) * share
                    }
                    (Some((_, value)), None) | (None, Some((_, value))) => value,
                    (None, None) => f64::NAN,
                };
            }
        }
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { ny: 12, nx: 16, periodic_y: false, periodic_x: true };

    fn with_hole(f: impl Fn(f64, f64) -> f64) -> (Vec<f64>, Vec<f64>) {
        let whole: Vec<f64> =
            (0..12 * 16).map(|p| f(f64::from(p / 16), f64::from(p % 16))).collect();
        let holed = whole.iter().enumerate().map(|(p, &v)| {
            let hole = (3..9).contains(&(p / 16)) && (5..11).contains(&(p % 16));
            if hole { f64::NAN } else { v }
        });
        (whole.clone(), holed.collect())
    }

    /// x y is harmonic on the grid too: it must come back from its values around the hole.
    #[test]
    fn harmonic_fill_restores_harmonic_fields() {
        let (whole, mut field) = with_hole(|y, x| (y - 5.0) * (x - 8.0) + y);
        fill_field(&mut field, SHAPE, Fill::Harmonic).unwrap();
        let worst = field.iter().zip(&whole).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-3, "{worst}");
    }

    #[test]
    fn every_way_fills_and_spares_what_is_there() {
        let (whole, holed) = with_hole(|y, x| y + 100.0 * x);
        for fill in [Fill::Nearest, Fill::Zero, Fill::Mean, Fill::Harmonic] {
            let mut field = holed.clone();
            fill_field(&mut field, SHAPE, fill).unwrap();
            for (p, value) in field.iter().enumerate() {
                assert!(value.is_finite() && (holed[p].is_nan() || *value == whole[p]), "{fill}");
            }
            assert_eq!(fill.to_string().parse::<Fill>().unwrap(), fill);
        }
        let mut field = holed.clone();
        fill_field(&mut field, SHAPE, Fill::Nearest).unwrap();
        assert_eq!(field[5 * 16 + 5], whole[5 * 16 + 4]);
    }

    #[test]
    fn nearest_reaches_across_a_joined_end() {
        let mut field = vec![f64::NAN; 16];
        field[15] = 7.0;
        field[8] = 3.0;
        let line = Shape { ny: 1, nx: 16, periodic_y: false, periodic_x: true };
        fill_field(&mut field, line, Fill::Nearest).unwrap();
        assert_eq!((field[0], field[2], field[6]), (7.0, 7.0, 3.0));
    }

    #[test]
    fn empty_fields_cannot_be_filled_from_themselves() {
        let mut field = vec![f64::NAN; 12 * 16];
        let error = fill_field(&mut field, SHAPE, Fill::Harmonic).unwrap_err().to_string();
        assert!(error.contains("--fill interpolate,harmonic"), "{error}");
    }

    fn interpolate(line: &[f64], all: bool) -> Vec<f64> {
        let mut interpolator = Interpolator::new(1, all);
        let mut out: Vec<f64> =
            line.iter().filter_map(|&v| interpolator.push(vec![v])).flatten().collect();
        while let Some(frame) = interpolator.pop() {
            out.extend(frame);
        }
        out
    }

    #[test]
    fn gaps_in_time_are_bridged_if_short() {
        const N: f64 = f64::NAN;
        assert_eq!(interpolate(&[N, 1.0, N, N, 4.0, N], true), [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
        let mut long = vec![N; 60];
        (long[0], long[59]) = (0.0, 59.0);
        let filled = interpolate(&long, true);
        assert!(filled[30].is_nan() && filled.len() == 60);
    }
}
