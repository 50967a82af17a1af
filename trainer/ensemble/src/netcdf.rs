//! Ensembles as NetCDF classic files with 64-bit offsets, which everything reads.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result, anyhow, ensure};
use netcdf3::error::WriteError;
use netcdf3::{DataSet, FileWriter, NC_FILL_F32, Version};
use serde_json::Value;

use super::Ensemble;
use super::layout::{self, Array, Values};
use finescale_data::dataset::Attributes;

/// Most bytes of a variable: its size has 32 bits in the header.
const MOST_BYTES: u64 = (1 << 32) - 4;

pub(super) fn write(ensemble: &Ensemble, path: &Path) -> Result<()> {
    let arrays = layout::arrays(ensemble)?;
    let set = definition(ensemble, &arrays)?;
    finescale_host::write::atomically_with(path, |file| {
        let shared = Shared(Rc::new(RefCell::new(BufWriter::new(file.try_clone()?))));
        let mut writer =
            FileWriter::open_seek_write("", Box::new(shared.clone())).map_err(refused)?;
        writer.set_def(&set, Version::Offset64Bit, 0).map_err(refused)?;
        for Array { name, dimensions, values, .. } in &arrays {
            finescale_host::interrupt::check()?;
            match values {
                Values::Numbers(values) => writer.write_var_f64(name, values),
                Values::Count => {
                    let n = i32::try_from(dimensions[0].1).context("too many members")?;
                    writer.write_var_i32(name, &(0..n).collect::<Vec<_>>())
                }
                Values::Field(part, channel) => {
                    writer.write_var_f32(name, &part.channel(ensemble, *channel))
                }
            }
            .map_err(refused)?;
        }
        writer.close().map_err(refused)?;
        Ok(shared.flush()?)
    })
}

/// The writer's errors are no standard ones.
fn refused(error: WriteError) -> anyhow::Error {
    match error {
        WriteError::IOErrorKind(kind) => io::Error::from(kind).into(),
        other => anyhow!("{other:?}"),
    }
}

fn definition(ensemble: &Ensemble, arrays: &[Array]) -> Result<DataSet> {
    let mut set = DataSet::new();
    for Array { name, dimensions, attributes, values } in arrays {
        let points: u64 = dimensions.iter().map(|(_, n)| *n as u64).product();
        ensure!(
            4 * points <= MOST_BYTES,
            "`{name}` has {:.1} GiB, more than the 4 GiB of a NetCDF variable: write to a .zarr \
             instead",
            4.0 * points as f64 / f64::from(1 << 30)
        );
        let failed = |error| anyhow!("`{name}` cannot be written as NetCDF: {error}");
        for (dimension, n) in dimensions {
            if !set.has_dim(dimension) {
                set.add_fixed_dim(dimension, *n).map_err(failed)?;
            }
        }
        let names: Vec<&str> = dimensions.iter().map(|(name, _)| name.as_str()).collect();
        match values {
            Values::Numbers(_) => set.add_var_f64(name, &names),
            Values::Count => set.add_var_i32(name, &names),
            Values::Field(..) => set.add_var_f32(name, &names),
        }
        .map_err(failed)?;
        for (attribute, value) in attributes {
            match Attribute::of(value) {
                Attribute::Text(text) => set.add_var_attr_string(name, attribute, text),
                Attribute::Numbers(numbers) => set.add_var_attr_f64(name, attribute, numbers),
            }
            .map_err(failed)?;
        }
        if matches!(values, Values::Field(..)) {
            // Not NaN: the writer finds variables by comparing them, attributes included.
            set.add_var_attr_f32(name, "_FillValue", vec![NC_FILL_F32]).map_err(failed)?;
        }
    }
    let attributes: Attributes = layout::attributes(ensemble)?;
    for (name, value) in &attributes {
        match Attribute::of(value) {
            Attribute::Text(text) => set.add_global_attr_string(name, text),
            Attribute::Numbers(numbers) => set.add_global_attr_f64(name, numbers),
        }
        .map_err(|error| anyhow!("the attribute `{name}` cannot be written: {error}"))?;
    }
    Ok(set)
}

/// What NetCDF classic can hold.
enum Attribute {
    Text(String),
    Numbers(Vec<f64>),
}

impl Attribute {
    fn of(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::Text(text.clone()),
            Value::Number(number) => Self::Numbers(number.as_f64().into_iter().collect()),
            Value::Array(list) if list.iter().all(Value::is_number) => {
                Self::Numbers(list.iter().filter_map(Value::as_f64).collect())
            }
            other => Self::Text(other.to_string()),
        }
    }
}

/// One file for the writer, which takes it and writes number by number, and for us, who must hear
/// whether the last bytes reached the disk.
#[derive(Clone)]
struct Shared(Rc<RefCell<BufWriter<File>>>);

impl Shared {
    fn flush(&self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The writer takes a partial write for a whole one.
        self.0.borrow_mut().write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::flush(self)
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.borrow_mut().seek(to)
    }
}
