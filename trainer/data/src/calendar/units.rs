//! CF time units: "hours since 1980-01-14 14:00:00" to dates and back.

use std::fmt;

use anyhow::{Context, Result, bail, ensure};

use super::{Calendar, Date};

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    /// So many seconds.
    Seconds(f64),
    /// So many calendar months: what people mean by "months since", though UDUNITS says 30.44 days.
    Months(f64),
}

/// Units with their spellings, CF's own first: what cftime, UDUNITS and xarray take.
const UNITS: &[(Unit, &[&str])] = &[
    (
        Unit::Seconds(1e-9),
        &["nanoseconds", "nanosecond", "nanosecs", "nanosec", "nsecs", "nsec", "ns"],
    ),
    (
        Unit::Seconds(1e-6),
        &["microseconds", "microsecond", "microsecs", "microsec", "usecs", "usec", "us"],
    ),
    (
        Unit::Seconds(1e-3),
        &["milliseconds", "millisecond", "millisecs", "millisec", "msecs", "msec", "ms"],
    ),
    (Unit::Seconds(1.0), &["seconds", "second", "secs", "sec", "s"]),
    (Unit::Seconds(60.0), &["minutes", "minute", "mins", "min"]),
    (Unit::Seconds(3600.0), &["hours", "hour", "hrs", "hr", "h"]),
    (Unit::Seconds(DAY), &["days", "day", "d"]),
    (Unit::Seconds(7.0 * DAY), &["weeks", "week"]),
    (Unit::Seconds(365.0 * DAY), &["common_years", "common_year"]),
    (Unit::Months(1.0), &["months", "month"]),
    (Unit::Months(12.0), &["years", "year", "yrs", "yr"]),
];

/// Seconds of a day.
pub(crate) const DAY: f64 = 86_400.0;

impl Unit {
    /// By its name or abbreviation, in the singular or plural.
    pub fn parse(name: &str) -> Option<Self> {
        let lower = name.trim().to_ascii_lowercase();
        let found = UNITS.iter().find(|(_, spellings)| spellings.contains(&lower.as_str()));
        found.map(|(unit, _)| *unit)
    }

    /// All that have a name, the shortest first.
    pub fn all() -> impl Iterator<Item = Self> {
        UNITS.iter().map(|(unit, _)| *unit)
    }

    /// CF's name, in the plural.
    pub fn name(self) -> &'static str {
        let found = UNITS.iter().find(|(unit, _)| *unit == self);
        found.and_then(|(_, spellings)| spellings.first()).unwrap_or(&"days")
    }

    /// How long it is; of months and years, the mean over all years of the calendar.
    pub fn seconds(self, calendar: Calendar) -> f64 {
        match self {
            Self::Seconds(seconds) => seconds,
            Self::Months(months) => months * calendar.days_of_year() / 12.0 * DAY,
        }
    }
}

/// A point in time: a day and the seconds since its midnight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instant {
    /// The day.
    pub date: Date,
    /// Seconds since midnight, 0 to 86400.
    pub seconds: f64,
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.seconds as u64;
        write!(f, "{} {:02}:{:02}:{:02}", self.date, whole / 3600, whole / 60 % 60, whole % 60)
    }
}

/// A unit, the time that counts as 0, and a calendar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeUnits {
    /// The unit of the numbers.
    pub unit: Unit,
    /// What 0 means.
    pub origin: Instant,
    /// How days are counted.
    pub calendar: Calendar,
}

impl TimeUnits {
    /// Parses CF units with "since".
    ///
    /// # Errors
    /// If unit or date make no sense.
    pub fn parse(units: &str, calendar: Calendar) -> Result<Self> {
        let words: Vec<&str> = units.split_whitespace().collect();
        let since = words.iter().position(|w| w.eq_ignore_ascii_case("since"));
        let (Some(1), Some(unit)) = (since, words.first().and_then(|w| Unit::parse(w))) else {
            bail!("the time units `{units}` are not of the form `hours since 1980-01-14 14:00:00`");
        };
        let origin = parse_instant(&words[2..].join(" "), calendar)
            .with_context(|| format!("the time units `{units}` have no date that can be read"))?;
        Ok(Self { unit, origin, calendar })
    }

    /// When a value is.
    pub(crate) fn instant(&self, value: f64) -> Instant {
        match self.unit {
            Unit::Seconds(unit) => self.after(self.origin, value * unit),
            Unit::Months(unit) => {
                let months = value * unit;
                let Date { year, month, day } = self.origin.date;
                let whole = months.floor();
                let count = year * 12 + i64::from(month) - 1 + whole as i64;
                let first = Date {
                    year: count.div_euclid(12),
                    month: (count.rem_euclid(12) + 1) as u8,
                    day: 1,
                };
                // The 31st of a shorter month is its last day; part of a month counts as part of 30
                // days.
                let next = self.calendar.day_number(first) + 31;
                let last = (28..=31)
                    .rev()
                    .find(|&d| {
                        self.calendar.date(next - 31 + i64::from(d) - 1).month == first.month
                    })
                    .unwrap_or(28);
                let start = Instant { date: Date { day: day.min(last), ..first }, ..self.origin };
                self.after(start, (months - whole) * 30.0 * DAY)
            }
        }
    }

    fn after(&self, start: Instant, seconds: f64) -> Instant {
        let total = start.seconds + seconds;
        // Thirds of an hour and the like are rounded in files: a microsecond before midnight is
        // midnight.
        let days = ((total + 1e-6) / DAY).floor();
        let number = self.calendar.day_number(start.date) + days as i64;
        Instant { date: self.calendar.date(number), seconds: (total - days * DAY).max(0.0) }
    }

    /// Days from the origin to a value.
    pub fn days(&self, value: f64) -> f64 {
        let at = self.instant(value);
        let days = self.calendar.day_number(at.date) - self.calendar.day_number(self.origin.date);
        days as f64 + (at.seconds - self.origin.seconds) / DAY
    }

    /// Integers that f64 cannot all hold in a longer unit, in which all of them are whole; if that
    /// is not enough, counted from the day of the first on. None where f64 holds them as they are.
    pub(crate) fn shorten(&self, values: &[i64]) -> Option<(Self, Vec<f64>)> {
        /// The largest integer up to which f64 has all.
        const MOST: u128 = 1 << 53;
        let long = |values: &[i128]| values.iter().any(|v| v.unsigned_abs() > MOST);
        let Unit::Seconds(seconds) = self.unit else { return None };
        let mut values: Vec<i128> = values.iter().map(|&v| i128::from(v)).collect();
        if !long(&values) {
            return None;
        }
        let nanoseconds = |seconds: f64| (seconds * 1e9).round() as i128;
        values.iter_mut().for_each(|v| *v *= nanoseconds(seconds));
        let whole = |unit: &f64| values.iter().all(|v| v % nanoseconds(*unit) == 0);
        let mut units = UNITS.iter().rev().filter_map(|(unit, _)| match unit {
            Unit::Seconds(seconds) if *seconds <= DAY => Some(*seconds),
            _ => None,
        });
        let unit = units.find(whole)?;
        values.iter_mut().for_each(|v| *v /= nanoseconds(unit));
        let mut new = Self { unit: Unit::Seconds(unit), ..*self };
        if long(&values) {
            let day = nanoseconds(DAY) / nanoseconds(unit);
            let days = values.first()?.div_euclid(day);
            values.iter_mut().for_each(|v| *v -= days * day);
            let number = self.calendar.day_number(self.origin.date) + i64::try_from(days).ok()?;
            new.origin.date = self.calendar.date(number);
        }
        Some((new, values.into_iter().map(|v| v as f64).collect()))
    }

    /// The units that are written: days in place of all that is longer, which not every reader of
    /// CF knows, and of months and years, which have no fixed length.
    #[must_use]
    pub(crate) fn cf(&self) -> Self {
        match self.unit {
            Unit::Seconds(seconds) if seconds <= DAY => *self,
            _ => Self { unit: Unit::Seconds(DAY), ..*self },
        }
    }

    /// The units as CF writes them.
    pub fn describe(&self) -> String {
        // Instants are shown to the whole second.
        let fraction = format!("{:.9}", self.origin.seconds.fract());
        let fraction = fraction.trim_start_matches('0').trim_end_matches('0').trim_end_matches('.');
        format!("{} since {}{fraction}", self.cf().unit.name(), self.origin)
    }
}

/// `1980-01-14 14:00:00`, `2001-12-31T23:00:00Z`, `1958-1-1`, `14-JAN-1980 14:00:00`, `1992-10-8
/// 15:15:42.5 -6:00`.
fn parse_instant(text: &str, calendar: Calendar) -> Result<Instant> {
    let text = text.trim();
    let zone = ["UTC", "GMT", "Z", "z"].iter().find_map(|zone| text.strip_suffix(zone));
    let text = zone.unwrap_or(text).trim();
    // The T of an ISO date follows a digit, that of OCT does not.
    let ends = |(at, c): &(usize, char)| {
        matches!(c, 'T' | ' ' | ':') && text[..*at].ends_with(|c: char| c.is_ascii_digit())
    };
    let (date, rest) = match text.char_indices().find(ends) {
        Some((at, _)) => (&text[..at], text[at + 1..].trim()),
        None => (text, ""),
    };
    let mut date = parse_date(date)?;
    // CF's calendars with the leap years of the sky go from the year −1 to the year 1; dates here
    // have a year 0.
    if date.year < 0 && matches!(calendar, Calendar::Standard | Calendar::Julian) {
        date.year += 1;
    }
    let valid = calendar.date(calendar.day_number(date)) == date;
    ensure!(valid, "there is no {date} in the calendar {}", calendar.name());
    // An offset from UTC follows the time after a space or a sign.
    let (clock, offset) = match rest.find(['+', '-', ' ']) {
        Some(at) => (&rest[..at], rest[at..].trim()),
        None => (rest, ""),
    };
    let seconds = parse_clock(clock)?;
    let offset = match offset.strip_prefix('-') {
        Some(west) => -parse_clock(west)?,
        None => parse_clock(offset.trim_start_matches('+'))?,
    };
    let start = TimeUnits { unit: Unit::Seconds(1.0), origin: Instant { date, seconds }, calendar };
    Ok(start.instant(-offset))
}

/// `1980-01-14`, `14-JAN-1980`, `19800114`; the first day of `1980-01` and of `1980`.
fn parse_date(text: &str) -> Result<Date> {
    const MONTHS: [&str; 12] =
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.trim_start_matches('+')),
    };
    let parts: Vec<&str> = digits.split(['-', '/']).collect();
    let (year, month, day) = match *parts.as_slice() {
        [year] if year.len() <= 4 => (year, "1", "1"),
        [packed] if packed.len() == 8 && packed.bytes().all(|b| b.is_ascii_digit()) => {
            (&packed[..4], &packed[4..6], &packed[6..])
        }
        [year, month] => (year, month, "1"),
        [first, month, last] if MONTHS.iter().any(|m| month.eq_ignore_ascii_case(m)) => {
            (last, month, first)
        }
        [year, month, day] => (year, month, day),
        _ => bail!("`{text}` is not year-month-day"),
    };
    let named = MONTHS.iter().position(|m| month.eq_ignore_ascii_case(m));
    let month = match named {
        Some(index) => index as u8 + 1,
        None => month.parse().context("the month is no number")?,
    };
    let date = Date {
        year: sign * year.parse::<i64>().context("the year is no number")?,
        month,
        day: day.parse().context("the day is no number")?,
    };
    ensure!(
        (1..=12).contains(&date.month) && (1..=31).contains(&date.day),
        "there is no date {text}"
    );
    Ok(date)
}

/// `14:00:00`, `23:00`, `00:00:0.0`, `0530`, `6`; nothing is midnight.
fn parse_clock(text: &str) -> Result<f64> {
    let no_time = || format!("`{text}` is no time of day");
    let parts: Vec<&str> = if text.contains(':') || text.len() <= 2 || !text.is_ascii() {
        text.split(':').collect()
    } else {
        let (hours, rest) = text.split_at(2);
        let (minutes, seconds) = rest.split_at(rest.len().min(2));
        vec![hours, minutes, seconds]
    };
    ensure!(parts.len() <= 3, no_time());
    let mut seconds = 0.0;
    for (part, (unit, most)) in parts.into_iter().zip([(3600.0, 24.0), (60.0, 59.0), (1.0, 60.0)]) {
        if !part.is_empty() {
            let count = part.parse::<f64>().with_context(no_time)?;
            ensure!((0.0..=most).contains(&count.trunc()), no_time());
            seconds += count * unit;
        }
    }
    Ok(seconds)
}
