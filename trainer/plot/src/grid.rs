//! Rows and columns of fields that share one colour bar.

use super::axes::Plot;
use super::color::{ColorScale, Colors, TEXT};
use super::field::Field;
use super::figure::Figure;
use super::font::{self, LABEL, PANEL_TITLE};
use super::frame;
use super::image::{self, Cells};
use super::scene::{Align, Rect, Scene};

const GAP: f64 = 9.0;
const TITLE: f64 = 19.0;
const ROW_LABEL: f64 = 20.0;
const BAR_GAP: f64 = 12.0;

/// Rows and columns of fields under titles, with one colour bar for all of them.
#[derive(Clone, Debug, Default)]
pub struct FieldGrid<'a> {
    rows: Vec<(String, Vec<Field<'a>>)>,
    colors: Colors,
    range: Option<(f64, f64)>,
    width: Option<f64>,
    height: Option<f64>,
    /// Written at the colour bar before the units.
    name: String,
}

impl<'a> FieldGrid<'a> {
    /// An empty grid.
    pub fn new() -> Self {
        Self::default()
    }

    /// A grid of one row.
    pub fn row(fields: Vec<Field<'a>>) -> Self {
        Self::new().push("", fields)
    }

    /// A grid that fills its rows with `columns` fields each.
    pub fn wrapped(fields: Vec<Field<'a>>, columns: usize) -> Self {
        let rows = fields.chunks(columns.max(1));
        rows.fold(Self::new(), |grid, row| grid.push("", row.to_vec()))
    }

    /// The same grid with one more row; its label is written at the left.
    pub fn push(mut self, label: impl Into<String>, fields: Vec<Field<'a>>) -> Self {
        self.rows.push((label.into(), fields));
        self
    }

    /// The same grid with the quantity's name at the colour bar.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same grid in other colours.
    pub fn colors(mut self, colors: Colors) -> Self {
        self.colors = colors;
        self
    }

    /// The same grid with colours from `low` to `high`; values beyond take the colour of the end.
    pub fn range(mut self, low: f64, high: f64) -> Self {
        self.range = Some((low, high));
        self
    }

    /// The same grid with panels of about this width, in units of 1/96 inch.
    pub fn panel_width(mut self, width: f64) -> Self {
        self.width = Some(width);
        self
    }

    /// The same grid with panels of about this height too, whatever their coordinates: for axes of
    /// different units.
    pub fn panel_height(mut self, height: f64) -> Self {
        self.height = Some(height);
        self
    }

    fn fields(&self) -> impl Iterator<Item = &Field<'a>> {
        self.rows.iter().flat_map(|(_, fields)| fields)
    }

    fn columns(&self) -> usize {
        self.rows.iter().map(|(_, fields)| fields.len()).max().unwrap_or(0)
    }

    /// Cells of a field: rows and columns.
    fn cells(&self, field: &Field) -> (Cells, Cells) {
        let width = self.width.unwrap_or((800.0 / self.columns() as f64).clamp(100.0, 300.0));
        let columns = Cells::new(field.nx, width, 1.5 * width);
        if let Some(height) = self.height {
            return (Cells::new(field.ny, height, 1.5 * height), columns);
        }
        if field.ny == 1 {
            return (Cells::new(1, 0.25 * width, width), columns);
        }
        let ratio = match (&field.y, &field.x) {
            (Some(y), Some(x)) => y.step(field.ny) / x.step(field.nx),
            _ => 1.0,
        };
        let ratio = if ratio.is_finite() { ratio.clamp(0.25, 4.0) } else { 1.0 };
        let height = columns.length * ratio * field.ny as f64;
        (Cells::new(field.ny, height, 4.0 * width), columns)
    }

    fn layout(&self) -> Layout {
        let columns = self.columns();
        let mut widths = vec![0.0f64; columns];
        let mut rows = Vec::new();
        let mut left = 0.0f64;
        for (_, fields) in &self.rows {
            let mut height = 0.0f64;
            for (width, field) in widths.iter_mut().zip(fields) {
                let (rows, columns) = self.cells(field);
                *width = width.max(columns.total());
                height = height.max(rows.total());
            }
            if let Some((first, y)) = fields.first().and_then(|f| Some((f, f.y.as_ref()?)))
                && first.ny > 1
            {
                let range = image::range(y, first.ny);
                left = left.max(frame::left_space(&range, height, &y.label) + 2.0);
            }
            let title = if fields.iter().any(|f| !f.title.is_empty()) { TITLE } else { 0.0 };
            rows.push((title, height));
        }
        let labelled = self.rows.iter().any(|(label, _)| !label.is_empty());
        let last = self.rows.last().and_then(|(_, fields)| fields.first());
        let bottom = last.and_then(|f| f.x.as_ref()).map_or(1.0, |x| frame::bottom_space(&x.label));
        let label = if labelled { ROW_LABEL } else { 1.0 };
        Layout { widths, rows, left, label, bottom }
    }

    fn scale(&self) -> ColorScale {
        let fields = self.fields().filter(|field| field.most.is_none());
        let values = fields.flat_map(|field| field.values.iter().copied());
        ColorScale::new(values, self.colors, self.range)
    }

    fn missing(&self) -> bool {
        self.fields().any(|field| field.values.iter().any(|v| !v.is_finite()))
    }

    fn bar_label(&self) -> String {
        let units = self.fields().map(|f| f.units.as_str()).find(|u| !u.is_empty()).unwrap_or("");
        bar_label(&self.name, units)
    }

    pub(crate) fn size(&self) -> (f64, f64) {
        let layout = self.layout();
        let (width, height) = (layout.panels_width(), layout.panels_height());
        let bar = image::bar_width(&self.scale(), height, &self.bar_label(), self.missing());
        let all = layout.label + layout.left + width + BAR_GAP + bar;
        (all, layout.top() + height + layout.bottom)
    }

    pub(crate) fn draw(&self, scene: &mut Scene, area: Rect) {
        let (layout, scale) = (self.layout(), self.scale());
        let x0 = area.x + layout.label + layout.left;
        let mut y = area.y;
        for (index, ((label, fields), (title, height))) in
            self.rows.iter().zip(&layout.rows).enumerate()
        {
            y += title;
            let text = font::fit(label, LABEL, height + 0.5 * TITLE);
            let at = (area.x + 0.8 * LABEL, y + height / 2.0);
            scene.text_upward(at, Align::Center, LABEL, TEXT, &text);
            let mut x = x0;
            for (column, (field, width)) in fields.iter().zip(&layout.widths).enumerate() {
                let frame = self.panel(scene, (x, y), field, &scale);
                let title = font::fit(&field.title, PANEL_TITLE, width + 0.7 * GAP);
                let at = (x + frame.w / 2.0, y - 6.0);
                scene.text(at, Align::Center, PANEL_TITLE, TEXT, &title);
                if let (0, Some(c), true) = (column, &field.y, field.ny > 1) {
                    frame::left(scene, frame, &image::range(c, field.ny), &c.label);
                }
                // Under a shorter last row there is nothing below its missing panels.
                let below = self.rows.get(index + 1).map_or(0, |(_, below)| below.len());
                if let (true, Some(c)) = (column >= below, &field.x) {
                    frame::bottom(scene, frame, &image::range(c, field.nx), &c.label);
                }
                x += width + GAP;
            }
            y += height + GAP;
        }
        let height = layout.panels_height();
        let bar = Rect::new(
            x0 + layout.panels_width() + BAR_GAP,
            area.y + layout.top(),
            image::bar_width(&scale, height, &self.bar_label(), self.missing()),
            height,
        );
        image::bar(scene, bar, &scale, &self.bar_label(), self.missing());
    }

    fn panel(&self, scene: &mut Scene, at: (f64, f64), field: &Field, scale: &ColorScale) -> Rect {
        let (rows, columns) = self.cells(field);
        let down = field.y.as_ref().is_some_and(|y| y.first > y.last);
        let back = field.x.as_ref().is_some_and(|x| x.first > x.last);
        let own = field.most.map(|most| {
            ColorScale::new(std::iter::empty(), Colors::Diverging, Some((-most, most)))
        });
        image::cells(scene, at, rows, columns, own.as_ref().unwrap_or(scale), |row, column| {
            // The lowest coordinate is at the bottom left.
            let y = if down { row } else { field.ny - 1 - row };
            let x = if back { field.nx - 1 - column } else { column };
            field.values[y * field.nx + x]
        })
    }
}

/// Name and units as they stand at a colour bar.
pub(crate) fn bar_label(name: &str, units: &str) -> String {
    match (name, units) {
        (name, "") => name.to_owned(),
        ("", units) => units.to_owned(),
        (name, units) => format!("{name} ({units})"),
    }
}

struct Layout {
    widths: Vec<f64>,
    /// Heights of each row's titles and panels.
    rows: Vec<(f64, f64)>,
    /// Room for the ticks of the first column.
    left: f64,
    /// Room for the labels of the rows.
    label: f64,
    bottom: f64,
}

impl Layout {
    fn panels_width(&self) -> f64 {
        self.widths.iter().sum::<f64>() + GAP * self.widths.len().saturating_sub(1) as f64
    }

    /// From the top of the first panel to the bottom of the last.
    fn panels_height(&self) -> f64 {
        let rows: f64 = self.rows.iter().map(|(title, height)| title + height).sum();
        rows - self.top() + GAP * self.rows.len().saturating_sub(1) as f64
    }

    fn top(&self) -> f64 {
        self.rows.first().map_or(0.0, |row| row.0)
    }
}

/// A strip of fields with one colour bar and, beneath, plots of their power spectra.
pub fn field_strip<'a>(title: &str, fields: FieldGrid<'a>, spectra: Vec<Plot>) -> Figure<'a> {
    let figure = Figure::new().title(title).push(fields);
    if spectra.is_empty() { figure } else { figure.push(spectra) }
}
