//! The key to the lines of a plot.

use colorous::Color;

use super::color::{GRID, TEXT};
use super::font::{self, CAP_HEIGHT, TICK};
use super::scene::{Align, Point, Rect, Scene, WHITE};
use super::series::Dash;

const ROW: f64 = 15.0;
const SAMPLE: f64 = 22.0;
const PAD: f64 = 6.0;
const INSET: f64 = 8.0;
const LONGEST: f64 = 260.0;

/// What an entry's sample looks like.
#[derive(Clone, Debug)]
pub(crate) enum Sample {
    Line { dash: Dash, width: f64, dot: bool, band: bool },
    Bar,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) label: String,
    pub(crate) color: Color,
    pub(crate) sample: Sample,
}

/// Width and height of a legend.
pub(crate) fn size(entries: &[Entry]) -> (f64, f64) {
    let widest = entries.iter().map(|e| font::width(&e.label, TICK)).fold(0.0, f64::max);
    (SAMPLE + 3.0 * PAD + widest.min(LONGEST), ROW * entries.len() as f64 + PAD)
}

/// The place at the top or bottom of `frame` where a legend hides none of `lines`, if there is one.
pub(crate) fn free_corner(frame: Rect, entries: &[Entry], lines: &[Vec<Point>]) -> Option<Rect> {
    let (w, h) = size(entries);
    if w > 0.6 * frame.w || h > 0.7 * frame.h {
        return None;
    }
    let (left, right) = (frame.x + INSET, frame.right() - INSET - w);
    let (top, bottom) = (frame.y + INSET, frame.bottom() - INSET - h);
    let middle = 0.5 * (left + right);
    let corners = [
        (right, top),
        (left, top),
        (left, bottom),
        (right, bottom),
        (middle, top),
        (middle, bottom),
    ];
    corners.into_iter().map(|(x, y)| Rect::new(x, y, w, h)).find(|corner| {
        let room = corner.grown(3.0);
        // Each point with the next; the last, which may be the only one, with itself.
        let hidden = |line: &Vec<Point>| {
            let next = line.iter().skip(1).chain(line.last());
            line.iter().zip(next).any(|(from, to)| room.part(*from, *to).is_some())
        };
        !lines.iter().any(hidden)
    })
}

pub(crate) fn draw(scene: &mut Scene, area: Rect, entries: &[Entry], boxed: bool) {
    if boxed {
        scene.faint_rect(area, WHITE, 0.85);
        scene.frame(area, 0.5, GRID);
    }
    for (index, entry) in entries.iter().enumerate() {
        let y = area.y + PAD / 2.0 + ROW * (index as f64 + 0.5);
        let x = area.x + PAD;
        sample(scene, entry, x, y);
        let label = font::fit(&entry.label, TICK, LONGEST);
        let at = (x + SAMPLE + PAD, y + 0.5 * CAP_HEIGHT * TICK);
        scene.text(at, Align::Left, TICK, TEXT, &label);
    }
}

fn sample(scene: &mut Scene, entry: &Entry, x: f64, y: f64) {
    let color = entry.color;
    match entry.sample {
        Sample::Bar => scene.rect(Rect::new(x + 4.0, y - 4.0, SAMPLE - 8.0, 8.0), color),
        Sample::Line { dash, width, dot, band } => {
            if band {
                scene.faint_rect(Rect::new(x, y - 4.0, SAMPLE, 8.0), color, 0.2);
            }
            scene.line(&[(x, y), (x + SAMPLE, y)], width, color, dash);
            if dot {
                scene.disc((x + SAMPLE / 2.0, y), 2.5, color);
            }
        }
    }
}
