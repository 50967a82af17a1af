//! The calendars of the CF conventions: days since 1970-01-01 to dates and back.

mod units;

use std::fmt;

use anyhow::{Result, bail};

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
    /// By its CF name.
    ///
    /// # Errors
    /// If there is no such calendar.
    pub fn parse(name: &str) -> Result<Self> {
        Ok(match name.trim().to_ascii_lowercase().as_str() {
            "standard" | "gregorian" | "" => Self::Standard,
            "proleptic_gregorian" => Self::ProlepticGregorian,
            "julian" => Self::Julian,
            "noleap" | "365_day" => Self::NoLeap,
            "all_leap" | "366_day" => Self::AllLeap,
            "360_day" => Self::Day360,
            other => bail!(
                "the calendar `{other}` is not one of standard, proleptic_gregorian, julian, noleap, all_leap, 360_day"
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

    /// Days from 1970-01-01 of this calendar (in the standard and Julian calendars: from the Gregorian one).
    pub fn day_number(self, date: Date) -> i64 {
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

    /// The date of a day number; inverse of [`Calendar::day_number`].
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
        // From a year that is surely not after the day, up; then the month whose first day is not after the day.
        let first = |year, month| calendar.day_number(Date { year, month, day: 1 });
        let mut year = 1969 + number.div_euclid(365).min(number.div_euclid(366));
        while first(year + 1, 1) <= number {
            year += ((number - first(year + 1, 1)) / 366).max(1);
        }
        let month = (1..=12).rev().find(|&m| first(year, m) <= number).unwrap_or(1);
        Date { year, month, day: (number - first(year, month) + 1) as u8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Calendar; 6] = [
        Calendar::Standard,
        Calendar::ProlepticGregorian,
        Calendar::Julian,
        Calendar::NoLeap,
        Calendar::AllLeap,
        Calendar::Day360,
    ];

    /// If this failed, monthly anomalies would be taken against the wrong month.
    #[test]
    fn dates_and_day_numbers_are_inverse() {
        for calendar in ALL {
            for number in (-800_000..200_000).step_by(13).chain(-141_440..-141_410) {
                let date = calendar.date(number);
                assert_eq!(calendar.day_number(date), number, "{calendar:?} {date}");
                assert!(date < calendar.date(number + 1), "{calendar:?} {date}");
            }
        }
    }

    /// Days known from elsewhere: cftime 1.6 (`date2num` to days since 1970-01-01 of the same calendar).
    #[test]
    fn known_days() {
        let day =
            |calendar: Calendar, year, month, day| calendar.day_number(Date { year, month, day });
        assert_eq!(day(Calendar::Standard, 1970, 1, 1), 0);
        assert_eq!(day(Calendar::Standard, 2000, 3, 1), 11_017);
        assert_eq!(day(Calendar::Standard, 1582, 10, 15), REFORM);
        assert_eq!(day(Calendar::Standard, 1582, 10, 4), REFORM - 1);
        assert_eq!(day(Calendar::ProlepticGregorian, 1582, 10, 4), -141_438);
        assert_eq!(day(Calendar::NoLeap, 2000, 3, 1), 365 * 30 + 59);
        assert_eq!(day(Calendar::AllLeap, 2001, 3, 1), 366 * 31 + 60);
        assert_eq!(day(Calendar::Day360, 2000, 3, 1), 360 * 30 + 60);
    }

    #[test]
    fn unknown_calendars_are_named() {
        assert!(Calendar::parse("mayan").unwrap_err().to_string().contains("`mayan`"));
        for calendar in ALL {
            assert_eq!(Calendar::parse(calendar.name()).unwrap(), calendar);
        }
    }
}
