//! A page of panels below each other.

use std::path::Path;

use anyhow::Result;

use super::axes::Plot;
use super::color::TEXT;
use super::font::{self, FIGURE_TITLE};
use super::grid::FieldGrid;
use super::save;
use super::scene::{Align, Rect, Scene};
use super::space_time::SpaceTime;

const MARGIN: f64 = 16.0;
const GAP: f64 = 18.0;
const TITLE: f64 = 28.0;
const PLOT_GAP: f64 = 20.0;

/// What a [`Figure`] is made of.
#[derive(Clone, Debug)]
pub enum Panel<'a> {
    /// Rows and columns of fields.
    Fields(FieldGrid<'a>),
    /// A space-time diagram.
    SpaceTime(SpaceTime<'a>),
    /// Plots beside each other.
    Plots(Vec<Plot>),
}

impl<'a> From<FieldGrid<'a>> for Panel<'a> {
    fn from(grid: FieldGrid<'a>) -> Self {
        Self::Fields(grid)
    }
}

impl<'a> From<SpaceTime<'a>> for Panel<'a> {
    fn from(diagram: SpaceTime<'a>) -> Self {
        Self::SpaceTime(diagram)
    }
}

impl From<Plot> for Panel<'_> {
    fn from(plot: Plot) -> Self {
        Self::Plots(vec![plot])
    }
}

impl From<Vec<Plot>> for Panel<'_> {
    fn from(plots: Vec<Plot>) -> Self {
        Self::Plots(plots)
    }
}

impl Panel<'_> {
    /// The least width and the height; plots stretch to the width of the page.
    fn size(&self) -> (f64, f64) {
        match self {
            Self::Fields(grid) => grid.size(),
            Self::SpaceTime(diagram) => diagram.size(),
            Self::Plots(plots) => {
                let gaps = PLOT_GAP * plots.len().saturating_sub(1) as f64;
                let width = plots.iter().map(Plot::least_width).sum::<f64>() + gaps;
                (width, plots.iter().map(Plot::full_height).fold(0.0, f64::max))
            }
        }
    }

    fn draw(&self, scene: &mut Scene, area: Rect) {
        match self {
            Self::Fields(grid) => grid.draw(scene, area),
            Self::SpaceTime(diagram) => diagram.draw(scene, area),
            Self::Plots(plots) => {
                let count = plots.len().max(1) as f64;
                let width = (area.w - PLOT_GAP * (count - 1.0)) / count;
                for (index, plot) in plots.iter().enumerate() {
                    let x = area.x + index as f64 * (width + PLOT_GAP);
                    plot.draw(scene, Rect::new(x, area.y, width, area.h));
                }
            }
        }
    }
}

/// A column of panels under a title.
#[derive(Clone, Debug, Default)]
pub struct Figure<'a> {
    title: String,
    panels: Vec<Panel<'a>>,
}

impl<'a> Figure<'a> {
    /// An empty figure.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same figure with a title.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// The same figure with one more panel at its end.
    pub fn push(mut self, panel: impl Into<Panel<'a>>) -> Self {
        self.panels.push(panel.into());
        self
    }

    /// Writes the figure as PNG (192 dots per inch) or SVG, as the suffix of `path` says.
    ///
    /// An existing file is replaced as a whole: the picture is written under a temporary name and
    /// renamed.
    ///
    /// # Errors
    /// Where the suffix is another one, the folder does not exist or writing fails.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save::save(|| self.svg(), path.as_ref())
    }

    /// The figure as an SVG element, to stand alone in a file or within a page.
    pub fn svg(&self) -> String {
        let sizes: Vec<_> = self.panels.iter().map(Panel::size).collect();
        let inner = sizes.iter().map(|size| size.0).fold(240.0, f64::max);
        let title = if self.title.is_empty() { 0.0 } else { TITLE };
        let panels: f64 = sizes.iter().map(|size| size.1).sum();
        let gaps = GAP * sizes.len().saturating_sub(1) as f64;
        let height = 2.0 * MARGIN + title + panels + gaps;
        let mut scene = Scene::new(inner + 2.0 * MARGIN, height);
        let text = font::fit(&self.title, FIGURE_TITLE, inner);
        let at = (scene.width / 2.0, MARGIN + 0.8 * FIGURE_TITLE);
        scene.text(at, Align::Center, FIGURE_TITLE, TEXT, &text);
        // Fields and diagrams share their left edge, so that their frames align.
        let plots = |panel: &Panel| matches!(panel, Panel::Plots(_));
        let others = self.panels.iter().zip(&sizes).filter(|(panel, _)| !plots(panel));
        let widest = others.map(|(_, size)| size.0).fold(0.0, f64::max);
        let mut y = MARGIN + title;
        for (panel, (width, height)) in self.panels.iter().zip(sizes) {
            let (x, width) = match plots(panel) {
                true => (MARGIN, inner),
                false => (MARGIN + 0.5 * (inner - widest), width),
            };
            panel.draw(&mut scene, Rect::new(x, y, width, height));
            y += height + GAP;
        }
        scene.svg(&self.title)
    }
}
