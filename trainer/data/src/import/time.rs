//! The time axis: which steps, when, and whether they come regularly.

use std::ops::Range;

use anyhow::{Result, bail, ensure};
use serde::Serialize;
use serde_json::json;

use super::cf::{Unpack, check_known, read_coordinate};
use super::source::{Source, Variable};
use crate::calendar::{Calendar, DAY, Instant, TimeUnits, Unit};
use crate::dataset::{Attributes, TimeAxis};

/// What the user says about time.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TimeOptions {
    /// Steps to take: indices `a:b` (b excluded) or dates `1982-01:1990-12` (both included).
    pub range: Option<String>,
    /// Broken steps to leave out, counted from the first step of the file.
    pub drop_steps: Vec<usize>,
    /// Time between frames, for files without a time coordinate.
    pub interval: Option<f64>,
    /// Units, where those of the file are missing or wrong.
    pub units: Option<String>,
    /// Calendar, where that of the file is missing or wrong.
    pub calendar: Option<String>,
}

/// The chosen steps.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    /// Index in the file of every frame.
    pub indices: Vec<usize>,
    /// Frames left out but kept on the axis, so that it stays regular.
    pub dropped: Vec<usize>,
    /// The axis as the data set has it.
    pub axis: TimeAxis,
    /// Calendar month of every frame (1 to 12), where dates are known.
    pub months: Option<Vec<u8>>,
    /// Whether the times lie in the year 0 and got a calendar that has it.
    pub(super) year_zero: bool,
    /// Frames of a year if the steps are whole months: blocks of time keep years whole.
    pub year: usize,
}

/// Days between steps that are so many calendar months apart.
const MONTHS: [(usize, Range<f64>); 5] =
    [(1, 27.9..31.1), (2, 58.9..62.1), (3, 88.9..92.1), (6, 180.0..184.1), (12, 359.9..366.1)];

/// Chooses the steps of a file with `count` of them.
///
/// # Errors
/// One sentence if the time does not increase or is irregular.
pub(super) fn choose(
    source: &dyn Source,
    coordinate: Option<&Variable>,
    count: usize,
    options: &TimeOptions,
) -> Result<Steps> {
    let (mut units, mut attributes) = meaning(coordinate, options)?;
    // With --interval the coordinate of the file is not used.
    let read = coordinate.filter(|_| options.interval.is_none());
    let mut raw: Vec<f64> = match (options.interval, read) {
        (Some(interval), _) => {
            ensure!(interval > 0.0, "--interval is {interval}: it must be positive");
            (0..count).map(|n| n as f64 * interval).collect()
        }
        (None, Some(coordinate)) => read_coordinate(source, coordinate)?,
        (None, None) => (0..count).map(|n| n as f64).collect(),
    };
    if let (Some(coordinate), Some(units)) = (read, &mut units) {
        *units = read_exactly(source, coordinate, *units, &mut raw)?;
        attributes.insert("units".into(), json!(units.describe()));
    }
    bridge(&mut raw, &options.drop_steps);
    // A unit without a date still tells months from days.
    let unit = attributes["units"].as_str().and_then(|u| Unit::parse(u.split(' ').next()?));
    let mut indices = in_range(&raw, units.as_ref(), options.range.as_deref())?;
    if let Some(step) = options.drop_steps.iter().find(|&&step| step >= count) {
        bail!("--drop-steps names step {step}: the file has steps 0 to {}", count - 1);
    }
    let out = |index: &usize| options.drop_steps.contains(index);
    let first = indices.iter().position(|i| !out(i));
    let last = indices.iter().rposition(|i| !out(i));
    let (Some(first), Some(last)) = (first, last) else { bail!("no time step is left") };
    indices = indices[first..=last].to_vec();
    if let Some(coordinate) = read {
        check_known(coordinate, &raw, indices.iter().copied(), |step| {
            format!("leave the step out with --drop-steps {step}, or choose others with --time")
        })?;
    }
    let values = |indices: &[usize]| indices.iter().map(|&i| raw[i]).collect::<Vec<f64>>();
    // A step left out inside leaves a hole in a regular axis; or it was what made the axis
    // irregular.
    if check_regular(&indices, &values(&indices), units.as_ref(), unit).is_err() {
        indices.retain(|i| !out(i));
    }
    let raw_values = values(&indices);
    ensure!(
        raw_values.len() >= 2,
        "{} time step is left: a data set needs at least 2",
        raw_values.len()
    );
    let months_apart = check_regular(&indices, &raw_values, units.as_ref(), unit)?;
    let months = units.map(|u| raw_values.iter().map(|&v| u.instant(v).date.month).collect());
    let written = units.map(|u| u.cf());
    let mut values: Vec<f64> = match units {
        Some(u) if written != units => raw_values.iter().map(|&v| u.days(v)).collect(),
        _ => raw_values,
    };
    let units = written;
    let year_zero = units.is_some_and(|units| leave_year_zero(units, &mut values, &mut attributes));
    attributes.entry("standard_name").or_insert(json!("time"));
    let interval = (values[values.len() - 1] - values[0]) / (values.len() - 1) as f64;
    let dropped = (0..indices.len()).filter(|&n| out(&indices[n])).collect();
    let year = months_apart.filter(|m| 12 % m == 0).map_or(1, |m| 12 / m);
    Ok(Steps {
        indices,
        dropped,
        axis: TimeAxis { values, attributes, interval },
        months,
        year_zero,
        year,
    })
}

/// Where times are integers with more digits than f64 has, puts them into a unit in which they lose
/// none; the others stay as they are. Returns the units.
fn read_exactly(
    source: &dyn Source,
    coordinate: &Variable,
    units: TimeUnits,
    values: &mut [f64],
) -> Result<TimeUnits> {
    if !Unpack::new(coordinate).is_plain() {
        return Ok(units);
    }
    let Some(stored) = source.read_long(coordinate)? else { return Ok(units) };
    let known: Vec<usize> = (0..values.len()).filter(|&n| values[n].is_finite()).collect();
    let stored: Vec<i64> = known.iter().map(|&n| stored[n]).collect();
    let Some((units, exact)) = units.shorten(&stored) else { return Ok(units) };
    for (n, value) in known.into_iter().zip(exact) {
        values[n] = value;
    }
    Ok(units)
}

/// Steps that are left out need no time of their own: a missing one is put between the nearest that
/// are known, so that the axis stays regular.
fn bridge(values: &mut [f64], left_out: &[usize]) {
    let known = |n: &usize| values[*n].is_finite();
    let bridged: Vec<(usize, f64)> = left_out
        .iter()
        .filter(|&&n| n < values.len() && values[n].is_nan())
        .filter_map(|&n| {
            let (a, b) = ((0..n).rev().find(known)?, (n + 1..values.len()).find(known)?);
            let share = (n - a) as f64 / (b - a) as f64;
            Some((n, values[a] + share * (values[b] - values[a])))
        })
        .collect();
    for (n, value) in bridged {
        values[n] = value;
    }
}

/// The calendars with the leap years of the sky have no year 0 in CF, and xarray refuses them. Real
/// dates get another origin; climatologies, which are written in the year 0 as they belong to none,
/// keep their dates in the calendar `all_leap`, which has that year. Returns whether the calendar
/// was changed.
fn leave_year_zero(units: TimeUnits, values: &mut [f64], attributes: &mut Attributes) -> bool {
    let idealised =
        matches!(units.calendar, Calendar::NoLeap | Calendar::AllLeap | Calendar::Day360);
    let Unit::Seconds(unit) = units.unit else { return false };
    if idealised || units.origin.date.year >= 1 {
        return false;
    }
    let mut new = units;
    let first = units.instant(values[0]).date;
    if first.year >= 1 {
        new.origin = Instant { date: first, seconds: 0.0 };
    } else {
        new.calendar = Calendar::AllLeap;
    }
    let origin = new.calendar.day_number(new.origin.date);
    for value in values {
        let at = units.instant(*value);
        let days = (new.calendar.day_number(at.date) - origin) as f64;
        *value = (days * DAY + at.seconds - new.origin.seconds) / unit;
    }
    attributes.insert("units".into(), json!(new.describe()));
    attributes.insert("calendar".into(), json!(new.calendar.name()));
    new.calendar != units.calendar
}

/// Units with a date if there is one, and the attributes of the axis.
fn meaning(
    coordinate: Option<&Variable>,
    options: &TimeOptions,
) -> Result<(Option<TimeUnits>, Attributes)> {
    let of_file = |name: &str| coordinate.and_then(|c| c.text(name)).map(str::to_owned);
    // With --interval the coordinate of the file is not used, nor are its units.
    let from_file = options.interval.is_none();
    let units = options.units.clone().or(of_file("units").filter(|_| from_file));
    let calendar = options.calendar.clone().or(of_file("calendar")).unwrap_or_default();
    // CF's word for times without dates, as in a perpetual January.
    let dateless = calendar.trim().eq_ignore_ascii_case("none");
    let calendar = Calendar::parse(if dateless { "" } else { &calendar })?;
    let mut attributes = Attributes::new();
    if let Some(name) = of_file("long_name") {
        attributes.insert("long_name".into(), json!(name));
    }
    let units = match units {
        Some(units) if !units.is_empty() => units,
        _ => {
            attributes.insert("units".into(), json!("1"));
            return Ok((None, attributes));
        }
    };
    let since = units.to_ascii_lowercase().find(" since ");
    let units = match since {
        Some(at) if dateless => units[..at].to_owned(),
        _ => units,
    };
    let dated = if dateless {
        None
    } else if since.is_some() {
        TimeUnits::parse(&units, calendar).map(Some)?
    } else {
        // Ferret keeps the date in an attribute of its own.
        let origin = of_file("time_origin").filter(|_| from_file && Unit::parse(&units).is_some());
        origin
            .and_then(|origin| TimeUnits::parse(&format!("{units} since {origin}"), calendar).ok())
    };
    match &dated {
        Some(dated) => {
            attributes.insert("units".into(), json!(dated.describe()));
            attributes.insert("calendar".into(), json!(calendar.name()));
        }
        None => {
            attributes.insert("units".into(), json!(units));
        }
    }
    Ok((dated, attributes))
}

/// Indices that `--time` names.
fn in_range(raw: &[f64], units: Option<&TimeUnits>, range: Option<&str>) -> Result<Vec<usize>> {
    let Some(range) = range else { return Ok((0..raw.len()).collect()) };
    let Some((from, to)) = range.split_once(':') else {
        bail!(
            "--time {range} is no range: write indices as in 0:120, or dates as in 1982-01:1990-12"
        );
    };
    let chosen: Vec<usize> = if from.contains('-') || to.contains('-') {
        let Some(units) = units else {
            bail!(
                "--time {range} names dates, but the times of the file have none: use indices, or \
                 give --time-units"
            );
        };
        let inside = |value: f64| {
            if !value.is_finite() {
                return false;
            }
            let date = units.instant(value).date.to_string();
            // A month includes all of its days: dates are compared as far as they were given.
            let head = |limit: &str| date[..limit.len().min(date.len())].to_owned();
            (from.is_empty() || head(from).as_str() >= from)
                && (to.is_empty() || head(to).as_str() <= to)
        };
        (0..raw.len()).filter(|&n| inside(raw[n])).collect()
    } else {
        let index = |text: &str, default: usize| match text {
            "" => Ok(default),
            text => text.parse::<usize>(),
        };
        let (Ok(from), Ok(to)) = (index(from, 0), index(to, raw.len())) else {
            bail!(
                "--time {range} is no range: write indices as in 0:120, or dates as in \
                 1982-01:1990-12"
            );
        };
        ensure!(to <= raw.len(), "--time {range} ends beyond the {} steps of the file", raw.len());
        (from..to).collect()
    };
    ensure!(!chosen.is_empty(), "--time {range} chooses no step");
    Ok(chosen)
}

/// Checks that the steps follow each other evenly; returns how many calendar months apart, where
/// that is what is even.
fn check_regular(
    indices: &[usize],
    values: &[f64],
    units: Option<&TimeUnits>,
    unit: Option<Unit>,
) -> Result<Option<usize>> {
    let when = |n: usize| match units {
        Some(units) => units.instant(values[n]).to_string(),
        None => values[n].to_string(),
    };
    for (n, pair) in values.windows(2).enumerate() {
        if pair[1].partial_cmp(&pair[0]) != Some(std::cmp::Ordering::Greater) {
            bail!(
                "time does not increase: step {} ({}) follows step {} ({}); leave broken steps \
                 out with --drop-steps",
                indices[n + 1],
                when(n + 1),
                indices[n],
                when(n)
            );
        }
    }
    let gaps: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut sorted = gaps.clone();
    sorted.sort_by(f64::total_cmp);
    let Some(&usual) = sorted.get(sorted.len() / 2) else { return Ok(None) };
    // Single precision times and thirds of an hour are not exact.
    let odd = gaps.iter().position(|gap| (gap - usual).abs() > 0.01 * usual);
    let in_days: Option<Vec<f64>> = match (units, unit) {
        (Some(units), _) => {
            Some(values.windows(2).map(|p| units.days(p[1]) - units.days(p[0])).collect())
        }
        (None, Some(Unit::Seconds(unit))) => {
            Some(gaps.iter().map(|gap| gap * unit / DAY).collect())
        }
        _ => None,
    };
    let months = in_days.and_then(|days| {
        MONTHS.iter().find(|(_, range)| days.iter().all(|d| range.contains(d))).map(|(m, _)| *m)
    });
    match odd {
        Some(n) if months.is_none() => bail!(
            "time is irregular: from step {} ({}) to step {} ({}) it is {} where {usual} is usual; \
             choose a regular part with --time, or leave steps out with --drop-steps",
            indices[n],
            when(n),
            indices[n + 1],
            when(n + 1),
            gaps[n]
        ),
        _ => Ok(months),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zero(unit: f64, calendar: Calendar) -> TimeUnits {
        let origin =
            Instant { date: crate::calendar::Date { year: 0, month: 1, day: 1 }, seconds: 0.0 };
        TimeUnits { unit: Unit::Seconds(unit), origin, calendar }
    }

    /// Real dates must stay the dates they are when their origin is moved.
    #[test]
    fn origins_in_the_year_zero_are_moved() {
        let units = zero(DAY, Calendar::Standard);
        let (mut values, mut attributes) = (vec![730_000.25, 730_031.25], Attributes::new());
        let before = units.instant(values[1]);
        assert!(!leave_year_zero(units, &mut values, &mut attributes));
        let new =
            TimeUnits::parse(attributes["units"].as_str().unwrap(), Calendar::Standard).unwrap();
        assert_eq!(new.instant(values[1]), before);
        assert!((values[0] - 0.25).abs() < 1e-9);

        let units = zero(3600.0, Calendar::Standard);
        let mut values = vec![366.0, 1096.485];
        assert!(leave_year_zero(units, &mut values, &mut attributes));
        assert_eq!(attributes["units"], "hours since 0000-01-01 00:00:00");
        assert_eq!(attributes["calendar"], "all_leap");
        assert!((values[1] - 1096.485).abs() < 1e-9);
        assert!(!leave_year_zero(zero(3600.0, Calendar::NoLeap), &mut values, &mut attributes));
    }

    #[test]
    fn ranges_are_indices_or_dates() {
        let units = TimeUnits::parse("days since 2000-01-01", Calendar::Standard).unwrap();
        let raw: Vec<f64> = (0..100).map(f64::from).collect();
        let chosen =
            |range| in_range(&raw, Some(&units), Some(range)).map(|c| (c[0], c[c.len() - 1]));
        assert_eq!(chosen("2000-02:2000-02-10").unwrap(), (31, 40));
        assert_eq!(chosen("2000-02:2000-02").unwrap(), (31, 59));
        assert_eq!(chosen(":2000-01-02").unwrap(), (0, 1));
        assert_eq!(chosen("10:20").unwrap(), (10, 19));
        assert!(
            chosen("90:120").is_err() && chosen("1999-01:1999-12").is_err() && chosen("x").is_err()
        );
        assert!(in_range(&raw, None, Some("2000-01:2000-02")).is_err());
    }

    #[test]
    fn regular_means_even_or_monthly() {
        let check = |values: &[f64], unit| {
            let indices: Vec<usize> = (0..values.len()).collect();
            check_regular(&indices, values, None, unit).map_err(|e| e.to_string())
        };
        let days = Some(Unit::Seconds(DAY));
        assert_eq!(check(&[0.0, 31.0, 59.0, 90.0], days), Ok(Some(1)));
        assert_eq!(check(&[0.0, 6.0, 12.0, 18.0], None), Ok(None));
        assert!(check(&[0.0, 31.0, 59.0, 90.0], None).unwrap_err().contains("irregular"));
        assert!(check(&[0.0, 1.0, 1.0, 2.0], days).unwrap_err().contains("does not increase"));
        assert!(check(&[0.0, 1.0, f64::NAN, 2.0], days).unwrap_err().contains("does not increase"));
    }
}
