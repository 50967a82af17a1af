//! The frames of a part of a data set as spectra, in memory.

use std::ops::Range;

use anyhow::{Result, ensure};
use finescale::{Field, Grid};
use rayon::prelude::*;

use super::{Reader, Split};

/// Standardised spectra (zero mean and unit variance for each channel on the training part; the
/// runtime's orthonormal transform), `[frame][channel][mode]`, of whole segments one after the
/// other.
#[derive(Clone, Debug)]
pub struct SpectralFrames {
    /// The grid of every frame.
    pub grid: Grid,
    /// Channels of a frame.
    pub channels: usize,
    /// Frames of each segment; windows lie inside one.
    pub segments: Vec<Range<usize>>,
    /// `[frame][channel][mode]`.
    pub values: Vec<f32>,
}

impl SpectralFrames {
    /// Reads and transforms a part.
    ///
    /// # Errors
    /// If the part is empty or unreadable, or the grid is none of the runtime's.
    pub fn read(reader: &Reader, split: Split) -> Result<Self> {
        let spec = reader.spec();
        let grid = spec.grid()?;
        let channels = spec.channels.len();
        let segments = reader.segments(split);
        ensure!(
            !segments.is_empty(),
            "the data set has no {} frames: make it with more trajectories or frames",
            split.name()
        );
        let scale = reader.statistics().scale();
        for (channel, std) in spec.channels.iter().zip(&scale.std) {
            ensure!(*std > 0.0, "the channel `{}` is constant: leave it out", channel.name);
        }
        let parts: Vec<Vec<f32>> = segments
            .par_iter()
            .map(|segment| {
                finescale_host::interrupt::check()?;
                let mut values = reader.read(segment.trajectory, segment.frames.clone())?;
                scale.spectra(&grid, Field::from_mut(&mut values))?;
                Ok(values)
            })
            .collect::<Result<_>>()?;
        let mut start = 0;
        let segments = segments
            .iter()
            .map(|segment| {
                let range = start..start + segment.frames.len();
                start = range.end;
                range
            })
            .collect();
        Ok(Self { grid, channels, segments, values: parts.concat() })
    }

    /// Values of a frame.
    pub fn frame_len(&self) -> usize {
        self.channels * self.grid.points()
    }

    /// `[channel][mode]` of a frame.
    pub fn frame(&self, frame: usize) -> &[f32] {
        &self.values[frame * self.frame_len()..][..self.frame_len()]
    }

    /// The first frames of all runs of `frames` frames that lie inside one segment.
    ///
    /// # Errors
    /// If no segment is that long.
    pub fn windows(&self, frames: usize) -> Result<Vec<usize>> {
        windows(&self.segments, frames)
    }

    /// At most `count` runs of `frames` frames, evenly spread, `[frame][channel][mode]` each.
    ///
    /// # Errors
    /// If no segment is that long.
    pub fn paths(&self, frames: usize, count: usize) -> Result<Vec<&[f32]>> {
        let frame = self.channels * self.grid.points();
        let starts = spread(&self.windows(frames)?, count);
        Ok(starts.into_iter().map(|n| &self.values[n * frame..(n + frames) * frame]).collect())
    }
}

/// At most `count` of `all`, evenly spread.
pub fn spread<T: Copy>(all: &[T], count: usize) -> Vec<T> {
    let n = count.min(all.len());
    (0..n).map(|i| all[i * all.len() / n]).collect()
}

/// The first frames of all runs of `frames` frames that lie inside one segment.
///
/// # Errors
/// If no segment is that long.
pub fn windows(segments: &[Range<usize>], frames: usize) -> Result<Vec<usize>> {
    let starts: Vec<usize> = segments
        .iter()
        .flat_map(|range| range.start..(range.end + 1).saturating_sub(frames).max(range.start))
        .collect();
    let longest = segments.iter().map(Range::len).max().unwrap_or(0);
    ensure!(
        !starts.is_empty(),
        "runs of {frames} frames are needed, but the longest of the data set has {longest}: use a \
         shorter window or longer trajectories"
    );
    Ok(starts)
}
