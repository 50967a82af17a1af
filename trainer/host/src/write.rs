//! Files and folders that are there whole or not at all: the one home of temporary names.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Writes a file under a temporary name beside it, makes it durable, and renames it.
///
/// # Errors
/// If the folder does not exist or the disk is full; a file of that name stays as it was.
pub fn atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    atomically_with(path, |file| Ok(file.write_all(bytes)?))
}

/// [`atomically`] for what is written bit by bit.
///
/// # Errors
/// As [`atomically`], and whatever `write` says.
pub fn atomically_with(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let written = || -> Result<()> {
        // The usual permissions, not the private ones of temporary files: the file stays.
        let mut file = temporary(0o666).tempfile_in(parent(path)?)?;
        write(file.as_file_mut())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    written().with_context(|| format!("{} cannot be written", path.display()))
}

/// The folder that an output will lie in.
///
/// # Errors
/// If it is not there.
pub fn parent(path: &Path) -> Result<&Path> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    ensure!(parent.is_dir(), "the folder {} does not exist: make it first", parent.display());
    Ok(parent)
}

fn temporary(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

/// The beginning of the temporary name of what will lie at `place`.
fn partial(place: &Path) -> String {
    format!(".{}.partial-", place.file_name().unwrap_or_default().to_string_lossy())
}

fn unwritable(parent: &Path) -> String {
    format!("cannot write into the folder {}", parent.display())
}

/// A file that grows for hours under the name `.NAME.partial-…` beside its place. It is taken away
/// unless [`Growing::publish`] renames it; where the program is killed, it stays under that name.
#[derive(Debug)]
pub struct Growing {
    made: tempfile::NamedTempFile,
    place: PathBuf,
}

impl Growing {
    /// An empty one that will lie at `place`.
    ///
    /// # Errors
    /// If the folder around `place` does not exist or cannot be written.
    pub fn new(place: &Path) -> Result<Self> {
        let parent = parent(place)?;
        let made = temporary(0o666).prefix(&partial(place)).tempfile_in(parent);
        let made = made.with_context(|| unwritable(parent))?;
        Ok(Self { made, place: place.to_owned() })
    }

    /// To write to.
    pub fn file(&mut self) -> &mut File {
        self.made.as_file_mut()
    }

    /// Where it will lie.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Makes it durable and gives it its name, in place of a file that has it.
    ///
    /// # Errors
    /// If the disk refuses; what was there stays.
    pub fn publish(self) -> Result<()> {
        let Self { made, place } = self;
        let put = || -> Result<()> {
            made.as_file().sync_all()?;
            made.persist(&place)?;
            Ok(())
        };
        put().with_context(|| format!("{} cannot be written", place.display()))
    }
}

/// A folder under a temporary name beside its place, taken away unless [`Folder::publish`] renames
/// it.
#[derive(Debug)]
pub struct Folder {
    made: tempfile::TempDir,
    place: PathBuf,
}

impl Folder {
    /// An empty one that will lie at `place`.
    ///
    /// # Errors
    /// If the folder around `place` does not exist or cannot be written.
    pub fn new(place: &Path) -> Result<Self> {
        let parent = parent(place)?;
        let made = temporary(0o777).prefix(&partial(place)).tempdir_in(parent);
        let made = made.with_context(|| unwritable(parent))?;
        Ok(Self { made, place: place.to_owned() })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        self.made.path()
    }

    /// Makes it durable and gives it its name, in place of a folder that has it.
    ///
    /// # Errors
    /// If the disk refuses; what was there stays.
    pub fn publish(self) -> Result<()> {
        let place = &self.place;
        let put = || -> Result<()> {
            sync(self.made.path())?;
            if !place.exists() {
                return Ok(fs::rename(self.made.path(), place)?);
            }
            // The old one steps aside, so that at every moment one of the two is there whole.
            let aside = temporary(0o777).prefix(".replaced-").tempdir_in(parent(place)?)?;
            let old = aside.path().join("old");
            fs::rename(place, &old)?;
            if let Err(error) = fs::rename(self.made.path(), place) {
                fs::rename(&old, place)?;
                return Err(error.into());
            }
            Ok(())
        };
        put().with_context(|| format!("{} cannot be written", place.display()))?;
        // Nothing is left under the temporary name.
        let _ = self.made.keep();
        Ok(())
    }
}

/// Makes everything in a folder durable.
fn sync(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync(&entry.path())?;
        } else {
            File::options().write(true).open(entry.path())?.sync_all()?;
        }
    }
    // Only Unix opens folders.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
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
    fn a_dropped_folder_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::new(&home.path().join("a.zarr")).unwrap();
        fs::write(folder.path().join("half"), "x").unwrap();
        drop(folder);
        assert_eq!(entries(home.path()), 0);
    }

    #[test]
    fn a_published_folder_replaces_the_one_before() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("a.zarr");
        for mark in ["one", "two"] {
            let folder = Folder::new(&place).unwrap();
            fs::create_dir(folder.path().join("inner")).unwrap();
            fs::write(folder.path().join("inner/mark"), mark).unwrap();
            folder.publish().unwrap();
            assert_eq!(fs::read_to_string(place.join("inner/mark")).unwrap(), mark);
            assert_eq!(entries(home.path()), 1);
        }
    }

    /// If this failed, what was recorded for hours could be seen half, or a refused one would stay.
    #[test]
    fn a_file_that_grows_has_its_name_when_it_is_published() {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("a.nc");
        let mut growing = Growing::new(&place).unwrap();
        growing.file().write_all(b"all").unwrap();
        assert!(!place.exists());
        growing.publish().unwrap();
        assert_eq!(fs::read(&place).unwrap(), b"all");
        drop(Growing::new(&place).unwrap());
        assert_eq!((fs::read(&place).unwrap(), entries(home.path())), (b"all".to_vec(), 1));
    }

    #[test]
    fn a_failure_leaves_the_file_before_and_no_other() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a");
        atomically(&path, b"before").unwrap();
        let full = atomically_with(&path, |file| {
            file.write_all(b"half")?;
            anyhow::bail!("the disk is full")
        });
        assert!(
            format!("{:#}", full.unwrap_err()).ends_with("cannot be written: the disk is full")
        );
        assert_eq!(fs::read(&path).unwrap(), b"before");
        assert_eq!(entries(home.path()), 1);
        let nowhere = atomically(&home.path().join("no/a"), b"").unwrap_err();
        assert!(
            format!("{nowhere:#}").ends_with("no does not exist: make it first"),
            "{nowhere:#}"
        );
    }
}
