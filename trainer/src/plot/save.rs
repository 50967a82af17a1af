//! Writes a scene to a file, whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use plotters::backend::{BitMapBackend, DrawingBackend};

use super::render;
use super::scene::Scene;

#[derive(Clone, Copy)]
enum Format {
    Png,
    Svg,
}

/// Writes `scene` under a temporary name and renames it, so that a reader never sees half a
/// picture and a failure leaves what was there before.
pub(crate) fn save(scene: &Scene, path: &Path) -> Result<()> {
    let format = format(path)?;
    let temporary = temporary(path)?;
    let written = write(scene, format, &temporary)
        .and_then(|()| fs::rename(&temporary, path).map_err(anyhow::Error::from));
    if written.is_err() {
        // The temporary file may not exist; the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    written.with_context(|| format!("cannot write the picture {}", path.display()))
}

/// The format that the suffix of `path` asks for.
fn format(path: &Path) -> Result<Format> {
    let suffix = path.extension().map(|s| s.to_string_lossy().to_lowercase());
    match suffix.as_deref() {
        Some("png") => Ok(Format::Png),
        Some("svg") => Ok(Format::Svg),
        Some(other) => bail!(
            "cannot write the picture {}: the suffix .{other} is unknown, use .png or .svg",
            path.display()
        ),
        None => bail!(
            "cannot write the picture {}: the path has no suffix, end it in .png or .svg",
            path.display()
        ),
    }
}

fn temporary(path: &Path) -> Result<PathBuf> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        bail!(
            "cannot write the picture {}: there is no folder {}, create it first",
            path.display(),
            folder.display()
        );
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // The suffix comes last because plotters picks the encoder by it.
    Ok(folder.join(format!(".{}-{name}", std::process::id())))
}

fn write(scene: &Scene, format: Format, path: &Path) -> Result<()> {
    match format {
        Format::Svg => Ok(fs::write(path, render::svg(scene)?)?),
        Format::Png => {
            let (mut pixels, width, height) = render::pixels(scene)?;
            // plotters hides the reason behind an encoder's error; opening the file tells it.
            fs::File::create(path)?;
            let mut backend = BitMapBackend::new(path, (width, height));
            backend
                .blit_bitmap((0, 0), (width, height), &std::mem::take(&mut pixels))
                .and_then(|()| backend.present())
                .map_err(|error| anyhow!("{error}"))
        }
    }
}
