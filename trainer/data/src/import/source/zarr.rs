//! Zarr groups of version 2 and 3, through `zarrs`.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use zarrs::array::{Array, ArrayMetadata, ArraySubset, DataType, ElementOwned, data_type};
use zarrs::group::Group;
use zarrs::metadata::NodeMetadata;

use super::folder::Folder;
use super::{Dimension, Source, Variable};
use crate::dataset::Attributes;

type Stored = Array<Folder>;

pub(super) struct Zarr {
    arrays: Vec<Stored>,
    variables: Vec<Variable>,
    attributes: Attributes,
}

impl Zarr {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let store = Arc::new(Folder::open(path)?);
        let group = Group::open(store.clone(), "/")?;
        let mut arrays = Vec::new();
        for (path, metadata) in group.traverse()? {
            if let NodeMetadata::Array(metadata) = metadata {
                let numbers = are_numbers(&metadata);
                match Array::new_with_metadata(store.clone(), path.as_str(), metadata) {
                    Ok(array) => arrays.push(array),
                    // Texts and the like are no hindrance to the fields beside them.
                    Err(_) if !numbers => {}
                    Err(error) => return Err(error).context(path.to_string()),
                }
            }
        }
        let variables = arrays.iter().map(variable).collect();
        Ok(Self { arrays, variables, attributes: group.attributes().clone() })
    }

    fn array(&self, variable: &Variable) -> Result<&Stored> {
        let found = self.arrays.iter().find(|array| name(array) == variable.name);
        found.with_context(|| format!("there is no array `{}`", variable.name))
    }
}

impl Source for Zarr {
    fn variables(&self) -> &[Variable] {
        &self.variables
    }

    fn attributes(&self) -> Result<Attributes> {
        Ok(self.attributes.clone())
    }

    fn read(&self, variable: &Variable, ranges: &[Range<usize>]) -> Result<Vec<f64>> {
        let array = self.array(variable)?;
        let ranges: Vec<_> = ranges.iter().map(|r| r.start as u64..r.end as u64).collect();
        let subset = ArraySubset::new_with_ranges(&ranges);
        read(array, &subset).with_context(|| damaged(variable))
    }

    fn read_long(&self, variable: &Variable) -> Result<Option<Vec<i64>>> {
        let array = self.array(variable)?;
        if *array.data_type() != data_type::int64() {
            return Ok(None);
        }
        let values = array.retrieve_array_subset(&array.subset_all());
        values.with_context(|| damaged(variable)).map(Some)
    }
}

fn damaged(variable: &Variable) -> String {
    format!("`{}` cannot be read: the Zarr array is damaged", variable.name)
}

/// Whether an array holds floats or integers, as its metadata says: `float32`, `<f4` in Zarr 2.
fn are_numbers(metadata: &ArrayMetadata) -> bool {
    let json = serde_json::to_value(metadata).unwrap_or_default();
    let named = |key: &str| json[key].as_str().unwrap_or_default().to_owned();
    ["float", "int", "uint"].iter().any(|kind| named("data_type").starts_with(kind))
        || named("dtype").get(1..2).is_some_and(|kind| "fiu".contains(kind))
}

/// Reads whatever number type is stored as f64.
fn read(array: &Stored, subset: &ArraySubset) -> Result<Vec<f64>> {
    fn convert<T: ElementOwned>(
        array: &Stored,
        subset: &ArraySubset,
        to_f64: fn(T) -> f64,
    ) -> Result<Vec<f64>> {
        let values: Vec<T> = array.retrieve_array_subset(subset)?;
        Ok(values.into_iter().map(to_f64).collect())
    }
    let is = |data_type: DataType| *array.data_type() == data_type;
    if is(data_type::float32()) {
        convert::<f32>(array, subset, f64::from)
    } else if is(data_type::float64()) {
        convert::<f64>(array, subset, |v| v)
    } else if is(data_type::int8()) {
        convert::<i8>(array, subset, f64::from)
    } else if is(data_type::int16()) {
        convert::<i16>(array, subset, f64::from)
    } else if is(data_type::int32()) {
        convert::<i32>(array, subset, f64::from)
    } else if is(data_type::int64()) {
        convert::<i64>(array, subset, |v| v as f64)
    } else if is(data_type::uint8()) {
        convert::<u8>(array, subset, f64::from)
    } else if is(data_type::uint16()) {
        convert::<u16>(array, subset, f64::from)
    } else if is(data_type::uint32()) {
        convert::<u32>(array, subset, f64::from)
    } else if is(data_type::uint64()) {
        convert::<u64>(array, subset, |v| v as f64)
    } else {
        bail!("its data type is none of float32, float64 and the integers")
    }
}

fn name(array: &Stored) -> &str {
    array.path().as_str().trim_start_matches('/')
}

fn variable(array: &Stored) -> Variable {
    let mut attributes: Attributes = array.attributes().clone();
    let names = dimension_names(array, &mut attributes);
    let dimensions: Vec<Dimension> = names
        .into_iter()
        .zip(array.shape())
        .map(|(name, &size)| Dimension { name, size: size as usize })
        .collect();
    let leaf = name(array).rsplit('/').next().unwrap_or_default();
    let coordinate = matches!(dimensions.as_slice(), [only] if only.name == leaf);
    if let ArrayMetadata::V2(metadata) = array.metadata() {
        // Zarr 2 has the fill value in its own metadata; xarray reads it as _FillValue. A
        // coordinate may be 0, which is what zarr-python writes there where nobody chose one.
        if let Ok(Value::Number(fill)) = serde_json::to_value(&metadata.fill_value)
            && !(coordinate && fill.as_f64() == Some(0.0))
        {
            attributes.entry("_FillValue").or_insert(Value::Number(fill));
        }
    }
    if let Some(Value::String(text)) = attributes.get("_FillValue") {
        // xarray writes float fill values into Zarr 3 attributes as base64 of a little-endian f64.
        let fill = base64_f64(text).map_or(Value::Null, |v| json!(v));
        attributes.insert("_FillValue".into(), fill);
    }
    let floats = [data_type::float32(), data_type::float64()];
    let integers = [
        data_type::int8(),
        data_type::int16(),
        data_type::int32(),
        data_type::int64(),
        data_type::uint8(),
        data_type::uint16(),
        data_type::uint32(),
        data_type::uint64(),
    ];
    let integer = integers.contains(array.data_type());
    Variable {
        name: name(array).into(),
        dimensions,
        attributes,
        numeric: integer || floats.contains(array.data_type()),
        single: *array.data_type() == floats[0],
        bytes: if integer { array.data_type().fixed_size().unwrap_or(0) as u32 } else { 0 },
    }
}

/// Zarr 3 names dimensions itself; in Zarr 2 it is xarray that does.
fn dimension_names(array: &Stored, attributes: &mut Attributes) -> Vec<String> {
    let xarray = attributes.remove("_ARRAY_DIMENSIONS").and_then(|value| match value {
        Value::Array(names) => {
            Some(names.iter().map(|n| n.as_str().map(str::to_owned)).collect::<Vec<_>>())
        }
        _ => None,
    });
    let names = array.dimension_names().clone().or(xarray).unwrap_or_default();
    let mut names = names.into_iter();
    (0..array.dimensionality())
        .map(|n| names.next().flatten().unwrap_or_else(|| format!("dim_{n}")))
        .collect()
}

/// Decodes the base64 text of eight little-endian bytes.
fn base64_f64(text: &str) -> Option<f64> {
    let mut bits = 0_u128;
    for c in text.trim_end_matches('=').bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u128::from(six);
    }
    // Eleven digits of six bits hold 64 bits and two of padding.
    (text.trim_end_matches('=').len() == 11)
        .then(|| f64::from_le_bytes(((bits >> 2) as u64).to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts that xarray 2025 and Python's base64 give for these numbers.
    #[test]
    fn base64_fill_values_are_decoded() {
        assert!(base64_f64("AAAAAAAA+H8=").unwrap().is_nan());
        assert_eq!(base64_f64("AAAAAACI88A="), Some(-80_000.0));
        assert_eq!(base64_f64("???"), None);
    }
}
