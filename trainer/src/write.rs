//! Files that are there whole or not at all.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes a file under a temporary name beside it, makes it durable, and renames it.
///
/// # Errors
/// If the folder does not exist or the disk is full; a file of that name stays as it was.
pub fn atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> Result<()> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}
