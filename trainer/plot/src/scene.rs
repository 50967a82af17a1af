//! The page of a figure while it is drawn: an SVG document that grows shape by shape.
//!
//! Every place and length is in units of 1/96 inch, y downwards. A picture is drawn once, as SVG;
//! a PNG is that SVG in pixels ([`save`](super::save)), so the two cannot differ.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use colorous::Color;
use resvg::tiny_skia::{IntSize, Pixmap};
use svg::node::element::Element;
use svg::node::{Text, Value};
use svg::{Document, Node};

use super::font;
use super::series::Dash;

/// Pixels of a PNG to a unit (2: 192 dots per inch).
pub(crate) const PIXELS_PER_UNIT: u32 = 2;

pub(crate) const WHITE: Color = Color { r: 255, g: 255, b: 255 };

/// A place on the page.
pub(crate) type Point = (f64, f64);

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) w: f64,
    pub(crate) h: f64,
}

impl Rect {
    pub(crate) fn new(x: f64, y: f64, w: f64, h: f64) -> Self {
        Self { x, y, w, h }
    }

    pub(crate) fn right(&self) -> f64 {
        self.x + self.w
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.y + self.h
    }

    /// The same rectangle, larger by `by` at each side.
    pub(crate) fn grown(&self, by: f64) -> Self {
        Self::new(self.x - by, self.y - by, self.w + 2.0 * by, self.h + 2.0 * by)
    }

    pub(crate) fn contains(&self, (x, y): Point) -> bool {
        (self.x..=self.right()).contains(&x) && (self.y..=self.bottom()).contains(&y)
    }

    /// The part of a segment that is inside (Liang and Barsky 1984).
    pub(crate) fn part(&self, (x0, y0): Point, (x1, y1): Point) -> Option<[Point; 2]> {
        let (dx, dy) = (x1 - x0, y1 - y0);
        let (mut enter, mut leave) = (0f64, 1f64);
        let sides = [
            (-dx, x0 - self.x),
            (dx, self.right() - x0),
            (-dy, y0 - self.y),
            (dy, self.bottom() - y0),
        ];
        for (outward, distance) in sides {
            if outward == 0.0 {
                if distance < 0.0 {
                    return None;
                }
            } else if outward < 0.0 {
                enter = enter.max(distance / outward);
            } else {
                leave = leave.min(distance / outward);
            }
        }
        let at = |t: f64| (x0 + t * dx, y0 + t * dy);
        (enter <= leave).then(|| [at(enter), at(leave)])
    }
}

/// Which part of a text lies at its anchor point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Align {
    Left,
    Center,
    Right,
}

/// What has been drawn, and the size of its page.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    nodes: Vec<Element>,
}

impl Scene {
    /// A white page.
    pub(crate) fn new(width: f64, height: f64) -> Self {
        let mut scene = Self { width: width.ceil(), height: height.ceil(), nodes: vec![] };
        scene.rect(Rect::new(0.0, 0.0, scene.width, scene.height), WHITE);
        scene
    }

    /// The page as an SVG document with this label for who cannot see it.
    pub(crate) fn svg(self, label: &str) -> String {
        let mut document = Document::new()
            .set("width", self.width)
            .set("height", self.height)
            .set("viewBox", (0, 0, self.width, self.height))
            .set("font-family", font::FAMILIES);
        if !label.is_empty() {
            document = document.set("role", "group").set("aria-label", label);
        }
        self.nodes.into_iter().fold(document, Document::add).to_string()
    }

    fn push(&mut self, name: &str, attributes: impl IntoIterator<Item = (&'static str, Value)>) {
        self.nodes.push(element(name, attributes));
    }

    /// A filled rectangle, its edges at whole pixels.
    pub(crate) fn rect(&mut self, rect: Rect, color: Color) {
        self.faint_rect(rect, color, 1.0);
    }

    /// A rectangle through which `1 - opacity` of what is behind shows.
    pub(crate) fn faint_rect(&mut self, rect: Rect, color: Color, opacity: f64) {
        let (x, y) = (snap(rect.x), snap(rect.y));
        let size = [("width", snap(rect.right()) - x), ("height", snap(rect.bottom()) - y)];
        self.push("rect", places([("x", x), ("y", y)].into_iter().chain(size)));
        self.fill(color, opacity);
    }

    /// A frame of width `line` just outside `inner`.
    pub(crate) fn frame(&mut self, inner: Rect, line: f64, color: Color) {
        let Rect { x, y, w, h } = inner;
        self.rect(Rect::new(x - line, y - line, w + 2.0 * line, line), color);
        self.rect(Rect::new(x - line, y + h, w + 2.0 * line, line), color);
        self.rect(Rect::new(x - line, y, line, h), color);
        self.rect(Rect::new(x + w, y, line, h), color);
    }

    /// An open line through points.
    pub(crate) fn line(&mut self, points: &[Point], width: f64, color: Color, dash: Dash) {
        self.push("polyline", [("points", list(points)), ("fill", "none".into())]);
        let line = [("stroke", hex(color)), ("stroke-width", width.into())];
        self.assign(line.into_iter().chain([("stroke-linejoin", "round".into())]));
        match dash.pattern() {
            Some(pattern) => self.assign([("stroke-dasharray", pattern.to_vec().into())]),
            None => self.assign([("stroke-linecap", "round".into())]),
        }
    }

    /// A filled polygon.
    pub(crate) fn polygon(&mut self, points: &[Point], color: Color, opacity: f64) {
        self.push("polygon", [("points", list(points))]);
        self.fill(color, opacity);
    }

    /// A filled circle.
    pub(crate) fn disc(&mut self, (x, y): Point, radius: f64, color: Color) {
        self.push("circle", places([("cx", x), ("cy", y), ("r", radius)]));
        self.fill(color, 1.0);
    }

    /// Draws what lies inside `area` only: an SVG within the SVG, which needs no names that could
    /// meet those of other figures on a page.
    pub(crate) fn within(&mut self, area: Rect, draw: impl FnOnce(&mut Self)) {
        let outside = std::mem::take(&mut self.nodes);
        draw(self);
        let inside = std::mem::replace(&mut self.nodes, outside);
        if !inside.is_empty() {
            let Rect { x, y, w, h } = area;
            self.push("svg", places([("x", x), ("y", y), ("width", w), ("height", h)]));
            self.assign([("viewBox", [x, y, w, h].map(round).to_vec().into())]);
            let Some(area) = self.nodes.last_mut() else { return };
            inside.into_iter().for_each(|node| area.append(node));
        }
    }

    /// Horizontal text; `at` is the anchor point on the baseline.
    pub(crate) fn text(&mut self, at: Point, align: Align, size: f64, color: Color, text: &str) {
        self.write(at, align, (size, color), text, false);
    }

    /// Text that reads upwards; `at` is the anchor point on the baseline, which runs up the page.
    pub(crate) fn text_upward(
        &mut self,
        at: Point,
        align: Align,
        size: f64,
        color: Color,
        text: &str,
    ) {
        self.write(at, align, (size, color), text, true);
    }

    /// The outlines of the built-in font, which look the same everywhere, and over them the text
    /// itself, unseen: a reader can search, select and copy it, or have it read out.
    fn write(
        &mut self,
        (x, y): Point,
        align: Align,
        (size, color): (f64, Color),
        text: &str,
        upward: bool,
    ) {
        if text.is_empty() {
            return;
        }
        let width = font::width(text, size);
        let (anchor, before) = match align {
            Align::Left => ("start", 0.0),
            Align::Center => ("middle", 0.5 * width),
            Align::Right => ("end", width),
        };
        let (x, y) = (round(x), round(y));
        let start = if upward { (x, y + before) } else { (x - before, y) };
        let turn = if upward { " rotate(-90)" } else { "" };
        let scale = size / font::EM;
        let place =
            format!("translate({} {}){turn} scale({scale})", round(start.0), round(start.1));
        self.push("path", [("d", font::outline(text).into()), ("transform", place.into())]);
        self.assign([("fill", hex(color)), ("aria-hidden", "true".into())]);

        self.push("text", places([("x", x), ("y", y), ("font-size", size), ("textLength", width)]));
        self.assign([("text-anchor", anchor.into()), ("fill-opacity", 0.into())]);
        self.assign([("lengthAdjust", "spacingAndGlyphs".into())]);
        if upward {
            self.assign([("transform", format!("rotate(-90 {x} {y})").into())]);
        }
        let Some(node) = self.nodes.last_mut() else { return };
        node.append(Text::new(text));
    }

    /// RGB cells, row-major from the top left, each of `cell` whole pixels.
    pub(crate) fn image(&mut self, at: Point, cell: (usize, usize), columns: usize, rgb: &[u8]) {
        let mut pixels = Vec::with_capacity(4 * rgb.len() / 3 * cell.0 * cell.1);
        for row in rgb.chunks_exact(3 * columns) {
            let start = pixels.len();
            for color in row.chunks_exact(3) {
                (0..cell.0).for_each(|_| pixels.extend([color[0], color[1], color[2], 255]));
            }
            let end = pixels.len();
            (1..cell.1).for_each(|_| pixels.extend_from_within(start..end));
        }
        let (wide, high) = (columns * cell.0, rgb.len() / (3 * columns) * cell.1);
        let size = IntSize::from_wh(wide as u32, high as u32);
        let picture = size.and_then(|size| Pixmap::from_vec(pixels, size));
        let png = picture.and_then(|picture| picture.encode_png().ok());
        let data = STANDARD.encode(png.expect("as many pixels as the size says"));
        let units = |pixels: usize| pixels as f64 / f64::from(PIXELS_PER_UNIT);
        let size = [("width", units(wide)), ("height", units(high))];
        let place = [("x", snap(at.0)), ("y", snap(at.1))];
        self.push("image", places(place.into_iter().chain(size)));
        self.assign([("href", format!("data:image/png;base64,{data}").into())]);
        self.assign([("style", "image-rendering:pixelated".into())]);
    }

    fn fill(&mut self, color: Color, opacity: f64) {
        self.assign([("fill", hex(color))]);
        if opacity < 1.0 {
            self.assign([("fill-opacity", opacity.into())]);
        }
    }

    /// More attributes of what was drawn last.
    fn assign(&mut self, attributes: impl IntoIterator<Item = (&'static str, Value)>) {
        let Some(node) = self.nodes.last_mut() else { return };
        attributes.into_iter().for_each(|(name, value)| node.assign(name, value));
    }
}

fn element(name: &str, attributes: impl IntoIterator<Item = (&'static str, Value)>) -> Element {
    let mut element = Element::new(name);
    attributes.into_iter().for_each(|(name, value)| element.assign(name, value));
    element
}

fn places(
    numbers: impl IntoIterator<Item = (&'static str, f64)>,
) -> impl Iterator<Item = (&'static str, Value)> {
    numbers.into_iter().map(|(name, number)| (name, round(number).into()))
}

fn list(points: &[Point]) -> Value {
    let points = points.iter().map(|(x, y)| format!("{},{}", round(*x), round(*y)));
    points.collect::<Vec<_>>().into()
}

/// Hundredths of a unit are fine enough for print; zero has no sign.
fn round(length: f64) -> f64 {
    (length * 100.0).round() / 100.0 + 0.0
}

/// The nearest edge of a pixel, so that frames and fields are sharp.
pub(crate) fn snap(length: f64) -> f64 {
    let pixels = f64::from(PIXELS_PER_UNIT);
    (length * pixels).round() / pixels
}

fn hex(color: Color) -> Value {
    format!("#{color:x}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_end_at_the_edge() {
        let area = Rect::new(0.0, 0.0, 10.0, 10.0);
        assert_eq!(area.part((-5.0, 5.0), (15.0, 5.0)), Some([(0.0, 5.0), (10.0, 5.0)]));
        assert_eq!(area.part((-5.0, -1.0), (15.0, -1.0)), None);
        // A segment may be a point.
        assert_eq!(area.part((3.0, 4.0), (3.0, 4.0)), Some([(3.0, 4.0); 2]));
        assert_eq!(area.part((3.0, 14.0), (3.0, 14.0)), None);
    }
}
