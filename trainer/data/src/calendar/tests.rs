//! Units, calendars and dates as others write and read them.

use super::*;

/// What cftime 1.6.6 answers, as `(units, calendar, value, day, seconds)`. Each line was made by
///
///     d = cftime.num2date(value, units, calendar, only_use_cftime_datetimes=True)
///     print(d.strftime("%Y-%m-%d"), (d.hour * 60 + d.minute) * 60 + d.second + d.microsecond / 1e6)
#[rustfmt::skip]
const CFTIME: &[(&str, &str, f64, &str, f64)] = &[
    ("days since 1999-12-30", "standard", 800.25, "2002-03-09", 21600.0),
    ("days since 1999-12-30", "gregorian", 800.25, "2002-03-09", 21600.0),
    ("days since 1999-12-30", "Gregorian", 800.25, "2002-03-09", 21600.0),
    ("days since 1999-12-30", "proleptic_gregorian", 800.25, "2002-03-09", 21600.0),
    ("days since 1999-12-30", "tai", 800.25, "2002-03-09", 21600.0),
    ("days since 1999-12-30", "noleap", 800.25, "2002-03-10", 21600.0),
    ("days since 1999-12-30", "NOLEAP", 800.25, "2002-03-10", 21600.0),
    ("days since 1999-12-30", "365_day", 800.25, "2002-03-10", 21600.0),
    ("days since 1999-12-30", "all_leap", 800.25, "2002-03-07", 21600.0),
    ("days since 1999-12-30", "366_day", 800.25, "2002-03-07", 21600.0),
    ("days since 1999-12-30", "360_day", 800.25, "2002-03-20", 21600.0),
    ("days since 1999-12-30", "julian", 800.25, "2002-03-09", 21600.0),
    ("hours since 1582-10-04 06:00", "standard", 36.0, "1582-10-15", 64800.0),
    ("days since 0001-01-01", "standard", 738000.0, "2021-07-28", 0.0),
    ("hours since 1582-10-04 06:00", "proleptic_gregorian", 36.0, "1582-10-05", 64800.0),
    ("days since 0001-01-01", "proleptic_gregorian", 738000.0, "2021-07-30", 0.0),
    ("hours since 1582-10-04 06:00", "julian", 36.0, "1582-10-05", 64800.0),
    ("days since 0001-01-01", "julian", 738000.0, "2021-07-15", 0.0),
    ("hours since 1582-10-04 06:00", "noleap", 36.0, "1582-10-05", 64800.0),
    ("days since 0001-01-01", "noleap", 738000.0, "2022-12-02", 0.0),
    ("hours since 1582-10-04 06:00", "all_leap", 36.0, "1582-10-05", 64800.0),
    ("days since 0001-01-01", "all_leap", 738000.0, "2017-05-24", 0.0),
    ("hours since 1582-10-04 06:00", "360_day", 36.0, "1582-10-05", 64800.0),
    ("days since 0001-01-01", "360_day", 738000.0, "2051-01-01", 0.0),
    ("days since -4713-01-01 12:00:00", "standard", 2451545.0, "2000-01-01", 43200.0),
    ("days since -4713-01-01 12:00:00", "julian", 2451545.0, "1999-12-19", 43200.0),
    ("microseconds since 2000-01-01", "standard", 14.0, "2000-01-01", 1.4e-05),
    ("milliseconds since 2000-01-01", "standard", 14.0, "2000-01-01", 0.014),
    ("seconds since 2000-01-01", "standard", 14.0, "2000-01-01", 14.0),
    ("minutes since 2000-01-01", "standard", 14.0, "2000-01-01", 840.0),
    ("hours since 2000-01-01", "standard", 14.0, "2000-01-01", 50400.0),
    ("days since 2000-01-01", "standard", 14.0, "2000-01-15", 0.0),
    ("months since 1960-01-01", "360_day", 477.5, "1999-10-16", 0.0),
    ("common_years since 2000-03-01", "noleap", 14.0, "2014-03-01", 0.0),
    ("days since 2000-1-1 6:30", "standard", 1.25, "2000-01-02", 45000.0),
    ("days since 2000-01-01T06:30:15.5Z", "standard", 1.25, "2000-01-02", 45015.5),
    ("days since +2000-01-01", "standard", 1.25, "2000-01-02", 21600.0),
    ("hours since 2000-01-01 00:00:00 +0530", "standard", 1.25, "1999-12-31", 71100.0),
    ("hours since 2000-01-01 00:00:00 -06", "standard", 1.25, "2000-01-01", 26100.0),
    ("hours since 2000-01-01 00:00:00-06:00", "standard", 1.25, "2000-01-01", 26100.0),
    ("hours since 2000-01-01T00:00:00+02:00", "standard", 1.25, "1999-12-31", 83700.0),
    ("hours since 2000-01-01 00:00 UTC", "standard", 1.25, "2000-01-01", 4500.0),
    ("hours since 2000-01-01 00:00:00 GMT", "standard", 1.25, "2000-01-01", 4500.0),
    ("hours since 2000-01-01Z", "standard", 1.25, "2000-01-01", 4500.0),
    ("hours since 2000-01-01 +02:00", "standard", 1.25, "1999-12-31", 83700.0),
    ("hours since 2000-01-01 00:00:0.0", "standard", 1.25, "2000-01-01", 4500.0),
    ("seconds since 1970-01-01T00:00:00.000000", "standard", 1.25, "1970-01-01", 1.25),
    ("Hours Since 2000-01-01", "standard", 1.25, "2000-01-01", 4500.0),
];

#[test]
fn dates_are_those_of_cftime() {
    for &(units, calendar, value, day, seconds) in CFTIME {
        let parsed = TimeUnits::parse(units, Calendar::parse(calendar).unwrap());
        let at = parsed.unwrap_or_else(|error| panic!("{units}: {error:#}")).instant(value);
        assert_eq!(at.date.to_string(), day, "{value} {units} ({calendar})");
        assert!((at.seconds - seconds).abs() < 1e-6, "{value} {units} ({calendar}): {at:?}");
    }
}

/// Spellings that cftime, UDUNITS and xarray take, under CF's own name.
#[test]
fn units_have_many_spellings() {
    for (name, seconds, spellings) in [
        ("nanoseconds", 1e-9, "nanosecond ns nsec nsecs nanosec nanosecs"),
        ("microseconds", 1e-6, "microsecond microsec microsecs us usec usecs"),
        ("milliseconds", 1e-3, "millisecond millisec millisecs msec msecs ms"),
        ("seconds", 1.0, "second sec secs s"),
        ("minutes", 60.0, "minute min mins"),
        ("hours", 3600.0, "hour hr hrs h"),
        ("days", 86_400.0, "day d DAYS Day"),
        ("weeks", 604_800.0, "week"),
        ("common_years", 31_536_000.0, "common_year"),
        ("months", 2_592_000.0, "month"),
        ("years", 31_104_000.0, "year yr yrs"),
    ] {
        for spelling in spellings.split(' ').chain([name]) {
            let unit = Unit::parse(spelling).unwrap_or_else(|| panic!("{spelling}"));
            assert_eq!((unit.name(), unit.seconds(Calendar::Day360)), (name, seconds));
        }
    }
    assert!(Unit::parse("moons").is_none());
}

/// Only units of a fixed length that every reader of CF knows are written.
#[test]
fn units_are_written_as_cf_has_them() {
    for (units, written) in [
        ("HRS since 2000-01-01", "hours since 2000-01-01 00:00:00"),
        ("usec since 2000-01-01 00:00:00.25", "microseconds since 2000-01-01 00:00:00.25"),
        ("ns since 1970-01-01", "nanoseconds since 1970-01-01 00:00:00"),
        ("weeks since 2000-01-01 06:00", "days since 2000-01-01 06:00:00"),
        ("common_years since 2000-01-01", "days since 2000-01-01 00:00:00"),
        ("months since 2000-1-1", "days since 2000-01-01 00:00:00"),
    ] {
        let units = TimeUnits::parse(units, Calendar::Standard).unwrap();
        assert_eq!(units.describe(), written);
        assert_eq!(TimeUnits::parse(written, Calendar::Standard).unwrap(), units.cf());
    }
}

/// Names that large libraries of data write, beside CF's.
#[test]
fn calendars_have_many_names() {
    for (calendar, names) in [
        (Calendar::Standard, "standard gregorian Gregorian STANDARD tai"),
        (Calendar::ProlepticGregorian, "proleptic_gregorian gregorian_proleptic proleptic"),
        (Calendar::Julian, "julian Julian"),
        (Calendar::NoLeap, "noleap no_leap 365_day 365_days 365 365day NOLEAP"),
        (Calendar::AllLeap, "all_leap allleap 366_day 366_days 366 366day"),
        (Calendar::Day360, "360_day 360_days 360 360day 360_DAY 360-day"),
    ] {
        for name in names.split(' ') {
            for written in [name.to_owned(), format!(" {name} ")] {
                assert_eq!(Calendar::parse(&written).unwrap(), calendar, "{written}");
            }
        }
    }
    assert_eq!(Calendar::parse(" 360 day ").unwrap(), Calendar::Day360);
    assert_eq!(Calendar::parse("").unwrap(), Calendar::Standard);
    for name in ["mayan", "36", "none", "gregorian_julian"] {
        assert!(Calendar::parse(name).unwrap_err().to_string().contains(name));
    }
}

/// Reference dates that cftime reads otherwise or not at all, as UDUNITS has them.
#[test]
fn reference_dates_have_many_forms() {
    for (date, expected) in [
        ("2000", "2000-01-01 00:00:00"),
        ("2000-02", "2000-02-01 00:00:00"),
        ("20000229", "2000-02-29 00:00:00"),
        ("2000/02/29", "2000-02-29 00:00:00"),
        ("1992-10-8 15:15:42.5 -6:00", "1992-10-08 21:15:42"),
        ("2000-01-01 00:00:00 -6", "2000-01-01 06:00:00"),
        ("2000-01-01T00:00:00.000Z", "2000-01-01 00:00:00"),
        ("2000-1-1 6", "2000-01-01 06:00:00"),
        ("2000-01-01T06", "2000-01-01 06:00:00"),
    ] {
        let units = TimeUnits::parse(&format!("days since {date}"), Calendar::Standard).unwrap();
        assert_eq!(units.origin.to_string(), expected, "{date}");
    }
    for date in ["", "yesterday", "2000-13-01", "2000-01-01 25:00:00", "2000-01-01 00:61", "200001"]
    {
        assert!(
            TimeUnits::parse(&format!("days since {date}"), Calendar::Standard).is_err(),
            "{date}"
        );
    }
}

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

/// Days known from elsewhere: cftime 1.6 (`date2num` to days since 1970-01-01 of the same
/// calendar).
#[test]
fn known_days() {
    let day = |calendar: Calendar, year, month, day| calendar.day_number(Date { year, month, day });
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
    for units in ["days", "moons since 2000-01-01", "days since yesterday", "days since 2001-02-30"]
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
