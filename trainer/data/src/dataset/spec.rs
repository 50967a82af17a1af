//! What a data set holds: channels, time, grid.

use std::f64::consts::TAU;

use anyhow::{Context, Result, ensure};
use finescale::{Axis, Boundary, Grid};
use serde::{Deserialize, Serialize};

use crate::calendar::{Calendar, TimeUnits, Unit};

/// Attributes of a variable or group: name to JSON value.
pub type Attributes = serde_json::Map<String, serde_json::Value>;

/// One physical quantity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Name of its array.
    pub name: String,
    /// Units as CF writes them; "1" for none.
    pub units: String,
    /// What a plot calls it.
    pub long_name: String,
    /// CF standard name, where there is one.
    pub standard_name: Option<String>,
}

impl Channel {
    /// A channel without a standard name.
    pub fn new(name: &str, units: &str, long_name: &str) -> Self {
        Self {
            name: name.into(),
            units: units.into(),
            long_name: long_name.into(),
            standard_name: None,
        }
    }
}

/// One axis in space: where the points lie and what is beyond the ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpatialAxis {
    /// Name of the dimension and of its coordinate.
    pub name: String,
    /// What lies beyond the ends.
    pub boundary: Boundary,
    /// Coordinate of every point, increasing.
    pub coordinates: Vec<f64>,
    /// Units, standard name and the like of the coordinate.
    pub attributes: Attributes,
    /// From end to end, in the unit in which wavenumbers are radians per unit length; all axes of a
    /// data set share it, whatever the units of their coordinates.
    // Left out where it is 2π: so it was for every axis once, and the hashes of those data sets
    // still hold.
    #[serde(default = "two_pi", skip_serializing_if = "is_two_pi")]
    pub length: f64,
}

fn two_pi() -> f64 {
    TAU
}

fn is_two_pi(length: &f64) -> bool {
    *length == TAU
}

impl SpatialAxis {
    /// An axis of length 2π: points at j·h (periodic) or (j + ½)·h (reflecting).
    pub fn two_pi(name: &str, points: usize, boundary: Boundary) -> Self {
        Self::of_length(name, points, boundary, TAU)
    }

    /// As [`SpatialAxis::two_pi`], with another length.
    pub fn of_length(name: &str, points: usize, boundary: Boundary, length: f64) -> Self {
        let spacing = length / points as f64;
        let shift = if boundary == Boundary::Reflecting { 0.5 } else { 0.0 };
        Self {
            name: name.into(),
            boundary,
            coordinates: (0..points).map(|j| (j as f64 + shift) * spacing).collect(),
            attributes: Attributes::from_iter([("units".into(), "1".into())]),
            length,
        }
    }

    /// Number of points.
    pub fn points(&self) -> usize {
        self.coordinates.len()
    }

    /// The runtime's axis.
    fn axis(&self) -> Result<Axis> {
        let axis = Axis::new(self.points(), self.boundary)?.with_length(self.length as f32);
        axis.with_context(|| format!("the axis `{}` does not fit", self.name))
    }
}

/// The time axis that all trajectories share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimeAxis {
    /// Time of every frame, increasing.
    pub values: Vec<f64>,
    /// CF `units` and `calendar` where there are any.
    pub attributes: Attributes,
    /// Time between frames in the units of `values` (the mean where months differ in length).
    pub interval: f64,
}

impl TimeAxis {
    fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str()
    }

    fn calendar(&self) -> Option<Calendar> {
        Calendar::parse(self.text("calendar").unwrap_or_default()).ok()
    }

    /// The date of every frame; none where the units are not "… since …" of a calendar.
    pub fn dates(&self) -> Option<Vec<String>> {
        let units = TimeUnits::parse(self.text("units")?, self.calendar()?).ok()?;
        Some(self.values.iter().map(|&value| units.instant(value).to_string()).collect())
    }

    /// The unit of time between frames; none where it is a model's own.
    pub fn unit(&self) -> Option<Unit> {
        Unit::parse(self.text("units")?.split_whitespace().next()?)
    }

    /// The interval in another unit of time; none where its own is not known.
    pub fn interval_in(&self, unit: Unit) -> Option<f64> {
        let calendar = self.calendar()?;
        Some(self.interval * self.unit()?.seconds(calendar) / unit.seconds(calendar))
    }

    /// Frames at 0, Δt, 2Δt, … in the model's own unit of time.
    pub fn model(frames: usize, interval: f64) -> Self {
        Self {
            values: (0..frames).map(|n| n as f64 * interval).collect(),
            attributes: Attributes::from_iter([
                ("units".into(), "1".into()),
                ("long_name".into(), "time in the model's own unit".into()),
            ]),
            interval,
        }
    }
}

/// The shape and meaning of a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// One line that says what this is.
    pub title: String,
    /// Channels, in the order of the values.
    pub channels: Vec<Channel>,
    /// Number of trajectories (members).
    pub trajectories: usize,
    /// Frames of every trajectory.
    pub time: TimeAxis,
    /// The y axis; none on a line.
    pub y: Option<SpatialAxis>,
    /// The x axis, whose points lie side by side in memory.
    pub x: SpatialAxis,
}

impl Spec {
    /// Frames of a trajectory.
    pub fn frames(&self) -> usize {
        self.time.values.len()
    }

    /// Rows; 1 on a line.
    pub fn ny(&self) -> usize {
        self.y.as_ref().map_or(1, SpatialAxis::points)
    }

    /// Columns.
    pub fn nx(&self) -> usize {
        self.x.points()
    }

    /// Points of a channel.
    pub fn points(&self) -> usize {
        self.ny() * self.nx()
    }

    /// Values of a frame: channels × points.
    pub fn frame_len(&self) -> usize {
        self.channels.len() * self.points()
    }

    /// The axes in space, y before x.
    pub fn axes(&self) -> impl DoubleEndedIterator<Item = &SpatialAxis> {
        self.y.iter().chain(std::iter::once(&self.x))
    }

    /// The runtime's grid, with the lengths of the axes rounded to f32.
    ///
    /// # Errors
    /// If the runtime has no such grid; see [`Spec::validate`].
    pub fn grid(&self) -> Result<Grid> {
        let x = self.x.axis()?;
        Ok(match &self.y {
            Some(y) => Grid::plane(y.axis()?, x)?,
            None => Grid::line(x),
        })
    }

    /// Checks that the grid has transforms, that axes have a length, that coordinates increase and
    /// that names are distinct.
    ///
    /// # Errors
    /// One sentence that names what does not fit.
    pub fn validate(&self) -> Result<()> {
        ensure!(self.trajectories > 0, "a data set needs at least one trajectory");
        ensure!(self.frames() >= 2, "a data set needs at least 2 frames, not {}", self.frames());
        ensure!(!self.channels.is_empty(), "a data set needs at least one channel");
        for axis in self.axes() {
            check_points(&axis.name, axis.points(), self.y.is_some())?;
            increasing(&axis.coordinates)
                .with_context(|| format!("the coordinates of `{}` do not increase", axis.name))?;
        }
        self.grid()?;
        increasing(&self.time.values).context("the times do not increase")?;
        let reserved = ["trajectory", "time", "split", "statistics", "climatology"];
        let names = self
            .axes()
            .map(|a| a.name.as_str())
            .chain(self.channels.iter().map(|c| c.name.as_str()));
        let mut seen = reserved.to_vec();
        for name in names {
            ensure!(
                !name.is_empty() && !name.contains('/') && !name.starts_with("__"),
                "`{name}` cannot name an array: use letters, digits and underscores"
            );
            ensure!(
                !seen.contains(&name),
                "the name `{name}` is taken: rename the channel or axis"
            );
            seen.push(name);
        }
        Ok(())
    }
}

/// Most points that an axis may have, on a plane or on a line.
pub(crate) fn most_points(plane: bool) -> usize {
    if plane { Grid::PLANE_POINTS_MAX } else { Axis::POINTS_MAX }
}

/// Whether an axis of so many points has a transform.
///
/// # Errors
/// One sentence with the numbers that would do.
pub(crate) fn check_points(axis: &str, points: usize, plane: bool) -> Result<()> {
    let (least, most) = (Axis::POINTS_MIN, most_points(plane));
    ensure!(
        Axis::has_transform(points) && points <= most,
        "a grid of {points} points along `{axis}` does not fit: use an even product of 2, 3 and 5 \
         from {least} to {most}, such as {}",
        Axis::nearest_points(points, most)
    );
    Ok(())
}

fn increasing(values: &[f64]) -> Result<()> {
    for (n, pair) in values.windows(2).enumerate() {
        ensure!(pair[0] < pair[1], "{} is followed by {} at index {}", pair[0], pair[1], n + 1);
    }
    ensure!(values.iter().all(|v| v.is_finite()), "one of them is not a finite number");
    Ok(())
}
