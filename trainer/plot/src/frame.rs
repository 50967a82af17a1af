//! Ticks and labels at the sides of a frame.

use super::axis::Range;
use super::color::{FRAME, TEXT};
use super::font::{self, CAP_HEIGHT, LABEL, TICK};
use super::scene::{Align, Rect, Scene};

const LONG: f64 = 4.0;
const SHORT: f64 = 2.0;
const GAP: f64 = 3.0;
const LINE: f64 = 1.0;
const LABEL_GAP: f64 = 6.0;

fn tick_rows(height: f64) -> usize {
    (height / 28.0).clamp(2.0, 8.0) as usize
}

fn tick_columns(width: f64) -> usize {
    (width / 55.0).clamp(2.0, 9.0) as usize
}

fn widest(range: &Range, height: f64) -> f64 {
    let widths = range.ticks(tick_rows(height)).into_iter().map(|(_, s)| font::width(&s, TICK));
    widths.fold(0.0, f64::max)
}

fn label_space(label: &str) -> f64 {
    if label.is_empty() { 0.0 } else { LABEL_GAP + LABEL }
}

/// The room that [`left`] needs.
pub(crate) fn left_space(range: &Range, height: f64, label: &str) -> f64 {
    LONG + GAP + widest(range, height) + label_space(label)
}

/// The room that [`right`] needs.
pub(crate) fn right_space(range: &Range, height: f64, label: &str) -> f64 {
    LONG + GAP + widest(range, height) + label_space(label)
}

/// The room that [`bottom`] needs.
pub(crate) fn bottom_space(label: &str) -> f64 {
    LONG + GAP + TICK + label_space(label)
}

/// The room that the last tick label of [`bottom`] may need beyond the right end of a frame.
pub(crate) fn overhang(range: &Range, width: f64) -> f64 {
    let ticks = range.ticks(tick_columns(width));
    ticks.last().map_or(0.0, |(at, label)| {
        let beyond = 0.5 * font::width(label, TICK) - (1.0 - range.fraction(*at)) * width;
        beyond.max(0.0)
    })
}

/// Heights of the labelled ticks in a frame, for grid lines.
pub(crate) fn rows(frame: Rect, range: &Range) -> Vec<f64> {
    let ticks = range.ticks(tick_rows(frame.h)).into_iter();
    ticks.map(|(v, _)| frame.bottom() - range.fraction(v) * frame.h).collect()
}

/// Places of the labelled ticks in a frame, for grid lines.
pub(crate) fn columns(frame: Rect, range: &Range) -> Vec<f64> {
    let ticks = range.ticks(tick_columns(frame.w)).into_iter();
    ticks.map(|(v, _)| frame.x + range.fraction(v) * frame.w).collect()
}

/// Ticks and label to the left of a frame.
pub(crate) fn left(scene: &mut Scene, frame: Rect, range: &Range, label: &str) {
    let y = |value: f64| frame.bottom() - range.fraction(value) * frame.h;
    for value in range.minor_ticks() {
        scene.rect(Rect::new(frame.x - SHORT, y(value) - 0.25, SHORT, 0.5), FRAME);
    }
    for (value, text) in range.ticks(tick_rows(frame.h)) {
        scene.rect(Rect::new(frame.x - LONG, y(value) - LINE / 2.0, LONG, LINE), FRAME);
        let at = (frame.x - LONG - GAP, y(value) + 0.5 * CAP_HEIGHT * TICK);
        scene.text(at, Align::Right, TICK, TEXT, &text);
    }
    let fitted = font::fit(label, LABEL, frame.h.max(60.0));
    let x = frame.x - left_space(range, frame.h, label) + CAP_HEIGHT * LABEL;
    scene.text_upward((x, frame.y + frame.h / 2.0), Align::Center, LABEL, TEXT, &fitted);
}

/// Ticks and label to the right of a frame.
pub(crate) fn right(scene: &mut Scene, frame: Rect, range: &Range, label: &str) {
    for (value, text) in range.ticks(tick_rows(frame.h)) {
        let y = frame.bottom() - range.fraction(value) * frame.h;
        scene.rect(Rect::new(frame.right(), y - LINE / 2.0, LONG, LINE), FRAME);
        let at = (frame.right() + LONG + GAP, y + 0.5 * CAP_HEIGHT * TICK);
        scene.text(at, Align::Left, TICK, TEXT, &text);
    }
    let fitted = font::fit(label, LABEL, frame.h.max(60.0));
    let x = frame.right() + right_space(range, frame.h, label) - 0.2 * LABEL;
    scene.text_upward((x, frame.y + frame.h / 2.0), Align::Center, LABEL, TEXT, &fitted);
}

/// Ticks and label below a frame; a tick label that would touch the one before is left out.
pub(crate) fn bottom(scene: &mut Scene, frame: Rect, range: &Range, label: &str) {
    let x = |value: f64| frame.x + range.fraction(value) * frame.w;
    for value in range.minor_ticks() {
        scene.rect(Rect::new(x(value) - 0.25, frame.bottom(), 0.5, SHORT), FRAME);
    }
    let baseline = frame.bottom() + LONG + GAP + CAP_HEIGHT * TICK;
    let mut taken = f64::NEG_INFINITY;
    for (value, text) in range.ticks(tick_columns(frame.w)) {
        scene.rect(Rect::new(x(value) - LINE / 2.0, frame.bottom(), LINE, LONG), FRAME);
        let half = 0.5 * font::width(&text, TICK);
        if x(value) - half > taken + 4.0 {
            scene.text((x(value), baseline), Align::Center, TICK, TEXT, &text);
            taken = x(value) + half;
        }
    }
    let fitted = font::fit(label, LABEL, frame.w.max(60.0));
    let at = (frame.x + frame.w / 2.0, frame.bottom() + bottom_space(label) - 0.2 * LABEL);
    scene.text(at, Align::Center, LABEL, TEXT, &fitted);
}
