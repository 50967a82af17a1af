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

/// A time step that is about to be suggested, rounded down so that the bound still holds.
pub(super) fn round_down(step: f64) -> f64 {
    let unit = 10f64.powf(step.log10().floor() - 1.0);
    // Through text, so that 0.011 is not printed as 0.011000000000000001.
    format!("{:.1e}", (step / unit).floor() * unit).parse().unwrap_or(step)
}
