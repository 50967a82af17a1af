//! Colours of fields and lines.

use colorous::{Gradient, RED_BLUE, VIRIDIS};
use plotters::style::RGBColor;

use super::axis::{Range, widen};

/// Line colours that stay apart for colour-blind readers (Okabe and Ito 2008), darkest first.
pub const PALETTE: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x33, 0x33, 0x33),
];

pub(crate) const TEXT: RGBColor = RGBColor(0x1a, 0x1a, 0x1a);
pub(crate) const FRAME: RGBColor = RGBColor(0x44, 0x44, 0x44);
pub(crate) const GRID: RGBColor = RGBColor(0xe4, 0xe4, 0xe4);
pub(crate) const GUIDE: RGBColor = RGBColor(0x88, 0x88, 0x88);
/// Cells without a finite value.
pub(crate) const MISSING: RGBColor = RGBColor(0xb4, 0xb4, 0xb4);

/// `n` line colours in an order that can be seen, dark to light, for a ladder of λ or lead times.
pub fn ladder(n: usize) -> Vec<RGBColor> {
    let last = n.saturating_sub(1).max(1) as f64;
    // The lightest part of the map would vanish on white.
    (0..n).map(|i| rgb(VIRIDIS, 0.86 * i as f64 / last)).collect()
}

/// How values become colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Colors {
    /// [`Colors::Diverging`] for values of both signs, [`Colors::Sequential`] otherwise.
    #[default]
    Auto,
    /// Blue to white at zero to red: anomalies, vorticity, velocity.
    Diverging,
    /// Dark blue to yellow.
    Sequential,
}

/// A colour map over a range of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ColorScale {
    pub(crate) low: f64,
    pub(crate) high: f64,
    diverging: bool,
}

impl ColorScale {
    /// The scale that spans the finite ones of `values`, or `range` where one is given.
    pub(crate) fn new(
        values: impl Iterator<Item = f32>,
        colors: Colors,
        range: Option<(f64, f64)>,
    ) -> Self {
        let (min, max) = range.unwrap_or_else(|| extent(values.map(f64::from)));
        let (low, high) = if min <= max { (min, max) } else { (0.0, 1.0) };
        let diverging = match colors {
            Colors::Diverging => true,
            Colors::Sequential => false,
            // A few values beyond zero do not make an anomaly.
            Colors::Auto => low < 0.0 && high > 0.0 && low.abs().min(high) > 0.1 * high.max(-low),
        };
        let (low, high) = if diverging && range.is_none() {
            let largest = high.max(-low);
            (-largest, largest)
        } else {
            (low, high)
        };
        let (low, high) = widen(low, high);
        Self { low, high, diverging }
    }

    /// The interval from the lowest to the highest colour.
    pub(crate) fn range(&self) -> Range {
        Range { low: self.low, high: self.high, log: false }
    }

    /// The colour of a value; values beyond the range take the colour of its end.
    pub(crate) fn color(&self, value: f64) -> RGBColor {
        if !value.is_finite() {
            return MISSING;
        }
        let t = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        // RdBu runs from red to blue; red is for the high values.
        if self.diverging { rgb(RED_BLUE, 1.0 - t) } else { rgb(VIRIDIS, t) }
    }
}

/// The smallest and largest finite value; (∞, −∞) where there is none.
pub(crate) fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)))
}

fn rgb(map: Gradient, t: f64) -> RGBColor {
    let c = map.eval_continuous(t);
    RGBColor(c.r, c.g, c.b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anomalies_are_red_above_zero_and_blue_below() {
        let scale = ColorScale::new([-1.0f32, 2.0].into_iter(), Colors::Auto, None);
        assert_eq!((scale.low, scale.high), (-2.0, 2.0));
        let (high, low, zero) = (scale.color(2.0), scale.color(-2.0), scale.color(0.0));
        assert!(high.0 > high.2 && low.2 > low.0, "{high:?} {low:?}");
        assert!(zero.0 > 230 && zero.1 > 230 && zero.2 > 230, "{zero:?}");
    }

    #[test]
    fn positive_values_run_from_their_minimum() {
        let scale = ColorScale::new([3.0f32, 5.0].into_iter(), Colors::Auto, None);
        assert_eq!((scale.low, scale.high), (3.0, 5.0));
        assert_eq!(scale.color(f64::NAN), MISSING);
    }

    #[test]
    fn constant_empty_and_missing_values_have_a_range() {
        for values in [vec![4.0f32, 4.0], vec![0.0], vec![], vec![f32::NAN]] {
            let scale = ColorScale::new(values.into_iter(), Colors::Auto, None);
            assert!(scale.low < scale.high);
        }
    }
}
