//! The built-in font: registration, measuring, raised exponents.

use std::sync::Once;

use epaint_default_fonts::UBUNTU_LIGHT;
use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

/// The name under which the font is registered. An SVG carries it as its list of font families, so
/// it ends with a generic one; the built-in font's own name comes first.
const FAMILIES: &str = "Ubuntu Light, Ubuntu, Helvetica, Arial, Liberation Sans, sans-serif";

/// Sizes of text, in units of the scene.
pub(crate) const FIGURE_TITLE: f64 = 15.0;
pub(crate) const PANEL_TITLE: f64 = 12.0;
pub(crate) const LABEL: f64 = 11.5;
pub(crate) const TICK: f64 = 10.5;

/// Height of capitals and digits over the size.
pub(crate) const CAP_HEIGHT: f64 = 0.693;

/// Ascent plus descent over the size: `plotters` scales glyphs of a bitmap by this height.
pub(crate) const LINE_HEIGHT: f64 = 1.121;

/// The font at a size given as `plotters` understands it for the renderer at hand.
pub(crate) fn desc(size: f64) -> FontDesc<'static> {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| {
        let registered = register_font(FAMILIES, FontStyle::Normal, UBUNTU_LIGHT);
        assert!(registered.is_ok(), "the built-in font is not a valid font");
    });
    FontDesc::new(FontFamily::Name(FAMILIES), size, FontStyle::Normal)
}

/// A piece of text at one size and height above the baseline.
#[derive(Debug, PartialEq)]
pub(crate) struct Run {
    pub(crate) text: String,
    pub(crate) size: f64,
    pub(crate) raise: f64,
}

/// Splits a text at its superscripts (`m s⁻¹`), which are drawn as small raised digits: few fonts
/// have all of them.
pub(crate) fn runs(text: &str, size: f64) -> Vec<Run> {
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
pub(crate) fn run_width(text: &str, size: f64) -> f64 {
    // Layout boxes come in whole pixels, so measure large.
    const LARGE: f64 = 1000.0;
    let pixels = desc(LARGE * LINE_HEIGHT).box_size(text).map_or(0, |(width, _)| width);
    f64::from(pixels) / LARGE * size
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
