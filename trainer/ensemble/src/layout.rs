//! An ensemble as named arrays with dimensions and attributes: the same in NetCDF and in Zarr.
//!
//! | array | dimensions |
//! |---|---|
//! | one per channel, under its name: the prediction | (\[trajectory,\] time, member, \[y,\] x) |
//! | `NAME_truth`, where the truth is known | (\[trajectory,\] time, \[y,\] x) |
//! | `NAME_input`, where there is coarse input | (\[trajectory,\] time, \[`y_coarse`,\] `x_coarse`) |
//! | coordinates | (time), (member), (y), (x), … |
//!
//! A single trajectory has no dimension of its own.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{CoarseInput, Ensemble, Provenance};
use finescale_data::dataset::{Attributes, Manifest, SpatialAxis, Spec};

/// Version of the layout, in the attribute `finescale_ensemble`.
pub(super) const VERSION: u64 = 1;
/// What is added to the names of channels and of coarse axes.
pub(super) const TRUTH: &str = "_truth";
pub(super) const INPUT: &str = "_input";
pub(super) const DEVIATION: &str = "_deviation";
pub(super) const COARSE: &str = "_coarse";
/// Attribute that says how the coarse input was made, as JSON; missing where that is not known.
pub(super) const ORIGIN: &str = "input_origin";

/// A dimension's name and length.
pub(super) type Dimension = (String, usize);

/// An array to be written.
pub(super) struct Array {
    pub(super) name: String,
    pub(super) dimensions: Vec<Dimension>,
    pub(super) attributes: Attributes,
    pub(super) values: Values,
}

/// Where an array's values are.
pub(super) enum Values {
    /// A coordinate.
    Numbers(Vec<f64>),
    /// 0, 1, 2, …
    Count,
    /// A channel of the ensemble, copied together when it is written.
    Field(Part, usize),
}

/// A part of an ensemble.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Prediction,
    Truth,
    Input,
    Deviation,
}

impl Part {
    /// `[…][channel][points]`, channels and points.
    fn of(self, ensemble: &Ensemble) -> (&[f32], usize, usize) {
        let (values, spec): (&[f32], &Spec) = match (self, &ensemble.input) {
            (Self::Prediction, _) => (&ensemble.prediction, &ensemble.spec),
            (Self::Truth, _) => (ensemble.truth.as_deref().unwrap_or(&[]), &ensemble.spec),
            (Self::Deviation, _) => (ensemble.deviation.as_deref().unwrap_or(&[]), &ensemble.spec),
            (Self::Input, Some(input)) => (&input.values, &input.spec),
            (Self::Input, None) => (&[], &ensemble.spec),
        };
        (values, spec.channels.len(), spec.points())
    }

    /// One channel, in the order of the array.
    pub(super) fn channel(self, ensemble: &Ensemble, channel: usize) -> Vec<f32> {
        let (values, channels, points) = self.of(ensemble);
        values.chunks_exact(points).skip(channel).step_by(channels).flatten().copied().collect()
    }
}

/// All arrays of an ensemble.
///
/// # Errors
/// If two would have one name.
pub(super) fn arrays(ensemble: &Ensemble) -> Result<Vec<Array>> {
    let spec = &ensemble.spec;
    let mut arrays = coordinates(ensemble);
    let space = |spec: &Spec, suffix: &str| -> Vec<Dimension> {
        spec.axes().map(|axis| (format!("{}{suffix}", axis.name), axis.points())).collect()
    };
    let mut leading = Vec::new();
    if spec.trajectories > 1 {
        leading.push(("trajectory".to_owned(), spec.trajectories));
    }
    leading.push(("time".to_owned(), spec.frames()));
    let member = vec![("member".to_owned(), ensemble.members)];
    for (index, channel) in spec.channels.iter().enumerate() {
        let mut add = |suffix: &str, what: &str, dimensions: Vec<Dimension>, part: Part| {
            let mut attributes = Attributes::from_iter([
                ("units".to_owned(), json!(channel.units)),
                ("long_name".to_owned(), json!(format!("{}{what}", channel.long_name))),
            ]);
            if let Some(name) = &channel.standard_name {
                attributes.insert("standard_name".into(), json!(name));
            }
            let name = format!("{}{suffix}", channel.name);
            arrays.push(Array { name, dimensions, attributes, values: Values::Field(part, index) });
        };
        let fine = space(spec, "");
        add("", "", [leading.clone(), member.clone(), fine.clone()].concat(), Part::Prediction);
        if ensemble.truth.is_some() {
            add(TRUTH, ", truth", [leading.clone(), fine.clone()].concat(), Part::Truth);
        }
        if ensemble.deviation.is_some() {
            add(DEVIATION, ", standard deviation", fine, Part::Deviation);
        }
        if let Some(input) = &ensemble.input {
            let dimensions = [leading.clone(), space(&input.spec, COARSE)].concat();
            add(INPUT, ", coarse input", dimensions, Part::Input);
        }
    }
    let mut names: Vec<&str> = arrays.iter().map(|array| array.name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        anyhow::bail!("two arrays would be named `{}`: rename the channel or axis", pair[0]);
    }
    ensure!(ensemble.members > 0, "an ensemble needs at least one member");
    Ok(arrays)
}

fn coordinates(ensemble: &Ensemble) -> Vec<Array> {
    let spec = &ensemble.spec;
    let mut arrays = Vec::new();
    let mut count = |name: &str, n: usize, attributes: Attributes| {
        let (name, dimensions) = (name.to_owned(), vec![(name.to_owned(), n)]);
        arrays.push(Array { name, dimensions, attributes, values: Values::Count });
    };
    if spec.trajectories > 1 {
        let about = Attributes::from_iter([("long_name".into(), json!("trajectory"))]);
        count("trajectory", spec.trajectories, about);
    }
    let about = Attributes::from_iter([
        ("long_name".into(), json!("member of the ensemble")),
        ("standard_name".into(), json!("realization")),
        ("units".into(), json!("1")),
    ]);
    count("member", ensemble.members, about);
    let mut time = spec.time.attributes.clone();
    time.extend([
        ("axis".to_owned(), json!("T")),
        ("frame_interval".to_owned(), json!(spec.time.interval)),
    ]);
    arrays.push(Array {
        name: "time".into(),
        dimensions: vec![("time".into(), spec.frames())],
        attributes: time,
        values: Values::Numbers(spec.time.values.clone()),
    });
    arrays.extend(axes(spec, ""));
    if let Some(CoarseInput { spec, .. }) = &ensemble.input {
        arrays.extend(axes(spec, COARSE));
    }
    arrays
}

fn axes(spec: &Spec, suffix: &str) -> impl Iterator<Item = Array> {
    spec.axes().rev().zip(["X", "Y"]).map(move |(axis, letter)| {
        let name = format!("{}{suffix}", axis.name);
        let mut attributes = axis.attributes.clone();
        // CF has one axis of a kind; the coarse one is told by its standard name.
        if suffix.is_empty() {
            attributes.insert("axis".into(), json!(letter));
        }
        attributes.extend([
            ("boundary".to_owned(), json!(axis.boundary.name())),
            ("length".to_owned(), json!(axis.length)),
        ]);
        let SpatialAxis { coordinates, .. } = axis;
        Array {
            dimensions: vec![(name.clone(), coordinates.len())],
            name,
            attributes,
            values: Values::Numbers(coordinates.clone()),
        }
    })
}

/// Attributes of the whole: what this is, and where it comes from.
pub(super) fn attributes(ensemble: &Ensemble) -> Result<Attributes> {
    let Provenance {
        task,
        method,
        model,
        model_hash,
        settings,
        seed,
        calls_per_frame,
        seconds_per_frame,
    } = &ensemble.provenance;
    let names: Vec<&str> = ensemble.spec.channels.iter().map(|c| c.name.as_str()).collect();
    let Manifest { command, version, created, .. } = Manifest::new(json!({}));
    let origin = ensemble.input.as_ref().and_then(|input| input.origin.as_ref());
    let origin = origin.map(serde_json::to_string).transpose()?;
    let origin = origin.map(|origin| (ORIGIN.to_owned(), json!(origin)));
    let about = [
        ("Conventions".to_owned(), json!("CF-1.11")),
        ("title".to_owned(), json!(ensemble.spec.title)),
        ("finescale_ensemble".to_owned(), json!(VERSION)),
        ("finescale_version".to_owned(), json!(version)),
        ("channels".to_owned(), json!(names.join(" "))),
        ("task".to_owned(), serde_json::to_value(task)?),
        ("method".to_owned(), json!(method)),
        ("model".to_owned(), json!(model)),
        ("model_hash".to_owned(), json!(model_hash)),
        ("settings".to_owned(), json!(settings.to_string())),
        // As text: JSON readers in double precision lose digits above 2⁵³.
        ("seed".to_owned(), json!(seed.to_string())),
        ("calls_per_frame".to_owned(), json!(calls_per_frame)),
        ("seconds_per_frame".to_owned(), json!(seconds_per_frame)),
        ("given_frames".to_owned(), json!(ensemble.given)),
        ("date_created".to_owned(), json!(created)),
        ("history".to_owned(), json!(format!("{created}: {command}"))),
    ];
    Ok(about.into_iter().chain(origin).collect())
}
