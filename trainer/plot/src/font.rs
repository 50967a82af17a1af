//! The built-in font: measuring, outlines of texts, raised exponents.

use std::fmt::Write;
use std::sync::LazyLock;

use epaint_default_fonts::UBUNTU_LIGHT;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

static FONT: LazyLock<Face<'static>> =
    LazyLock::new(|| Face::parse(UBUNTU_LIGHT, 0).expect("the built-in font is valid"));

/// Families for the text over the outlines of an SVG, which is there to be searched and selected;
/// the last is generic.
pub(crate) const FAMILIES: &str =
    "Ubuntu Light, Ubuntu, Helvetica, Arial, Liberation Sans, sans-serif";

/// Sizes of text, in units of the scene.
pub(crate) const FIGURE_TITLE: f64 = 15.0;
pub(crate) const PANEL_TITLE: f64 = 12.0;
pub(crate) const LABEL: f64 = 11.5;
pub(crate) const TICK: f64 = 10.5;

/// Height of capitals and digits over the size.
pub(crate) const CAP_HEIGHT: f64 = 0.693;

/// Steps of an outline's coordinates to the size of its text.
pub(crate) const EM: f64 = 1000.0;

/// Size and height above the baseline of a superscript, over the size of the text.
const RAISED: (f64, f64) = (0.7, 0.4);

/// A glyph of a text of size [`EM`].
struct Placed {
    glyph: GlyphId,
    along: f64,
    scale: f64,
    raise: f64,
}

/// The glyphs of a text and its width. Superscripts (`m s⁻¹`) are small raised digits: few fonts
/// have all of them.
fn place(text: &str) -> (Vec<Placed>, f64) {
    let em = f64::from(FONT.units_per_em());
    let (mut along, mut last) = (0.0, None);
    let mut glyphs = Vec::new();
    for c in text.chars() {
        let (c, scale, raise) = match superscript(c) {
            Some(plain) => (plain, RAISED.0, RAISED.1 * EM),
            None => (c, 1.0, 0.0),
        };
        let glyph = FONT.glyph_index(c).unwrap_or_default();
        let advance = FONT.glyph_hor_advance(glyph).unwrap_or_default();
        let close = last.filter(|(_, before)| *before == scale).map_or(0, |(g, _)| kern(g, glyph));
        let scale_em = scale * EM / em;
        along += f64::from(close) * scale_em;
        glyphs.push(Placed { glyph, along, scale: scale_em, raise });
        along += f64::from(advance) * scale_em;
        last = Some((glyph, scale));
    }
    (glyphs, along)
}

fn kern(left: GlyphId, right: GlyphId) -> i16 {
    let tables = FONT.tables().kern.into_iter().flat_map(|kern| kern.subtables);
    let mut plain = tables.filter(|t| t.horizontal && !t.variable && !t.has_state_machine);
    plain.find_map(|table| table.glyphs_kerning(left, right)).unwrap_or(0)
}

fn superscript(c: char) -> Option<char> {
    Some(match c {
        '⁰' => '0',
        '¹' => '1',
        '²' => '2',
        '³' => '3',
        '⁴'..='⁹' => char::from_digit(c as u32 - '⁴' as u32 + 4, 10)?,
        '⁻' => '−',
        _ => return None,
    })
}

/// An integer in superscript, as in 10⁻³.
pub(crate) fn exponent(n: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digit = |c: char| c.to_digit(10).map_or('⁻', |d| DIGITS[d as usize]);
    n.to_string().chars().map(digit).collect()
}

/// Width of a text, superscripts included.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    place(text).1 * size / EM
}

/// The outlines of a text of size [`EM`] as the data of an SVG's path, its baseline starting at the
/// origin, y downwards.
pub(crate) fn outline(text: &str) -> String {
    let mut path = Path::default();
    for Placed { glyph, along, scale, raise } in place(text).0 {
        (path.along, path.scale, path.raise) = (along, scale, raise);
        FONT.outline_glyph(glyph, &mut path);
    }
    path.data
}

/// The path so far, and where the next glyph goes.
#[derive(Default)]
struct Path {
    data: String,
    along: f64,
    scale: f64,
    raise: f64,
}

impl Path {
    /// A command with its points, in whole steps.
    fn push<const N: usize>(&mut self, command: char, points: [(f32, f32); N]) {
        self.data.push(command);
        for (n, (x, y)) in points.into_iter().enumerate() {
            let (x, y) = (f64::from(x) * self.scale, f64::from(y) * self.scale);
            let (x, y) = ((self.along + x).round(), -(self.raise + y).round());
            let gap = if n == 0 { "" } else { " " };
            // A string takes everything.
            let _ = write!(self.data, "{gap}{} {}", x as i64, y as i64);
        }
    }
}

impl OutlineBuilder for Path {
    fn move_to(&mut self, x: f32, y: f32) {
        self.push('M', [(x, y)]);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.push('L', [(x, y)]);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.push('Q', [(x1, y1), (x, y)]);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.push('C', [(x1, y1), (x2, y2), (x, y)]);
    }

    fn close(&mut self) {
        self.data.push('Z');
    }
}

/// The text itself, or as much of it as fits `width`, ending in an ellipsis.
pub(crate) fn fit(text: &str, size: f64, width_limit: f64) -> String {
    if width(text, size) <= width_limit {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    loop {
        if kept.pop().is_none() {
            return String::new();
        }
        let shorter = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if width(&shorter, size) <= width_limit {
            return shorter;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_raised_and_small() {
        let (glyphs, width) = place("10⁻³ m");
        let of = |c: char| FONT.glyph_index(c).unwrap();
        let found: Vec<_> = glyphs.iter().map(|placed| placed.glyph).collect();
        assert_eq!(found, ['1', '0', '−', '3', ' ', 'm'].map(of));
        let raised: Vec<_> = glyphs.iter().map(|placed| placed.raise > 0.0).collect();
        assert_eq!(raised, [false, false, true, true, false, false]);
        assert!(glyphs[2].scale < glyphs[0].scale && glyphs[5].along < width);
        assert_eq!(exponent(-120), "⁻¹²⁰");
    }

    /// A full stop is a small blot that stands on the baseline, where it was put.
    #[test]
    fn outlines_stand_on_the_baseline() {
        let path = outline("  .");
        let numbers = path.split(|c: char| !(c.is_ascii_digit() || c == '-'));
        let numbers: Vec<i32> = numbers.filter_map(|n| n.parse().ok()).collect();
        let (x, y) = (numbers.iter().step_by(2), numbers.iter().skip(1).step_by(2));
        let start = width("  ", EM) as i32;
        assert!(x.clone().all(|x| (start..start + 250).contains(x)), "{path}");
        assert!(y.clone().all(|y| (-200..=20).contains(y)), "{path}");
    }

    #[test]
    fn long_titles_end_in_an_ellipsis_and_fit() {
        let text = "a very long title that does not fit";
        let fitted = fit(text, 12.0, 80.0);
        assert!(fitted.ends_with('…') && width(&fitted, 12.0) <= 80.0);
        assert_eq!(fit(text, 12.0, 1000.0), text);
    }
}
