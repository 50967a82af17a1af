//! The built-in font: measuring, outlines of glyphs, raised exponents.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, OutlinedGlyph, PxScale, ScaleFont, point};
use epaint_default_fonts::UBUNTU_LIGHT;

static FONT: LazyLock<FontRef<'static>> =
    LazyLock::new(|| FontRef::try_from_slice(UBUNTU_LIGHT).expect("the built-in font is valid"));

/// Families for an SVG, whose reader may not have the built-in one; the last is generic.
pub(crate) const FAMILIES: &str =
    "Ubuntu Light, Ubuntu, Helvetica, Arial, Liberation Sans, sans-serif";

/// Sizes of text, in units of the scene.
pub(crate) const FIGURE_TITLE: f64 = 15.0;
pub(crate) const PANEL_TITLE: f64 = 12.0;
pub(crate) const LABEL: f64 = 11.5;
pub(crate) const TICK: f64 = 10.5;

/// Height of capitals and digits over the size.
pub(crate) const CAP_HEIGHT: f64 = 0.693;

/// A piece of text at one size and height above the baseline.
#[derive(Debug, PartialEq)]
struct Run {
    text: String,
    size: f64,
    raise: f64,
}

/// Splits a text at its superscripts (`m s⁻¹`), which are drawn as small raised digits: few fonts
/// have all of them.
fn runs(text: &str, size: f64) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for c in text.chars() {
        let (c, size, raise) = match superscript(c) {
            Some(plain) => (plain, 0.7 * size, 0.4 * size),
            None => (c, size, 0.0),
        };
        match runs.last_mut() {
            Some(run) if run.raise == raise => run.text.push(c),
            _ => runs.push(Run { text: c.to_string(), size, raise }),
        }
    }
    runs
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
    runs(text, size).iter().map(|run| run_width(&run.text, run.size)).sum()
}

/// Width of a single run.
fn run_width(text: &str, size: f64) -> f64 {
    place(text, size).1
}

/// Places of the characters of a run along its baseline, and its width.
fn place(text: &str, size: f64) -> (Vec<(char, f64)>, f64) {
    let font = FONT.as_scaled(scale(size));
    let mut along = 0.0;
    let mut last = None;
    let mut places = Vec::with_capacity(text.len());
    for c in text.chars() {
        let glyph = font.glyph_id(c);
        along += last.map_or(0.0, |last| font.kern(last, glyph));
        places.push((c, f64::from(along)));
        along += font.h_advance(glyph);
        last = Some(glyph);
    }
    (places, f64::from(along))
}

/// `ab_glyph` wants the height from descent to ascent.
fn scale(size: f64) -> PxScale {
    let em = FONT.units_per_em().unwrap_or(1000.0);
    PxScale::from(size as f32 * FONT.height_unscaled() / em)
}

/// Outlines of a text's glyphs, `size` pixels to the em, its baseline starting at the origin.
pub(crate) fn glyphs(text: &str, size: f64) -> Vec<OutlinedGlyph> {
    let mut start = 0.0;
    let mut glyphs = Vec::new();
    for run in runs(text, size) {
        let (places, width) = place(&run.text, run.size);
        glyphs.extend(places.into_iter().filter_map(|(c, along)| {
            let origin = point((start + along) as f32, -run.raise as f32);
            let glyph = FONT.glyph_id(c).with_scale_and_position(scale(run.size), origin);
            FONT.outline_glyph(glyph)
        }));
        start += width;
    }
    glyphs
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
        let runs = runs("10⁻³ m", 10.0);
        let texts: Vec<_> = runs.iter().map(|run| run.text.as_str()).collect();
        assert_eq!(texts, ["10", "−3", " m"]);
        assert!(runs[1].raise > 0.0 && runs[1].size < runs[0].size);
        assert_eq!(exponent(-120), "⁻¹²⁰");
    }

    #[test]
    fn long_titles_end_in_an_ellipsis_and_fit() {
        let text = "a very long title that does not fit";
        let fitted = fit(text, 12.0, 80.0);
        assert!(fitted.ends_with('…') && width(&fitted, 12.0) <= 80.0);
        assert_eq!(fit(text, 12.0, 1000.0), text);
    }
}
