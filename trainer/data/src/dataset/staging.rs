//! A data set that appears under its name only once it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use finescale_host::write::Folder;

/// A temporary sibling of the output, taken away unless [`Staging::publish`] renames it.
#[derive(Debug)]
pub struct Staging {
    folder: Folder,
    target: PathBuf,
    force: bool,
}

impl Staging {
    /// Makes the temporary folder beside `target`. With `force`, a data set at `target` will be
    /// replaced.
    ///
    /// # Errors
    /// If `target` exists and must not be replaced, or its parent cannot be written.
    pub fn new(target: &Path, force: bool) -> Result<Self> {
        check_target(target, force)?;
        target.file_name().with_context(|| {
            format!(
                "{} is no name for a data set: give a path such as winds.zarr",
                target.display()
            )
        })?;
        Ok(Self { folder: Folder::new(target)?, target: target.to_owned(), force })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// If something has appeared at the target meanwhile, or the disk refuses.
    pub fn publish(self) -> Result<()> {
        check_target(&self.target, self.force)?;
        self.folder.publish()
    }
}

/// Whether a data set may be written to `target`; with `force`, in place of one that is there.
///
/// # Errors
/// One sentence if not.
pub fn check_target(target: &Path, force: bool) -> Result<()> {
    if !target.exists() {
        return Ok(());
    }
    let shown = target.display();
    if !force {
        bail!("{shown} exists: choose another --out, or pass --force to replace it");
    }
    // --force replaces data sets, not whatever folder a slip of the keyboard names.
    let replaceable = target.is_dir()
        && (target.join("zarr.json").is_file() || fs::read_dir(target)?.next().is_none());
    ensure!(replaceable, "{shown} exists and is no data set: --force replaces data sets only");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_staging_replaces_with_force_only() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("a.zarr");
        for (force, mark) in [(false, "one"), (true, "two")] {
            let staging = Staging::new(&target, force).unwrap();
            fs::write(staging.path().join("zarr.json"), mark).unwrap();
            staging.publish().unwrap();
            assert_eq!(fs::read_to_string(target.join("zarr.json")).unwrap(), mark);
        }
        let error = Staging::new(&target, false).unwrap_err().to_string();
        assert!(error.ends_with("--force to replace it"), "{error}");
    }

    /// If this failed, `--force` with the wrong path would delete somebody's folder.
    #[test]
    fn force_spares_other_folders() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("thesis.tex"), "").unwrap();
        assert!(Staging::new(home.path(), true).is_err());
        let nowhere = home.path().join("no/such/folder.zarr");
        assert!(Staging::new(&nowhere, false).unwrap_err().to_string().contains("does not exist"));
    }
}
