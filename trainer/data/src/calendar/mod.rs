//! The calendars of the CF conventions: days since 1970-01-01 to dates and back.

#[cfg(test)]
mod tests;
mod units;

use std::fmt;

use anyhow::{Result, bail};

pub(crate) use units::DAY;
pub use units::{Instant, TimeUnits, Unit};

/// A calendar of the CF conventions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calendar {
    /// Julian until 1582-10-04, Gregorian from 1582-10-15.
    Standard,
    /// Gregorian for all times.
    ProlepticGregorian,
    /// A leap day every fourth year.
    Julian,
    /// 365 days in every year.
    NoLeap,
    /// 366 days in every year.
    AllLeap,
    /// Twelve months of 30 days.
    Day360,
}

/// A day of a calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Year, with a year 0.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

const MONTH_STARTS: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
/// Day number of 1582-10-15, the first Gregorian day.
const REFORM: i64 = -141_427;

impl Calendar {
    /// By its CF name, or by another that libraries of data write; nothing is the standard one.
    ///
    /// # Errors
    /// If there is no such calendar.
    pub fn parse(name: &str) -> Result<Self> {
        let lower = name.trim().to_ascii_lowercase();
        // `360_day`, `360 days` and `360` are one name.
        let short = lower.replace(['_', '-', ' '], "");
        let short = short.strip_suffix("days").or(short.strip_suffix("day")).unwrap_or(&short);
        Ok(match short {
            // International atomic time has no leap seconds, as all times here.
            "standard" | "gregorian" | "tai" | "" => Self::Standard,
            "prolepticgregorian" | "gregorianproleptic" | "proleptic" => Self::ProlepticGregorian,
            "julian" => Self::Julian,
            "noleap" | "365" => Self::NoLeap,
            "allleap" | "366" => Self::AllLeap,
            "360" => Self::Day360,
            _ => bail!(
                "the calendar `{name}` is not one of standard, proleptic_gregorian, julian, \
                 noleap, all_leap, 360_day"
            ),
        })
    }

    /// Its CF name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::ProlepticGregorian => "proleptic_gregorian",
            Self::Julian => "julian",
            Self::NoLeap => "noleap",
            Self::AllLeap => "all_leap",
            Self::Day360 => "360_day",
        }
    }

    /// Mean length of a year.
    pub(crate) fn days_of_year(self) -> f64 {
        match self {
            Self::Standard | Self::ProlepticGregorian => 365.2425,
            Self::Julian => 365.25,
            Self::NoLeap => 365.0,
            Self::AllLeap => 366.0,
            Self::Day360 => 360.0,
        }
    }

    /// Days from 1970-01-01 of this calendar (in the standard and Julian calendars: from the
    /// Gregorian one).
    pub(crate) fn day_number(self, date: Date) -> i64 {
        let Date { year, month, day } = date;
        let in_year = |leap: bool| {
            let leap_day = i64::from(leap && month > 2);
            MONTH_STARTS[usize::from(month - 1)] + leap_day + i64::from(day) - 1
        };
        match self {
            Self::Standard if (year, month, day) < (1582, 10, 15) => Self::Julian.day_number(date),
            Self::Standard => Self::ProlepticGregorian.day_number(date),
            Self::ProlepticGregorian => {
                let before = year - 1;
                let leaps = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
                let leap = year.rem_euclid(4) == 0
                    && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
                365 * before + leaps + in_year(leap) - 719_162
            }
            Self::Julian => {
                let before = year - 1;
                365 * before + before.div_euclid(4) + in_year(year.rem_euclid(4) == 0) - 719_164
            }
            Self::NoLeap => 365 * (year - 1970) + in_year(false),
            Self::AllLeap => 366 * (year - 1970) + in_year(true),
            Self::Day360 => 360 * (year - 1970) + 30 * i64::from(month - 1) + i64::from(day) - 1,
        }
    }

    /// The date of a day number; inverse of `day_number`.
    pub fn date(self, number: i64) -> Date {
        if self == Self::Day360 {
            let (year, rest) = (1970 + number.div_euclid(360), number.rem_euclid(360));
            return Date { year, month: (rest / 30 + 1) as u8, day: (rest % 30 + 1) as u8 };
        }
        let calendar = match self {
            Self::Standard if number < REFORM => Self::Julian,
            Self::Standard => Self::ProlepticGregorian,
            other => other,
        };
        // From a year that is surely not after the day, up; then the month whose first day is not
        // after the day.
        let first = |year, month| calendar.day_number(Date { year, month, day: 1 });
        let mut year = 1969 + number.div_euclid(365).min(number.div_euclid(366));
        while first(year + 1, 1) <= number {
            year += ((number - first(year + 1, 1)) / 366).max(1);
        }
        let month = (1..=12).rev().find(|&m| first(year, m) <= number).unwrap_or(1);
        Date { year, month, day: (number - first(year, month) + 1) as u8 }
    }
}
