//! The channels' arrays: blocks of frames in, ranges of frames out.

use std::ops::Range;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use sha2::{Digest, Sha256};
use zarrs::array::ArraySubset;

use super::store::{self, Store, StoredArray};
use super::{Attributes, Spec};

/// Bytes of a chunk that readers fetch at once; a few windows of a typical grid.
const CHUNK_BYTES: usize = 1 << 20;

/// Frames of a chunk: as many as make about a mebibyte per channel.
fn frames_per_chunk(spec: &Spec) -> usize {
    (CHUNK_BYTES / (4 * spec.points())).clamp(1, spec.frames())
}

/// One array `(trajectory, time, y, x)` or `(trajectory, time, x)` per channel.
#[derive(Debug)]
pub(super) struct Fields {
    arrays: Vec<StoredArray>,
    names: Vec<String>,
    trajectories: usize,
    frames: usize,
    points: usize,
    /// Frames of a chunk.
    pub(super) block: usize,
}

impl Fields {
    fn new(spec: &Spec, block: usize, arrays: Vec<StoredArray>) -> Self {
        Self {
            arrays,
            names: spec.channels.iter().map(|c| c.name.clone()).collect(),
            trajectories: spec.trajectories,
            frames: spec.frames(),
            points: spec.points(),
            block,
        }
    }

    pub(super) fn create(store: &Store, spec: &Spec, anomaly: bool) -> Result<Self> {
        let block = frames_per_chunk(spec);
        let mut dimensions = vec![("trajectory", spec.trajectories), ("time", spec.frames())];
        dimensions.extend(spec.axes().map(|axis| (axis.name.as_str(), axis.points())));
        let mut chunk = vec![1, block];
        chunk.extend(spec.axes().map(|axis| axis.points()));
        let arrays = spec.channels.iter().map(|channel| {
            let mut attributes = Attributes::from_iter([
                ("units".into(), json!(channel.units)),
                ("long_name".into(), json!(channel.long_name)),
            ]);
            if let Some(name) = &channel.standard_name {
                attributes.insert("standard_name".into(), json!(name));
            }
            if anomaly {
                attributes.insert("anomaly".into(), json!("monthly"));
            }
            let path = format!("/{}", channel.name);
            store::create::<f32>(store, &path, &dimensions, &chunk, attributes)
        });
        Ok(Self::new(spec, block, arrays.collect::<Result<_>>()?))
    }

    pub(super) fn open(store: &Store, spec: &Spec) -> Result<Self> {
        let mut shape = vec![spec.trajectories, spec.frames()];
        shape.extend(spec.axes().map(|axis| axis.points()));
        let arrays: Vec<StoredArray> = spec
            .channels
            .iter()
            .map(|channel| store::open_array(store, &format!("/{}", channel.name), &shape))
            .collect::<Result<_>>()?;
        Ok(Self::new(spec, frames_per_chunk(spec), arrays))
    }

    fn frame_len(&self) -> usize {
        self.arrays.len() * self.points
    }

    /// Number of chunks along time.
    pub(super) fn blocks(&self) -> usize {
        self.frames.div_ceil(self.block)
    }

    /// Frames of a chunk along time.
    pub(super) fn block_range(&self, block: usize) -> Range<usize> {
        block * self.block..((block + 1) * self.block).min(self.frames)
    }

    /// Writes `[frame][channel][y][x]`, all frames of one block, and returns their hash.
    pub(super) fn write_block(
        &self,
        trajectory: usize,
        block: usize,
        values: &[f32],
    ) -> Result<[u8; 32]> {
        let range = self.block_range(block);
        ensure!(
            trajectory < self.trajectories && values.len() == range.len() * self.frame_len(),
            "block {block} of trajectory {trajectory} has {} values where {} frames of {} were \
             expected",
            values.len(),
            range.len(),
            self.frame_len()
        );
        self.check_finite(trajectory, range.start, values)?;
        for (c, array) in self.arrays.iter().enumerate() {
            // The last chunk is stored whole; what lies beyond the last frame is never read.
            let mut chunk = vec![f32::NAN; self.block * self.points];
            for (to, frame) in
                chunk.chunks_exact_mut(self.points).zip(values.chunks_exact(self.frame_len()))
            {
                to.copy_from_slice(&frame[c * self.points..][..self.points]);
            }
            let mut index = vec![trajectory as u64, block as u64];
            index.resize(array.dimensionality(), 0);
            array.store_chunk(&index, chunk).with_context(|| {
                format!("cannot write `{}` of trajectory {trajectory}", self.names[c])
            })?;
        }
        Ok(hash(values))
    }

    /// Reads frames as `[frame][channel][y][x]`.
    pub(super) fn read(&self, trajectory: usize, frames: Range<usize>) -> Result<Vec<f32>> {
        ensure!(
            trajectory < self.trajectories && frames.end <= self.frames,
            "trajectory {trajectory}, frames {}..{} lie outside of {} trajectories of {} frames",
            frames.start,
            frames.end,
            self.trajectories,
            self.frames
        );
        let mut values = vec![0.0; frames.len() * self.frame_len()];
        for (c, array) in self.arrays.iter().enumerate() {
            let mut ranges = vec![
                trajectory as u64..trajectory as u64 + 1,
                frames.start as u64..frames.end as u64,
            ];
            ranges.extend(array.shape()[2..].iter().map(|&n| 0..n));
            let field: Vec<f32> = array
                .retrieve_array_subset(&ArraySubset::new_with_ranges(&ranges))
                .with_context(|| {
                    format!(
                        "`{}` of trajectory {trajectory} cannot be read: the data set is damaged",
                        self.names[c]
                    )
                })?;
            let frames = values.chunks_exact_mut(self.frame_len());
            for (frame, field) in frames.zip(field.chunks_exact(self.points)) {
                frame[c * self.points..][..self.points].copy_from_slice(field);
            }
        }
        self.check_finite(trajectory, frames.start, &values)?;
        Ok(values)
    }

    fn check_finite(&self, trajectory: usize, first: usize, values: &[f32]) -> Result<()> {
        let Some(at) = values.iter().position(|v| !v.is_finite()) else { return Ok(()) };
        let (frame, channel) = (at / self.frame_len(), at % self.frame_len() / self.points);
        bail!(
            "`{}` is {} in frame {} of trajectory {trajectory}: a data set holds finite numbers \
             only",
            self.names[channel],
            values[at],
            first + frame
        );
    }
}

/// SHA-256 of values as little-endian bytes.
pub(super) fn hash(values: &[f32]) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut bytes = [0_u8; 4096];
    for values in values.chunks(bytes.len() / 4) {
        for (bytes, value) in bytes.chunks_exact_mut(4).zip(values) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        digest.update(&bytes[..values.len() * 4]);
    }
    digest.finalize().into()
}
