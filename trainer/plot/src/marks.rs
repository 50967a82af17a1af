//! Draws the data of a plot inside its frame.

use colorous::Color;

use super::axis::{Axis, AxisScale, Range};
use super::color::{GUIDE, PALETTE};
use super::font::TICK;
use super::legend::{Entry, Sample};
use super::scene::{Align, Point, Rect, Scene};
use super::series::{Bars, Dash, Series};

const WIDTH: f64 = 1.5;
const GUIDE_WIDTH: f64 = 1.0;
const DOT: f64 = 2.5;
const BAND: f64 = 0.2;

/// A grey line for the eye.
#[derive(Clone, Debug)]
pub(crate) enum Guide {
    Level { y: f64, label: String },
    Slope { exponent: f64, label: String },
}

impl Guide {
    pub(crate) fn level(&self) -> Option<f64> {
        match self {
            Self::Level { y, .. } => Some(*y),
            Self::Slope { .. } => None,
        }
    }
}

/// A series with its colour and dashes chosen.
pub(crate) struct Colored<'a> {
    series: &'a Series,
    color: Color,
    dash: Dash,
}

/// Chooses colours in the order of the palette, with dashes once it is used up.
pub(crate) fn colored(series: &[Series]) -> Vec<Colored<'_>> {
    const AGAIN: [Dash; 3] = [Dash::Solid, Dash::Dashed, Dash::Dotted];
    let mut chosen = 0;
    let mut colored = Vec::with_capacity(series.len());
    for series in series {
        let (mut color, mut dash) = (PALETTE[chosen % PALETTE.len()], series.dash);
        if let Some(given) = series.color {
            color = given;
        } else {
            if dash == Dash::Solid {
                dash = AGAIN[chosen / PALETTE.len() % AGAIN.len()];
            }
            chosen += 1;
        }
        colored.push(Colored { series, color, dash });
    }
    colored
}

fn bar_color(bars: &Bars, index: usize) -> Color {
    bars.color.unwrap_or(PALETTE[index % PALETTE.len()])
}

/// Maps values to places in a frame.
pub(crate) struct Map {
    pub(crate) frame: Rect,
    pub(crate) x: Range,
    pub(crate) y: Range,
}

impl Map {
    /// Places stay within a few frames of the frame, so that no renderer meets huge numbers.
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (fx, fy) = (self.x.fraction(x), self.y.fraction(y));
        let (fx, fy) = (fx.clamp(-1e3, 1e3), fy.clamp(-1e3, 1e3));
        (self.frame.x + fx * self.frame.w, self.frame.bottom() - fy * self.frame.h)
    }

    fn shows(&self, x: f64, y: f64) -> bool {
        x.is_finite() && y.is_finite() && (!self.x.log || x > 0.0) && (!self.y.log || y > 0.0)
    }

    /// Unbroken stretches of a line.
    fn stretches(&self, xs: &[f64], ys: &[f64]) -> Vec<Vec<(f64, f64)>> {
        let points: Vec<_> = xs.iter().copied().zip(ys.iter().copied()).collect();
        points
            .split(|&(x, y)| !self.shows(x, y))
            .filter(|stretch| !stretch.is_empty())
            .map(|stretch| stretch.iter().map(|&(x, y)| self.at(x, y)).collect())
            .collect()
    }
}

/// Entries of the legend; they tell of values that a logarithmic axis cannot show.
pub(crate) fn entries(
    series: &[Colored],
    bars: &[Bars],
    guides: &[Guide],
    (x, y): (&Axis, &Axis),
) -> Vec<Entry> {
    let lines = series.iter().filter_map(|Colored { series, color, dash }| {
        let finite = |(x, y): &(&f64, &f64)| x.is_finite() && y.is_finite();
        let dropped = |(a, b): &(&f64, &f64)| {
            (x.scale == AxisScale::Log && **a <= 0.0) || (y.scale == AxisScale::Log && **b <= 0.0)
        };
        let points = || series.x.iter().zip(&series.y).filter(finite);
        let (all, lost) = (points().count(), points().filter(dropped).count());
        let note = match (all, lost) {
            (0, _) => "no data".to_owned(),
            (_, 0) => String::new(),
            (all, lost) if all == lost => "no positive value to draw".to_owned(),
            (_, 1) => "1 value ≤ 0 not drawn".to_owned(),
            (_, lost) => format!("{lost} values ≤ 0 not drawn"),
        };
        let label = match (series.label.as_str(), note.as_str()) {
            ("", note) => note.to_owned(),
            (label, "") => label.to_owned(),
            (label, note) => format!("{label} ({note})"),
        };
        let dot = series.markers || all == lost + 1;
        let sample = Sample::Line { dash: *dash, width: WIDTH, dot, band: series.band.is_some() };
        (!label.is_empty()).then_some(Entry { label, color: *color, sample })
    });
    let bars = bars.iter().enumerate().filter(|(_, b)| !b.label.is_empty());
    let bars = bars.map(|(index, b)| Entry {
        label: b.label.clone(),
        color: bar_color(b, index),
        sample: Sample::Bar,
    });
    let levels = guides.iter().filter_map(|guide| match guide {
        Guide::Level { label, .. } if !label.is_empty() => {
            let sample =
                Sample::Line { dash: Dash::Dashed, width: GUIDE_WIDTH, dot: false, band: false };
            Some(Entry { label: label.clone(), color: GUIDE, sample })
        }
        _ => None,
    });
    lines.chain(bars).chain(levels).collect()
}

/// Draws everything inside the frame.
pub(crate) fn draw(
    scene: &mut Scene,
    map: &Map,
    series: &[Colored],
    bars: &[Bars],
    guides: &[Guide],
) {
    for (index, set) in bars.iter().enumerate() {
        for rect in bar_rects(map, set, index, bars.len()) {
            scene.rect(rect, bar_color(set, index));
        }
    }
    // A line on an edge of the frame is as wide as elsewhere: what it lies on is drawn over it.
    let area = map.frame.grown(WIDTH / 2.0);
    scene.within(area, |scene| {
        for Colored { series, color, .. } in series {
            for points in band_outlines(map, series) {
                scene.polygon(&points, *color, BAND);
            }
        }
    });
    for guide in guides {
        draw_guide(scene, map, series, guide);
    }
    let stretches: Vec<_> = series
        .iter()
        .flat_map(|c| map.stretches(&c.series.x, &c.series.y).into_iter().map(move |s| (c, s)))
        .collect();
    scene.within(area, |scene| {
        for (Colored { color, dash, .. }, stretch) in stretches.iter().filter(|s| s.1.len() > 1) {
            scene.line(stretch, WIDTH, *color, *dash);
        }
    });
    for (Colored { series, color, .. }, stretch) in &stretches {
        if series.markers || stretch.len() == 1 {
            for center in stretch.iter().filter(|p| map.frame.contains(**p)) {
                scene.disc(*center, DOT, *color);
            }
        }
    }
}

fn bar_rects(map: &Map, set: &Bars, index: usize, sets: usize) -> Vec<Rect> {
    let slot = 0.9 * set.spacing() / sets as f64;
    let base = if map.y.log { map.y.low } else { 0.0 };
    let bars = set.centers.iter().zip(&set.heights);
    bars.filter(|(x, y)| map.shows(**x, **y))
        .filter_map(|(x, y)| {
            let left = x + slot * (index as f64 - 0.5 * sets as f64);
            let (a, b) = (map.at(left, base), map.at(left + slot, *y));
            intersect(map.frame, (a.0, b.0), (a.1.min(b.1), a.1.max(b.1)))
        })
        .collect()
}

fn intersect(frame: Rect, (x0, x1): (f64, f64), (y0, y1): (f64, f64)) -> Option<Rect> {
    let (x0, x1) = (x0.max(frame.x), x1.min(frame.right()));
    let (y0, y1) = (y0.max(frame.y), y1.min(frame.bottom()));
    (x1 > x0 && y1 >= y0).then(|| Rect::new(x0, y0, x1 - x0, y1 - y0))
}

/// Closed outlines of a band; a low edge that a logarithmic axis cannot show lies on the frame.
fn band_outlines(map: &Map, series: &Series) -> Vec<Vec<(f64, f64)>> {
    let Some((low, high)) = &series.band else { return vec![] };
    let lowest = map.y.low;
    let points: Vec<_> = (0..series.x.len()).map(|i| (series.x[i], low[i], high[i])).collect();
    points
        .split(|&(x, low, high)| !(map.shows(x, high) && low.is_finite()))
        .filter(|stretch| stretch.len() > 1)
        .map(|stretch| {
            let place = |x: f64, y: f64| map.at(x, if map.y.log && y <= 0.0 { lowest } else { y });
            let there = stretch.iter().map(|&(x, _, high)| place(x, high));
            let back = stretch.iter().rev().map(|&(x, low, _)| place(x, low));
            there.chain(back).collect()
        })
        .collect()
}

fn draw_guide(scene: &mut Scene, map: &Map, series: &[Colored], guide: &Guide) {
    let frame = map.frame;
    match guide {
        Guide::Level { y, .. } => {
            let (_, y) = map.at(map.x.high, *y);
            if let Some(line) = frame.part((frame.x, y), (frame.right(), y)) {
                scene.line(&line, GUIDE_WIDTH, GUIDE, Dash::Dashed);
            }
        }
        Guide::Slope { label, .. } => {
            let line = slope_line(map, series, guide);
            if let Some(line) = line.and_then(|[from, to]| frame.part(from, to)) {
                let [from, to] = line;
                scene.line(&line, GUIDE_WIDTH, GUIDE, Dash::Dashed);
                let middle = (0.5 * (from.0 + to.0) + 5.0, 0.5 * (from.1 + to.1) - 5.0);
                scene.text(middle, Align::Left, TICK, GUIDE, label);
            }
        }
    }
}

/// Ends of a power law that passes just above all series in the middle of the x axis.
fn slope_line(map: &Map, series: &[Colored], guide: &Guide) -> Option<[(f64, f64); 2]> {
    let Guide::Slope { exponent, .. } = guide else { return None };
    if !(map.x.log && map.y.log) {
        return None;
    }
    let along = |t: f64| map.x.low * (map.x.high / map.x.low).powf(t);
    let (from, to) = (along(0.35), along(0.75));
    let over = series.iter().flat_map(|c| c.series.x.iter().zip(&c.series.y));
    let over = over.filter(|(x, y)| (from..=to).contains(*x) && map.shows(**x, **y));
    let factor = over.map(|(x, y)| y / x.powf(*exponent)).fold(0.0, f64::max);
    let lift = (map.y.high / map.y.low).powf(0.06);
    let y = |x: f64| lift * factor * x.powf(*exponent);
    (factor > 0.0).then(|| [map.at(from, y(from)), map.at(to, y(to))])
}

/// Lines that a legend must not hide.
pub(crate) fn obstacles(
    map: &Map,
    series: &[Colored],
    bars: &[Bars],
    guides: &[Guide],
) -> Vec<Vec<Point>> {
    let mut lines = Vec::new();
    for colored in series {
        lines.extend(map.stretches(&colored.series.x, &colored.series.y));
        lines.extend(band_outlines(map, colored.series));
    }
    for (index, set) in bars.iter().enumerate() {
        let rects = bar_rects(map, set, index, bars.len()).into_iter();
        lines.extend(rects.flat_map(|r| {
            let (top, bottom) = ([(r.x, r.y), (r.right(), r.y)], [(r.x, r.y), (r.x, r.bottom())]);
            [top.to_vec(), bottom.to_vec()]
        }));
    }
    for guide in guides {
        match guide {
            Guide::Level { y, .. } => {
                lines.push(vec![map.at(map.x.low, *y), map.at(map.x.high, *y)]);
            }
            Guide::Slope { .. } => lines.extend(slope_line(map, series, guide).map(|l| l.to_vec())),
        }
    }
    lines
}
