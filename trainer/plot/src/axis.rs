//! An axis of a plot: its label, scale and range.

use super::{color, ticks};

/// How an axis maps values to lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AxisScale {
    /// Equal differences are equal lengths.
    #[default]
    Linear,
    /// Equal ratios are equal lengths; values that are not positive cannot be shown.
    Log,
}

/// An axis of a [`Plot`](super::Plot): label, scale and range.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// Name and units, such as `"lead time (h)"`.
    pub label: String,
    /// Linear or logarithmic.
    pub scale: AxisScale,
    /// First and last value; the data decide where there is none.
    pub range: Option<(f64, f64)>,
}

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// A logarithmic axis.
    pub fn log(label: impl Into<String>) -> Self {
        Self { label: label.into(), scale: AxisScale::Log, range: None }
    }

    /// The same axis from `first` to `last`.
    pub fn range(mut self, first: f64, last: f64) -> Self {
        self.range = Some((first, last));
        self
    }

    /// Whether the axis can show a value.
    pub(crate) fn shows(&self, value: f64) -> bool {
        value.is_finite() && (self.scale == AxisScale::Linear || value > 0.0)
    }

    /// The axis's range for these values; `pad` is the free part at either end.
    pub(crate) fn fit(&self, values: impl Iterator<Item = f64>, pad: f64) -> Range {
        let log = self.scale == AxisScale::Log;
        let given = self.range.filter(|(a, b)| self.shows(*a) && self.shows(*b) && a != b);
        if let Some((a, b)) = given {
            return Range { low: a.min(b), high: a.max(b), log };
        }
        let (low, high) = color::extent(values.filter(|v| self.shows(*v)));
        if low > high {
            return if log { Range { low: 0.1, high: 10.0, log } } else { Range::unit() };
        }
        if log {
            let (a, b) = (low.log10(), high.log10());
            let free = if a == b { 0.5 } else { pad * (b - a) };
            return Range { low: 10f64.powf(a - free), high: 10f64.powf(b + free), log };
        }
        let (a, b) = widen(low, high);
        let free = if low == high { 0.0 } else { pad * (b - a) };
        Range { low: a - free, high: b + free, log }
    }
}

/// A range of positive length around `low..=high`.
pub(crate) fn widen(low: f64, high: f64) -> (f64, f64) {
    let least = 1e-6 * low.abs().max(high.abs());
    if high - low > least {
        return (low, high);
    }
    let middle = 0.5 * (low + high);
    let half = if middle == 0.0 { 1.0 } else { 0.1 * middle.abs() };
    (middle - half, middle + half)
}

/// The interval that an axis shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) log: bool,
}

impl Range {
    fn unit() -> Self {
        Self { low: 0.0, high: 1.0, log: false }
    }

    /// Where a value lies: 0 at the low end, 1 at the high end.
    pub(crate) fn fraction(&self, value: f64) -> f64 {
        if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    /// Ticks and their labels.
    pub(crate) fn ticks(&self, target: usize) -> Vec<(f64, String)> {
        if self.log {
            let ticks = ticks::logarithmic(self.low, self.high, target);
            return ticks.into_iter().map(|t| (t, ticks::logarithmic_label(t))).collect();
        }
        let ticks = ticks::linear(self.low, self.high, target);
        let labels = ticks::linear_labels(&ticks);
        ticks.into_iter().zip(labels).collect()
    }

    /// Marks without labels.
    pub(crate) fn minor_ticks(&self) -> Vec<f64> {
        if self.log { ticks::logarithmic_minor(self.low, self.high) } else { vec![] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_axis_ignores_what_is_not_positive() {
        let range = Axis::log("k").fit([-1.0, 0.0, 1.0, 100.0, f64::NAN].into_iter(), 0.0);
        assert!((range.low - 1.0).abs() < 1e-12 && (range.high - 100.0).abs() < 1e-9);
        assert!((range.fraction(10.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn constant_and_empty_data_get_a_range() {
        for values in [vec![], vec![3.0], vec![0.0, 0.0], vec![f64::NAN]] {
            for axis in [Axis::linear(""), Axis::log("")] {
                let range = axis.fit(values.iter().copied(), 0.05);
                assert!(range.low < range.high, "{axis:?} {values:?}");
            }
        }
    }
}
