//! NetCDF classic (CDF-1, 2, 5) and NetCDF-4, through the pure-Rust `netcdf-reader`.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use netcdf_reader::{
    NcAttrValue, NcFile, NcGroup, NcSliceInfo, NcSliceInfoElem, NcType, NcVariable,
};
use serde_json::{Value, json};

use super::{Dimension, Source, Variable};
use crate::dataset::Attributes;

pub(super) struct NetCdf {
    file: NcFile,
    variables: Vec<Variable>,
}

impl NetCdf {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = NcFile::open(path)?;
        let mut variables = Vec::new();
        gather(file.root_group()?, "", &mut variables);
        Ok(Self { file, variables })
    }
}

/// The variables of a group and of all groups within, whose names follow `prefix`.
fn gather(group: &NcGroup, prefix: &str, variables: &mut Vec<Variable>) {
    variables.extend(group.variables.iter().map(|v| variable(v, prefix)));
    for inner in &group.groups {
        gather(inner, &format!("{prefix}{}/", inner.name), variables);
    }
}

impl Source for NetCdf {
    fn variables(&self) -> &[Variable] {
        &self.variables
    }

    fn attributes(&self) -> Result<Attributes> {
        let attributes = self.file.global_attributes()?;
        Ok(attributes.iter().map(|a| (a.name.clone(), value(&a.value))).collect())
    }

    fn read(&self, variable: &Variable, ranges: &[Range<usize>]) -> Result<Vec<f64>> {
        let array = self
            .file
            .read_variable_slice_as_f64(&variable.name, &selection(ranges))
            .with_context(|| damaged(variable))?;
        Ok(array.iter().copied().collect())
    }

    fn read_long(&self, variable: &Variable) -> Result<Option<Vec<i64>>> {
        if *self.file.variable(&variable.name)?.dtype() != NcType::Int64 {
            return Ok(None);
        }
        let array =
            self.file.read_variable::<i64>(&variable.name).with_context(|| damaged(variable))?;
        Ok(Some(array.iter().copied().collect()))
    }
}

fn damaged(variable: &Variable) -> String {
    format!("`{}` cannot be read: the file is damaged", variable.name)
}

fn selection(ranges: &[Range<usize>]) -> NcSliceInfo {
    let selections = ranges
        .iter()
        .map(|r| NcSliceInfoElem::Slice { start: r.start as u64, end: r.end as u64, step: 1 })
        .collect();
    NcSliceInfo { selections }
}

fn variable(variable: &NcVariable, prefix: &str) -> Variable {
    let dtype = variable.dtype();
    let dimensions = variable
        .dimensions()
        .iter()
        .map(|d| Dimension { name: d.name.clone(), size: d.size as usize })
        .collect();
    let mut attributes: Attributes =
        variable.attributes().iter().map(|a| (a.name.clone(), value(&a.value))).collect();
    if let Some(fill) = default_fill(dtype) {
        attributes.entry("_FillValue").or_insert(fill);
    }
    let floating = matches!(dtype, NcType::Float | NcType::Double);
    let numeric = dtype.is_primitive() && !matches!(dtype, NcType::Char | NcType::String);
    let integer = numeric && !floating;
    Variable {
        name: format!("{prefix}{}", variable.name()),
        dimensions,
        attributes,
        numeric,
        single: *dtype == NcType::Float,
        bytes: if integer { dtype.size().unwrap_or(0) as u32 } else { 0 },
    }
}

/// What the library fills integers with where nothing was written and the file names no fill value.
/// Bytes have none, and that of floats is missing in any file.
fn default_fill(dtype: &NcType) -> Option<Value> {
    Some(match dtype {
        NcType::Short => json!(-32_767),
        NcType::UShort => json!(65_535),
        NcType::Int => json!(-2_147_483_647),
        NcType::UInt => json!(4_294_967_295_u32),
        NcType::Int64 => json!(-9_223_372_036_854_775_806_i64),
        NcType::UInt64 => json!(18_446_744_073_709_551_614_u64),
        _ => return None,
    })
}

/// An attribute as JSON: text, a number, or a list of more than one.
fn value(value: &NcAttrValue) -> Value {
    if let Some(text) = value.as_string() {
        return json!(text.trim_end_matches('\0'));
    }
    match value {
        NcAttrValue::Strings(texts) => json!(texts),
        other => match other.as_f64_vec().as_deref() {
            Some([one]) => json!(one),
            Some(list) => json!(list),
            None => Value::Null,
        },
    }
}
