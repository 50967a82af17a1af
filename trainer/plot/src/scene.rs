//! The display list: everything a figure consists of, before it becomes pixels or SVG.

use plotters::style::RGBColor;

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

/// A text anchored on its baseline.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) at: (f64, f64),
    pub(crate) align: Align,
    pub(crate) text: String,
    pub(crate) size: f64,
    pub(crate) color: RGBColor,
    /// Whether the text reads from below.
    pub(crate) upward: bool,
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
    /// A line of text.
    Text(Text),
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
        let text = text.to_owned();
        self.push(Shape::Text(Text { at, align, text, size, color, upward: false }));
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
        let text = text.to_owned();
        self.push(Shape::Text(Text { at, align, text, size, color, upward: true }));
    }
}
