//! Writes a figure to a file, whole or not at all.

use std::path::Path;

use anyhow::{Context, Result, bail};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::scene::PIXELS_PER_UNIT;
use finescale_host::write;

/// Writes the picture `svg` in the format that the suffix of `path` asks for.
pub(crate) fn save(svg: impl FnOnce() -> String, path: &Path) -> Result<()> {
    let suffix = path.extension().map(|s| s.to_string_lossy().to_lowercase());
    let bytes = match suffix.as_deref() {
        Some("png") => png(&svg())?,
        Some("svg") => svg().into_bytes(),
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

fn png(svg: &str) -> Result<Vec<u8>> {
    let tree = Tree::from_str(svg, &Options::default())?;
    let (width, height) = (tree.size().width().ceil() as u32, tree.size().height().ceil() as u32);
    let pixels = Pixmap::new(PIXELS_PER_UNIT * width, PIXELS_PER_UNIT * height);
    let mut pixels = pixels.context("the picture is too large for a PNG: write an SVG")?;
    let scale = PIXELS_PER_UNIT as f32;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    Ok(pixels.encode_png()?)
}
