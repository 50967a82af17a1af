//! Real winds: of Debian's package ferret-datasets, installed or unpacked. Its files name no
//! licence, so none of them is shipped.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::debian;
use crate::paths;

const PACKAGE: &str = "ferret-datasets";
const FILE: &str = "usr/share/ferret-vis/data/monthly_navy_winds.cdf";

fn unpacked() -> PathBuf {
    paths::target().join(PACKAGE)
}

/// The file, where the package is installed or `fetch` has unpacked it.
pub(crate) fn find() -> Option<PathBuf> {
    [Path::new("/"), &unpacked()].map(|root| root.join(FILE)).into_iter().find(|f| f.is_file())
}

/// The file; unpacks the package (28 MB) into the target folder if it is not there.
pub(crate) fn fetch() -> Result<PathBuf> {
    if let Some(file) = find() {
        return Ok(file);
    }
    let folder = unpacked();
    debian::unpack(PACKAGE, FILE, &folder).with_context(|| {
        format!("Debian's package {PACKAGE} cannot be unpacked into {}", folder.display())
    })?;
    Ok(folder.join(FILE))
}
