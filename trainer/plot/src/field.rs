//! A two-dimensional field with what a reader of its picture needs to know.

use anyhow::{Result, bail};

/// Coordinate of a field along one axis, evenly spaced from its first to its last point.
#[derive(Clone, Debug, PartialEq)]
pub struct Coordinate {
    /// Name and units, such as `"latitude (°N)"`.
    pub label: String,
    /// Coordinate of the first point.
    pub first: f64,
    /// Coordinate of the last point; may be less than `first`.
    pub last: f64,
}

impl Coordinate {
    /// A coordinate from `first` to `last`.
    pub fn new(label: impl Into<String>, first: f64, last: f64) -> Self {
        Self { label: label.into(), first, last }
    }

    /// Distance between two of `points` points.
    pub(crate) fn step(&self, points: usize) -> f64 {
        match points {
            0 | 1 => 1.0,
            _ => (self.last - self.first).abs() / (points - 1) as f64,
        }
    }
}

/// A field on a grid, and how to label it.
///
/// Pictures have the y coordinate ascending upwards and the x coordinate ascending to the right,
/// whichever way the values are stored; without a coordinate the first row is the lowest.
#[derive(Clone, Debug)]
pub struct Field<'a> {
    /// The values, row-major `[y][x]`; non-finite ones are drawn grey.
    pub values: &'a [f32],
    /// Number of rows; 1 for a field on a line.
    pub ny: usize,
    /// Number of columns.
    pub nx: usize,
    /// Written above the panel.
    pub title: String,
    /// Units of the values, written at the colour bar.
    pub units: String,
    /// Coordinate of the rows.
    pub y: Option<Coordinate>,
    /// Coordinate of the columns.
    pub x: Option<Coordinate>,
    /// Largest absolute value of diverging colours of its own, in place of its grid's.
    pub(crate) most: Option<f64>,
}

impl<'a> Field<'a> {
    /// A field of `ny` rows of `nx` values.
    ///
    /// # Errors
    /// Where a side is zero or the number of values is not `ny * nx`.
    pub fn new(values: &'a [f32], ny: usize, nx: usize) -> Result<Self> {
        check_shape(values.len(), ny, nx)?;
        let (title, units) = (String::new(), String::new());
        Ok(Self { values, ny, nx, title, units, y: None, x: None, most: None })
    }

    /// The same field with a title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The same field with units.
    pub fn units(mut self, units: impl Into<String>) -> Self {
        self.units = units.into();
        self
    }

    /// The same field in diverging colours from −`most` to `most`, which no bar shows: for
    /// differences beside fields that are far from zero. The title should say it.
    pub fn diverging(mut self, most: f64) -> Self {
        self.most = Some(most);
        self
    }

    /// The same field with coordinates of its rows and columns.
    pub fn coordinates(mut self, y: Coordinate, x: Coordinate) -> Self {
        (self.y, self.x) = (Some(y), Some(x));
        self
    }
}

/// Says what is wrong with a field of `values` values on `ny` × `nx` points.
pub(crate) fn check_shape(values: usize, ny: usize, nx: usize) -> Result<()> {
    match ny.checked_mul(nx) {
        None | Some(0) => bail!("cannot plot a field of {ny} × {nx} points: both must be positive"),
        Some(points) if points != values => bail!(
            "cannot plot a field of {ny} × {nx} points from {values} values: it needs {points}"
        ),
        Some(_) => Ok(()),
    }
}
