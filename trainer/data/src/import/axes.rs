//! Which points of the file are taken, in which order, and where they lie.

use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::cf::{AxisKind, check_known, read_coordinate};
use super::source::{Dimension, Source, Variable};
use finescale::Boundary;

use crate::dataset::Attributes;

/// The points taken along one axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SourceAxis {
    /// Its dimension in the file.
    pub name: String,
    /// What it is.
    pub kind: AxisKind,
    /// Index in the file of every point, in order of increasing coordinate.
    pub indices: Vec<usize>,
    /// Coordinate of every point, increasing.
    pub coordinates: Vec<f64>,
    /// Attributes for the coordinate of the data set.
    pub attributes: Attributes,
    /// What is beyond the ends.
    pub boundary: Boundary,
    /// What is there by the coordinate's own attribute, as in our data sets.
    pub told: Option<Boundary>,
    /// Whether the end points lie on the boundary (poles), not half a spacing before it.
    pub ends_on_boundary: bool,
}

impl SourceAxis {
    /// Reads the coordinate of a dimension at the indices of a range, and orders it.
    ///
    /// # Errors
    /// If the range is empty or outside, or if the coordinate is missing values there or goes up
    /// and down.
    pub(super) fn new(
        source: &dyn Source,
        dimension: &Dimension,
        range: Option<Range<usize>>,
        kind: AxisKind,
        coordinate: Option<&Variable>,
    ) -> Result<Self> {
        let (name, size) = (&dimension.name, dimension.size);
        let range = range.unwrap_or(0..size);
        ensure!(
            range.start < range.end && range.end <= size,
            "--isel {name}={}:{} is outside of the {size} points there are",
            range.start,
            range.end
        );
        let mut axis = Self {
            name: name.clone(),
            kind,
            indices: range.clone().collect(),
            coordinates: range.clone().map(|n| n as f64).collect(),
            attributes: attributes(kind, coordinate),
            boundary: Boundary::Reflecting,
            told: coordinate
                .and_then(|c| serde_json::from_value(c.attributes.get("boundary")?.clone()).ok()),
            ends_on_boundary: false,
        };
        let Some(coordinate) = coordinate else { return Ok(axis) };
        let values = read_coordinate(source, coordinate)?;
        check_known(coordinate, &values, range.clone(), |_| {
            format!("choose a part without it with --isel {name}=a:b, or mend the file")
        })?;
        axis.coordinates = values[range].to_vec();
        if kind == AxisKind::Longitude {
            unwrap_degrees(&mut axis.coordinates);
        }
        if axis.coordinates.first() > axis.coordinates.last() {
            axis.indices.reverse();
            axis.coordinates.reverse();
        }
        if let Some(n) = axis
            .coordinates
            .windows(2)
            .position(|p| !matches!(p[1].partial_cmp(&p[0]), Some(std::cmp::Ordering::Greater)))
        {
            bail!(
                "the coordinate `{name}` goes up and down ({} is next to {}): choose an even part \
                 with --isel {name}=a:b",
                axis.coordinates[n],
                axis.coordinates[n + 1]
            );
        }
        Ok(axis)
    }

    /// Keeps points between two coordinates; longitudes count modulo 360, eastwards from the first
    /// to the second.
    ///
    /// # Errors
    /// If fewer than two points are inside.
    pub(super) fn keep_between(&mut self, from: f64, to: f64) -> Result<()> {
        let (first, last) = (self.coordinates[0], self.coordinates[self.coordinates.len() - 1]);
        // Single precision coordinates are off by some 1e-5.
        const SLACK: f64 = 1e-4;
        if self.kind == AxisKind::Longitude {
            let width = if to > from { (to - from).min(360.0) } else { to - from + 360.0 };
            // A closed circle names its first point twice.
            let closed = last - first > 360.0 - SLACK;
            let east = |c: f64| {
                let east = (c - from).rem_euclid(360.0);
                if east > 360.0 - SLACK { east - 360.0 } else { east }
            };
            let count = self.indices.len() - usize::from(closed);
            let mut points: Vec<(f64, usize)> = (0..count)
                .map(|n| (east(self.coordinates[n]), self.indices[n]))
                .filter(|&(east, _)| east <= width + SLACK)
                .collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            (self.coordinates, self.indices) =
                points.into_iter().map(|(e, i)| (from + e, i)).unzip();
        } else {
            let (low, high) = (from.min(to) - SLACK, from.max(to) + SLACK);
            let points = self.indices.iter().copied().zip(self.coordinates.iter().copied());
            (self.indices, self.coordinates) =
                points.filter(|(_, c)| (low..=high).contains(c)).unzip();
        }
        ensure!(
            self.indices.len() >= 2,
            "--area {from}:{to} takes fewer than 2 points of `{}`, which goes from {first} to \
             {last}",
            self.name
        );
        Ok(())
    }

    /// Recognises a closed circle of longitude and the poles, or does what the user says.
    pub(super) fn find_boundary(&mut self, asked: Option<Boundary>) {
        let (first, last) = (self.coordinates[0], self.coordinates[self.coordinates.len() - 1]);
        let spacing = (last - first) / (self.coordinates.len() - 1) as f64;
        let near = |value: f64| (value - 360.0).abs() < 0.05 * spacing;
        let longitude = self.kind == AxisKind::Longitude;
        if longitude && near(last - first) && asked != Some(Boundary::Reflecting) {
            self.indices.pop();
            self.coordinates.pop();
            self.boundary = Boundary::Periodic;
        } else if longitude && near(last - first + spacing) {
            self.boundary = Boundary::Periodic;
        }
        self.boundary = asked.unwrap_or(self.boundary);
        let pole = |c: f64| (c.abs() - 90.0).abs() < 1e-3 * spacing;
        self.ends_on_boundary = self.kind == AxisKind::Latitude
            && self.boundary == Boundary::Reflecting
            && pole(first)
            && pole(last);
    }
}

/// Adds 360 wherever longitudes jump back across the date line or Greenwich.
fn unwrap_degrees(degrees: &mut [f64]) {
    for n in 1..degrees.len() {
        let turns = ((degrees[n] - degrees[n - 1]) / 360.0).round();
        degrees[n] -= 360.0 * turns;
    }
}

fn attributes(kind: AxisKind, coordinate: Option<&Variable>) -> Attributes {
    let mut attributes = Attributes::new();
    for name in ["units", "standard_name", "long_name", "positive"] {
        if let Some(text) = coordinate.and_then(|c| c.text(name)).filter(|t| !t.is_empty()) {
            attributes.insert(name.into(), json!(text));
        }
    }
    // What was recognised is said in CF's own words.
    let degrees = match kind {
        AxisKind::Longitude => Some(("degrees_east", "longitude")),
        AxisKind::Latitude => Some(("degrees_north", "latitude")),
        _ => None,
    };
    if let Some((units, name)) = degrees {
        attributes.insert("units".into(), json!(units));
        attributes.insert("standard_name".into(), json!(name));
    }
    attributes.entry("units").or_insert(json!("1"));
    attributes
}

/// `lat0:lat1,lon0:lon1`: the ranges of the y and x axes.
///
/// # Errors
/// If it is not of that form.
pub(super) fn parse_area(text: &str) -> Result<[(f64, f64); 2]> {
    let ranges: Option<Vec<(f64, f64)>> = text
        .split(',')
        .map(|range| {
            let (from, to) = range.split_once(':')?;
            Some((from.trim().parse().ok()?, to.trim().parse().ok()?))
        })
        .collect();
    let ranges = ranges.and_then(|r| <[(f64, f64); 2]>::try_from(r).ok());
    ranges.with_context(|| {
        format!("--area {text} is no area: write south:north,west:east as in --area 20:60,-140:-50")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(kind: AxisKind, coordinates: Vec<f64>) -> SourceAxis {
        SourceAxis {
            name: "a".into(),
            kind,
            indices: (0..coordinates.len()).collect(),
            coordinates,
            attributes: Attributes::new(),
            boundary: Boundary::Reflecting,
            told: None,
            ends_on_boundary: false,
        }
    }

    fn circle(first: f64, points: usize) -> SourceAxis {
        let spacing = 360.0 / points as f64;
        axis(AxisKind::Longitude, (0..points).map(|n| first + n as f64 * spacing).collect())
    }

    /// If a circle were taken for a line, its seam would be a step in the field.
    #[test]
    fn closed_circles_are_periodic() {
        let found = |mut axis: SourceAxis| {
            axis.find_boundary(None);
            (axis.boundary, axis.indices.len())
        };
        assert_eq!(found(circle(20.0, 144)), (Boundary::Periodic, 144));
        let mut twice = circle(20.0, 144);
        twice.coordinates.push(380.0);
        twice.indices.push(144);
        assert_eq!(found(twice), (Boundary::Periodic, 144));
        let part = axis(AxisKind::Longitude, (0..100).map(|n| n as f64 * 2.5).collect());
        assert_eq!(found(part), (Boundary::Reflecting, 100));
        let other = axis(AxisKind::Other, (0..144).map(|n| n as f64 * 2.5).collect());
        assert_eq!(found(other), (Boundary::Reflecting, 144));
    }

    #[test]
    fn areas_go_east_across_the_seam() {
        let mut axis = circle(0.0, 36);
        axis.keep_between(-20.0, 30.0).unwrap();
        assert_eq!(axis.indices, [34, 35, 0, 1, 2, 3]);
        assert_eq!(axis.coordinates, [-20.0, -10.0, 0.0, 10.0, 20.0, 30.0]);
        let mut axis = circle(0.0, 36);
        axis.keep_between(350.0, 10.0).unwrap();
        assert_eq!(axis.indices, [35, 0, 1]);
        let mut axis = circle(20.0, 144);
        axis.keep_between(20.0, 380.0).unwrap();
        assert_eq!(axis.indices.len(), 144);
    }

    #[test]
    fn latitudes_are_taken_in_any_order_and_refused_outside() {
        let mut lat = axis(AxisKind::Latitude, (0..73).map(|n| n as f64 * 2.5 - 90.0).collect());
        lat.keep_between(60.0, 20.0).unwrap();
        assert_eq!((lat.coordinates[0], lat.coordinates.len()), (20.0, 17));
        let error = lat.keep_between(-40.0, -30.0).unwrap_err().to_string();
        assert!(error.contains("from 20 to 60"), "{error}");
        assert!(parse_area("20:60").is_err() && parse_area("20:60,-140:-50").is_ok());
    }

    #[test]
    fn longitudes_that_jump_are_unwrapped() {
        let mut degrees = [170.0, 180.0, -170.0, -160.0];
        unwrap_degrees(&mut degrees);
        assert_eq!(degrees, [170.0, 180.0, 190.0, 200.0]);
    }
}
