//! Opens a data set, checks it, and streams its frames.

use std::f64::consts::TAU;
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use finescale::Boundary;
use serde_json::Value;
use zarrs::array::Array;
use zarrs::group::Group;

use super::fields::{self, Fields};
use super::store::{self, Store};
use super::writer::content_hash;
use super::{
    Attributes, Channel, Climatology, FORMAT_VERSION, Manifest, Segment, SpatialAxis, Spec, Split,
    Splits, Statistics, TimeAxis,
};

/// An open data set. Frames are read when asked for, from any thread.
#[derive(Debug)]
pub struct Reader {
    spec: Spec,
    splits: Splits,
    statistics: Statistics,
    manifest: Manifest,
    climatology: Option<Climatology>,
    hash: String,
    fields: Fields,
}

impl Reader {
    /// Opens the data set in the folder `path`.
    ///
    /// # Errors
    /// One sentence that says what is missing or damaged.
    pub fn open(path: &Path) -> Result<Self> {
        let shown = path.display();
        ensure!(path.exists(), "{shown} does not exist");
        ensure!(
            path.join("zarr.json").is_file(),
            "{shown} is no data set (it has no zarr.json): make one with `finescale data import` \
             or `finescale data simulate`"
        );
        Self::open_group(path).with_context(|| format!("{shown} cannot be opened"))
    }

    fn open_group(path: &Path) -> Result<Self> {
        let store = store::open(path)?;
        let group = Group::open(store.clone(), "/").context("its zarr.json is damaged")?;
        let attributes = group.attributes();
        match attributes.get("finescale_format").and_then(Value::as_u64) {
            Some(FORMAT_VERSION) => {}
            Some(other) => {
                bail!("it has format version {other}; this finescale reads {FORMAT_VERSION}")
            }
            None => bail!(
                "it is a Zarr group, but no finescale data set: import it with `finescale data \
                 import`"
            ),
        }
        let spec = read_spec(&store, attributes)?;
        let shape = [spec.trajectories, spec.frames()];
        let splits = Splits::from_flags(spec.frames(), store::read(&store, "/split", &shape)?)?;
        let statistics = Statistics::read(&store, &spec, splits.count(Split::Train))?;
        let climatology = match path.join("climatology").is_dir() {
            true => Some(Climatology::read(&store, &spec)?),
            false => None,
        };
        let fields = Fields::open(&store, &spec)?;
        let hash =
            text(attributes, "content_hash").context("the attribute `content_hash` is missing")?;
        let manifest = Manifest::from_attributes(attributes)?;
        Ok(Self { spec, splits, statistics, manifest, climatology, hash, fields })
    }

    /// Channels, time and grid.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The part of every frame.
    pub fn splits(&self) -> &Splits {
        &self.splits
    }

    /// Statistics of the training part.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Where the data come from.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The monthly means that were subtracted, if any.
    pub fn climatology(&self) -> Option<&Climatology> {
        self.climatology.as_ref()
    }

    /// Identifies the content: equal for equal values and meaning.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Runs of frames of a part; windows lie inside one segment.
    pub fn segments(&self, split: Split) -> Vec<Segment> {
        self.splits.segments(split)
    }

    /// Reads frames of a trajectory as `[frame][channel][y][x]`.
    ///
    /// # Errors
    /// If the range is outside, a chunk is missing or damaged, or a value is not finite.
    pub fn read(&self, trajectory: usize, frames: Range<usize>) -> Result<Vec<f32>> {
        self.fields.read(trajectory, frames)
    }

    /// Frames that are stored together: reading ranges of whole blocks decodes nothing twice.
    pub fn block(&self) -> usize {
        self.fields.block
    }

    /// Reads everything once and compares it with the hash written when the data set was made.
    ///
    /// # Errors
    /// If anything has changed.
    pub fn verify(&self) -> Result<()> {
        let blocks = (0..self.spec.trajectories)
            .flat_map(|t| (0..self.fields.blocks()).map(move |b| (t, b)))
            .map(|(trajectory, block)| {
                finescale_host::interrupt::check()?;
                let values = self.read(trajectory, self.fields.block_range(block))?;
                Ok(fields::hash(&values))
            });
        let hash = content_hash(&self.spec, blocks)?;
        ensure!(hash == self.hash, "the content has changed since the data set was made");
        Ok(())
    }
}

fn text(attributes: &Attributes, name: &str) -> Option<String> {
    attributes.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn read_spec(store: &Store, attributes: &Attributes) -> Result<Spec> {
    let names = text(attributes, "channels").context("the attribute `channels` is missing")?;
    let mut channels = Vec::new();
    let mut layout = None;
    for name in names.split_whitespace() {
        let array = Array::open(store.clone(), &format!("/{name}"))
            .with_context(|| format!("the array `{name}` is missing or damaged"))?;
        let attributes = array.attributes();
        channels.push(Channel {
            name: name.into(),
            units: text(attributes, "units").unwrap_or_else(|| "1".into()),
            long_name: text(attributes, "long_name").unwrap_or_else(|| name.into()),
            standard_name: text(attributes, "standard_name"),
        });
        layout.get_or_insert_with(|| {
            let names = array.dimension_names().clone().unwrap_or_default();
            let names: Vec<String> = names.into_iter().map(Option::unwrap_or_default).collect();
            (names, array.shape().to_vec())
        });
    }
    let (dimensions, shape) = layout.context("the attribute `channels` names no channel")?;
    ensure!(
        dimensions.len() == shape.len()
            && (3..=4).contains(&shape.len())
            && dimensions[0] == "trajectory"
            && dimensions[1] == "time",
        "`{}` has dimensions {dimensions:?} where (trajectory, time, y, x) or (trajectory, time, \
         x) were expected",
        channels[0].name
    );
    let mut axes =
        dimensions[2..].iter().zip(&shape[2..]).map(|(name, &n)| read_axis(store, name, n));
    let y = if shape.len() == 4 { axes.next().transpose()? } else { None };
    let x = axes.next().context("there is no x axis")??;
    let (values, mut time) = read_coordinate(store, "time", shape[1])?;
    let interval = time
        .remove("frame_interval")
        .and_then(|v| v.as_f64())
        .context("the attribute `frame_interval` of `time` is missing")?;
    time.remove("axis");
    let spec = Spec {
        title: text(attributes, "title").unwrap_or_default(),
        channels,
        trajectories: shape[0] as usize,
        time: TimeAxis { values, attributes: time, interval },
        y,
        x,
    };
    spec.validate()?;
    Ok(spec)
}

fn read_coordinate(store: &Store, name: &str, points: u64) -> Result<(Vec<f64>, Attributes)> {
    let array = store::open_array(store, &format!("/{name}"), &[points as usize])?;
    let values = store::read::<f64>(store, &format!("/{name}"), &[points as usize])?;
    Ok((values, array.attributes().clone()))
}

fn read_axis(store: &Store, name: &str, points: u64) -> Result<SpatialAxis> {
    let (coordinates, mut attributes) = read_coordinate(store, name, points)?;
    attributes.remove("axis");
    let boundary = attributes
        .remove("boundary")
        .and_then(|value| serde_json::from_value::<Boundary>(value).ok())
        .with_context(|| {
            format!("the attribute `boundary` of `{name}` is neither periodic nor reflecting")
        })?;
    let length = match attributes.remove("length") {
        // Data sets of the first kind have no lengths: all their axes are equally long.
        None => TAU,
        Some(value) => value
            .as_f64()
            .with_context(|| format!("the attribute `length` of `{name}` is no number"))?,
    };
    Ok(SpatialAxis { name: name.into(), boundary, coordinates, attributes, length })
}
