//! What a conditional mean learns from, in memory: fine frames, and what the sensor sees of them.

use std::ops::Range;

use anyhow::Result;
use finescale::{Modes, spectral};
use finescale_data::dataset::{Reader, SpectralFrames, Split};
use finescale_field::noise::Purpose;
use rayon::prelude::*;

use super::sensor::Sensor;

/// Frames that are worked on together.
const BLOCK: usize = 64;

/// The frames of a part, as anomalies in standard deviations.
#[derive(Clone, Debug)]
pub struct Part {
    /// Frames of each segment.
    pub segments: Vec<Range<usize>>,
    /// `[frame][channel][y][x]`.
    pub fine: Vec<f32>,
    /// `[frame][channel][y′][x′]`.
    pub coarse: Vec<f32>,
}

impl Part {
    /// Reads a part; coarse frames are still missing.
    ///
    /// # Errors
    /// As [`SpectralFrames::read`].
    pub fn read(reader: &Reader, split: Split) -> Result<Self> {
        let SpectralFrames { grid, segments, values, channels } =
            SpectralFrames::read(reader, split)?;
        let fine = by_blocks(&values, channels * grid.points(), |spectra| {
            let mut fields = spectra.to_vec();
            let mut scratch = vec![0.0; spectral::scratch_len(&grid)];
            spectral::inverse(&grid, Modes::from_mut(&mut fields), &mut scratch)?;
            Ok(fields)
        })?;
        Ok(Self { segments, fine, coarse: Vec::new() })
    }

    /// Frames.
    pub fn frames(&self) -> usize {
        self.segments.last().map_or(0, |segment| segment.end)
    }

    /// The frames that have so many before and after them in their segment.
    pub fn whole(&self, before: usize, after: usize) -> Vec<usize> {
        let whole = |segment: &Range<usize>| {
            segment.start + before..segment.end.saturating_sub(after).max(segment.start + before)
        };
        self.segments.iter().flat_map(whole).collect()
    }

    /// Subtracts a field from every frame, and lets the sensor see what is left.
    ///
    /// # Errors
    /// Never for fields of the sensor's grid.
    pub fn see(&mut self, climatology: &[f32], sensor: &Sensor) -> Result<()> {
        for frame in self.fine.chunks_exact_mut(climatology.len()) {
            frame.iter_mut().zip(climatology).for_each(|(value, mean)| *value -= mean);
        }
        self.coarse = by_blocks(&self.fine, climatology.len(), |fields| sensor.values(fields))?;
        Ok(())
    }

    /// Coarse frames with the noise of a sensor; `member` tells parts apart.
    pub fn noisy(&self, noise: f32, seed: u64, member: u32) -> Vec<f32> {
        let mut seen = self.coarse.clone();
        if noise > 0.0 {
            let frame = seen.len() / self.frames().max(1);
            for (n, values) in seen.chunks_exact_mut(frame).enumerate() {
                let stream = Purpose::Training.stream(seed, member, n as u32, 0);
                values.iter_mut().zip(stream.normals()).for_each(|(value, w)| *value += noise * w);
            }
        }
        seen
    }

    /// Mean of the fine frames, `[channel][y][x]`.
    pub fn mean(&self) -> Vec<f32> {
        let mut sums = vec![0.0_f64; self.fine.len() / self.frames().max(1)];
        for frame in self.fine.chunks_exact(sums.len()) {
            sums.iter_mut().zip(frame).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        sums.iter().map(|sum| (sum / self.frames() as f64) as f32).collect()
    }
}

/// Frames n − before … n + after of a part; the nearest that is there stands for one that is not.
pub fn window(
    segments: &[Range<usize>],
    n: usize,
    before: usize,
    after: usize,
) -> impl Iterator<Item = usize> + use<> {
    let segment = &segments[segments.partition_point(|segment| segment.end <= n)];
    let (first, last) = (segment.start, segment.end - 1);
    (0..=before + after).map(move |place| (n + place).saturating_sub(before).clamp(first, last))
}

/// Applies a map of frames to all, on every core.
pub fn by_blocks(
    values: &[f32],
    frame: usize,
    map: impl Fn(&[f32]) -> Result<Vec<f32>> + Sync,
) -> Result<Vec<f32>> {
    let blocks = values.par_chunks(BLOCK * frame).map(|block| {
        finescale_host::interrupt::check()?;
        map(block)
    });
    Ok(blocks.collect::<Result<Vec<_>>>()?.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If it failed, a mean would be trained with the very errors that its baseline learns from.
    #[test]
    fn the_errors_of_a_sensor_are_nobody_elses() {
        let part = Part { segments: vec![0..1, 1..2], fine: Vec::new(), coarse: vec![0.0; 16] };
        let seen = part.noisy(1.0, 0, 0);
        assert!(seen.iter().all(|error| *error != 0.0));
        for purpose in Purpose::ALL.into_iter().filter(|purpose| *purpose != Purpose::Training) {
            let mut normals = vec![0.0; 8];
            purpose.stream(0, 0, 0, 0).fill(&mut normals);
            assert_ne!(seen[..8], normals, "{purpose:?}");
        }
    }

    /// If it failed, windows would look into another trajectory.
    #[test]
    fn windows_stay_inside_their_segment() {
        let segments = [0..3, 3..9];
        let of = |n| window(&segments, n, 2, 3).collect::<Vec<_>>();
        assert_eq!(of(0), [0, 0, 0, 1, 2, 2]);
        assert_eq!(of(2), [0, 1, 2, 2, 2, 2]);
        assert_eq!(of(3), [3, 3, 3, 4, 5, 6]);
        assert_eq!(of(5), [3, 4, 5, 6, 7, 8]);
        assert_eq!(of(8), [6, 7, 8, 8, 8, 8]);
    }
}
