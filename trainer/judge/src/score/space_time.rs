//! Space-time power spectra: whether patterns of every size move and live as they should.
//!
//! The power of every wavenumber k and frequency ω, |û(ω, k)|², of the transform over all scored
//! frames (no taper) and over space, averaged over trajectories and members. The score is the
//! paper's (arXiv 2604.00327, section 5): the relative L1 error
//!
//! ```text
//! Σ |P_predicted − P_true| / Σ P_true    over all k, their signs included, and all ω
//! ```
//!
//! of fields in standard deviations from the mean, as the paper's are. Cosine modes of reflecting
//! axes stand for themselves. Few trajectories make both spectra rough: two halves of the truth
//! differ too.

use std::ops::Range;

use anyhow::Result;
use finescale::Field;
use nalgebra::Complex;
use rayon::prelude::*;
use rustfft::FftPlanner;
use serde::Serialize;

use super::Truth;
use finescale_data::dataset::Spec;
use finescale_ensemble::Ensemble;
use finescale_field::modes::Group;
use finescale_field::scale::Scale;
use finescale_field::shells::Shells;

/// Space-time spectra of one channel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpaceTimeSpectrum {
    /// Relative L1 error.
    pub error: f64,
    /// The same between the halves of the truth's trajectories, even against odd: what sampling
    /// alone makes; none for one.
    pub error_of_halves: Option<f64>,
    /// |k| of the shells of the maps.
    #[serde(skip)]
    pub wavenumber: Vec<f64>,
    /// Frequencies of the maps, |ω| in cycles per unit of time.
    #[serde(skip)]
    pub frequency: Vec<f64>,
    /// Mean true power by `[frequency][shell]`, over both signs, in units of the variance.
    #[serde(skip)]
    pub truth: Vec<f64>,
    /// Mean predicted power.
    #[serde(skip)]
    pub prediction: Vec<f64>,
}

/// Power by `[channel][complex mode][ω]`.
type Power = Vec<f64>;

/// Modes of a grid as complex ones, with what each counts for.
struct Modes {
    groups: Vec<Group>,
    /// Of every complex mode: its shell, and 2 if it has a mirror image of the same power.
    modes: Vec<(usize, f64)>,
    shells: Shells,
}

impl Modes {
    fn new(spec: &Spec) -> Result<Self> {
        let grid = spec.grid()?;
        let shells = Shells::new(&grid);
        let groups = Group::all(&grid);
        let modes = groups.iter().flat_map(|group| {
            let weight = if matches!(group, Group::One(_)) { 1.0 } else { 2.0 };
            std::iter::repeat_n((shells.of[group.members()[0]], weight), group.complex_modes())
        });
        Ok(Self { modes: modes.collect(), groups, shells })
    }
}

/// Power of paths of equal length, their mean.
fn power<'a>(
    spec: &Spec,
    scale: &Scale,
    modes: &Modes,
    frames: usize,
    paths: &[usize],
    frame: impl Fn(usize, usize) -> &'a [f32] + Sync,
) -> Result<Power> {
    let grid = spec.grid()?;
    let points = grid.points();
    let fft = FftPlanner::new().plan_fft_forward(frames);
    let per_channel = modes.modes.len() * frames;
    let one = |path: usize| -> Result<Power> {
        finescale_host::interrupt::check()?;
        let mut series = vec![Complex::<f64>::default(); spec.channels.len() * per_channel];
        for n in 0..frames {
            let mut spectrum = frame(path, n).to_vec();
            scale.spectra(&grid, Field::from_mut(&mut spectrum))?;
            let channels = spectrum.chunks_exact(points).zip(series.chunks_exact_mut(per_channel));
            for (spectrum, series) in channels {
                let numbers = modes.groups.iter().flat_map(|group| {
                    group.of_spectrum(spectrum).into_iter().take(group.complex_modes())
                });
                let series = series.iter_mut().skip(n).step_by(frames);
                series.zip(numbers).for_each(|(to, from)| *to = from);
            }
        }
        fft.process(&mut series);
        Ok(series.iter().map(|u| u.norm_sqr() / frames as f64).collect())
    };
    // In blocks, so that no more spectra than cores are in memory.
    let mut sum = vec![0.0; spec.channels.len() * per_channel];
    for block in paths.chunks(8) {
        let parts = block.par_iter().map(|&path| one(path)).collect::<Result<Vec<_>>>()?;
        for part in parts {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    }
    sum.iter_mut().for_each(|p| *p /= paths.len() as f64);
    Ok(sum)
}

/// Spectra of every channel, and the error over all; none for single frames.
pub(super) fn space_time_spectra(
    ensemble: &Ensemble,
    truth: &Truth,
    scale: &Scale,
) -> Result<Option<(Vec<SpaceTimeSpectrum>, SpaceTimeSpectrum)>> {
    let (spec, members) = (&ensemble.spec, ensemble.members);
    let frames = ensemble.frames() - ensemble.given;
    let first = if truth.paired { ensemble.given } else { 0 };
    // A truth of its own is cut into pieces of the prediction's length.
    let pieces = (truth.frames - first) / frames;
    if frames < 2 || pieces == 0 {
        return Ok(None);
    }
    let modes = Modes::new(spec)?;
    let all = |count: usize| (0..count).collect::<Vec<_>>();
    let of_truth = |paths: &[usize]| {
        power(spec, scale, &modes, frames, paths, |path, n| {
            truth.frame(path / pieces, first + path % pieces * frames + n)
        })
    };
    let predicted =
        power(spec, scale, &modes, frames, &all(spec.trajectories * members), |path, n| {
            ensemble.frame(path / members, ensemble.given + n, path % members)
        })?;
    let paths = all(truth.trajectories * pieces);
    let real = of_truth(&paths)?;
    let (even, odd): (Vec<usize>, Vec<usize>) = paths.iter().partition(|&&n| n % 2 == 0);
    let halves = match odd.is_empty() {
        true => None,
        false => Some((of_truth(&even)?, of_truth(&odd)?)),
    };
    let interval = spec.time.interval;
    let per_channel = modes.modes.len() * frames;
    let of = |range: Range<usize>| {
        let error =
            |a: &Power, b: &Power| relative(&a[range.clone()], &b[range.clone()], &modes, frames);
        let map = |power: &Power| map(&power[range.clone()], &modes, frames);
        SpaceTimeSpectrum {
            error: error(&predicted, &real),
            error_of_halves: halves.as_ref().map(|(even, odd)| error(even, odd)),
            wavenumber: modes.shells.wavenumbers(),
            frequency: (0..=frames / 2).map(|n| n as f64 / (frames as f64 * interval)).collect(),
            truth: map(&real),
            prediction: map(&predicted),
        }
    };
    let channels = spec.channels.len();
    let each = (0..channels).map(|c| of(c * per_channel..(c + 1) * per_channel)).collect();
    Ok(Some((each, of(0..channels * per_channel))))
}

/// Σ |a − b| / Σ b with the weights of the modes.
fn relative(a: &[f64], b: &[f64], modes: &Modes, frames: usize) -> f64 {
    let weights = modes.modes.iter().cycle().map(|(_, weight)| weight);
    let rows = a.chunks_exact(frames).zip(b.chunks_exact(frames)).zip(weights);
    let (mut error, mut total) = (0.0, 0.0);
    for ((a, b), weight) in rows {
        error += weight * a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>();
        total += weight * b.iter().sum::<f64>();
    }
    error / total
}

/// Mean power by `[|ω|][shell]`.
fn map(power: &[f64], modes: &Modes, frames: usize) -> Vec<f64> {
    let width = modes.shells.count;
    let (mut sums, mut counts) =
        (vec![0.0; (frames / 2 + 1) * width], vec![0.0; (frames / 2 + 1) * width]);
    for (power, &(shell, weight)) in power.chunks_exact(frames).zip(modes.modes.iter().cycle()) {
        for (n, p) in power.iter().enumerate() {
            let place = n.min(frames - n) * width + shell;
            sums[place] += weight * p;
            counts[place] += weight;
        }
    }
    sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect()
}
