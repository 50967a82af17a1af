//! The data of a plot: lines with bands, and bars.

use anyhow::{Result, bail};
use colorous::Color;

/// How a line is broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dash {
    /// Not at all.
    #[default]
    Solid,
    /// Long dashes.
    Dashed,
    /// Short dashes.
    Dotted,
}

impl Dash {
    /// Lengths drawn and left out by turns, in units of the scene.
    pub(crate) fn pattern(self) -> Option<&'static [f64]> {
        match self {
            Self::Solid => None,
            Self::Dashed => Some(&[6.0, 4.0]),
            Self::Dotted => Some(&[1.5, 3.0]),
        }
    }
}

/// A line through points, with an optional band around it.
///
/// The line is interrupted at values that are not finite, and at values that are not positive on a
/// logarithmic axis; the legend says how many of the latter there are. A point alone is a dot.
#[derive(Clone, Debug)]
pub struct Series {
    /// Written in the legend; a series without a label has no entry.
    pub label: String,
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
    pub(crate) band: Option<(Vec<f64>, Vec<f64>)>,
    pub(crate) color: Option<Color>,
    pub(crate) dash: Dash,
    pub(crate) markers: bool,
}

impl Series {
    /// A line through the points (x, y).
    ///
    /// # Errors
    /// Where `x` and `y` differ in length.
    pub fn new(label: impl Into<String>, x: Vec<f64>, y: Vec<f64>) -> Result<Self> {
        let label = label.into();
        if x.len() != y.len() {
            bail!(
                "series {label:?} has {} values of x but {} of y: give one y for every x",
                x.len(),
                y.len()
            );
        }
        Ok(Self { label, x, y, band: None, color: None, dash: Dash::Solid, markers: false })
    }

    /// The same line with a shaded band between `low` and `high`, one value for every x.
    ///
    /// # Errors
    /// Where the lengths differ from the line's.
    pub fn band(mut self, low: Vec<f64>, high: Vec<f64>) -> Result<Self> {
        if low.len() != self.x.len() || high.len() != self.x.len() {
            bail!(
                "the band of series {:?} has {} and {} values, but the series has {} points",
                self.label,
                low.len(),
                high.len(),
                self.x.len()
            );
        }
        self.band = Some((low, high));
        Ok(self)
    }

    /// The same line in this colour instead of the next of [`PALETTE`](super::PALETTE).
    pub fn color(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    /// The same line, broken.
    pub fn dash(mut self, dash: Dash) -> Self {
        self.dash = dash;
        self
    }

    /// The same line with a dot at every point.
    pub fn markers(mut self) -> Self {
        self.markers = true;
        self
    }
}

/// Bars on the zero line, of equal width.
#[derive(Clone, Debug)]
pub struct Bars {
    /// Written in the legend.
    pub label: String,
    pub(crate) centers: Vec<f64>,
    pub(crate) heights: Vec<f64>,
    pub(crate) color: Option<Color>,
}

impl Bars {
    /// Bars of the given heights around evenly spaced centres.
    ///
    /// # Errors
    /// Where the numbers of centres and heights differ.
    pub fn new(label: impl Into<String>, centers: Vec<f64>, heights: Vec<f64>) -> Result<Self> {
        let label = label.into();
        if centers.len() != heights.len() {
            bail!(
                "bars {label:?} have {} centres but {} heights: give one height for every centre",
                centers.len(),
                heights.len()
            );
        }
        Ok(Self { label, centers, heights, color: None })
    }

    /// The same bars in this colour.
    pub fn color(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    /// Distance between centres.
    pub(crate) fn spacing(&self) -> f64 {
        let gaps = self.centers.windows(2).map(|w| (w[1] - w[0]).abs());
        let least = gaps.filter(|gap| *gap > 0.0).fold(f64::INFINITY, f64::min);
        if least.is_finite() { least } else { 1.0 }
    }
}
