//! What a conditional mean leaves: residual paths, and what a predictor of them sees beside them.

use std::ops::Range;

use anyhow::{Result, ensure};
use finescale::mean::ConditionalMean as Evaluator;
use finescale::model::MeanModel;
use finescale::{Field, Grid, Path};
use rayon::prelude::*;

use crate::coarse::Coarsener;
use crate::{Domain, Fields, HostMean};
use finescale_data::dataset::{Reader, Segment, Spec, Split, TimeAxis};
use finescale_field::coarsening::Coarsening;

/// The residuals of a part of a data set.
#[derive(Clone, Debug)]
pub struct Residuals {
    /// The grid of every frame.
    pub grid: Grid,
    /// Channels of a frame.
    pub channels: usize,
    /// Frames of each segment.
    pub segments: Vec<Range<usize>>,
    /// Truth less mean, `[frame][channel][y][x]` in the units of the channels.
    pub fields: Vec<f32>,
    /// [`finescale::mean::ConditionalMean::companions`] of every frame.
    pub companions: Vec<f32>,
}

/// The means of a path and their companions, `[frame][channel][y][x]` and `[frame][field][y][x]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct MeanPath {
    pub(crate) means: Vec<f32>,
    pub(crate) companions: Vec<f32>,
}

impl MeanPath {
    /// Of coarse frames, `[frame][channel][y][x]` at the sensor's points; `before` is asked before
    /// every evaluation.
    pub(crate) fn new(
        mean: &Evaluator<'_>,
        coarse: &[f32],
        scratch: &mut [f32],
        mut before: impl FnMut() -> Result<()>,
    ) -> Result<Self> {
        let (fine, frame) = (mean.model().fine_len(), mean.model().coarse_len());
        let frames = coarse.len() / frame;
        let mut path =
            Self { means: vec![0.0; frames * fine], companions: vec![0.0; 2 * frames * fine] };
        let rows =
            path.means.chunks_exact_mut(fine).zip(path.companions.chunks_exact_mut(2 * fine));
        for (n, (means, companions)) in rows.enumerate() {
            before()?;
            mean.evaluate(Path::coarse_fields(coarse), n, Field::from_mut(means), scratch)?;
            let (seen, companions) = (&coarse[n * frame..][..frame], Field::from_mut(companions));
            mean.companions(Field::coarse(seen), Field::new(means), companions, scratch)?;
        }
        Ok(path)
    }
}

impl Residuals {
    /// Reads a part and lets the sensor of the mean see it, with its noise of this seed.
    ///
    /// # Errors
    /// If the data set has other fields than the mean or lacks the part, or after Ctrl-C.
    pub fn read(mean: &HostMean, reader: &Reader, split: Split, seed: u64) -> Result<Self> {
        let view = mean.view()?;
        let (spec, domain) = (reader.spec(), Domain::from(&view));
        let names: Vec<&str> = spec.channels.iter().map(|channel| channel.name.as_str()).collect();
        ensure!(
            spec.grid()? == domain.grid && names == domain.names(),
            "the data set has another grid or other channels than the mean `{}`: give the one that \
             it was trained on",
            view.name()
        );
        let parts = reader.segments(split);
        ensure!(!parts.is_empty(), "the data set has no {} frames", split.name());
        let read = |(n, segment): (usize, &Segment)| {
            finescale_host::interrupt::check()?;
            // Every segment has noise of its own.
            let seed = seed.wrapping_add((n as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            Self::segment(&view, &domain, reader, segment, seed)
        };
        let read: Vec<[Vec<f32>; 2]> =
            parts.par_iter().enumerate().map(|(n, part)| read((n, part))).collect::<Result<_>>()?;
        let (mut start, mut segments) = (0, Vec::new());
        for part in &parts {
            segments.push(start..start + part.frames.len());
            start += part.frames.len();
        }
        let (mut fields, mut companions) = (Vec::new(), Vec::new());
        for [residuals, seen] in read {
            fields.extend(residuals);
            companions.extend(seen);
        }
        Ok(Self { grid: domain.grid, channels: names.len(), segments, fields, companions })
    }

    /// Residuals and companions of a segment.
    fn segment(
        view: &MeanModel<'_>,
        domain: &Domain,
        reader: &Reader,
        segment: &Segment,
        seed: u64,
    ) -> Result<[Vec<f32>; 2]> {
        let mut memory = vec![0.0; Evaluator::memory_len(view)];
        let mean = Evaluator::new(view, &mut memory)?;
        let mut scratch = vec![0.0; Evaluator::scratch_len(view)];
        let (coarsening, points) = (Coarsening::from(view.sensor()), view.coarse_points());
        let noise = domain.channels.iter().map(|channel| view.noise() * channel.std).collect();
        let coarsener = Coarsener { domain, points, coarsening, noise, seed };
        let all = reader.spec();
        let time = all.time.values[segment.frames.clone()].to_vec();
        let spec = Spec {
            trajectories: 1,
            time: TimeAxis { values: time, ..all.time.clone() },
            ..all.clone()
        };
        let values = reader.read(segment.trajectory, segment.frames.clone())?;
        let mut fine = Fields { spec, values };
        let coarse = coarsener.coarsen(&fine)?.values;
        let check = || Ok(finescale_host::interrupt::check()?);
        let path = MeanPath::new(&mean, &coarse, &mut scratch, check)?;
        fine.values.iter_mut().zip(&path.means).for_each(|(value, mean)| *value -= mean);
        Ok([fine.values, path.companions])
    }

    /// Root mean square of every channel.
    pub fn deviations(&self) -> Vec<f64> {
        let mut sums = vec![0.0_f64; self.channels];
        let fields = self.fields.chunks_exact(self.grid.points());
        for (n, field) in fields.enumerate() {
            sums[n % self.channels] += field.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>();
        }
        let count = (self.fields.len() / self.channels.max(1)).max(1) as f64;
        sums.iter().map(|sum| (sum / count).sqrt()).collect()
    }
}
