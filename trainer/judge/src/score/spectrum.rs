//! Energy spectra: how much power a prediction has at every wavenumber.
//!
//! P of a shell of |k| is the mean of |û_k|² over its modes, frames, trajectories and members, of
//! the orthonormal transform (Fourier along periodic axes, DCT-II along reflecting ones); the shell
//! at k = 0 is no part of the errors. With ratio q = P_predicted / P_true of a shell:
//!
//! | score | definition |
//! |---|---|
//! | mean and largest error | mean and max of \|q − 1\| over the low wavenumbers: shell 1 to the one below which 99.9 % of the true variance lie |
//! | log-spectral error of a band | √ mean (10 log₁₀ q)² over the band's shells, in dB, q within 1e-6 … 1e6 |
//!
//! Shells with less than 1e-9 of the true variance are left out: their power is rounding.
//!
//! Spectra need no truth of the same frames: they are for generated fields too. Of members, not of
//! their mean, which is smooth by right.

use anyhow::Result;
use finescale::Field;
use rayon::prelude::*;
use serde::Serialize;

use super::Truth;
use super::bands::Bands;
use finescale_data::dataset::Spec;
use finescale_ensemble::Ensemble;
use finescale_field::scale::Scale;
use finescale_field::shells::Shells;

/// Share of the true variance that the low wavenumbers hold.
const LOW: f64 = 0.999;
/// A shell that holds less of the true variance is rounding, and no error is relative to it.
const NOTHING: f64 = 1e-9;

/// Power per shell of one channel, predicted and true, and their difference.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EnergySpectrum {
    /// |k| at the centre of every shell, radians per unit length.
    pub wavenumber: Vec<f64>,
    /// Modes of every shell.
    pub modes: Vec<u64>,
    /// True power, in the channel's units squared.
    pub truth: Vec<f64>,
    /// Predicted power.
    pub prediction: Vec<f64>,
    /// The last shell of the low wavenumbers.
    pub low: usize,
    /// Mean of |q − 1| over the low wavenumbers.
    pub error: f64,
    /// Largest |q − 1| over the low wavenumbers.
    pub largest_error: f64,
    /// Log-spectral error of every band, dB; none where a band has no shell.
    pub log_error_by_band: Vec<Option<f64>>,
}

/// Sums of |û|² per `[channel][shell]` and the number of frames, of frames in standard deviations.
struct Power {
    sums: Vec<f64>,
    frames: usize,
}

/// Adds up frames `[channel][y][x]` in parallel, each on its own.
fn power<'a>(
    spec: &Spec,
    scale: &Scale,
    shells: &Shells,
    frames: usize,
    frame: impl Fn(usize) -> &'a [f32] + Sync,
) -> Result<Power> {
    let grid = spec.grid()?;
    let parts = (0..frames)
        .into_par_iter()
        .map(|n| {
            let mut spectrum = frame(n).to_vec();
            scale.spectra(&grid, Field::from_mut(&mut spectrum))?;
            let squares: Vec<f64> = spectrum.iter().map(|&u| f64::from(u).powi(2)).collect();
            Ok(shells.sum(&squares))
        })
        .collect::<Result<Vec<Vec<f64>>>>()?;
    let mut sums = vec![0.0; spec.channels.len() * shells.count];
    for part in parts {
        sums.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
    }
    Ok(Power { sums, frames })
}

/// Spectra of every channel.
pub(super) fn energy_spectra(
    ensemble: &Ensemble,
    truth: &Truth,
    scale: &Scale,
    bands: &Bands,
) -> Result<Vec<EnergySpectrum>> {
    let spec = &ensemble.spec;
    let shells = Shells::new(&spec.grid()?);
    let (count, modes) = (shells.count, &shells.modes);
    let scored = ensemble.frames() - ensemble.given;
    let predicted =
        power(spec, scale, &shells, spec.trajectories * scored * ensemble.members, |n| {
            let (path, member) = (n / ensemble.members, n % ensemble.members);
            ensemble.frame(path / scored, ensemble.given + path % scored, member)
        })?;
    let first = if truth.paired { ensemble.given } else { 0 };
    let frames = truth.frames - first;
    let real = power(spec, scale, &shells, truth.trajectories * frames, |n| {
        truth.frame(n / frames, first + n % frames)
    })?;
    let spectra = (0..spec.channels.len()).map(|c| {
        let of = |power: &Power| -> Vec<f64> {
            let sums = &power.sums[c * count..][..count];
            let mean = |(sum, &n): (&f64, &u64)| sum / (power.frames as f64 * n as f64);
            sums.iter().zip(modes).map(|v| mean(v) * scale.std[c].powi(2)).collect()
        };
        EnergySpectrum::new(shells.wavenumbers(), modes.clone(), of(&real), of(&predicted), bands)
    });
    Ok(spectra.collect())
}

impl EnergySpectrum {
    /// Compares power per shell.
    pub fn new(
        wavenumber: Vec<f64>,
        modes: Vec<u64>,
        truth: Vec<f64>,
        prediction: Vec<f64>,
        bands: &Bands,
    ) -> Self {
        let variance: Vec<f64> = truth.iter().zip(&modes).map(|(p, &n)| p * n as f64).collect();
        let total: f64 = variance[1..].iter().sum();
        let mut sum = 0.0;
        let low = variance[1..].iter().position(|v| {
            sum += v;
            sum >= LOW * total
        });
        let low = low.map_or(truth.len() - 1, |s| s + 1);
        let ratio = |s: usize| prediction[s] / truth[s];
        let shells = |range: std::ops::RangeInclusive<usize>| {
            range.filter(|&s| variance[s] > NOTHING * total)
        };
        let errors: Vec<f64> = shells(1..=low).map(|s| (ratio(s) - 1.0).abs()).collect();
        let log_error = |band: usize| {
            let errors: Vec<f64> = shells(1..=truth.len() - 1)
                .filter(|&s| bands.of(wavenumber[s]) == band)
                .map(|s| (10.0 * ratio(s).clamp(1e-6, 1e6).log10()).powi(2))
                .collect();
            let count = errors.len() as f64;
            (count > 0.0).then(|| (errors.iter().sum::<f64>() / count).sqrt())
        };
        Self {
            low,
            error: errors.iter().sum::<f64>() / errors.len() as f64,
            largest_error: errors.iter().copied().fold(0.0, f64::max),
            log_error_by_band: (0..Bands::COUNT).map(log_error).collect(),
            wavenumber,
            modes,
            truth,
            prediction,
        }
    }

    /// Predicted over true power of every shell; none at k = 0, and where there is no true power to
    /// speak of.
    pub fn ratios(&self) -> Vec<Option<f64>> {
        let variance = |s: usize| self.truth[s] * self.modes[s] as f64;
        let total: f64 = (1..self.truth.len()).map(variance).sum();
        (0..self.truth.len())
            .map(|s| {
                (s > 0 && variance(s) > NOTHING * total).then(|| self.prediction[s] / self.truth[s])
            })
            .collect()
    }

    /// Whether the prediction has no waves at all.
    pub(crate) fn is_constant(&self) -> bool {
        self.prediction[1..].iter().all(|p| *p <= 0.0)
    }

    /// Means over channels; of curves the sums, each over its channel's variance.
    pub(super) fn overall(channels: &[Self], scale: &Scale) -> Option<Self> {
        let first = channels.first()?;
        let count = channels.len() as f64;
        let sum = |curve: fn(&Self) -> &Vec<f64>| -> Vec<f64> {
            let at = |s: usize| {
                let parts = channels.iter().zip(&scale.std);
                parts.map(|(c, std)| curve(c)[s] / std.powi(2)).sum()
            };
            (0..first.truth.len()).map(at).collect()
        };
        let in_band = |band: usize| {
            let errors: Vec<f64> =
                channels.iter().filter_map(|c| c.log_error_by_band[band]).collect();
            (!errors.is_empty()).then(|| errors.iter().sum::<f64>() / errors.len() as f64)
        };
        Some(Self {
            wavenumber: first.wavenumber.clone(),
            modes: first.modes.clone(),
            truth: sum(|c| &c.truth),
            prediction: sum(|c| &c.prediction),
            low: channels.iter().map(|c| c.low).max()?,
            error: channels.iter().map(|c| c.error).sum::<f64>() / count,
            largest_error: channels.iter().map(|c| c.largest_error).fold(0.0, f64::max),
            log_error_by_band: (0..Bands::COUNT).map(in_band).collect(),
        })
    }
}
