//! How long the axes are beside one another, so that |k| is the same distance in every direction.

use std::f64::consts::TAU;

use anyhow::{Result, ensure};

use crate::dataset::{Attributes, SpatialAxis};

/// Gives the axes the lengths asked for; where none are, 2π for the longer one and the other in
/// proportion, if their coordinates have the same unit. If they have not, both keep the 2π they
/// come with, and the sentence returned says so.
///
/// # Errors
/// If `asked` names another number of axes.
pub(super) fn set(
    y: Option<&mut SpatialAxis>,
    x: &mut SpatialAxis,
    asked: &[f64],
) -> Result<Option<String>> {
    let axes = 1 + usize::from(y.is_some());
    ensure!(
        asked.is_empty() || asked.len() == axes,
        "--length names {} lengths where the field has {axes} axes: give y,x, or x alone on a line",
        asked.len()
    );
    match (y, asked) {
        (None, &[length]) => x.length = length,
        (Some(y), &[y_length, x_length]) => (y.length, x.length) = (y_length, x_length),
        (Some(y), _) => match (unit(&y.attributes), unit(&x.attributes)) {
            (Some(a), Some(b)) if a == b => {
                let (y_span, x_span) = (span(y), span(x));
                let longest = y_span.max(x_span);
                (y.length, x.length) = (part(y_span, longest) * TAU, part(x_span, longest) * TAU);
            }
            _ => {
                return Ok(Some(format!(
                    "`{}` and `{}` have no unit in common: both are taken as equally long, 2π; \
                     --length says it better",
                    y.name, x.name
                )));
            }
        },
        (None, _) => {}
    }
    Ok(None)
}

/// From end to end in the units of the coordinates: N points of spacing h take N h.
fn span(axis: &SpatialAxis) -> f64 {
    let (points, last) = (axis.points() as f64, axis.points() - 1);
    (axis.coordinates[last] - axis.coordinates[0]) * points / (points - 1.0)
}

/// `span` / `longest` to six decimals: single precision coordinates are off by some 1e-7, and grids
/// of one domain must agree.
fn part(span: f64, longest: f64) -> f64 {
    (span / longest * 1e6).round() / 1e6
}

/// The unit of a coordinate under one name for all its spellings; none if it is missing, or "1" for
/// the bare number.
fn unit(attributes: &Attributes) -> Option<&str> {
    match attributes.get("units")?.as_str()?.trim() {
        "" | "1" => None,
        "meter" | "meters" | "metre" | "metres" => Some("m"),
        "kilometer" | "kilometers" | "kilometre" | "kilometres" => Some("km"),
        // Of latitude and of longitude alike.
        degrees if degrees.starts_with("degree") => Some("degrees"),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use finescale::Boundary;
    use serde_json::json;
    use std::f64::consts::PI;

    /// An axis whose points are `spacing` apart, with units.
    fn axis(points: usize, spacing: f64, units: &str) -> SpatialAxis {
        let mut axis = SpatialAxis::two_pi("a", points, Boundary::Reflecting);
        axis.coordinates = (0..points).map(|n| 3.0 + n as f64 * spacing).collect();
        axis.attributes.insert("units".into(), json!(units));
        axis
    }

    fn lengths(mut y: SpatialAxis, mut x: SpatialAxis, asked: &[f64]) -> (f64, f64, bool) {
        let note = set(Some(&mut y), &mut x, asked).unwrap();
        (y.length, x.length, note.is_some())
    }

    /// If the shorter axis were not shorter, |k| along it would be too small.
    #[test]
    fn lengths_are_in_proportion_to_spans_in_the_same_unit() {
        for (a, b) in [
            ("degrees_north", "degrees_east"),
            ("degree", "degrees"),
            ("m", "metres"),
            ("km", "km"),
            ("furlong", "furlong"),
        ] {
            assert_eq!(lengths(axis(16, 2.0, a), axis(64, 1.0, b), &[]), (PI, TAU, false));
            assert_eq!(lengths(axis(64, 1.0, a), axis(16, 2.0, b), &[]), (TAU, PI, false));
        }
        // 8 points 0.1 apart in single precision span as much as 16 that are 0.05 apart.
        let coarse = axis(8, f64::from(0.1_f32), "m");
        assert_eq!(lengths(coarse, axis(16, 0.05, "m"), &[]), (TAU, TAU, false));
    }

    #[test]
    fn without_a_common_unit_both_are_two_pi_and_that_is_said() {
        for (a, b) in [("m", "km"), ("1", "1"), ("", ""), ("degrees_north", "m"), ("1", "m")] {
            assert_eq!(lengths(axis(16, 2.0, a), axis(64, 1.0, b), &[]), (TAU, TAU, true));
        }
        let mut line = axis(16, 2.0, "1");
        assert_eq!(set(None, &mut line, &[]).unwrap(), None);
        assert_eq!(line.length, TAU);
    }

    #[test]
    fn lengths_that_are_given_are_taken() {
        let given = lengths(axis(16, 2.0, "m"), axis(64, 1.0, "km"), &[1.5, 4.0]);
        assert_eq!(given, (1.5, 4.0, false));
        let mut line = axis(16, 2.0, "1");
        set(None, &mut line, &[0.5]).unwrap();
        assert_eq!(line.length, 0.5);
        assert!(set(None, &mut line, &[1.0, 2.0]).is_err());
    }
}
