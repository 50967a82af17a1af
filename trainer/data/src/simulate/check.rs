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
