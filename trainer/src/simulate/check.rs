//! One-sentence refusals of single parameters.

use anyhow::{Result, ensure};

pub(super) fn positive(flag: &str, value: f64) -> Result<()> {
    ensure!(value.is_finite() && value > 0.0, "{flag} must be a positive number, but is {value}");
    Ok(())
}

pub(super) fn not_negative(flag: &str, value: f64) -> Result<()> {
    ensure!(
        value.is_finite() && value >= 0.0,
        "{flag} must be zero or a positive number, but is {value}"
    );
    Ok(())
}

pub(super) fn finite(flag: &str, value: f64) -> Result<()> {
    ensure!(value.is_finite(), "{flag} must be a finite number, but is {value}");
    Ok(())
}

pub(super) fn at_least(flag: &str, value: usize, least: usize) -> Result<()> {
    ensure!(value >= least, "{flag} must be at least {least}, but is {value}");
    Ok(())
}

pub(super) fn even(flag: &str, value: usize) -> Result<()> {
    ensure!(value.is_multiple_of(2), "{flag} must be even, but is {value}");
    Ok(())
}

/// A time step that is about to be suggested, rounded down so that the bound still holds.
pub(super) fn round_down(step: f64) -> f64 {
    let unit = 10f64.powf(step.log10().floor() - 1.0);
    // Through text, so that 0.011 is not printed as 0.011000000000000001.
    format!("{:.1e}", (step / unit).floor() * unit).parse().unwrap_or(step)
}

#[cfg(test)]
mod tests {
    use super::round_down;

    #[test]
    fn suggested_steps_are_short_and_within_the_bound() {
        assert_eq!(round_down(0.013_333), 0.013);
        assert_eq!(round_down(0.009_99), 0.0099);
        assert_eq!(round_down(2.5e-4), 2.5e-4);
        for exponent in -60..10 {
            let step = 1.37f64.powi(exponent);
            let rounded = round_down(step);
            assert!(rounded <= step && rounded > 0.9 * step, "{step} became {rounded}");
        }
    }
}
