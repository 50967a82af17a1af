//! Ensembles out of files, through the readers that import has.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use finescale::Boundary;
use serde_json::Value;

use super::layout::{COARSE, DEVIATION, INPUT, ORIGIN, TRUTH, VERSION};
use super::{CoarseInput, Ensemble, Provenance};
use finescale_data::dataset::{Attributes, Channel, SpatialAxis, Spec, TimeAxis};
use finescale_data::import::source::{self, Source, Variable};

impl Ensemble {
    /// Reads what [`Ensemble::write`] wrote, NetCDF or Zarr.
    ///
    /// # Errors
    /// One sentence if it is missing, damaged or something else.
    pub fn read(path: &Path) -> Result<Self> {
        let source = source::open(path, None)?;
        let attributes = source.attributes()?;
        let shown = path.display();
        match attributes.get("finescale_ensemble").and_then(Value::as_f64) {
            Some(version) if version == VERSION as f64 => {}
            Some(version) => {
                bail!("{shown} has layout {version}; this finescale reads {VERSION}")
            }
            None => bail!(
                "{shown} is no ensemble of predictions: make one with `finescale super-resolve`, `generate`, \
                 `forecast` or `simulate`"
            ),
        }
        ensemble(source.as_ref(), &attributes).with_context(|| format!("{shown} cannot be read"))
    }
}

fn ensemble(source: &dyn Source, attributes: &Attributes) -> Result<Ensemble> {
    let names = text(attributes, "channels")?;
    let names: Vec<&str> = names.split_whitespace().collect();
    let first = source::find(source, names.first().context("it names no channel")?)?;
    let members = first.size("member").context("its prediction has no dimension `member`")?;
    let space: Vec<&str> = first
        .dimensions
        .iter()
        .map(|d| d.name.as_str())
        .filter(|name| !["trajectory", "time", "member"].contains(name))
        .collect();
    let axes = |suffix: &str| -> Result<(Option<SpatialAxis>, SpatialAxis)> {
        let mut axes =
            space.iter().map(|name| axis(source, name, suffix)).collect::<Result<Vec<_>>>()?;
        let x = axes.pop().context("there is no x axis")?;
        ensure!(axes.len() < 2, "its prediction has more than two dimensions in space");
        Ok((axes.pop(), x))
    };
    let (y, x) = axes("")?;
    let spec = Spec {
        title: text(attributes, "title")?,
        channels: names.iter().map(|name| channel(source, name)).collect::<Result<_>>()?,
        trajectories: first.size("trajectory").unwrap_or(1),
        time: time(source)?,
        y,
        x,
    };
    let there = |suffix: &str| {
        let name = format!("{}{suffix}", names[0]);
        source.variables().iter().any(|v| v.name == name)
    };
    let input = match there(INPUT) {
        false => None,
        true => {
            let (y, x) = axes(COARSE)?;
            let spec = Spec { y, x, ..spec.clone() };
            let values = fields(source, &names, INPUT, spec.points())?;
            let origin = attributes.get(ORIGIN).and_then(Value::as_str);
            let origin = origin.map(serde_json::from_str).transpose();
            let origin = origin.with_context(|| format!("its attribute `{ORIGIN}` is damaged"))?;
            Some(CoarseInput { spec, values, origin })
        }
    };
    let truth = there(TRUTH).then(|| fields(source, &names, TRUTH, spec.points())).transpose()?;
    let deviation =
        there(DEVIATION).then(|| fields(source, &names, DEVIATION, spec.points())).transpose()?;
    let prediction = fields(source, &names, "", spec.points())?;
    let given = number(attributes, "given_frames")? as usize;
    let provenance = provenance(attributes)?;
    let ensemble =
        Ensemble { spec, provenance, members, given, prediction, input, truth, deviation };
    ensemble.check()?;
    Ok(ensemble)
}

fn provenance(attributes: &Attributes) -> Result<Provenance> {
    let text = |name: &str| text(attributes, name);
    Ok(Provenance {
        task: serde_json::from_value(Value::String(text("task")?))
            .context("its task is unknown")?,
        method: text("method")?,
        model: text("model")?,
        model_hash: text("model_hash")?,
        settings: serde_json::from_str(&text("settings")?).context("its settings are no JSON")?,
        seed: text("seed")?.parse().context("its seed is no number")?,
        calls_per_frame: number(attributes, "calls_per_frame")?,
        seconds_per_frame: number(attributes, "seconds_per_frame")?,
    })
}

fn text(attributes: &Attributes, name: &str) -> Result<String> {
    // NetCDF has no empty text: it comes back as an empty list.
    let value =
        attributes.get(name).with_context(|| format!("the attribute `{name}` is missing"))?;
    Ok(value.as_str().unwrap_or_default().to_owned())
}

fn number(attributes: &Attributes, name: &str) -> Result<f64> {
    let value = attributes.get(name).and_then(Value::as_f64);
    value.with_context(|| format!("the attribute `{name}` is missing"))
}

fn channel(source: &dyn Source, name: &str) -> Result<Channel> {
    let variable = source::find(source, name)?;
    let text = |attribute: &str| variable.text(attribute).map(str::to_owned);
    Ok(Channel {
        name: name.to_owned(),
        units: text("units").unwrap_or_else(|| "1".into()),
        long_name: text("long_name").unwrap_or_else(|| name.into()),
        standard_name: text("standard_name"),
    })
}

/// `[…][channel][points]` of all channels.
fn fields(source: &dyn Source, names: &[&str], suffix: &str, points: usize) -> Result<Vec<f32>> {
    let channels = names
        .iter()
        .map(|name| {
            let variable = source::find(source, &format!("{name}{suffix}"))?;
            let ranges: Vec<_> = variable.dimensions.iter().map(|d| 0..d.size).collect();
            source.read(variable, &ranges)
        })
        .collect::<Result<Vec<Vec<f64>>>>()?;
    let fields = channels.first().map_or(0, Vec::len) / points.max(1);
    ensure!(
        channels.iter().all(|channel| channel.len() == fields * points),
        "its channels differ in shape"
    );
    let mut values = Vec::with_capacity(fields * points * channels.len());
    for field in 0..fields {
        for channel in &channels {
            values.extend(channel[field * points..][..points].iter().map(|v| *v as f32));
        }
    }
    Ok(values)
}

fn coordinate<'a>(source: &'a dyn Source, name: &str) -> Result<(&'a Variable, Vec<f64>)> {
    let variable = source::find(source, name)?;
    Ok((variable, source::read_line(source, variable)?))
}

fn time(source: &dyn Source) -> Result<TimeAxis> {
    let (variable, values) = coordinate(source, "time")?;
    let mut attributes = variable.attributes.clone();
    attributes.remove("axis");
    let interval = attributes.remove("frame_interval").and_then(|v| v.as_f64());
    let interval = interval.context("the attribute `frame_interval` of `time` is missing")?;
    Ok(TimeAxis { values, attributes, interval })
}

fn axis(source: &dyn Source, name: &str, suffix: &str) -> Result<SpatialAxis> {
    let (variable, coordinates) = coordinate(source, &format!("{name}{suffix}"))?;
    let mut attributes = variable.attributes.clone();
    attributes.remove("axis");
    let boundary = attributes.remove("boundary");
    let boundary = boundary.and_then(|value| serde_json::from_value::<Boundary>(value).ok());
    let length = attributes.remove("length").and_then(|v| v.as_f64());
    Ok(SpatialAxis {
        name: name.to_owned(),
        boundary: boundary.with_context(|| format!("`{name}` has no attribute `boundary`"))?,
        coordinates,
        attributes,
        length: length.with_context(|| format!("`{name}` has no attribute `length`"))?,
    })
}
