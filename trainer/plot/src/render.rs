//! Turns a display list into pixels or SVG by the backends of `plotters`.
//!
//! Backends take whole pixels. So a bitmap is drawn at several times its resolution and averaged,
//! which also smooths lines and glyphs, and an SVG is drawn large inside a smaller view.

use anyhow::{Result, anyhow};
use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor, TextStyle, WHITE,
};

use super::font;
use super::scene::{Align, Rect, Scene, Shape, Text};

/// Device pixels of a bitmap to a unit of the scene (2: 192 dots per inch).
pub(crate) const PIXELS_PER_UNIT: u32 = 2;
/// Drawn pixels to a device pixel, along each axis.
const OVERSAMPLING: u32 = 3;
/// Steps of an SVG's coordinates to a unit of the scene.
const SVG_STEPS: u32 = 8;

/// RGB pixels, row-major from the top left, and their width and height.
pub(crate) fn pixels(scene: &Scene) -> Result<(Vec<u8>, u32, u32)> {
    let (width, height) = size(scene, PIXELS_PER_UNIT);
    let (wide, high) = (width * OVERSAMPLING, height * OVERSAMPLING);
    let mut large = vec![255; (3 * wide * high) as usize];
    let backend = BitMapBackend::with_buffer(&mut large, (wide, high));
    let pen = Pen { scale: f64::from(PIXELS_PER_UNIT * OVERSAMPLING), vector: false };
    pen.draw(backend, scene)?;
    Ok((average(&large, width as usize, OVERSAMPLING as usize), width, height))
}

/// A whole SVG document.
pub(crate) fn svg(scene: &Scene) -> Result<String> {
    let (wide, high) = size(scene, SVG_STEPS);
    let mut text = String::new();
    let pen = Pen { scale: f64::from(SVG_STEPS), vector: true };
    pen.draw(SVGBackend::with_string(&mut text, (wide, high)), scene)?;
    // The page is as large as the scene; its coordinates stay fine. Images get the media type that
    // plotters-svg 0.3.7 misspells.
    let (width, height) = size(scene, 1);
    Ok(text
        .replacen(&format!("width=\"{wide}\""), &format!("width=\"{width}\""), 1)
        .replacen(&format!("height=\"{high}\""), &format!("height=\"{height}\""), 1)
        .replace("href=\"data:png;base64,", "href=\"data:image/png;base64,"))
}

fn size(scene: &Scene, per_unit: u32) -> (u32, u32) {
    (scene.width.ceil() as u32 * per_unit, scene.height.ceil() as u32 * per_unit)
}

/// Averages blocks of `factor`×`factor` pixels.
fn average(large: &[u8], width: usize, factor: usize) -> Vec<u8> {
    let row = 3 * width * factor;
    let area = (factor * factor) as u32;
    large
        .chunks_exact(row * factor)
        .flat_map(|rows| (0..3 * width).map(move |i| (rows, i / 3, i % 3)))
        .map(|(rows, x, channel)| {
            let block = (0..factor).flat_map(|dy| (0..factor).map(move |dx| (dy, dx)));
            let sum: u32 = block
                .map(|(dy, dx)| u32::from(rows[dy * row + 3 * (x * factor + dx) + channel]))
                .sum();
            ((sum + area / 2) / area) as u8
        })
        .collect()
}

struct Pen {
    scale: f64,
    vector: bool,
}

impl Pen {
    fn draw<B: DrawingBackend>(&self, mut backend: B, scene: &Scene) -> Result<()> {
        let page = Rect::new(0.0, 0.0, scene.width.ceil(), scene.height.ceil());
        self.rect(&mut backend, page, WHITE, 1.0)
            .and_then(|()| scene.shapes.iter().try_for_each(|s| self.shape(&mut backend, s)))
            .and_then(|()| backend.present().map_err(|e| anyhow!("{e}")))
    }

    fn shape<B: DrawingBackend>(&self, backend: &mut B, shape: &Shape) -> Result<()> {
        match shape {
            Shape::Line { points, width, color } => self.line(backend, points, *width, *color),
            Shape::Polygon { points, color, opacity } => {
                let points: Vec<_> = points.iter().map(|&p| self.point(p)).collect();
                backend.fill_polygon(points, &color.mix(*opacity)).map_err(|e| anyhow!("{e}"))
            }
            Shape::Rect { rect, color, opacity } => self.rect(backend, *rect, *color, *opacity),
            Shape::Disc { center, radius, color } => {
                let radius = (radius * self.scale).round() as u32;
                let center = self.point(*center);
                backend.draw_circle(center, radius, color, true).map_err(|e| anyhow!("{e}"))
            }
            Shape::Text(text) => self.text(backend, text),
            Shape::Image { origin, cell, columns, rgb } => {
                self.image(backend, *origin, *cell, *columns, rgb)
            }
        }
    }

    fn point(&self, (x, y): (f64, f64)) -> (i32, i32) {
        ((x * self.scale).round() as i32, (y * self.scale).round() as i32)
    }

    fn rect<B: DrawingBackend>(
        &self,
        backend: &mut B,
        Rect { x, y, w, h }: Rect,
        color: RGBColor,
        opacity: f64,
    ) -> Result<()> {
        let from = self.snap((x, y));
        let mut to = self.snap((x + w, y + h));
        // Bitmaps fill the last row and column too; SVG does not.
        let last = if self.vector { 0 } else { 1 };
        to = ((to.0 - last).max(from.0), (to.1 - last).max(from.1));
        backend.draw_rect(from, to, &color.mix(opacity), true).map_err(|e| anyhow!("{e}"))
    }

    /// The nearest corner of a device pixel, so that frames and fields have sharp edges.
    fn snap(&self, (x, y): (f64, f64)) -> (i32, i32) {
        let device = f64::from(PIXELS_PER_UNIT);
        let step = self.scale / device;
        (((x * device).round() * step) as i32, ((y * device).round() * step) as i32)
    }

    fn line<B: DrawingBackend>(
        &self,
        backend: &mut B,
        points: &[(f64, f64)],
        width: f64,
        color: RGBColor,
    ) -> Result<()> {
        let stroke = color.stroke_width((width * self.scale).round() as u32);
        let points = points.iter().map(|&p| self.point(p));
        if self.vector {
            return backend.draw_path(points, &stroke).map_err(|e| anyhow!("{e}"));
        }
        // Segment by segment with round joints: a wide path as one polygon gets holes where it
        // crosses itself.
        let radius = (width * self.scale / 2.0).floor() as u32;
        let mut last = None;
        for point in points {
            if let Some(last) = last {
                backend.draw_line(last, point, &stroke).map_err(|e| anyhow!("{e}"))?;
            }
            backend.draw_circle(point, radius, &color, true).map_err(|e| anyhow!("{e}"))?;
            last = Some(point);
        }
        Ok(())
    }

    /// A bitmap gets the glyphs of the built-in font (the text of plotters 0.3.7 lacks the side
    /// bearings), an SVG keeps the text as such.
    fn text<B: DrawingBackend>(&self, backend: &mut B, text: &Text) -> Result<()> {
        let em = text.size * self.scale;
        let (x, y) = self.point(text.at);
        if self.vector {
            return self.svg_text(backend, text, em, (x, y));
        }
        let shift = match text.align {
            Align::Left => 0.0,
            Align::Center => 0.5,
            Align::Right => 1.0,
        };
        let start = (shift * font::width(&text.text, em)).round() as i32;
        for glyph in font::glyphs(&text.text, em) {
            let corner = glyph.px_bounds().min;
            let (left, top) = (corner.x as i32 - start, corner.y as i32);
            let mut result = Ok(());
            glyph.draw(|dx, dy, coverage| {
                let (along, down) = (left + dx as i32, top + dy as i32);
                let at = if text.upward { (x + down, y - along) } else { (x + along, y + down) };
                let color = text.color.mix(f64::from(coverage.min(1.0))).to_backend_color();
                if result.is_ok() {
                    result = backend.draw_pixel(at, color);
                }
            });
            result.map_err(|e| anyhow!("{e}"))?;
        }
        Ok(())
    }

    fn svg_text<B: DrawingBackend>(
        &self,
        backend: &mut B,
        text: &Text,
        em: f64,
        (x, y): (i32, i32),
    ) -> Result<()> {
        // plotters-svg writes text of size / 1.24, its bottom anchor half an ex above `y`.
        let drop = (0.26 * em).round() as i32;
        let (at, turn) = if text.upward {
            ((x + drop, y), FontTransform::Rotate270)
        } else {
            ((x, y + drop), FontTransform::None)
        };
        let align = match text.align {
            Align::Left => HPos::Left,
            Align::Center => HPos::Center,
            Align::Right => HPos::Right,
        };
        let family = FontFamily::Name(font::FAMILIES);
        let style = TextStyle {
            font: FontDesc::new(family, 1.24 * em, FontStyle::Normal).transform(turn),
            color: text.color.to_backend_color(),
            pos: Pos::new(align, VPos::Bottom),
        };
        backend.draw_text(&text.text, &style, at).map_err(|e| anyhow!("{e}"))
    }

    fn image<B: DrawingBackend>(
        &self,
        backend: &mut B,
        origin: (f64, f64),
        cell: (f64, f64),
        columns: usize,
        rgb: &[u8],
    ) -> Result<()> {
        let wide = (cell.0 * self.scale).round() as usize;
        let high = (cell.1 * self.scale).round() as usize;
        let mut large = Vec::with_capacity(rgb.len() * wide * high);
        for row in rgb.chunks_exact(3 * columns) {
            let start = large.len();
            for pixel in row.chunks_exact(3) {
                (0..wide).for_each(|_| large.extend_from_slice(pixel));
            }
            let end = large.len();
            (1..high).for_each(|_| large.extend_from_within(start..end));
        }
        let rows = rgb.len() / (3 * columns);
        let size = ((columns * wide) as u32, (rows * high) as u32);
        backend.blit_bitmap(self.snap(origin), size, &large).map_err(|e| anyhow!("{e}"))
    }
}
