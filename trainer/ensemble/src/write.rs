//! Ensembles into files: NetCDF or Zarr, by the extension.

use std::path::Path;

use anyhow::{Result, bail, ensure};

use super::{Ensemble, netcdf, zarr};
use finescale_data::dataset::staging;

/// What an output file's name says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    NetCdf,
    Zarr,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|e| e.to_str()) {
            Some("nc" | "nc4" | "cdf") => Ok(Self::NetCdf),
            Some("zarr") => Ok(Self::Zarr),
            _ => bail!(
                "{} has no extension that names a format: use .nc for NetCDF or .zarr for Zarr",
                path.display()
            ),
        }
    }
}

/// Whether an ensemble may be written to `path`: to be asked before hours of work.
///
/// # Errors
/// One sentence if the extension is unknown, the folder is missing, or something is there and must
/// not be replaced.
pub fn check_output(path: &Path, force: bool) -> Result<()> {
    let format = Format::of(path)?;
    finescale_host::write::parent(path)?;
    match format {
        Format::Zarr => staging::check_target(path, force),
        Format::NetCdf => {
            let shown = path.display();
            ensure!(!path.is_dir(), "{shown} is a folder: choose another --out");
            ensure!(
                force || !path.exists(),
                "{shown} exists: choose another --out, or pass --force to replace it"
            );
            Ok(())
        }
    }
}

impl Ensemble {
    /// Writes the ensemble: NetCDF (classic, 64-bit offsets) to `.nc`, Zarr v3 to `.zarr`. What is
    /// at `path` is replaced, and only once the new one is complete. Layout: `docs/sampling.md`.
    ///
    /// # Errors
    /// One sentence if arrays do not fit together, the extension is unknown, NetCDF cannot hold a
    /// variable of that size, or the disk is full.
    pub fn write(&self, path: &Path) -> Result<()> {
        self.check()?;
        match Format::of(path)? {
            Format::NetCdf => netcdf::write(self, path),
            Format::Zarr => zarr::write(self, path),
        }
    }
}
