//! Draws values as coloured cells, with a colour bar.

use super::axis::Range;
use super::color::{ColorScale, FRAME, MISSING, TEXT};
use super::field::Coordinate;
use super::scene::{Align, PIXELS_PER_UNIT, Rect, Scene, snap};
use super::{font, frame};

const DEVICE: f64 = PIXELS_PER_UNIT as f64;

/// How the points along one axis become whole device pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cells {
    points: usize,
    /// Cells drawn: one for every point, unless there are more points than pixels.
    shown: usize,
    /// Length of a cell in units of the scene, a whole number of device pixels.
    pub(crate) length: f64,
}

impl Cells {
    /// Cells of about `target / points` each, together at most `limit` long.
    pub(crate) fn new(points: usize, target: f64, limit: f64) -> Self {
        let most = (limit * DEVICE).floor().max(1.0) as usize;
        if points >= most {
            return Self { points, shown: most.min(points), length: 1.0 / DEVICE };
        }
        let pixels = (target * DEVICE / points as f64).round().clamp(1.0, (most / points) as f64);
        Self { points, shown: points, length: pixels / DEVICE }
    }

    /// Length of all cells.
    pub(crate) fn total(&self) -> f64 {
        self.shown as f64 * self.length
    }

    /// Length of a cell in device pixels.
    fn pixels(&self) -> usize {
        (self.length * DEVICE).round() as usize
    }

    /// The point whose value a cell shows: the nearest to its centre.
    fn point(&self, cell: usize) -> usize {
        (2 * cell + 1) * self.points / (2 * self.shown)
    }
}

/// Draws `value(row, column)`, rows counted from the top, and returns the frame around the cells.
pub(crate) fn cells(
    scene: &mut Scene,
    origin: (f64, f64),
    rows: Cells,
    columns: Cells,
    scale: &ColorScale,
    value: impl Fn(usize, usize) -> f32,
) -> Rect {
    let origin = (snap(origin.0), snap(origin.1));
    let rgb: Vec<u8> = (0..rows.shown)
        .flat_map(|row| (0..columns.shown).map(move |column| (row, column)))
        .map(|(row, column)| value(rows.point(row), columns.point(column)))
        .flat_map(|value| scale.color(f64::from(value)).into_array())
        .collect();
    scene.image(origin, (columns.pixels(), rows.pixels()), columns.shown, &rgb);
    let inner = Rect::new(origin.0, origin.1, columns.total(), rows.total());
    scene.frame(inner, 0.5, FRAME);
    inner
}

/// The interval that cells cover: half a step beyond the first and the last point.
pub(crate) fn range(coordinate: &Coordinate, points: usize) -> Range {
    let half = 0.5 * coordinate.step(points);
    let (a, b) = (coordinate.first, coordinate.last);
    let (low, high) = super::axis::widen(a.min(b) - half, a.max(b) + half);
    Range { low, high, log: false }
}

const BAR: f64 = 12.0;
const MISSING_NOTE: f64 = 24.0;

/// The room that a colour bar of this height needs to its left edge's right.
pub(crate) fn bar_width(scale: &ColorScale, height: f64, label: &str, missing: bool) -> f64 {
    let note = if missing { 13.0 + font::width("missing", font::TICK) } else { 0.0 };
    (BAR + frame::right_space(&scale.range(), height, label)).max(note)
}

/// Draws a colour bar into `area` (its width is the bar's and its labels' together).
pub(crate) fn bar(scene: &mut Scene, area: Rect, scale: &ColorScale, label: &str, missing: bool) {
    let note = if missing { MISSING_NOTE.min(0.5 * area.h) } else { 0.0 };
    let pixels = ((area.h - note) * DEVICE).floor().max(1.0);
    let steps = Cells { points: pixels as usize, shown: pixels as usize, length: 1.0 / DEVICE };
    let column = Cells::new(1, BAR, BAR);
    let range = scale.range();
    let inner = cells(scene, (area.x, area.y), steps, column, scale, |row, _| {
        let fraction = 1.0 - (row as f64 + 0.5) / pixels;
        (range.low + fraction * (range.high - range.low)) as f32
    });
    frame::right(scene, inner, &range, label);
    if missing {
        let square = Rect::new(area.x, area.bottom() - 9.5, 9.0, 9.0);
        scene.rect(square, MISSING);
        scene.frame(square, 0.5, FRAME);
        let at = (square.right() + 4.0, area.bottom() - 1.5);
        scene.text(at, Align::Left, font::TICK, TEXT, "missing");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_whole_pixels_and_near_the_target() {
        for (points, target) in [(64, 130.0), (144, 130.0), (1, 12.0), (100, 260.0)] {
            let cells = Cells::new(points, target, 2.0 * target);
            assert_eq!(cells.shown, points);
            assert_eq!((cells.length * DEVICE).fract(), 0.0);
            assert!((cells.total() / target - 1.0).abs() < 0.5, "{cells:?}");
        }
    }

    #[test]
    fn more_points_than_pixels_are_thinned_evenly() {
        let cells = Cells::new(10_000, 100.0, 100.0);
        assert_eq!(cells.shown, 200);
        assert_eq!((cells.point(0), cells.point(199)), (25, 9_975));
    }
}
