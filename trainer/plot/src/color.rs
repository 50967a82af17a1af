//! Colours of fields and lines.

use colorous::{Color, Gradient, RED_BLUE, VIRIDIS};

use super::axis::{Range, widen};

/// Line colours that stay apart for colour-blind readers (Okabe and Ito 2008), darkest first.
pub const PALETTE: [Color; 7] = [
    rgb(0x0072b2),
    rgb(0xd55e00),
    rgb(0x009e73),
    rgb(0xcc79a7),
    rgb(0xe69f00),
    rgb(0x56b4e9),
    rgb(0x333333),
];

pub(crate) const TEXT: Color = rgb(0x1a1a1a);
pub(crate) const FRAME: Color = rgb(0x444444);
pub(crate) const GRID: Color = rgb(0xe4e4e4);
pub(crate) const GUIDE: Color = rgb(0x888888);
/// Cells without a finite value.
pub(crate) const MISSING: Color = rgb(0xb4b4b4);

/// `n` line colours in an order that can be seen, dark to light, for a ladder of λ or lead times.
pub fn ladder(n: usize) -> Vec<Color> {
    let last = n.saturating_sub(1).max(1) as f64;
    // The lightest part of the map would vanish on white.
    (0..n).map(|i| VIRIDIS.eval_continuous(0.86 * i as f64 / last)).collect()
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
pub struct ColorScale {
    /// The value of the lowest colour.
    pub low: f64,
    /// The value of the highest one.
    pub high: f64,
    diverging: bool,
}

impl ColorScale {
    /// The scale that spans the finite ones of `values`, or `range` where one is given.
    pub fn new(
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

    /// The colour of a value; values beyond the range take the colour of its end, those that are not
    /// finite a grey.
    pub fn color(&self, value: f64) -> Color {
        if !value.is_finite() {
            return MISSING;
        }
        let t = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        // RdBu runs from red to blue; red is for the high values.
        let (map, t): (Gradient, f64) =
            if self.diverging { (RED_BLUE, 1.0 - t) } else { (VIRIDIS, t) };
        map.eval_continuous(t)
    }
}

/// The smallest and largest finite value; (∞, −∞) where there is none.
pub(crate) fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)))
}

/// A colour by its six digits.
const fn rgb(digits: u32) -> Color {
    let [_, r, g, b] = digits.to_be_bytes();
    Color { r, g, b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anomalies_are_red_above_zero_and_blue_below() {
        let scale = ColorScale::new([-1.0f32, 2.0].into_iter(), Colors::Auto, None);
        assert_eq!((scale.low, scale.high), (-2.0, 2.0));
        let (high, low, zero) = (scale.color(2.0), scale.color(-2.0), scale.color(0.0));
        assert!(high.r > high.b && low.b > low.r, "{high:?} {low:?}");
        assert!(zero.r > 230 && zero.g > 230 && zero.b > 230, "{zero:?}");
    }

    #[test]
    fn positive_values_run_from_their_minimum() {
        let scale = ColorScale::new([3.0f32, 5.0].into_iter(), Colors::Auto, None);
        assert_eq!((scale.low, scale.high), (3.0, 5.0));
        assert_eq!(scale.color(f64::NAN).as_array(), MISSING.as_array());
    }

    #[test]
    fn constant_empty_and_missing_values_have_a_range() {
        for values in [vec![4.0f32, 4.0], vec![0.0], vec![], vec![f32::NAN]] {
            let scale = ColorScale::new(values.into_iter(), Colors::Auto, None);
            assert!(scale.low < scale.high);
        }
    }
}
