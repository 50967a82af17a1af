//! Space-time (Hovmöller) diagrams of fields on a line.

use std::borrow::Cow;

use anyhow::{Result, bail};

use super::color::{ColorScale, Colors, TEXT};
use super::field::{Coordinate, check_shape};
use super::figure::Figure;
use super::font::{self, PANEL_TITLE};
use super::image::{self, Cells};
use super::scene::{Align, Rect, Scene};
use super::{frame, grid};

const WIDTH: f64 = 680.0;
const HEIGHT: f64 = 150.0;
const TITLE: f64 = 19.0;
const BAR_GAP: f64 = 12.0;

/// One quantity over time and space: time to the right, the coordinate upwards.
#[derive(Clone, Debug)]
pub struct SpaceTime<'a> {
    values: Cow<'a, [f32]>,
    frames: usize,
    points: usize,
    time: Coordinate,
    x: Coordinate,
    title: String,
    units: String,
    colors: Colors,
    range: Option<(f64, f64)>,
}

impl<'a> SpaceTime<'a> {
    /// A diagram of `values`, row-major `[frame][point]`.
    ///
    /// Where there are more frames than pixels, each pixel shows the nearest frame.
    ///
    /// # Errors
    /// Where a side is zero or the number of values is not `frames * points`.
    pub fn new(
        values: impl Into<Cow<'a, [f32]>>,
        frames: usize,
        points: usize,
        time: Coordinate,
        x: Coordinate,
    ) -> Result<Self> {
        let values = values.into();
        check_shape(values.len(), frames, points)?;
        let (title, units) = (String::new(), String::new());
        let (colors, range) = (Colors::Auto, None);
        Ok(Self { values, frames, points, time, x, title, units, colors, range })
    }

    /// The same diagram with a title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The same diagram with units at the colour bar.
    pub fn units(mut self, units: impl Into<String>) -> Self {
        self.units = units.into();
        self
    }

    /// The same diagram in other colours.
    pub fn colors(mut self, colors: Colors) -> Self {
        self.colors = colors;
        self
    }

    /// The same diagram with colours from `low` to `high`.
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    fn scale(&self) -> ColorScale {
        ColorScale::new(self.values.iter().copied(), self.colors, self.range)
    }

    fn missing(&self) -> bool {
        self.values.iter().any(|v| !v.is_finite())
    }

    /// Cells along space and time.
    fn cells(&self) -> (Cells, Cells) {
        (
            Cells::new(self.points, HEIGHT, 2.0 * HEIGHT),
            Cells::new(self.frames, WIDTH, 1.25 * WIDTH),
        )
    }

    fn top(&self) -> f64 {
        if self.title.is_empty() { 1.0 } else { TITLE }
    }

    fn left(&self) -> f64 {
        let (rows, _) = self.cells();
        frame::left_space(&image::range(&self.x, self.points), rows.total(), &self.x.label)
    }

    pub(crate) fn size(&self) -> (f64, f64) {
        let (rows, columns) = self.cells();
        let bar = image::bar_width(&self.scale(), rows.total(), &self.units, self.missing());
        let width = self.left() + columns.total() + BAR_GAP + bar;
        (width, self.top() + rows.total() + frame::bottom_space(&self.time.label))
    }

    pub(crate) fn draw(&self, scene: &mut Scene, area: Rect) {
        let (rows, columns) = self.cells();
        let scale = self.scale();
        let at = (area.x + self.left(), area.y + self.top());
        let down = self.x.first > self.x.last;
        let back = self.time.first > self.time.last;
        let inner = image::cells(scene, at, rows, columns, &scale, |row, column| {
            let point = if down { row } else { self.points - 1 - row };
            let frame = if back { self.frames - 1 - column } else { column };
            self.values[frame * self.points + point]
        });
        let title = font::fit(&self.title, PANEL_TITLE, inner.w);
        scene.text((inner.x, inner.y - 6.0), Align::Left, PANEL_TITLE, TEXT, &title);
        frame::left(scene, inner, &image::range(&self.x, self.points), &self.x.label);
        frame::bottom(scene, inner, &image::range(&self.time, self.frames), &self.time.label);
        let label = grid::bar_label("", &self.units);
        let width = image::bar_width(&scale, inner.h, &label, self.missing());
        let bar = Rect::new(inner.right() + BAR_GAP, inner.y, width, inner.h);
        image::bar(scene, bar, &scale, &label, self.missing());
    }
}

/// Diagrams of several channels below each other.
///
/// # Errors
/// Where there is no channel.
pub fn space_time<'a>(title: &str, channels: Vec<SpaceTime<'a>>) -> Result<Figure<'a>> {
    if channels.is_empty() {
        bail!("cannot draw a space-time diagram without a channel: give at least one");
    }
    let figure = Figure::new().title(title);
    Ok(channels.into_iter().fold(figure, Figure::push))
}
