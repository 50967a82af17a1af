//! Round numbers along an axis, and how they are written.

use super::font::exponent;

/// Evenly spaced round values within `low..=high`, about `target` of them.
pub(crate) fn linear(low: f64, high: f64, target: usize) -> Vec<f64> {
    let raw = (high - low) / target.max(1) as f64;
    if !(raw.is_finite() && raw > 0.0) {
        return vec![];
    }
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        // Steps of 2.5 would label counts and ranks with halves.
        .filter(|m| *m != 2.5 || power != 1.0)
        .map(|m| m * power)
        .find(|step| (high - low) / step <= target as f64 * 1.01)
        .unwrap_or(10.0 * power);
    let slack = 1e-9;
    let first = (low / step - slack).ceil();
    let last = (high / step + slack).floor();
    (0..=(last - first).max(-1.0) as i64).map(|i| (first + i as f64) * step).collect()
}

/// Powers of ten within `low..=high`, every n-th where there are many; for ranges within two
/// decades also 2 and 5 times these.
pub(crate) fn logarithmic(low: f64, high: f64, target: usize) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let inside = |v: &f64| *v >= low * (1.0 - 1e-9) && *v <= high * (1.0 + 1e-9);
    let decades: Vec<f64> = (first..=last).map(|e| 10f64.powi(e)).filter(inside).collect();
    if decades.len() > target {
        let every = decades.len().div_ceil(target) as i32;
        return (first..=last)
            .filter(|e| e.rem_euclid(every) == 0)
            .map(|e| 10f64.powi(e))
            .filter(inside)
            .collect();
    }
    if decades.len() > 2 {
        return decades;
    }
    let fine = |multiples: &[f64]| -> Vec<f64> {
        (first..=last)
            .flat_map(|e| multiples.iter().map(move |m| m * 10f64.powi(e)))
            .filter(inside)
            .collect()
    };
    match fine(&[1.0, 2.0, 5.0]) {
        ticks if ticks.len() >= 3 => ticks,
        _ => linear(low, high, target),
    }
}

/// The small marks between the powers of ten.
pub(crate) fn logarithmic_minor(low: f64, high: f64) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    if last - first > 12 {
        return vec![];
    }
    (first..=last)
        .flat_map(|e| (2..10).map(move |m| f64::from(m) * 10f64.powi(e)))
        .filter(|v| (low..=high).contains(v))
        .collect()
}

/// Labels of evenly spaced ticks, all with the same number of decimals.
pub(crate) fn linear_labels(ticks: &[f64]) -> Vec<String> {
    let largest = ticks.iter().fold(0f64, |m, t| m.max(t.abs()));
    let step = if ticks.len() > 1 { (ticks[1] - ticks[0]).abs() } else { largest };
    if largest == 0.0 {
        return ticks.iter().map(|_| "0".to_owned()).collect();
    }
    if !(1e-3..1e5).contains(&largest) {
        let power = largest.log10().floor() as i32;
        let unit = 10f64.powi(power);
        let places = decimals(step / unit);
        let label = |t: &f64| match t / unit {
            m if m.abs() < 1e-9 => "0".to_owned(),
            m => format!("{}·10{}", number(m, places), exponent(power)),
        };
        return ticks.iter().map(label).collect();
    }
    let places = decimals(step);
    ticks.iter().map(|t| number(*t, places)).collect()
}

/// Label of a tick on a logarithmic axis.
pub(crate) fn logarithmic_label(tick: f64) -> String {
    let power = tick.log10().floor();
    let power = if tick / 10f64.powf(power) > 9.999_999 { power + 1.0 } else { power };
    let multiple = tick / 10f64.powf(power);
    if (-2.0..=3.0).contains(&power) {
        return number(tick, decimals(tick));
    }
    match decimals(multiple) {
        0 if multiple.round() == 1.0 => format!("10{}", exponent(power as i32)),
        places => format!("{}·10{}", number(multiple, places), exponent(power as i32)),
    }
}

/// Decimals that a round number needs.
fn decimals(step: f64) -> usize {
    (0..12)
        .find(|&places| {
            let scaled = step * 10f64.powi(places);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1e-12)
        })
        .unwrap_or(3) as usize
}

/// A number with a true minus sign and no negative zero.
fn number(value: f64, places: usize) -> String {
    let text = format!("{:.places$}", value.abs());
    let zero = text.chars().all(|c| c == '0' || c == '.');
    if value < 0.0 && !zero { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_ticks_are_round_and_inside() {
        assert_eq!(linear(0.0, 1.0, 5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(linear(-7.0, 12.0, 4), [-5.0, 0.0, 5.0, 10.0]);
        assert!(linear(1.0, 1.0, 5).is_empty());
    }

    #[test]
    fn labels_share_their_decimals() {
        assert_eq!(linear_labels(&[-0.5, 0.0, 0.5]), ["−0.5", "0.0", "0.5"]);
        assert_eq!(linear_labels(&[0.0, 250.0]), ["0", "250"]);
        assert_eq!(linear_labels(&[0.0, 2e-5]), ["0", "2·10⁻⁵"]);
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten() {
        assert_eq!(logarithmic(0.5, 2000.0, 6), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(logarithmic(1.0, 10.0, 6), [1.0, 2.0, 5.0, 10.0]);
        assert!(logarithmic(1e-30, 1.0, 6).len() <= 7);
        assert_eq!(logarithmic_label(1e-6), "10⁻⁶");
        assert_eq!(logarithmic_label(0.05), "0.05");
        assert_eq!(logarithmic_label(100.0), "100");
    }
}
