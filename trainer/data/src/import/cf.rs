//! CF attributes: what is missing, how numbers are packed, what an axis is.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::source::{self, Source, Variable};

/// Turns stored numbers into values: missing ones become NaN, packed ones are unpacked. The one
/// home of it, for fields and for coordinates.
#[derive(Clone, Debug)]
pub(super) struct Unpack {
    sign: Sign,
    missing: Vec<f64>,
    valid: (f64, f64),
    scale: f64,
    offset: f64,
}

/// What the attribute `_Unsigned` makes of stored integers; a turn is how many different ones there
/// are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sign {
    /// No other numbers.
    AsStored,
    /// Signed integers mean unsigned ones: negative ones lie one full turn too low.
    Unsigned(f64),
    /// Unsigned integers mean signed ones: those of the upper half lie one full turn too high.
    Signed(f64),
}

impl Sign {
    fn of(variable: &Variable) -> Self {
        if variable.bytes == 0 {
            return Self::AsStored;
        }
        let turn = 2_f64.powi(8 * variable.bytes as i32);
        match variable.text("_Unsigned").map(str::to_ascii_lowercase).as_deref() {
            Some("true") => Self::Unsigned(turn),
            Some("false") => Self::Signed(turn),
            _ => Self::AsStored,
        }
    }

    fn apply(self, stored: f64) -> f64 {
        match self {
            Self::Unsigned(turn) if stored < 0.0 => stored + turn,
            Self::Signed(turn) if stored >= turn / 2.0 => stored - turn,
            _ => stored,
        }
    }
}

fn numbers(variable: &Variable, name: &str) -> Vec<f64> {
    let round = |v: &Value| {
        // Attributes are compared in the type of the data.
        v.as_f64().map(|v| if variable.single { f64::from(v as f32) } else { v })
    };
    match variable.attributes.get(name) {
        Some(Value::Array(list)) => list.iter().filter_map(round).collect(),
        Some(value) => round(value).into_iter().collect(),
        None => Vec::new(),
    }
}

impl Unpack {
    /// The rules of a variable: `_FillValue`, `missing_value`, `valid_min`, `valid_max`,
    /// `valid_range`, `_Unsigned`, `scale_factor`, `add_offset`.
    pub(super) fn new(variable: &Variable) -> Self {
        let sign = Sign::of(variable);
        // They are of the type of the stored numbers, and mean what these mean.
        let numbers = |name: &str| -> Vec<f64> {
            numbers(variable, name).into_iter().map(|number| sign.apply(number)).collect()
        };
        let first = |name: &str| numbers(name).first().copied();
        let mut missing = numbers("_FillValue");
        missing.extend(numbers("missing_value"));
        // What netCDF fills floats with where nothing was written; no physical quantity gets there.
        missing.push(f64::from(9.969_21e36_f32));
        missing.push(9.969_209_968_386_869e36);
        let valid = match numbers("valid_range").as_slice() {
            &[low, high] => (low, high),
            _ => (
                first("valid_min").unwrap_or(f64::NEG_INFINITY),
                first("valid_max").unwrap_or(f64::INFINITY),
            ),
        };
        let full = |name: &str| variable.attributes.get(name).and_then(Value::as_f64);
        let (scale, offset) = (full("scale_factor"), full("add_offset"));
        Self { sign, missing, valid, scale: scale.unwrap_or(1.0), offset: offset.unwrap_or(0.0) }
    }

    /// The value of a stored number; NaN if it is missing.
    pub(super) fn value(&self, stored: f64) -> f64 {
        let stored = self.sign.apply(stored);
        let known = stored.is_finite()
            && !self.missing.contains(&stored)
            && (self.valid.0..=self.valid.1).contains(&stored);
        if known { stored * self.scale + self.offset } else { f64::NAN }
    }

    /// Whether values are the numbers that are stored.
    pub(super) fn is_plain(&self) -> bool {
        (self.sign, self.scale, self.offset) == (Sign::AsStored, 1.0, 0.0)
    }
}

/// The values of a coordinate; NaN where one is missing.
///
/// # Errors
/// If the file is damaged.
pub(super) fn read_coordinate(source: &dyn Source, variable: &Variable) -> Result<Vec<f64>> {
    let unpack = Unpack::new(variable);
    Ok(source::read_line(source, variable)?.into_iter().map(|v| unpack.value(v)).collect())
}

/// That the values of a coordinate are known, at those indices that are used; `mend` says what to
/// do if one is not.
///
/// # Errors
/// One sentence that names the variable and the index.
pub(super) fn check_known(
    variable: &Variable,
    values: &[f64],
    indices: impl IntoIterator<Item = usize>,
    mend: impl Fn(usize) -> String,
) -> Result<()> {
    for index in indices {
        ensure!(
            values[index].is_finite(),
            "the coordinate `{}` is missing at index {index} (NaN, a fill value or outside of its \
             valid range): {}",
            variable.name,
            mend(index)
        );
    }
    Ok(())
}

/// What an axis is, as far as the file tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AxisKind {
    /// Time.
    Time,
    /// Degrees north.
    Latitude,
    /// Degrees east.
    Longitude,
    /// A member of an ensemble.
    Member,
    /// Anything else.
    Other,
}

/// The kind of a dimension, from its coordinate if there is one, else from its name.
pub(super) fn axis_kind(dimension: &str, coordinate: Option<&Variable>) -> AxisKind {
    let text =
        |name: &str| coordinate.and_then(|c| c.text(name)).unwrap_or_default().to_ascii_lowercase();
    let (units, standard, axis) = (text("units"), text("standard_name"), text("axis"));
    let degrees = |letter: char| {
        let rest =
            units.strip_prefix("degree").map(|r| r.trim_start_matches('s').trim_start_matches('_'));
        rest.is_some_and(|r| r.starts_with(letter))
    };
    if standard == "longitude" || degrees('e') {
        return AxisKind::Longitude;
    }
    if standard == "latitude" || degrees('n') {
        return AxisKind::Latitude;
    }
    if standard == "time" || axis == "t" || units.contains(" since ") {
        return AxisKind::Time;
    }
    if standard == "realization" || axis == "e" {
        return AxisKind::Member;
    }
    if ["grid_longitude", "grid_latitude", "projection_x_coordinate"].contains(&standard.as_str()) {
        return AxisKind::Other;
    }
    let name = dimension.to_ascii_lowercase();
    match name.as_str() {
        "lon" | "longitude" | "long" | "lons" => AxisKind::Longitude,
        "lat" | "latitude" | "lats" => AxisKind::Latitude,
        "t" | "date" | "record" | "frame" => AxisKind::Time,
        "trajectory" | "member" | "realization" | "ensemble" | "number" | "sample" => {
            AxisKind::Member
        }
        _ if name.starts_with("time") => AxisKind::Time,
        _ => AxisKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Attributes;
    use serde_json::json;

    fn variable(single: bool, attributes: &[(&str, Value)]) -> Variable {
        let attributes: Attributes =
            attributes.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
        Variable {
            name: "v".into(),
            dimensions: Vec::new(),
            attributes,
            numeric: true,
            single,
            bytes: 1,
        }
    }

    /// If a fill value passed as data, one point would spoil every mode of its frame.
    #[test]
    fn missing_values_become_nan() {
        // -99.9 has no exact f32: it must be compared in the type of the data.
        let unpack = Unpack::new(&variable(true, &[("_FillValue", json!(-99.9))]));
        assert!(unpack.value(f64::from(-99.9_f32)).is_nan() && unpack.value(-99.0) == -99.0);
        let unpack = Unpack::new(&variable(false, &[("missing_value", json!([-1.0, -2.0]))]));
        assert!(unpack.value(-2.0).is_nan() && unpack.value(f64::INFINITY).is_nan());
        let unpack = Unpack::new(&variable(false, &[("valid_range", json!([0.0, 5.0]))]));
        assert!(unpack.value(5.5).is_nan() && unpack.value(5.0) == 5.0);
    }

    #[test]
    fn packed_values_are_unpacked() {
        let attributes = [
            ("scale_factor", json!(0.01)),
            ("add_offset", json!(273.15)),
            ("_FillValue", json!(-32767)),
        ];
        let unpack = Unpack::new(&variable(false, &attributes));
        assert!((unpack.value(1000.0) - 283.15).abs() < 1e-12 && unpack.value(-32767.0).is_nan());
    }

    /// Fill values and limits are of the type that is stored, so they turn with the numbers.
    #[test]
    fn signs_are_those_that_are_meant() {
        let attributes = [
            ("_Unsigned", json!("true")),
            ("_FillValue", json!(-1)),
            ("valid_range", json!([0, -3])),
        ];
        let unpack = Unpack::new(&variable(false, &attributes));
        assert_eq!((unpack.value(-3.0), unpack.value(127.0)), (253.0, 127.0));
        assert!(unpack.value(-1.0).is_nan() && unpack.value(-2.0).is_nan());
        let attributes = [("_Unsigned", json!("True")), ("missing_value", json!(255))];
        assert!(Unpack::new(&variable(false, &attributes)).value(-1.0).is_nan());
        let attributes = [("_Unsigned", json!("false")), ("_FillValue", json!(128))];
        let unpack = Unpack::new(&variable(false, &attributes));
        assert_eq!((unpack.value(255.0), unpack.value(127.0)), (-1.0, 127.0));
        assert!(unpack.value(128.0).is_nan());
    }

    #[test]
    fn axes_are_recognised() {
        let of = |dimension: &str, attributes: &[(&str, Value)]| {
            axis_kind(dimension, Some(&variable(false, attributes)))
        };
        assert_eq!(of("FNOCX", &[("units", json!("degrees_east"))]), AxisKind::Longitude);
        assert_eq!(of("TIME", &[("units", json!("hour since 1980-01-14"))]), AxisKind::Time);
        assert_eq!(of("latitude", &[("units", json!("degrees"))]), AxisKind::Latitude);
        assert_eq!(of("rlon", &[("standard_name", json!("grid_longitude"))]), AxisKind::Other);
        assert_eq!(axis_kind("timestep", None), AxisKind::Time);
        assert_eq!(axis_kind("level", None), AxisKind::Other);
    }
}
