//! NumPy's `.npy` (read where asked) and `.npz` (held in memory, as its members are compressed).

use std::convert::Infallible;
use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use npyz::{DType, Deserialize, NpyFile, Order, TypeChar};
use zip::ZipArchive;

use super::memory::gather;
use super::{Dimension, Source, Variable};
use crate::dataset::Attributes;

/// Names for the dimensions of an array, slowest first, when the user gives none.
fn default_axes(rank: usize) -> Option<&'static [&'static str]> {
    Some(match rank {
        2 => &["time", "x"],
        3 => &["time", "y", "x"],
        4 => &["trajectory", "time", "y", "x"],
        _ => return None,
    })
}

fn variable(name: &str, shape: &[u64], axes: Option<&[String]>, dtype: &DType) -> Result<Variable> {
    let names: Vec<String> = match (axes, default_axes(shape.len())) {
        // A line of numbers beside the fields of an archive is the coordinate of the dimension of
        // its name.
        _ if shape.len() < 2 => shape.iter().map(|_| name.to_owned()).collect(),
        (Some(axes), _) if axes.len() == shape.len() => axes.to_vec(),
        (None, Some(default)) => default.iter().map(|&n| n.into()).collect(),
        _ => bail!(
            "`{name}` has {} dimensions {shape:?}: name them all, slowest first, as in --axes \
             trajectory,time,y,x",
            shape.len()
        ),
    };
    let dimensions = names
        .into_iter()
        .zip(shape)
        .map(|(name, &size)| Dimension { name, size: size as usize })
        .collect();
    let plain = match dtype {
        DType::Plain(t) => Some((t.type_char(), t.size_field() as u32)),
        _ => None,
    };
    let numbers = [TypeChar::Float, TypeChar::Int, TypeChar::Uint];
    Ok(Variable {
        name: name.into(),
        dimensions,
        attributes: Attributes::new(),
        numeric: plain.is_some_and(|(kind, _)| numbers.contains(&kind)),
        single: plain == Some((TypeChar::Float, 4)),
        bytes: plain.map_or(0, |(kind, bytes)| if kind == TypeChar::Float { 0 } else { bytes }),
    })
}

/// Runs `$body` with `$read`, a function that turns `NpyFile` into an iterator of f64, for the type
/// stored.
macro_rules! with_type {
    ($dtype:expr, $call:ident ( $($argument:expr),* )) => {{
        let DType::Plain(t) = $dtype else { bail!("arrays of records are not supported") };
        match (t.type_char(), t.size_field()) {
            (TypeChar::Float, 4) => $call::<f32>($($argument,)* |v| f64::from(v)),
            (TypeChar::Float, 8) => $call::<f64>($($argument,)* |v| v),
            (TypeChar::Int, 1) => $call::<i8>($($argument,)* |v| f64::from(v)),
            (TypeChar::Int, 2) => $call::<i16>($($argument,)* |v| f64::from(v)),
            (TypeChar::Int, 4) => $call::<i32>($($argument,)* |v| f64::from(v)),
            (TypeChar::Int, 8) => $call::<i64>($($argument,)* |v| v as f64),
            (TypeChar::Uint, 1) => $call::<u8>($($argument,)* |v| f64::from(v)),
            (TypeChar::Uint, 2) => $call::<u16>($($argument,)* |v| f64::from(v)),
            (TypeChar::Uint, 4) => $call::<u32>($($argument,)* |v| f64::from(v)),
            (TypeChar::Uint, 8) => $call::<u64>($($argument,)* |v| v as f64),
            _ => bail!("its data type {t} is none of float32, float64 and the integers"),
        }
    }};
}

pub(super) struct Npy {
    path: PathBuf,
    variables: Vec<Variable>,
}

impl Npy {
    pub(super) fn open(path: &Path, axes: Option<&[String]>) -> Result<Self> {
        let file = NpyFile::new(BufReader::new(File::open(path)?))?;
        // The file's own name is the only one there is.
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let variable = variable(&name, file.shape(), axes, &file.dtype())?;
        ensure!(
            file.order() == Order::C,
            "its values are in Fortran order: save numpy.ascontiguousarray(array)"
        );
        Ok(Self { path: path.to_owned(), variables: vec![variable] })
    }
}

impl Source for Npy {
    fn variables(&self) -> &[Variable] {
        &self.variables
    }

    fn read(&self, variable: &Variable, ranges: &[Range<usize>]) -> Result<Vec<f64>> {
        fn run<T: Deserialize>(
            file: NpyFile<BufReader<File>>,
            sizes: &[usize],
            ranges: &[Range<usize>],
            to_f64: fn(T) -> f64,
        ) -> Result<Vec<f64>> {
            let mut reader = file.data::<T>()?;
            gather(sizes, ranges, |start, len, out| {
                reader.seek_to(start as u64)?;
                let before = out.len();
                for value in reader.by_ref().take(len) {
                    out.push(to_f64(value?));
                }
                ensure!(out.len() == before + len, "the file ends early");
                Ok(())
            })
        }
        let sizes: Vec<usize> = variable.dimensions.iter().map(|d| d.size).collect();
        let file = NpyFile::new(BufReader::new(File::open(&self.path)?))?;
        let dtype = file.dtype();
        with_type!(dtype, run(file, &sizes, ranges))
            .with_context(|| format!("{} cannot be read: the file is damaged", self.path.display()))
    }
}

pub(super) struct Npz {
    variables: Vec<Variable>,
    values: Vec<Vec<f64>>,
}

pub(super) fn open_npz(path: &Path, axes: Option<&[String]>) -> Result<Npz> {
    fn run<T: Deserialize>(file: NpyFile<impl Read>, to_f64: fn(T) -> f64) -> Result<Vec<f64>> {
        Ok(file.data::<T>()?.map(|v| v.map(to_f64)).collect::<std::io::Result<_>>()?)
    }
    // An archive of `.npy` files, stored (numpy.savez) or deflated (numpy.savez_compressed).
    let mut archive = ZipArchive::new(BufReader::new(File::open(path)?))?;
    let mut names = Vec::new();
    for member in archive.file_names() {
        names.extend(member?.strip_suffix(".npy").map(str::to_owned));
    }
    let mut npz = Npz { variables: Vec::new(), values: Vec::new() };
    for name in names {
        let file = NpyFile::new(archive.by_name(&format!("{name}.npy"))?)?;
        let dtype = file.dtype();
        let variable = variable(&name, file.shape(), axes, &dtype)?;
        ensure!(
            file.order() == Order::C || file.shape().len() < 2,
            "`{name}` is in Fortran order: save numpy.ascontiguousarray(array)"
        );
        let values = match variable.numeric {
            true => with_type!(dtype, run(file)).with_context(|| format!("`{name}` is damaged"))?,
            false => Vec::new(),
        };
        npz.variables.push(variable);
        npz.values.push(values);
    }
    Ok(npz)
}

impl Source for Npz {
    fn variables(&self) -> &[Variable] {
        &self.variables
    }

    fn read(&self, variable: &Variable, ranges: &[Range<usize>]) -> Result<Vec<f64>> {
        let at = self.variables.iter().position(|v| v.name == variable.name);
        let values = &self.values[at.context("there is no such array")?];
        let sizes: Vec<usize> = variable.dimensions.iter().map(|d| d.size).collect();
        let boxed = gather(&sizes, ranges, |start, len, out| {
            out.extend_from_slice(&values[start..start + len]);
            Ok::<_, Infallible>(())
        });
        Ok(boxed?)
    }
}
