//! The display list: everything a figure consists of, before it becomes pixels or SVG.

use plotters::style::RGBColor;

use super::font;

/// A rectangle, y downwards, in units of 1/96 inch as everything in a [`Scene`].
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

    pub(crate) fn contains(&self, (x, y): (f64, f64)) -> bool {
        (self.x..=self.right()).contains(&x) && (self.y..=self.bottom()).contains(&y)
    }
}

/// Which part of a text lies at its anchor point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Align {
    Left,
    Center,
    Right,
}

/// One drawn thing.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// An open polyline.
    Line { points: Vec<(f64, f64)>, width: f64, color: RGBColor },
    /// A filled polygon, `opacity` between 0 and 1.
    Polygon { points: Vec<(f64, f64)>, color: RGBColor, opacity: f64 },
    /// A filled rectangle, snapped to whole device pixels.
    Rect { rect: Rect, color: RGBColor, opacity: f64 },
    /// A filled circle.
    Disc { center: (f64, f64), radius: f64, color: RGBColor },
    /// One run of text, from the left end of its baseline; `upward` text reads from below.
    Text { origin: (f64, f64), text: String, size: f64, color: RGBColor, upward: bool },
    /// RGB cells, row-major from the top left, each drawn as one even rectangle.
    Image { origin: (f64, f64), cell: (f64, f64), columns: usize, rgb: Vec<u8> },
}

/// A display list and the size of its page.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) shapes: Vec<Shape>,
}

impl Scene {
    pub(crate) fn push(&mut self, shape: Shape) {
        self.shapes.push(shape);
    }

    pub(crate) fn rect(&mut self, rect: Rect, color: RGBColor) {
        self.push(Shape::Rect { rect, color, opacity: 1.0 });
    }

    /// A frame of width `line` just outside `inner`.
    pub(crate) fn frame(&mut self, inner: Rect, line: f64, color: RGBColor) {
        let Rect { x, y, w, h } = inner;
        self.rect(Rect::new(x - line, y - line, w + 2.0 * line, line), color);
        self.rect(Rect::new(x - line, y + h, w + 2.0 * line, line), color);
        self.rect(Rect::new(x - line, y, line, h), color);
        self.rect(Rect::new(x + w, y, line, h), color);
    }

    /// Horizontal text; `at` is the anchor point on the baseline.
    pub(crate) fn text(
        &mut self,
        at: (f64, f64),
        align: Align,
        size: f64,
        color: RGBColor,
        text: &str,
    ) {
        self.runs(at, align, size, color, text, false);
    }

    /// Text that reads upwards; `at` is the anchor point on the baseline, which runs up the page.
    pub(crate) fn text_upward(
        &mut self,
        at: (f64, f64),
        align: Align,
        size: f64,
        color: RGBColor,
        text: &str,
    ) {
        self.runs(at, align, size, color, text, true);
    }

    fn runs(
        &mut self,
        at: (f64, f64),
        align: Align,
        size: f64,
        color: RGBColor,
        text: &str,
        upward: bool,
    ) {
        let shift = match align {
            Align::Left => 0.0,
            Align::Center => 0.5,
            Align::Right => 1.0,
        };
        let mut along = -shift * font::width(text, size);
        for run in font::runs(text, size) {
            let width = font::run_width(&run.text, run.size);
            let origin = if upward {
                (at.0 - run.raise, at.1 - along)
            } else {
                (at.0 + along, at.1 - run.raise)
            };
            self.push(Shape::Text { origin, text: run.text, size: run.size, color, upward });
            along += width;
        }
    }
}
