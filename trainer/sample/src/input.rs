//! Fields that a task starts from: our data sets, or any file that import reads.

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use super::check;
use super::domain::Domain;
use finescale_data::dataset::{Channel, Reader, Spec, Split, TimeAxis};
use finescale_data::import::{self, Fill, Options, source};

/// What to take of the input.
#[derive(Clone, Debug, Args)]
pub struct InputArgs {
    /// Part of a data set to take
    #[arg(long, value_parser = ["train", "valid", "test", "all"], default_value = "test")]
    split: String,
    /// Trajectories to take, the first ones; by default all
    #[arg(long, value_name = "N")]
    trajectories: Option<usize>,
    /// Variables of a file that are the model's channels, in their order; by default those of the
    /// same names
    #[arg(long = "var", value_name = "NAME,…", value_delimiter = ',')]
    variables: Vec<String>,
    /// Steps of a file to take: indices (b excluded) or dates, as `finescale data import` has them
    #[arg(long, value_name = "A:B")]
    time: Option<String>,
    /// Fills missing values of a file, as `finescale data import` does
    #[arg(long, value_name = "METHOD,…", value_delimiter = ',')]
    fill: Vec<Fill>,
}

/// Fields in memory, in physical units, with the model's channels in its order.
#[derive(Clone, Debug)]
pub struct Fields {
    /// Channels, times, axes and number of trajectories.
    pub spec: Spec,
    /// `[trajectory][frame][channel][y][x]`.
    pub values: Vec<f32>,
}

/// What the input's grid must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The model's.
    Full,
    /// The model's or a coarser one.
    AtMost,
}

impl InputArgs {
    /// How many trajectories were asked for.
    pub fn trajectories(&self) -> Option<usize> {
        self.trajectories
    }

    /// Reads the fields and checks that they fit the model. `frames`: how many of each path, the
    /// first ones; fewer if there are fewer.
    ///
    /// # Errors
    /// One sentence that says what does not fit, and what would.
    pub fn read(
        &self,
        path: &Path,
        model: impl Into<Domain>,
        resolution: Resolution,
        frames: Option<usize>,
    ) -> Result<Fields> {
        let domain = &model.into();
        ensure!(self.trajectories != Some(0), "--trajectories is 0: take at least 1");
        let shown = path.display();
        let ours = path.is_dir() && {
            let attributes = source::open(path, None)?.attributes()?;
            ensure!(
                !attributes.contains_key("finescale_ensemble"),
                "{shown} holds predictions: give the data that they were made from"
            );
            attributes.contains_key("finescale_format")
        };
        let fields = if ours {
            self.data_set(path, domain, frames)?
        } else {
            self.file(path, domain, resolution, frames)?
        };
        check::grid(&fields.spec, domain, resolution).with_context(|| shown.to_string())?;
        check::finite(&fields).with_context(|| shown.to_string())?;
        Ok(fields)
    }

    fn data_set(&self, path: &Path, domain: &Domain, frames: Option<usize>) -> Result<Fields> {
        let reader = Reader::open(path)?;
        let spec = reader.spec();
        let order = channels(spec, domain).with_context(|| path.display().to_string())?;
        let (range, mut trajectories) = self.range(&reader)?;
        let range =
            range.start..range.end.min(range.start.saturating_add(frames.unwrap_or(usize::MAX)));
        trajectories.truncate(self.trajectories.unwrap_or(usize::MAX));
        let (points, frame) = (spec.points(), spec.frame_len());
        let mut values = Vec::new();
        for &trajectory in &trajectories {
            finescale_host::interrupt::check()?;
            for frame in reader.read(trajectory, range.clone())?.chunks_exact(frame) {
                for &channel in &order {
                    values.extend_from_slice(&frame[channel * points..][..points]);
                }
            }
        }
        let spec = Spec {
            channels: order.iter().map(|&c| spec.channels[c].clone()).collect(),
            trajectories: trajectories.len(),
            time: TimeAxis { values: spec.time.values[range].to_vec(), ..spec.time.clone() },
            ..spec.clone()
        };
        Ok(Fields { spec, values })
    }

    /// The frames to take, and the trajectories that have them.
    fn range(&self, reader: &Reader) -> Result<(Range<usize>, Vec<usize>)> {
        let spec = reader.spec();
        let Some(split) = Split::ALL.into_iter().find(|split| split.name() == self.split) else {
            return Ok((0..spec.frames(), (0..spec.trajectories).collect()));
        };
        let segments = reader.segments(split);
        let longest = segments.iter().max_by_key(|s| (s.frames.len(), usize::MAX - s.frames.start));
        let Some(longest) = longest else {
            bail!("the data set has no {} part: choose another --split", split.name())
        };
        let range = longest.frames.clone();
        let has = |s: &&finescale_data::dataset::Segment| {
            s.frames.start <= range.start && range.end <= s.frames.end
        };
        let trajectories = segments.iter().filter(has).map(|s| s.trajectory).collect();
        Ok((range, trajectories))
    }

    fn file(
        &self,
        path: &Path,
        domain: &Domain,
        resolution: Resolution,
        frames: Option<usize>,
    ) -> Result<Fields> {
        let grid = &domain.grid;
        let points = |plane: bool| if plane { vec![grid.ny(), grid.nx()] } else { vec![grid.nx()] };
        let names = domain.names();
        ensure!(
            self.variables.is_empty() || self.variables.len() == names.len(),
            "--var names {} variables where the model has the channels {}",
            self.variables.len(),
            names.join(", ")
        );
        let mut options = Options::of(path);
        options.variables =
            if self.variables.is_empty() { names.clone() } else { self.variables.clone() };
        options.grid = (resolution == Resolution::Full).then(|| points(!grid.is_line()));
        options.fill = self.fill.clone();
        options.time.range = self.time.clone();
        let expected: Vec<_> = grid.axes().map(|a| a.boundary()).collect();
        let read = import::read(&options, &expected).with_context(|| {
            format!("the model needs the channels {} (--var names others)", names.join(", "))
        })?;
        let import::Read { mut spec, mut values, source_grid, lengths_known } = read;
        match resolution {
            Resolution::Full => check::fine_enough(source_grid, domain)?,
            Resolution::AtMost => check::coarse_enough(source_grid, &spec)?,
        }
        if !lengths_known {
            // The file does not say how long its axes are beside each other: then they are as the
            // model's.
            let axes = [grid.y(), Some(grid.x())];
            for (axis, length) in [spec.y.as_mut(), Some(&mut spec.x)].into_iter().zip(axes) {
                if let (Some(axis), Some(length)) = (axis, length) {
                    axis.length = f64::from(length.length());
                }
            }
        }
        for (channel, name) in spec.channels.iter_mut().zip(names) {
            channel.name = name;
        }
        let (all, frame) = (spec.frames(), spec.frame_len());
        let kept = all.min(frames.unwrap_or(usize::MAX));
        let trajectories = spec.trajectories.min(self.trajectories.unwrap_or(usize::MAX));
        values = values
            .chunks_exact(all * frame)
            .take(trajectories)
            .flat_map(|path| &path[..kept * frame])
            .copied()
            .collect();
        spec.time.values.truncate(kept);
        spec.trajectories = trajectories;
        Ok(Fields { spec, values })
    }
}

/// Where the model's channels are among those of a data set.
fn channels(spec: &Spec, domain: &Domain) -> Result<Vec<usize>> {
    let there = || spec.channels.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
    let wanted = domain.channels.iter();
    wanted
        .map(|channel| {
            let at = spec.channels.iter().position(|c: &Channel| c.name == channel.name);
            at.with_context(|| {
                format!(
                    "the model needs the channel `{}`, which is missing; there are: {}",
                    channel.name,
                    there()
                )
            })
        })
        .collect()
}
