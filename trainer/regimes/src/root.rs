//! Where a falling function passes a value.

/// The place in [low, high] where a falling `function` passes `value`, to the last bits: the ends
/// themselves if it does not pass there.
pub(crate) fn falling(value: f64, low: f64, high: f64, function: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (low, high);
    while high - low > 1e-13 * high.abs() {
        let middle = 0.5 * (low + high);
        // Between neighbouring numbers there is no other.
        if middle <= low || middle >= high {
            break;
        }
        if function(middle) > value { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The same without a known end above: doubles `start` until the function is below, at most up to
/// `horizon`; `None` if it is above even there.
pub(crate) fn falling_from(
    value: f64,
    start: f64,
    horizon: f64,
    function: impl Fn(f64) -> f64,
) -> Option<f64> {
    let (mut low, mut high) = (0.0, start.min(horizon));
    while function(high) > value {
        if high >= horizon {
            return None;
        }
        (low, high) = (high, (2.0 * high).min(horizon));
    }
    Some(falling(value, low, high, function))
}
