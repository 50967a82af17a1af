//! Decides what is read: variables, their dimensions' roles, axes, steps.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};

use super::Options;
use super::axes::{SourceAxis, parse_area};
use super::cf::{AxisKind, Unpack, axis_kind, check_known, read_coordinate};
use super::fields::{Fields, Role};
use super::source::{self, Dimension, Source, Variable};
use super::time::{self, Steps};

/// Everything that is known before the first field is read.
pub(super) struct Plan<'a> {
    pub(super) fields: Fields<'a>,
    pub(super) members: usize,
    pub(super) steps: Steps,
    pub(super) y: Option<SourceAxis>,
    pub(super) x: SourceAxis,
}

/// The coordinate of a variable's dimension: the nearest array that has its name, and it as the
/// only dimension. One of another length in a group around is that of another dimension.
fn coordinate<'a>(
    source: &'a dyn Source,
    variable: &'a Variable,
    dimension: &'a Dimension,
) -> Option<&'a Variable> {
    source::visible(source, variable, &dimension.name)
        .find(|v| v.numeric && v.dimensions == std::slice::from_ref(dimension))
}

/// What the user or the file says that a dimension of a variable is.
fn kind_of(
    source: &dyn Source,
    options: &Options,
    variable: &Variable,
    dimension: &Dimension,
) -> AxisKind {
    if options.time_axis.as_ref() == Some(&dimension.name) {
        return AxisKind::Time;
    }
    if options.trajectory_axis.as_ref() == Some(&dimension.name) {
        return AxisKind::Member;
    }
    match axis_kind(&dimension.name, coordinate(source, variable, dimension)) {
        // There is one time axis; where the user names it, another one is an ordinary dimension.
        AxisKind::Time if options.time_axis.is_some() => AxisKind::Other,
        kind => kind,
    }
}

/// The variables asked for, or all that are fields over time, in the outermost group that has any.
fn choose_variables<'a>(source: &'a dyn Source, options: &Options) -> Result<Vec<&'a Variable>> {
    if !options.variables.is_empty() {
        return options.variables.iter().map(|name| source::find(source, name)).collect();
    }
    let bounds: Vec<&str> = source
        .variables()
        .iter()
        .filter_map(|v| source::visible(source, v, v.text("bounds")?).next())
        .map(|v| v.name.as_str())
        .collect();
    let is_field = |v: &&Variable| {
        let kinds: Vec<AxisKind> =
            v.dimensions.iter().map(|d| kind_of(source, options, v, d)).collect();
        let space = v
            .dimensions
            .iter()
            .zip(&kinds)
            .filter(|(d, k)| d.size >= 8 && !matches!(k, AxisKind::Time | AxisKind::Member));
        v.numeric
            && kinds.contains(&AxisKind::Time)
            && space.count() > 0
            && !bounds.contains(&v.name.as_str())
    };
    let mut found: Vec<&Variable> = source.variables().iter().filter(is_field).collect();
    let depth = |v: &Variable| v.name.matches('/').count();
    let outermost = found.iter().map(|v| depth(v)).min();
    found.retain(|v| Some(depth(v)) == outermost);
    let Some(first) = found.first() else {
        bail!(
            "no variable is a field over time, and a single field is no path of frames; there are: {}; \
             if one of their dimensions is time, name it with --time-axis",
            source::list(source)
        );
    };
    ensure!(
        found.iter().all(|v| v.group() == first.group()),
        "several groups hold fields over time: choose with --var among {}",
        source::list(source)
    );
    ensure!(
        found.iter().all(|v| v.dimensions == first.dimensions),
        "the variables differ in shape: choose with --var among {}",
        source::list(source)
    );
    Ok(found)
}

/// That fields lie at the same points: variables of several groups can have other coordinates along
/// the same dimension.
fn check_same_points(
    source: &dyn Source,
    first: &Variable,
    other: &Variable,
    dimension: &Dimension,
) -> Result<()> {
    let (a, b) = (coordinate(source, first, dimension), coordinate(source, other, dimension));
    if a.map(|v| &v.name) == b.map(|v| &v.name) {
        return Ok(());
    }
    let values = |v: Option<&Variable>| v.map(|v| read_coordinate(source, v)).transpose();
    ensure!(
        values(a)? == values(b)?,
        "{} and {} differ in their coordinate `{}`: import them into data sets of their own",
        first.describe(),
        other.describe(),
        dimension.name
    );
    Ok(())
}

/// `--isel` and `--sel` for one dimension.
enum Choice {
    Range(std::ops::Range<usize>),
    Index(usize),
}

fn parse_choices(
    source: &dyn Source,
    options: &Options,
    variable: &Variable,
) -> Result<HashMap<String, Choice>> {
    let mut choices = HashMap::new();
    for item in &options.isel {
        let parse = || {
            let (name, what) = item.split_once('=')?;
            let choice = match what.split_once(':') {
                Some((a, b)) => Choice::Range(a.parse().ok()?..b.parse().ok()?),
                None => Choice::Index(what.parse().ok()?),
            };
            Some((name.to_owned(), choice))
        };
        let (name, choice) = parse()
            .with_context(|| format!("--isel {item} is not of the form y=10:74 or level=3"))?;
        choices.insert(name, choice);
    }
    for item in &options.sel {
        let parse = || item.split_once('=').and_then(|(n, v)| Some((n, v.parse::<f64>().ok()?)));
        let (name, value) =
            parse().with_context(|| format!("--sel {item} is not of the form level=500"))?;
        let dimension = variable.dimensions.iter().find(|d| d.name == name);
        let dimension = dimension
            .with_context(|| format!("{} has no dimension `{name}`", variable.describe()))?;
        let coordinate = coordinate(source, variable, dimension).with_context(|| {
            format!(
                "--sel {item}: `{name}` has no coordinate; choose by index with --isel {name}=0"
            )
        })?;
        let values = read_coordinate(source, coordinate)?;
        check_known(coordinate, &values, 0..values.len(), |_| {
            format!("choose by index with --isel {name}=0")
        })?;
        let near = |v: &f64| (v - value).abs() <= 1e-4 * value.abs().max(1e-30);
        let index = values.iter().position(near).with_context(|| {
            let there: Vec<String> = values.iter().map(f64::to_string).collect();
            format!("--sel {item}: there is no such value; `{name}` has {}", there.join(", "))
        })?;
        choices.insert(name.to_owned(), Choice::Index(index));
    }
    Ok(choices)
}

impl<'a> Plan<'a> {
    pub(super) fn new(source: &'a dyn Source, options: &Options) -> Result<Self> {
        let variables = choose_variables(source, options)?;
        let first = variables[0];
        let choices = parse_choices(source, options, first)?;
        for name in choices.keys().chain(&options.time_axis).chain(&options.trajectory_axis) {
            ensure!(first.size(name).is_some(), "{} has no dimension `{name}`", first.describe());
        }
        let mut space = Vec::new();
        let (mut time, mut member) = (None, None);
        for dimension in &first.dimensions {
            let fixed = matches!(choices.get(&dimension.name), Some(Choice::Index(_)));
            match kind_of(source, options, first, dimension) {
                _ if fixed => {}
                AxisKind::Time if time.is_none() => time = Some(dimension),
                AxisKind::Member if member.is_none() => member = Some(dimension),
                kind if dimension.size > 1 => space.push((dimension, kind)),
                _ => {}
            }
        }
        let time = time.with_context(|| {
            format!(
                "{} has no time axis: a data set is a path of frames; name the dimension that is \
                 time with --time-axis",
                first.describe()
            )
        })?;
        // Latitude and longitude are kept rather than levels and the like.
        let other = space.iter().find(|(_, kind)| *kind == AxisKind::Other).or(space.first());
        let pick = other.map_or("NAME", |(dimension, _)| &dimension.name);
        ensure!(
            (1..=2).contains(&space.len()),
            "{} has {} dimensions in space where 1 or 2 were expected; pick one of {pick} with \
             --sel {pick}=VALUE or --isel {pick}=INDEX, or make them trajectories with \
             --trajectory-axis {pick}",
            first.describe(),
            space.len()
        );
        // Rows are latitudes, columns longitudes, in whichever order the file has them.
        if let [(_, AxisKind::Longitude), (_, second)] = space.as_slice()
            && *second != AxisKind::Longitude
        {
            space.swap(0, 1);
        }
        let mut axes = Vec::new();
        for &(dimension, kind) in &space {
            let range = match choices.get(&dimension.name) {
                Some(Choice::Range(range)) => Some(range.clone()),
                _ => None,
            };
            let coordinate = coordinate(source, first, dimension);
            axes.push(SourceAxis::new(source, dimension, range, kind, coordinate)?);
        }
        if let Some(area) = &options.area {
            let ranges = parse_area(area)?;
            ensure!(axes.len() == 2, "--area needs a plane: use --isel on a line");
            for (axis, (from, to)) in axes.iter_mut().zip(ranges) {
                axis.keep_between(from, to)?;
            }
        }
        let asked = options.boundary.len();
        ensure!(
            asked == 0 || asked == axes.len(),
            "--boundary names {asked} boundaries where the field has {} axes: give y,x, or x \
             alone on a line",
            axes.len()
        );
        for (n, axis) in axes.iter_mut().enumerate() {
            ensure!(
                axis.coordinates.len() >= 2,
                "one point along `{}` is too few: choose more of it",
                axis.name
            );
            axis.find_boundary(options.boundary.get(n).copied());
        }
        let x = axes.pop().context("there is no axis in space")?;
        let y = axes.pop();
        let name_of = |axis: Option<&SourceAxis>| axis.map(|a| a.name.clone());
        let (x_name, y_name) = (name_of(Some(&x)), name_of(y.as_ref()));
        let channels = variables.into_iter().map(|variable| {
            ensure!(
                variable.dimensions.len() == first.dimensions.len()
                    && variable.dimensions.iter().all(|d| first.size(&d.name) == Some(d.size)),
                "{} and {} differ in shape: import them into data sets of their own",
                first.describe(),
                variable.describe()
            );
            for dimension in &first.dimensions {
                check_same_points(source, first, variable, dimension)?;
            }
            let role = |name: &str| {
                if name == time.name {
                    Role::Time
                } else if member.is_some_and(|m| m.name == name) {
                    Role::Member
                } else if Some(name) == x_name.as_deref() {
                    Role::X
                } else if Some(name) == y_name.as_deref() {
                    Role::Y
                } else {
                    match choices.get(name) {
                        Some(Choice::Index(index)) => Role::Fixed(*index),
                        _ => Role::Fixed(0),
                    }
                }
            };
            let roles: Vec<Role> = variable.dimensions.iter().map(|d| role(&d.name)).collect();
            for (d, role) in variable.dimensions.iter().zip(&roles) {
                if let Role::Fixed(index) = role {
                    ensure!(
                        *index < d.size,
                        "--isel {}={index}: it has {} entries, counted from 0",
                        d.name,
                        d.size
                    );
                }
            }
            Ok((variable, Unpack::new(variable), roles))
        });
        let channels = channels.collect::<Result<Vec<_>>>()?;
        let coordinate = coordinate(source, first, time);
        let steps = time::choose(source, coordinate, time.size, &options.time)?;
        let rows = y.as_ref().map_or(vec![0], |y| y.indices.clone());
        let fields = Fields { source, channels, y: rows, x: x.indices.clone() };
        Ok(Self { fields, members: member.map_or(1, |m| m.size), steps, y, x })
    }
}
