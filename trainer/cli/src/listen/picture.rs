//! A frame as a picture: what was measured beside what was made of it.

use std::path::Path;

use anyhow::{Result, ensure};
use finescale_chain::{PIXELS, POINTS};
use finescale_plot::{Colors, Coordinate, Field, FieldGrid, Figure};

use super::line::Received;
use super::temperatures::frames;
use super::words::{degrees, judgement};

/// Refuses a path that no picture can be written to, before hours of listening.
///
/// # Errors
/// One sentence that names `--picture`.
pub(crate) fn check(path: &Path) -> Result<()> {
    let suffix = path.extension().and_then(|suffix| suffix.to_str());
    ensure!(
        matches!(suffix, Some("png" | "svg")),
        "--picture {} has no known suffix: end it in .png or .svg",
        path.display()
    );
    finescale_host::write::parent(path).map(drop)
}

/// Writes the picture, as PNG or SVG.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn save(received: &Received, path: &Path) -> Result<()> {
    let packet = &received.packet;
    let [coarse, fine] = frames(packet);
    let field = |values, points: usize, what| -> Result<Field<'_>> {
        // Centres of points, in pixels of the array; the first row is the uppermost.
        let first = 0.5 * PIXELS as f64 / points as f64;
        let last = PIXELS as f64 - first;
        let title = format!("{what}, {points} × {points}");
        let (y, x) =
            (Coordinate::new("pixels", last, first), Coordinate::new("pixels", first, last));
        Ok(Field::new(values, points, points)?.title(title).units("°C").coordinates(y, x))
    };
    let fields = vec![field(&coarse, PIXELS, "measured")?, field(&fine, POINTS, "computed")?];
    let grid = FieldGrid::row(fields).name("temperature").colors(Colors::Sequential);
    // A width that both numbers of points divide: the two are equally large.
    let grid = grid.panel_width(320.0);
    let title = format!(
        "Frame {}: hottest {}, {}",
        packet.frame,
        degrees(packet.hottest),
        judgement(packet).replace("   ", ", ")
    );
    Figure::new().title(title).push(grid).save(path)
}
