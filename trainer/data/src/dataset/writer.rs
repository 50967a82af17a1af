//! Writes a data set: trajectories in any order, from any thread; then statistics, splits and
//! manifest.

use finescale_host::digest::hex;
use std::path::Path;
use std::sync::Mutex;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::fields::Fields;
use super::staging::Staging;
use super::statistics::{self, Statistics};
use super::store::{self, Store};
use super::{Attributes, Climatology, FORMAT_VERSION, Manifest, Spec, Splits};

/// A data set in the making; dropped before [`Writer::finish`], it leaves nothing behind.
///
/// ```no_run
/// # use finescale::Boundary;
/// # use finescale_data::dataset::*;
/// # fn main() -> anyhow::Result<()> {
/// let spec = Spec {
///     title: "a standing wave".into(),
///     channels: vec![Channel::new("u", "m s-1", "velocity")],
///     trajectories: 10,
///     time: TimeAxis::model(64, 0.1),
///     y: None,
///     x: SpatialAxis::two_pi("x", 32, Boundary::Periodic),
/// };
/// let writer = Writer::create("wave.zarr".as_ref(), &spec, false)?;
/// for trajectory in 0..10 {
///     writer.write(trajectory, &vec![0.5; 64 * 32])?;
/// }
/// let splits = SplitRule::by_trajectory(10).apply(10, 64)?;
/// writer.finish(&splits, &Manifest::new(serde_json::json!({})))?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Writer {
    spec: Spec,
    store: Store,
    fields: Fields,
    climatology: Option<Climatology>,
    /// Hash of every block, `[trajectory][block]`.
    hashes: Mutex<Vec<Option<[u8; 32]>>>,
    // Last, so that the folder goes when nothing uses it any more.
    staging: Staging,
}

impl Writer {
    /// Starts a data set that will appear at `path`; with `force` it replaces the data set there.
    ///
    /// # Errors
    /// One sentence if the shape does not fit, the path is taken or the folder cannot be written.
    pub fn create(path: &Path, spec: &Spec, force: bool) -> Result<Self> {
        Self::create_anomalies(path, spec, None, force)
    }

    /// As [`Writer::create`], for values from which `climatology` was subtracted; it is stored with
    /// them.
    ///
    /// # Errors
    /// As [`Writer::create`].
    pub(crate) fn create_anomalies(
        path: &Path,
        spec: &Spec,
        climatology: Option<Climatology>,
        force: bool,
    ) -> Result<Self> {
        spec.validate()?;
        let staging = Staging::new(path, force)?;
        let store = store::open(staging.path())?;
        let fields = Fields::create(&store, spec, climatology.is_some())?;
        let hashes = Mutex::new(vec![None; spec.trajectories * fields.blocks()]);
        Ok(Self { spec: spec.clone(), store, fields, climatology, hashes, staging })
    }

    /// What is being written.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Frames of a block for [`Writer::write_block`].
    pub fn block(&self) -> usize {
        self.fields.block
    }

    /// Writes a whole trajectory, `[frame][channel][y][x]`.
    ///
    /// # Errors
    /// If the length is wrong, a value is not finite or the disk refuses.
    pub fn write(&self, trajectory: usize, values: &[f32]) -> Result<()> {
        let expected = self.spec.frames() * self.spec.frame_len();
        ensure!(
            values.len() == expected,
            "trajectory {trajectory} has {} values where {expected} were expected",
            values.len()
        );
        let blocks = values.chunks(self.block() * self.spec.frame_len());
        blocks
            .enumerate()
            .try_for_each(|(block, values)| self.write_block(trajectory, block, values))
    }

    /// Writes frames `block · n …` of a trajectory, n being [`Writer::block`]: all n, fewer in the
    /// last block. For trajectories that do not fit into memory.
    ///
    /// # Errors
    /// As [`Writer::write`].
    pub fn write_block(&self, trajectory: usize, block: usize, values: &[f32]) -> Result<()> {
        finescale_host::interrupt::check()?;
        let hash = self.fields.write_block(trajectory, block, values)?;
        let mut hashes =
            self.hashes.lock().map_err(|_| anyhow::anyhow!("another writer failed"))?;
        hashes[trajectory * self.fields.blocks() + block] = Some(hash);
        Ok(())
    }

    /// Computes the statistics of the training part, writes the rest and gives the data set its
    /// name.
    ///
    /// # Errors
    /// If a trajectory was not written, a channel is constant or the disk refuses.
    pub fn finish(self, splits: &Splits, manifest: &Manifest) -> Result<Statistics> {
        let (store, spec) = (&self.store, &self.spec);
        ensure!(
            splits.flags().len() == spec.trajectories * spec.frames(),
            "the splits have {} frames where the data set has {}",
            splits.flags().len(),
            spec.trajectories * spec.frames()
        );
        let hash = self.content_hash()?;
        let statistics = statistics::compute(spec, splits, &self.fields)?;
        write_coordinates(store, spec)?;
        let dimensions = [("trajectory", spec.trajectories), ("time", spec.frames())];
        let flags = Attributes::from_iter([
            ("long_name".into(), json!("part of the data set that a frame belongs to")),
            ("flag_values".into(), json!([-1, 0, 1, 2])),
            ("flag_meanings".into(), json!("gap train valid test")),
        ]);
        store::write(store, "/split", &dimensions, splits.flags(), flags)?;
        statistics.write(store, spec)?;
        if let Some(climatology) = &self.climatology {
            climatology.write(store, spec)?;
        }
        let mut attributes = manifest.to_attributes();
        let names: Vec<&str> = spec.channels.iter().map(|c| c.name.as_str()).collect();
        attributes.extend([
            ("Conventions".to_owned(), json!("CF-1.11")),
            ("title".to_owned(), json!(spec.title)),
            ("finescale_format".to_owned(), json!(FORMAT_VERSION)),
            ("channels".to_owned(), json!(names.join(" "))),
            ("content_hash".to_owned(), json!(hash)),
        ]);
        store::write_group(store, "/", attributes)?;
        finescale_host::interrupt::check()?;
        self.staging.publish()?;
        Ok(statistics)
    }

    /// SHA-256 over what the values mean and the hashes of all blocks in order; independent of
    /// threads.
    fn content_hash(&self) -> Result<String> {
        let hashes = self.hashes.lock().map_err(|_| anyhow::anyhow!("a writer failed"))?;
        let blocks = hashes.iter().enumerate().map(|(n, hash)| {
            hash.with_context(|| format!("trajectory {} was not written", n / self.fields.blocks()))
        });
        content_hash(&self.spec, blocks)
    }
}

pub(super) fn content_hash(
    spec: &Spec,
    blocks: impl Iterator<Item = Result<[u8; 32]>>,
) -> Result<String> {
    let mut digest = Sha256::new();
    digest.update(serde_json::to_vec(spec)?);
    for block in blocks {
        digest.update(block?);
    }
    Ok(hex(&digest.finalize()))
}

fn write_coordinates(store: &Store, spec: &Spec) -> Result<()> {
    let indices: Vec<i64> = (0..spec.trajectories as i64).collect();
    let attributes = Attributes::from_iter([("long_name".into(), json!("trajectory"))]);
    store::write(store, "/trajectory", &[("trajectory", indices.len())], &indices, attributes)?;
    let mut attributes = spec.time.attributes.clone();
    attributes.extend([
        ("axis".to_owned(), json!("T")),
        ("frame_interval".to_owned(), json!(spec.time.interval)),
    ]);
    store::write(store, "/time", &[("time", spec.frames())], &spec.time.values, attributes)?;
    for (axis, letter) in spec.axes().rev().zip(["X", "Y"]) {
        let mut attributes = axis.attributes.clone();
        attributes.extend([
            ("axis".to_owned(), json!(letter)),
            ("boundary".to_owned(), json!(axis.boundary.name())),
            ("length".to_owned(), json!(axis.length)),
        ]);
        let path = format!("/{}", axis.name);
        store::write(store, &path, &[(&axis.name, axis.points())], &axis.coordinates, attributes)?;
    }
    Ok(())
}
