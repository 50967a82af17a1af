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

impl Unit {
    /// By its name or abbreviation, in the singular or plural.
    pub fn parse(name: &str) -> Option<Self> {
        let lower = name.trim().to_ascii_lowercase();
        Some(match lower.as_str() {
            "ms" | "msec" | "millisecond" | "milliseconds" => Self::Seconds(1e-3),
            "s" | "sec" | "secs" | "second" | "seconds" => Self::Seconds(1.0),
            "min" | "mins" | "minute" | "minutes" => Self::Seconds(60.0),
            "h" | "hr" | "hrs" | "hour" | "hours" => Self::Seconds(3600.0),
            "d" | "day" | "days" => Self::Seconds(86_400.0),
            "week" | "weeks" => Self::Seconds(7.0 * 86_400.0),
            "month" | "months" => Self::Months(1.0),
            "year" | "years" | "yr" | "yrs" => Self::Months(12.0),
            _ => return None,
        })
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
    pub fn instant(&self, value: f64) -> Instant {
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
                // The 31st of a shorter month is its last day; part of a month counts as part of 30 days.
                let next = self.calendar.day_number(first) + 31;
                let last = (28..=31)
                    .rev()
                    .find(|&d| {
                        self.calendar.date(next - 31 + i64::from(d) - 1).month == first.month
                    })
                    .unwrap_or(28);
                let start = Instant { date: Date { day: day.min(last), ..first }, ..self.origin };
                self.after(start, (months - whole) * 30.0 * 86_400.0)
            }
        }
    }

    fn after(&self, start: Instant, seconds: f64) -> Instant {
        let total = start.seconds + seconds;
        // Thirds of an hour and the like are rounded in files: a microsecond before midnight is midnight.
        let days = ((total + 1e-6) / 86_400.0).floor();
        let number = self.calendar.day_number(start.date) + days as i64;
        Instant { date: self.calendar.date(number), seconds: (total - days * 86_400.0).max(0.0) }
    }

    /// Days from the origin to a value.
    pub fn days(&self, value: f64) -> f64 {
        let at = self.instant(value);
        let days = self.calendar.day_number(at.date) - self.calendar.day_number(self.origin.date);
        days as f64 + (at.seconds - self.origin.seconds) / 86_400.0
    }

    /// As CF writes them: unit names in the plural, without months and years, which have no fixed length.
    pub fn describe(&self) -> String {
        let unit = match self.unit {
            Unit::Seconds(1e-3) => "milliseconds",
            Unit::Seconds(1.0) => "seconds",
            Unit::Seconds(60.0) => "minutes",
            Unit::Seconds(3600.0) => "hours",
            Unit::Seconds(604_800.0) => "weeks",
            _ => "days",
        };
        format!("{unit} since {}", self.origin)
    }
}

/// `1980-01-14 14:00:00`, `2001-12-31T23:00:00Z`, `1958-1-1`, `14-JAN-1980 14:00:00`.
fn parse_instant(text: &str, calendar: Calendar) -> Result<Instant> {
    let text = text.trim().trim_end_matches("UTC").trim_end_matches(['Z', 'z']).trim();
    // The T of an ISO date follows a digit, that of OCT does not.
    let ends = |(at, c): &(usize, char)| {
        matches!(c, 'T' | ' ' | ':') && text[..*at].ends_with(|c: char| c.is_ascii_digit())
    };
    let (date, rest) = match text.char_indices().find(ends) {
        Some((at, _)) => (&text[..at], text[at + 1..].trim()),
        None => (text, ""),
    };
    let date = parse_date(date)?;
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

fn parse_date(text: &str) -> Result<Date> {
    const MONTHS: [&str; 12] =
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let parts: Vec<&str> = digits.split('-').collect();
    let &[first, month, last] = parts.as_slice() else { bail!("`{text}` is not year-month-day") };
    let named = MONTHS.iter().position(|m| month.eq_ignore_ascii_case(m));
    let (year, month, day) = match named {
        Some(index) => (last, index as u8 + 1, first),
        None => (first, month.parse().context("the month is no number")?, last),
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

/// `14:00:00`, `23:00`, `00:00:0.0`, `0`; nothing is midnight.
fn parse_clock(text: &str) -> Result<f64> {
    let mut seconds = 0.0;
    for (part, unit) in text.split(':').zip([3600.0, 60.0, 1.0]) {
        if !part.is_empty() {
            seconds +=
                part.parse::<f64>().with_context(|| format!("`{text}` is no time of day"))? * unit;
        }
    }
    Ok(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Dates that cftime 1.6 (`num2date`) gives for the time axes of real files.
    #[test]
    fn values_of_real_files_have_their_dates() {
        let cases = [
            ("hour since 1980-01-14 14:00:00", "", 17598.0, "1982-01-16 20:00:00"),
            (
                "Hour since 2001-12-31T23:00:00Z",
                "proleptic_gregorian",
                146_396.0,
                "2018-09-13 19:00:00",
            ),
            ("hours since 1970-01-01 00:00:00", "360_day", -946_800.0, "1860-06-01 00:00:00"),
            ("days since 1970-01-01 00:00:0.0", "gregorian", 334.0, "1970-12-01 00:00:00"),
            ("months since 1958-1-1 00:00:00", "", 229.0, "1977-02-01 00:00:00"),
            ("days since 0001-01-01", "noleap", 59.0, "0001-03-01 00:00:00"),
            ("days since 14-JAN-1980 12:00:00", "", 0.5, "1980-01-15 00:00:00"),
            ("seconds since 2000-01-01 00:00:00 +02:00", "", 0.0, "1999-12-31 22:00:00"),
            ("years since 2000-02-29", "", 1.0, "2001-02-28 00:00:00"),
        ];
        for (units, calendar, value, expected) in cases {
            let units = TimeUnits::parse(units, Calendar::parse(calendar).unwrap()).unwrap();
            assert_eq!(units.instant(value).to_string(), expected, "{units:?}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for units in
            ["days", "moons since 2000-01-01", "days since yesterday", "days since 2001-02-30"]
        {
            assert!(TimeUnits::parse(units, Calendar::Standard).is_err(), "{units}");
        }
        assert!(TimeUnits::parse("days since 2001-02-30", Calendar::Day360).is_ok());
    }

    #[test]
    fn months_become_days() {
        let units = TimeUnits::parse("months since 1958-1-1", Calendar::Standard).unwrap();
        assert_eq!(units.days(13.0), 365.0 + 31.0);
        assert_eq!(units.describe(), "days since 1958-01-01 00:00:00");
    }
}
