//! Files that are there whole or not at all.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

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
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        {
            // The usual permissions, not the private ones of temporary files: the file stays.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
        write(file.as_file_mut())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    written().with_context(|| format!("{} cannot be written", path.display()))
}
