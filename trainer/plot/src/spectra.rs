//! Power spectra on logarithmic axes.

use anyhow::Result;
use colorous::Color;

use super::axes::Plot;
use super::axis::Axis;
use super::color;
use super::series::Series;

/// Orders of magnitude below the strongest mode that a plot of spectra shows.
const DECADES: i32 = 9;

/// A power spectrum to plot.
#[derive(Clone, Debug, Default)]
pub struct Spectrum {
    /// Written in the legend.
    pub label: String,
    /// Wavenumbers; those that are not positive (the mean) are left out.
    pub wavenumber: Vec<f64>,
    /// Power at each wavenumber.
    pub power: Vec<f64>,
    /// Low and high edge of the spread at each wavenumber.
    pub band: Option<(Vec<f64>, Vec<f64>)>,
    /// Colour; the next of the palette where there is none.
    pub color: Option<Color>,
}

impl Spectrum {
    /// A spectrum without a band.
    pub fn new(label: impl Into<String>, wavenumber: Vec<f64>, power: Vec<f64>) -> Self {
        Self { label: label.into(), wavenumber, power, ..Self::default() }
    }

    fn series(&self) -> Result<Series> {
        let all = Series::new(&self.label, self.wavenumber.clone(), self.power.clone())?;
        let all = match &self.band {
            Some((low, high)) => all.band(low.clone(), high.clone())?,
            None => all,
        };
        let keep = |values: &[f64]| -> Vec<f64> {
            let pairs = self.wavenumber.iter().zip(values);
            pairs.filter(|(k, _)| **k > 0.0).map(|(_, v)| *v).collect()
        };
        let mut series = Series::new(&self.label, keep(&all.x), keep(&all.y))?;
        series.band = all.band.map(|(low, high)| (keep(&low), keep(&high)));
        series.color = self.color;
        Ok(series)
    }
}

/// Spectra as lines over wavenumber, both axes logarithmic.
///
/// `units` are those of power, such as `"m² s⁻²"`. Power that is more than nine orders of
/// magnitude below the strongest is cut off at the frame. Add reference slopes with
/// [`Plot::slope`].
///
/// # Errors
/// Where the lengths of a spectrum's columns differ.
pub fn spectra(title: &str, spectra: &[Spectrum], units: &str) -> Result<Plot> {
    let label = if units.is_empty() { "power".to_owned() } else { format!("power ({units})") };
    let mut y = Axis::log(label);
    let power = spectra.iter().flat_map(|s| s.wavenumber.iter().zip(&s.power));
    let power = power.filter(|(k, p)| **k > 0.0 && **p > 0.0).map(|(_, p)| *p);
    let (low, high) = color::extent(power);
    if low < high * 10f64.powi(-DECADES) {
        y = y.range(high * 10f64.powi(-DECADES), 3.0 * high);
    }
    let plot = Plot::new(Axis::log("wavenumber"), y).title(title);
    spectra.iter().try_fold(plot, |plot, s| Ok(plot.series(s.series()?)))
}
