//! Charts read back from an SVG: what stands at their axes, and what their marks mean by these.

use std::collections::BTreeMap;

use finescale_trainer::plot::{PALETTE, RGBColor};
use roxmltree::{Document, Node};

/// Steps of coordinates to a unit of the page.
const STEPS: f64 = 8.0;
/// Sizes of text by which it is told apart, in these steps: of ticks, of axes' labels, of a plot's title.
const TICK: f64 = 10.5 * STEPS;
const LABEL: f64 = 11.5 * STEPS;
const TITLE: f64 = 12.0 * STEPS;
/// Width of the lines of data, and length of a sample of one in a legend.
const WIDTH: f64 = 1.5 * STEPS;
const SAMPLE: f64 = 22.0 * STEPS;
const FRAME: &str = "#444444";

pub(crate) type Points = Vec<(f64, f64)>;

/// A plot in a frame with two axes.
#[derive(Debug)]
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) x_label: String,
    pub(crate) y_label: String,
    /// Values at the ticks of both axes, as they are written.
    pub(crate) x_ticks: Vec<f64>,
    pub(crate) y_ticks: Vec<f64>,
    /// Points of the solid lines by their colour, in the axes' values.
    pub(crate) lines: BTreeMap<String, Points>,
    /// Centres of dots by their colour.
    pub(crate) dots: BTreeMap<String, Points>,
    /// Middle and top of bars by their colour.
    pub(crate) bars: BTreeMap<String, Points>,
    /// Texts of the legend.
    pub(crate) legend: Vec<String>,
}

/// A colour of the palette as an SVG has it.
pub(crate) fn color(n: usize) -> String {
    let RGBColor(r, g, b) = PALETTE[n];
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// Whether points are those wanted, but for a share of what the axes' ticks span.
pub(crate) fn assert_points(chart: &Chart, got: &Points, wanted: &[(f64, f64)]) {
    assert_eq!(got.len(), wanted.len(), "{chart:?}");
    let near = |ticks: &[f64], got: f64, wanted: f64| {
        let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
        // On a logarithmic axis the share is one of the value.
        let span = if evenly(ticks) { last - first } else { wanted * (last / first).ln() };
        (got - wanted).abs() <= 5e-3 * span.abs()
    };
    for (got, wanted) in got.iter().zip(wanted) {
        let both = near(&chart.x_ticks, got.0, wanted.0) && near(&chart.y_ticks, got.1, wanted.1);
        assert!(both, "{got:?} is not {wanted:?}: {chart:?}");
    }
}

/// Every chart of a page, in the order of drawing.
pub(crate) fn charts(svg: &str) -> Vec<Chart> {
    let document = Document::parse(svg).unwrap();
    let nodes: Vec<_> = document.descendants().filter(Node::is_element).collect();
    let rects: Vec<Area> = nodes.iter().filter(|n| n.has_tag_name("rect")).map(Area::of).collect();
    // The long edges of frames, above and below.
    let long = |area: &&Area| area.fill == FRAME && area.h == STEPS && area.w > 40.0 * STEPS;
    let edges: Vec<&Area> = rects.iter().filter(long).collect();
    let frames = edges.chunks_exact(2).map(|pair| {
        let (top, bottom) = (pair[0], pair[1]);
        assert_eq!((top.x, top.w), (bottom.x, bottom.w));
        let (x, y) = (top.x + STEPS, top.y + STEPS);
        Area { x, y, w: top.w - 2.0 * STEPS, h: bottom.y - y, fill: String::new() }
    });
    frames.filter_map(|frame| chart(&frame, &nodes, &rects)).collect()
}

/// A rectangle, y downwards.
#[derive(Clone, Debug)]
struct Area {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
    fill: String,
}

impl Area {
    fn of(node: &Node<'_, '_>) -> Self {
        let [x, y, w, h] = ["x", "y", "width", "height"].map(|name| number(node, name));
        Self { x, y, w, h, fill: node.attribute("fill").unwrap_or_default().into() }
    }

    /// Whether a point is inside, or as far outside as coordinates are rounded.
    fn holds(&self, (x, y): (f64, f64)) -> bool {
        let slack = STEPS;
        (self.x - slack..=self.x + self.w + slack).contains(&x)
            && (self.y - slack..=self.y + self.h + slack).contains(&y)
    }
}

fn number(node: &Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

/// None for a frame without two ticks at both sides: of a field. Where there are no more than two, the axis is taken as linear.
fn chart(frame: &Area, nodes: &[Node<'_, '_>], rects: &[Area]) -> Option<Chart> {
    let (right, bottom) = (frame.x + frame.w, frame.y + frame.h);
    let texts: Vec<_> = nodes.iter().filter(|n| n.has_tag_name("text")).map(Words::of).collect();
    let size = |size: f64| texts.iter().filter(move |t| (t.size - size).abs() < 0.1);
    let near = |a: f64, b: f64| (a - b).abs() < 2.0 * STEPS;

    let below = |t: &&Words| t.y > bottom && t.y < bottom + 20.0 * STEPS && !t.upward;
    let across = |t: &&Words| t.x > frame.x - 2.0 * STEPS && t.x < right + 2.0 * STEPS;
    let x_ticks: Points = size(TICK)
        .filter(below)
        .filter(across)
        .filter_map(|t| Some((t.x, value(&t.text)?)))
        .collect();
    // A text lies below its tick's middle: the ticks themselves say where that is.
    let marks = rects.iter().filter(|r| {
        r.fill == FRAME && r.w == 4.0 * STEPS && near(r.x + r.w, frame.x) && r.h == STEPS
    });
    let marks: Vec<f64> = marks.map(|r| r.y + r.h / 2.0).collect();
    let beside = |t: &&Words| t.anchor == "end" && t.x < frame.x && t.x > frame.x - 20.0 * STEPS;
    let y_ticks: Points = size(TICK)
        .filter(beside)
        .filter_map(|t| {
            let mark = marks
                .iter()
                .copied()
                .find(|mark| (mark + 4.0 * STEPS - t.y).abs() < 5.0 * STEPS)?;
            Some((mark, value(&t.text)?))
        })
        .filter(|(mark, _)| frame.holds((frame.x, *mark)))
        .collect();
    let (x, y) = (Scale::new(&x_ticks)?, Scale::new(&y_ticks)?);
    let values = |(px, py): (f64, f64)| (x.value(px), y.value(py));

    let mut chart = Chart {
        title: String::new(),
        x_label: String::new(),
        y_label: String::new(),
        x_ticks: x_ticks.iter().map(|t| t.1).collect(),
        y_ticks: y_ticks.iter().map(|t| t.1).collect(),
        lines: BTreeMap::new(),
        dots: BTreeMap::new(),
        bars: BTreeMap::new(),
        legend: Vec::new(),
    };
    let middle = (frame.x + frame.w / 2.0, frame.y + frame.h / 2.0);
    for t in size(LABEL) {
        if t.upward && near(t.y, middle.1) && t.x < frame.x && t.x > frame.x - 90.0 * STEPS {
            chart.y_label.clone_from(&t.text);
        } else if !t.upward && near(t.x, middle.0) && t.y > bottom && t.y < bottom + 50.0 * STEPS {
            chart.x_label.clone_from(&t.text);
        }
    }
    let above = |t: &&Words| near(t.x, middle.0) && t.y < frame.y && t.y > frame.y - 20.0 * STEPS;
    chart.title = size(TITLE).find(above).map(|t| t.text.clone()).unwrap_or_default();
    chart.legend = size(TICK)
        .filter(|t| frame.holds((t.x, t.y)) && t.anchor == "start")
        .map(|t| t.text.clone())
        .collect();

    let palette: Vec<String> = (0..PALETTE.len()).map(color).collect();
    let mut samples = Vec::new();
    for node in nodes {
        let stroke = node.attribute("stroke").unwrap_or_default().to_owned();
        if node.has_tag_name("polyline") && number(node, "stroke-width") == WIDTH {
            let points: Points = node
                .attribute("points")
                .unwrap_or_default()
                .split_whitespace()
                .filter_map(pair)
                .collect();
            let sample = points.len() == 2
                && points[1].0 - points[0].0 == SAMPLE
                && points[0].1 == points[1].1;
            if sample {
                samples.push((points[0].0 + SAMPLE / 2.0, points[0].1));
            } else if points.iter().all(|p| frame.holds(*p)) {
                chart.lines.entry(stroke).or_default().extend(points.into_iter().map(values));
            }
        } else if node.has_tag_name("circle") {
            let center = (number(node, "cx"), number(node, "cy"));
            let fill = node.attribute("fill").unwrap_or_default().to_owned();
            if frame.holds(center) && !samples.contains(&center) {
                chart.dots.entry(fill).or_default().push(values(center));
            }
        }
    }
    // A legend's sample of bars is 14 units wide and 8 high.
    for bar in rects
        .iter()
        .filter(|r| palette.contains(&r.fill) && (r.w, r.h) != (14.0 * STEPS, 8.0 * STEPS))
    {
        if frame.holds((bar.x, bar.y)) && frame.holds((bar.x + bar.w, bar.y + bar.h)) {
            let top = values((bar.x + bar.w / 2.0, bar.y));
            chart.bars.entry(bar.fill.clone()).or_default().push(top);
        }
    }
    Some(chart)
}

fn pair(text: &str) -> Option<(f64, f64)> {
    let (x, y) = text.split_once(',')?;
    Some((x.parse().ok()?, y.parse().ok()?))
}

/// A text and where it stands.
struct Words {
    text: String,
    x: f64,
    y: f64,
    size: f64,
    anchor: String,
    upward: bool,
}

impl Words {
    fn of(node: &Node<'_, '_>) -> Self {
        Self {
            text: node.text().unwrap_or_default().trim().into(),
            x: number(node, "x"),
            y: number(node, "y"),
            size: number(node, "font-size"),
            anchor: node.attribute("text-anchor").unwrap_or_default().into(),
            upward: node.attribute("transform").is_some(),
        }
    }
}

/// A tick's number: `−0.5`, `10⁻³`, `2·10⁵`.
fn value(text: &str) -> Option<f64> {
    const RAISED: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹";
    let text = text.replace('−', "-");
    let plain = |raised: &str| -> String {
        let digit =
            |c: char| RAISED.chars().position(|r| r == c).map_or('-', |d| (b'0' + d as u8) as char);
        raised.chars().map(digit).collect()
    };
    let (factor, power) = match text.split_once("·10") {
        Some((factor, power)) => (factor.parse().ok()?, power),
        None => match text.strip_prefix("10") {
            Some(power) if power.starts_with(|c: char| c == '⁻' || RAISED.contains(c)) => {
                (1.0, power)
            }
            _ => return text.parse().ok(),
        },
    };
    Some(factor * 10_f64.powi(plain(power).parse().ok()?))
}

/// From places to values, by ticks.
struct Scale {
    /// Place and value (on a logarithmic axis its logarithm) of the outermost ticks.
    ends: [(f64, f64); 2],
    log: bool,
}

impl Scale {
    fn new(ticks: &Points) -> Option<Self> {
        let (&first, &last) = (ticks.first()?, ticks.last()?);
        // Equal steps of place are equal steps of value, or of its logarithm.
        let share = |t: &(f64, f64)| (t.0 - first.0) / (last.0 - first.0);
        let fits = |of: &dyn Fn(f64) -> f64| {
            let along = |t: &(f64, f64)| of(first.1) + share(t) * (of(last.1) - of(first.1));
            ticks
                .iter()
                .all(|t| (along(t) - of(t.1)).abs() < 0.01 * (of(last.1) - of(first.1)).abs())
        };
        if ticks.len() < 2 {
            return None;
        }
        let log = !fits(&|v| v);
        assert!(!log || fits(&f64::ln), "ticks are neither even nor logarithmic: {ticks:?}");
        let of = |v: f64| if log { v.ln() } else { v };
        Some(Self { ends: [(first.0, of(first.1)), (last.0, of(last.1))], log })
    }

    fn value(&self, place: f64) -> f64 {
        let [(from, low), (to, high)] = self.ends;
        let value = low + (place - from) / (to - from) * (high - low);
        if self.log { value.exp() } else { value }
    }
}

fn evenly(values: &[f64]) -> bool {
    let step = values[1] - values[0];
    values.windows(2).all(|w| (w[1] - w[0] - step).abs() < 1e-6 * step.abs())
}
