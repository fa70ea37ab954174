//! Times as people read them.

use std::fmt;

use super::Options;
use crate::capture::Time;

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeFormat {
    /// Seconds since the first frame ([`Options::first_time`]).
    #[default]
    Relative,
    /// Seconds since the time given, that of the message shown before.
    Delta(Option<Time>),
    /// Seconds since 1970.
    Epoch,
    /// Date and time in UTC.
    Absolute,
}

/// A time as `options` want it; `-` where there is none.
#[must_use]
pub fn clock(time: Option<Time>, options: &Options<'_>) -> String {
    let Some(time) = time else {
        return "-".to_owned();
    };
    match options.time {
        TimeFormat::Relative => seconds(time.since(options.first_time.unwrap_or(time))),
        TimeFormat::Delta(previous) => seconds(time.since(previous.unwrap_or(time))),
        TimeFormat::Epoch => time.to_string(),
        TimeFormat::Absolute => Utc(time).to_string(),
    }
}

/// Nanoseconds as seconds with six decimals.
fn seconds(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let micros = nanoseconds.unsigned_abs() / 1000;
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// A time as date and time in UTC: `2026-11-20 21:11:46.123456789`.
pub(super) struct Utc(pub(super) Time);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.0.div_euclid(1_000_000_000);
        let (year, month, day) = date(seconds.div_euclid(86_400));
        let second = seconds.rem_euclid(86_400);
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:09}",
            second / 3600,
            second / 60 % 60,
            second % 60,
            self.0.0.rem_euclid(1_000_000_000)
        )
    }
}

/// Year, month and day of a number of days since 1970-01-01 in the Gregorian calendar.
fn date(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, the leap day is the last of its year, and 400 years
    // always have as many days.
    let days = days + 719_468;
    let (cycle, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (400 * cycle + year + i64::from(month <= 2), month, day)
}

/// A length of time in the unit that reads best: `0.31 ms`, `2.5 s`.
pub(super) fn duration(nanoseconds: u64) -> String {
    let (unit, name) = match nanoseconds {
        0..1_000 => return format!("{nanoseconds} ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let (whole, rest) = (nanoseconds / unit, nanoseconds % unit);
    match whole {
        0..10 => format!("{whole}.{:02} {name}", rest * 100 / unit),
        10..100 => format!("{whole}.{} {name}", rest * 10 / unit),
        _ => format!("{whole} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: TimeFormat, expected: &str) {
        let options = Options {
            time: format,
            first_time: Some(Time(1_709_210_000_000_000_000)),
            ..Options::PLAIN
        };
        let time = Time(1_709_210_096_000_123_456);
        assert_eq!(clock(Some(time), &options), expected);
    }

    #[test]
    fn a_time_is_written_as_asked() {
        check(TimeFormat::Relative, "96.000123");
        check(
            TimeFormat::Delta(Some(Time(1_709_210_096_500_123_456))),
            "-0.500000",
        );
        check(TimeFormat::Epoch, "1709210096.000123456");
        check(TimeFormat::Absolute, "2024-02-29 12:34:56.000123456");
    }

    #[test]
    fn dates_far_away_are_right() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(-1), (1969, 12, 31));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(47_541), (2100, 3, 1));
        assert_eq!(
            Utc(Time(i64::MIN)).to_string(),
            "1677-09-21 00:12:43.145224192"
        );
    }

    #[test]
    fn a_duration_has_the_unit_that_fits() {
        assert_eq!(duration(999), "999 ns");
        assert_eq!(duration(1_230), "1.23 us");
        assert_eq!(duration(45_678_000), "45.6 ms");
        assert_eq!(duration(120_000_000_000), "120 s");
    }
}
