//! Line plots and bar charts on linear or logarithmic axes.

use super::axis::{Axis, Range};
use super::color::{FRAME, GRID, TEXT};
use super::font::{self, PANEL_TITLE};
use super::marks::{self, Guide};
use super::scene::{Align, Rect, Scene};
use super::series::{Bars, Series};
use super::{frame, legend};

const TITLE: f64 = 19.0;
const LEGEND_GAP: f64 = 10.0;
const PAD_Y: f64 = 0.06;
const PAD_X: f64 = 0.02;

/// Lines, bands and bars in a frame with two axes.
///
/// The legend goes into a corner where it hides nothing, or to the right of the frame.
#[derive(Clone, Debug)]
pub struct Plot {
    title: String,
    x: Axis,
    y: Axis,
    series: Vec<Series>,
    bars: Vec<Bars>,
    guides: Vec<Guide>,
    width: f64,
    height: f64,
}

impl Plot {
    /// An empty plot.
    pub fn new(x: Axis, y: Axis) -> Self {
        let (series, bars, guides) = (vec![], vec![], vec![]);
        Self { title: String::new(), x, y, series, bars, guides, width: 420.0, height: 290.0 }
    }

    /// The same plot with a title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The same plot with one more line.
    pub fn series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// The same plot with one more set of bars, beside the others.
    pub fn bars(mut self, bars: Bars) -> Self {
        self.bars.push(bars);
        self
    }

    /// The same plot with a grey horizontal line, for a reference value.
    pub fn level(mut self, y: f64, label: impl Into<String>) -> Self {
        self.guides.push(Guide::Level { y, label: label.into() });
        self
    }

    /// The same plot with a grey line of the power law x^`exponent` above the data; drawn where
    /// both axes are logarithmic.
    pub fn slope(mut self, exponent: f64, label: impl Into<String>) -> Self {
        self.guides.push(Guide::Slope { exponent, label: label.into() });
        self
    }

    /// The same plot of at least this width and height, in units of 1/96 inch.
    pub fn size(mut self, width: f64, height: f64) -> Self {
        (self.width, self.height) = (width, height);
        self
    }

    pub(crate) fn least_width(&self) -> f64 {
        self.width
    }

    /// The height, more than asked for where the legend needs it.
    pub(crate) fn full_height(&self) -> f64 {
        let (_, legend) =
            legend::size(&marks::entries(&self.ordered(), &self.bars, &self.guides, self.axes()));
        self.height.max(legend + self.top() + frame::bottom_space(&self.x.label))
    }

    fn top(&self) -> f64 {
        if self.title.is_empty() { 4.0 } else { TITLE }
    }

    fn axes(&self) -> (&Axis, &Axis) {
        (&self.x, &self.y)
    }

    /// The series with their colours chosen.
    fn ordered(&self) -> Vec<marks::Colored<'_>> {
        marks::colored(&self.series)
    }

    fn ranges(&self) -> (Range, Range) {
        let edges = self.bars.iter().flat_map(|b| {
            let half = 0.5 * b.spacing();
            b.centers.iter().flat_map(move |c| [c - half, c + half])
        });
        // Only points that both axes can show count.
        let shown = |s: &Series, i: usize| self.x.shows(s.x[i]) && self.y.shows(s.y[i]);
        let x = self.series.iter().flat_map(|s| {
            s.x.iter().enumerate().filter(move |(i, _)| shown(s, *i)).map(|(_, x)| *x)
        });
        let x = self.x.fit(x.chain(edges), PAD_X);
        let y = self.series.iter().flat_map(|s| {
            let band = s.band.iter().flat_map(|(low, high)| low.iter().chain(high));
            s.y.iter().chain(band).copied()
        });
        let heights = self.bars.iter().flat_map(|b| b.heights.iter().copied().chain([0.0]));
        let levels = self.guides.iter().filter_map(Guide::level);
        let mut y = self.y.fit(y.chain(heights).chain(levels), PAD_Y);
        // Bars stand on the frame.
        let lowest = self.bars.iter().flat_map(|b| &b.heights).copied().fold(0.0, f64::min);
        if !self.bars.is_empty() && self.series.is_empty() && lowest == 0.0 && !y.log {
            y.low = self.y.range.map_or(0.0, |(a, b)| a.min(b));
        }
        (x, y)
    }

    pub(crate) fn draw(&self, scene: &mut Scene, area: Rect) {
        let (x, y) = self.ranges();
        let series = self.ordered();
        let entries = marks::entries(&series, &self.bars, &self.guides, self.axes());
        let inner = self.inner(area, &x, &y, 0.0);
        let map = marks::Map { frame: inner, x, y };
        let lines = marks::obstacles(&map, &series, &self.bars, &self.guides);
        let corner = legend::free_corner(inner, &entries, &lines);
        let (inner, key) = match corner {
            _ if entries.is_empty() => (inner, None),
            Some(corner) => (inner, Some((corner, true))),
            None => {
                let (w, h) = legend::size(&entries);
                let inner = self.inner(area, &x, &y, w + LEGEND_GAP);
                (inner, Some((Rect::new(area.right() - w, inner.y, w, h), false)))
            }
        };
        let map = marks::Map { frame: inner, x, y };
        for row in frame::rows(inner, &y) {
            scene.rect(Rect::new(inner.x, row - 0.25, inner.w, 0.5), GRID);
        }
        for column in frame::columns(inner, &x) {
            scene.rect(Rect::new(column - 0.25, inner.y, 0.5, inner.h), GRID);
        }
        marks::draw(scene, &map, &series, &self.bars, &self.guides);
        scene.frame(inner, 1.0, FRAME);
        frame::left(scene, inner, &y, &self.y.label);
        frame::bottom(scene, inner, &x, &self.x.label);
        let title = font::fit(&self.title, PANEL_TITLE, inner.w);
        let at = (inner.x + inner.w / 2.0, inner.y - 7.0);
        scene.text(at, Align::Center, PANEL_TITLE, TEXT, &title);
        if let Some((area, boxed)) = key {
            legend::draw(scene, area, &entries, boxed);
        }
    }

    /// The frame within `area`, `right` kept free at its right.
    fn inner(&self, area: Rect, x: &Range, y: &Range, right: f64) -> Rect {
        let height = area.h - self.top() - frame::bottom_space(&self.x.label);
        let left = frame::left_space(y, height, &self.y.label);
        let width = (area.w - left - right - 1.0).max(40.0);
        let width = if right > 0.0 { width } else { width - frame::overhang(x, width) };
        Rect::new(area.x + left, area.y + self.top(), width, height.max(40.0))
    }
}
