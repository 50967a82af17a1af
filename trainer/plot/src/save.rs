//! Writes a scene to a file, whole or not at all.

use std::path::Path;

use anyhow::{Result, bail};
use image::codecs::png::PngEncoder;
use image::{ColorType, ImageEncoder};

use super::render;
use super::scene::Scene;
use finescale_host::write;

/// Writes `scene` in the format that the suffix of `path` asks for.
pub(crate) fn save(scene: &Scene, path: &Path) -> Result<()> {
    let suffix = path.extension().map(|s| s.to_string_lossy().to_lowercase());
    let bytes = match suffix.as_deref() {
        Some("png") => png(scene)?,
        Some("svg") => render::svg(scene)?.into_bytes(),
        Some(other) => bail!(
            "the picture {} cannot be written: the suffix .{other} is unknown, use .png or .svg",
            path.display()
        ),
        None => bail!(
            "the picture {} cannot be written: the path has no suffix, end it in .png or .svg",
            path.display()
        ),
    };
    write::atomically(path, &bytes)
}

fn png(scene: &Scene) -> Result<Vec<u8>> {
    let (pixels, width, height) = render::pixels(scene)?;
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(&pixels, width, height, ColorType::Rgb8)?;
    Ok(bytes)
}
