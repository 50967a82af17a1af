//! Energy spectra: how much power a prediction has at every wavenumber.
//!
//! P of a shell is the mean of |û_k|² over its modes, frames, trajectories and members, of the orthonormal transform (Fourier
//! along periodic axes, DCT-II along reflecting ones), shells of |k| as `RadialBins` of the runtime has them; the shell at
//! k = 0 is no part of the errors. With ratio q = P_predicted / P_true of a shell:
//!
//! | score | definition |
//! |---|---|
//! | mean and largest error | mean and max of \|q − 1\| over the low wavenumbers: shell 1 to the one below which 99.9 % of the true variance lie |
//! | log-spectral error of a band | √ mean (10 log₁₀ q)² over the band's shells, in dB, q within 1e-6 … 1e6 |
//!
//! Shells with less than 1e-9 of the true variance are left out: their power is rounding.
//!
//! Spectra need no truth of the same frames: they are for generated fields too. Of members, not of their mean, which is
//! smooth by right.

use anyhow::Result;
use finescale::spectral::{self, RadialBins};
use rayon::prelude::*;
use serde::Serialize;

use super::bands::Bands;
use super::{Scale, Truth};
use finescale_ensemble::Ensemble;

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
    spec: &finescale_data::dataset::Spec,
    scale: &Scale,
    frames: usize,
    frame: impl Fn(usize) -> &'a [f32] + Sync,
) -> Result<Power> {
    let grid = spec.grid()?;
    let bins = RadialBins::new(&grid);
    let shell: Vec<usize> = grid.wavenumbers().map(|k| bins.bin(k)).collect();
    let parts = (0..frames)
        .into_par_iter()
        .map(|n| {
            let values = frame(n);
            let mut spectrum = vec![0.0; values.len()];
            scale.standardise(values, &mut spectrum);
            spectral::forward(&grid, &mut spectrum, &mut vec![0.0; spectral::scratch_len(&grid)])?;
            let mut sums = vec![0.0; spec.channels.len() * bins.count()];
            let channels = spectrum.chunks_exact(grid.points());
            for (sums, modes) in sums.chunks_exact_mut(bins.count()).zip(channels) {
                modes.iter().zip(&shell).for_each(|(&u, &s)| sums[s] += f64::from(u).powi(2));
            }
            Ok(sums)
        })
        .collect::<Result<Vec<Vec<f64>>>>()?;
    let mut sums = vec![0.0; spec.channels.len() * bins.count()];
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
    let grid = spec.grid()?;
    let bins = RadialBins::new(&grid);
    let mut modes = vec![0_u64; bins.count()];
    grid.wavenumbers().for_each(|k| modes[bins.bin(k)] += 1);
    let scored = ensemble.frames() - ensemble.given;
    let predicted = power(spec, scale, spec.trajectories * scored * ensemble.members, |n| {
        let (path, member) = (n / ensemble.members, n % ensemble.members);
        ensemble.frame(path / scored, ensemble.given + path % scored, member)
    })?;
    let first = if truth.paired { ensemble.given } else { 0 };
    let frames = truth.frames - first;
    let real = power(spec, scale, truth.trajectories * frames, |n| {
        truth.frame(n / frames, first + n % frames)
    })?;
    let shells = bins.count();
    let spectra = (0..spec.channels.len()).map(|c| {
        let of = |power: &Power| -> Vec<f64> {
            let sums = &power.sums[c * shells..][..shells];
            let mean = |(sum, &n): (&f64, &u64)| sum / (power.frames as f64 * n as f64);
            sums.iter().zip(&modes).map(|v| mean(v) * scale.std[c].powi(2)).collect()
        };
        let wavenumber = (0..shells).map(|s| f64::from(bins.wavenumber(s))).collect();
        EnergySpectrum::new(wavenumber, modes.clone(), of(&real), of(&predicted), bands)
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

    /// Predicted over true power of every shell; none at k = 0, and where there is no true power to speak of.
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
    pub fn is_constant(&self) -> bool {
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
