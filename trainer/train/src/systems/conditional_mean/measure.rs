//! What is measured with a finished network on the validation part: the errors of the mean.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

use anyhow::Result;
use finescale::{Field, Grid, spectral};
use finescale_data::dataset::SpectralFrames;
use finescale_model::linear::PackedAutocovariance;

use super::batch::{Held, Tables};
use super::frames::{Part, by_blocks};
use super::known::squares;
use super::network::Mapped;
use super::settings::Mean;
use crate::config::Precision;
use crate::engine::frames::numbers;
use crate::engine::kernels::Kernels;

/// Frames that are evaluated together.
const TOGETHER: usize = 32;

/// The Gaussian that errors are taken for.
pub struct Errors {
    /// Root mean square at every point, `[channel][y][x]`.
    pub spread: Vec<f32>,
    /// Second moments of the errors over it.
    pub autocovariance: PackedAutocovariance,
}

impl Errors {
    /// Of the errors of a part, `[frame][channel][y][x]`: of the frames whose whole window is there
    /// where segments are long enough, otherwise of all.
    ///
    /// # Errors
    /// If no segment has `window + 1` frames.
    pub fn of(errors: &[f32], part: &Part, settings: &Mean, grid: &Grid) -> Result<Self> {
        let frame = errors.len() / part.frames();
        let channels = frame / grid.points();
        let inner = |segment: &Range<usize>| {
            segment.start + settings.before..segment.end.saturating_sub(settings.after)
        };
        let mut taken: Vec<_> = part.segments.iter().map(inner).collect();
        if taken.iter().all(|segment| segment.len() <= settings.window) {
            taken.clone_from(&part.segments);
        }
        let mut kept = Vec::new();
        let mut segments = Vec::new();
        for segment in taken.into_iter().filter(|segment| !segment.is_empty()) {
            let start = kept.len() / frame;
            segments.push(start..start + segment.len());
            kept.extend_from_slice(&errors[segment.start * frame..segment.end * frame]);
        }
        let spread: Vec<f32> = squares(&kept, frame).into_iter().map(f32::sqrt).collect();
        let values = by_blocks(&kept, frame, |errors| {
            let mut spectra: Vec<f32> = errors
                .iter()
                .zip(spread.iter().cycle())
                // Where nothing is wrong, nothing has a size.
                .map(|(error, spread)| if *spread > 0.0 { error / spread } else { 0.0 })
                .collect();
            let mut scratch = vec![0.0; spectral::scratch_len(grid)];
            spectral::forward(grid, Field::from_mut(&mut spectra), &mut scratch)?;
            Ok(spectra)
        })?;
        let frames = SpectralFrames { grid: *grid, channels, segments, values };
        let autocovariance = PackedAutocovariance::estimate(&frames, settings.window)?;
        Ok(Self { spread, autocovariance })
    }
}

/// Errors of the mean with a network, of all frames of a part, `[frame][channel][y][x]`.
///
/// # Errors
/// After Ctrl-C.
pub fn errors<B: Kernels>(
    network: &Mapped<B>,
    part: &Held<B>,
    tables: &Tables<B>,
) -> Result<Vec<f32>> {
    let frames: Vec<usize> = (0..part.frames()).collect();
    let mut errors = Vec::new();
    for some in frames.chunks(TOGETHER) {
        finescale_host::interrupt::check()?;
        let batch = tables.batch(part, &part.of(tables.settings(), some.to_vec()));
        let out = network.forward(batch.fields, Precision::Full);
        errors.extend(numbers((batch.target - out) * tables.deviation.clone()));
    }
    Ok(errors)
}

/// Relative L² errors of some frames of a part, of every channel and then of all: squares of errors
/// over those of the truth, in standard deviations from the mean of each channel.
pub fn relative(
    errors: &[f32],
    part: &Part,
    climatology: &[f32],
    points: usize,
    counts: impl Fn(usize) -> bool,
) -> Vec<f64> {
    let (channels, frame) = (climatology.len() / points, climatology.len());
    let mut sums = vec![[0.0, 0.0]; channels];
    let frames = errors.chunks_exact(frame).zip(part.fine.chunks_exact(frame)).enumerate();
    for (_, (errors, anomalies)) in frames.filter(|(n, _)| counts(*n)) {
        let values = errors.iter().zip(anomalies).zip(climatology);
        for (n, ((error, anomaly), mean)) in values.enumerate() {
            let [wrong, whole] = &mut sums[n / points];
            *wrong += f64::from(*error).powi(2);
            *whole += (f64::from(*anomaly) + f64::from(*mean)).powi(2);
        }
    }
    let all = sums.iter().fold([0.0, 0.0], |all, sum| [all[0] + sum[0], all[1] + sum[1]]);
    sums.iter().chain([&all]).map(|[wrong, whole]| (wrong / whole).sqrt()).collect()
}

/// Adds the relative errors of base and mean to the figures, by name, and to the text for people.
pub fn put(
    which: &str,
    names: &[&str],
    [base, mean]: [&[f64]; 2],
    figures: &mut BTreeMap<String, f64>,
    text: &mut String,
) {
    let _ = writeln!(text, "relative L² error on the validation part, {which} (base → mean):");
    // Of one channel, all is the same.
    let all = (names.len() > 1).then_some("all channels");
    let names = names.iter().copied().chain(all);
    for (name, (base, mean)) in names.zip(base.iter().zip(mean)) {
        figures.insert(format!("relative error, {name}, {which}"), *mean);
        figures.insert(format!("relative error, {name}, {which}, base"), *base);
        let _ = writeln!(text, "  {name:<16} {base:.4} → {mean:.4}");
    }
}
