//! Times as people read them.

use super::Options;
use crate::capture::{Time, Utc};

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
