//! Files that fields come from, behind one trait: named arrays with dimensions and attributes, read
//! as f64.

mod folder;
mod memory;
mod netcdf;
mod npy;
mod raw;
mod zarr;

use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::dataset::{Attributes, SourceFile};
use finescale_host::digest::hex;

/// A dimension of a variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// Its length.
    pub size: usize,
}

/// An array of a file.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its name after the groups that it is in: `u`, `forecast/surface/u`.
    pub name: String,
    /// Its dimensions, slowest first.
    pub dimensions: Vec<Dimension>,
    /// Its attributes; numbers that JSON cannot hold (NaN) are null.
    pub attributes: Attributes,
    /// Whether it holds numbers.
    pub numeric: bool,
    /// Whether it is stored as f32, which is how its attributes are then compared.
    pub single: bool,
    /// Bytes of a stored integer; 0 if it is none.
    pub bytes: u32,
}

impl Variable {
    /// Its name without its groups.
    pub fn leaf(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or_default()
    }

    /// Its groups; empty in the outermost one.
    pub fn group(&self) -> &str {
        self.name.rsplit_once('/').map_or("", |(group, _)| group)
    }

    /// The length of a dimension, by name.
    pub fn size(&self, dimension: &str) -> Option<usize> {
        self.dimensions.iter().find(|d| d.name == dimension).map(|d| d.size)
    }

    /// A text attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str().map(str::trim)
    }

    /// `name(time 12, lat 73, lon 144)`
    pub fn describe(&self) -> String {
        let sizes: Vec<String> =
            self.dimensions.iter().map(|d| format!("{} {}", d.name, d.size)).collect();
        format!("{}({})", self.name, sizes.join(", "))
    }
}

/// A file open for reading.
pub trait Source: Sync {
    /// The arrays that are there.
    fn variables(&self) -> &[Variable];

    /// Attributes of the whole file; NumPy's have none.
    fn attributes(&self) -> Result<Attributes> {
        Ok(Attributes::new())
    }

    /// Reads a box of an array in row-major order, as stored: neither unpacked nor masked.
    ///
    /// # Errors
    /// If the file is damaged.
    fn read(&self, variable: &Variable, ranges: &[Range<usize>]) -> Result<Vec<f64>>;

    /// Reads a whole array of integers that can have more digits than f64, exactly; none if it
    /// holds no such numbers.
    ///
    /// # Errors
    /// If the file is damaged.
    fn read_long(&self, _variable: &Variable) -> Result<Option<Vec<i64>>> {
        Ok(None)
    }
}

/// What a variable means by a name, the nearest first: the variable of that name in its own group,
/// then those in the groups around it, as NetCDF-4 inherits them.
pub(crate) fn visible<'a>(
    source: &'a dyn Source,
    from: &'a Variable,
    name: &'a str,
) -> impl Iterator<Item = &'a Variable> {
    let groups = from.name.rmatch_indices('/').map(|(at, _)| &from.name[..=at]).chain([""]);
    groups.filter_map(move |group| {
        source.variables().iter().find(|v| v.name.strip_prefix(group) == Some(name))
    })
}

/// The arrays of numbers that could be fields, as a refusal lists them.
pub fn list(source: &dyn Source) -> String {
    let fields = source.variables().iter().filter(|v| v.numeric && v.dimensions.len() >= 2);
    let mut described: Vec<String> = fields.map(Variable::describe).collect();
    // The outermost groups first.
    described.sort_by_key(|text| text.matches('/').count());
    described.join(", ")
}

/// Finds an array by its name, `name` or `group/name`.
///
/// # Errors
/// If it is not there: one sentence that lists those that are.
pub fn find<'a>(source: &'a dyn Source, name: &str) -> Result<&'a Variable> {
    let path = name.trim_start_matches('/');
    let Some(variable) = source.variables().iter().find(|v| v.name == path) else {
        bail!("there is no variable `{name}`; there are: {}", list(source))
    };
    ensure!(variable.numeric, "`{name}` does not hold numbers");
    Ok(variable)
}

/// Reads a whole one-dimensional array, as stored.
///
/// # Errors
/// If the file is damaged.
pub fn read_line(source: &dyn Source, variable: &Variable) -> Result<Vec<f64>> {
    let ranges: Vec<_> = variable.dimensions.iter().map(|d| 0..d.size).collect();
    source.read(variable, &ranges)
}

/// Opens a NetCDF file, a Zarr folder, a `.npy` or a `.npz` file; `axes` names the dimensions of
/// NumPy arrays.
///
/// # Errors
/// One sentence if the file is missing, damaged or of another kind.
pub fn open(path: &Path, axes: Option<&[String]>) -> Result<Box<dyn Source>> {
    let shown = path.display();
    ensure!(path.exists(), "{shown} does not exist");
    if path.is_dir() {
        let zarr = ["zarr.json", ".zgroup", ".zmetadata"].iter().any(|n| path.join(n).is_file());
        ensure!(
            zarr,
            "{shown} is a folder, but no Zarr group (it has neither zarr.json nor .zgroup)"
        );
        return Ok(Box::new(
            zarr::Zarr::open(path).with_context(|| format!("{shown} cannot be read as Zarr"))?,
        ));
    }
    let mut magic = Vec::new();
    let mut file = fs::File::open(path).with_context(|| format!("{shown} cannot be opened"))?;
    file.by_ref()
        .take(8)
        .read_to_end(&mut magic)
        .with_context(|| format!("{shown} cannot be read"))?;
    ensure!(!magic.is_empty(), "{shown} is empty");
    let damaged = |kind: &str| format!("{shown} is damaged or no {kind} file");
    Ok(match magic.as_slice() {
        [b'C', b'D', b'F', ..] | b"\x89HDF\r\n\x1a\n" => {
            Box::new(netcdf::NetCdf::open(path).with_context(|| damaged("NetCDF"))?)
        }
        [0x93, b'N', b'U', b'M', ..] => {
            Box::new(npy::Npy::open(path, axes).with_context(|| damaged(".npy"))?)
        }
        [b'P', b'K', 3, 4, ..] => {
            Box::new(npy::open_npz(path, axes).with_context(|| damaged(".npz"))?)
        }
        _ => bail!(
            "{shown} is none of NetCDF, Zarr, .npy and .npz: convert it first (cdo and ncks write \
             NetCDF, numpy.save .npy); `finescale data import --raw 24x32` reads frames of 24x32 \
             float32 without a header"
        ),
    })
}

/// Opens a file of f32 in little-endian order without a header, frames of so many points, rows
/// before columns.
///
/// # Errors
/// One sentence if the file is missing or holds no whole number of frames.
pub fn open_raw(path: &Path, points: &[usize]) -> Result<Box<dyn Source>> {
    let opened = raw::Raw::open(path, points);
    Ok(Box::new(opened.with_context(|| format!("{} cannot be read", path.display()))?))
}

/// The path and SHA-256 of the input. Of a folder: over path and content of all files, in order of
/// their paths.
///
/// # Errors
/// If a file cannot be read.
pub(crate) fn identify(path: &Path) -> Result<SourceFile> {
    let mut digest = Sha256::new();
    hash_into(path, &mut digest).with_context(|| format!("{} cannot be read", path.display()))?;
    Ok(SourceFile { path: path.display().to_string(), sha256: hex(&digest.finalize()) })
}

fn hash_into(path: &Path, digest: &mut Sha256) -> Result<()> {
    if path.is_dir() {
        let mut entries =
            fs::read_dir(path)?.map(|e| Ok(e?.path())).collect::<std::io::Result<Vec<_>>>()?;
        entries.sort();
        for entry in entries {
            digest.update(entry.file_name().unwrap_or_default().as_encoded_bytes());
            hash_into(&entry, digest)?;
        }
        return Ok(());
    }
    let mut file = fs::File::open(path)?;
    let mut buffer = vec![0; 1 << 20];
    loop {
        finescale_host::interrupt::check()?;
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            n => digest.update(&buffer[..n]),
        }
    }
}
