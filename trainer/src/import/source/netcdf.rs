//! NetCDF classic (CDF-1, 2, 5) and NetCDF-4, through the pure-Rust `netcdf-reader`.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};
use netcdf_reader::{NcAttrValue, NcFile, NcSliceInfo, NcSliceInfoElem, NcType, NcVariable};
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
        let variables = file.variables()?.iter().map(variable).collect();
        Ok(Self { file, variables })
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
        let selections = ranges
            .iter()
            .map(|r| NcSliceInfoElem::Slice { start: r.start as u64, end: r.end as u64, step: 1 })
            .collect();
        let array = self
            .file
            .read_variable_slice_as_f64(&variable.name, &NcSliceInfo { selections })
            .with_context(|| format!("`{}` cannot be read: the file is damaged", variable.name))?;
        Ok(array.iter().copied().collect())
    }
}

fn variable(variable: &NcVariable) -> Variable {
    let dtype = variable.dtype();
    let dimensions = variable
        .dimensions()
        .iter()
        .map(|d| Dimension { name: d.name.clone(), size: d.size as usize })
        .collect();
    let attributes =
        variable.attributes().iter().map(|a| (a.name.clone(), value(&a.value))).collect();
    Variable {
        name: variable.name().into(),
        dimensions,
        attributes,
        numeric: dtype.is_primitive() && !matches!(dtype, NcType::Char | NcType::String),
        single: *dtype == NcType::Float,
        bytes: dtype.size().unwrap_or(0) as u32,
    }
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
