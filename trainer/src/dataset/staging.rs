//! A folder that appears under its name only once it is complete.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// A temporary sibling of the output, taken away unless [`Staging::publish`] renames it.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: tempfile::TempDir,
    target: PathBuf,
    force: bool,
}

impl Staging {
    /// Makes the temporary folder beside `target`. With `force`, a data set at `target` will be replaced.
    ///
    /// # Errors
    /// If `target` exists and must not be replaced, or its parent cannot be written.
    pub(crate) fn new(target: &Path, force: bool) -> Result<Self> {
        check_target(target, force)?;
        let name = target.file_name().with_context(|| {
            format!(
                "{} is no name for a data set: give a path such as winds.zarr",
                target.display()
            )
        })?;
        let parent = parent(target);
        ensure!(parent.is_dir(), "the folder {} does not exist: make it first", parent.display());
        let mut builder = tempfile::Builder::new();
        let prefix = format!(".{}.partial-", name.to_string_lossy());
        builder.prefix(&prefix);
        #[cfg(unix)]
        {
            // The usual permissions, not the private ones of temporary folders: the folder stays.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o777));
        }
        let folder = builder
            .tempdir_in(parent)
            .with_context(|| format!("cannot write into the folder {}", parent.display()))?;
        Ok(Self { folder, target: target.to_owned(), force })
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// If something has appeared at the target meanwhile, or the disk refuses.
    pub(crate) fn publish(self) -> Result<()> {
        let target = &self.target;
        check_target(target, self.force)?;
        let renamed = || format!("cannot rename the finished data set to {}", target.display());
        if target.exists() {
            // The old one steps aside, so that at every moment one of the two is there whole.
            let aside = tempfile::Builder::new()
                .prefix(".replaced-")
                .tempdir_in(parent(target))
                .with_context(renamed)?;
            let old = aside.path().join("old");
            fs::rename(target, &old).with_context(renamed)?;
            if let Err(error) = fs::rename(self.folder.path(), target) {
                fs::rename(&old, target).with_context(renamed)?;
                return Err(error).with_context(renamed);
            }
        } else {
            fs::rename(self.folder.path(), target).with_context(renamed)?;
        }
        // Nothing is left under the temporary name.
        let _ = self.folder.keep();
        Ok(())
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Whether a data set may be written to `target`; with `force`, in place of one that is there.
///
/// # Errors
/// One sentence if not.
pub(crate) fn check_target(target: &Path, force: bool) -> Result<()> {
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

    fn entries(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    /// If this failed, an aborted import would leave litter, or be taken for a whole data set.
    #[test]
    fn dropped_staging_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let staging = Staging::new(&home.path().join("a.zarr"), false).unwrap();
        fs::write(staging.path().join("half"), "x").unwrap();
        drop(staging);
        assert_eq!(entries(home.path()), 0);
    }

    #[test]
    fn published_staging_replaces_with_force_only() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("a.zarr");
        for (force, mark) in [(false, "one"), (true, "two")] {
            let staging = Staging::new(&target, force).unwrap();
            fs::write(staging.path().join("zarr.json"), mark).unwrap();
            staging.publish().unwrap();
            assert_eq!(fs::read_to_string(target.join("zarr.json")).unwrap(), mark);
            assert_eq!(entries(home.path()), 1);
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
