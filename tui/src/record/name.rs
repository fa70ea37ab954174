//! Names of the files of a rotated capture, as dumpcap gives them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

const SECONDS_OF_A_DAY: u64 = 86_400;
const NANOSECONDS: u64 = 1_000_000_000;

/// The name of file `number` (from 1) of a capture that is written to `path`:
/// `out.pcapng` becomes `out_00001_20261121073000.pcapng`, where the date is `time`
/// (nanoseconds since 1970) in UTC. With `again` above 0 it is another one:
/// `out_00001_20261121073000-1.pcapng`.
pub(crate) fn numbered(path: &Path, number: u64, time: u64, again: u32) -> PathBuf {
    let mut name = OsString::from(path.file_stem().unwrap_or_default());
    name.push(format!("_{number:05}_{}", date(time)));
    if again > 0 {
        name.push(format!("-{again}"));
    }
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// `YYYYMMDDhhmmss` in UTC.
fn date(time: u64) -> String {
    let seconds = time / NANOSECONDS;
    let (year, month, day) = calendar(seconds / SECONDS_OF_A_DAY);
    let second = seconds % SECONDS_OF_A_DAY;
    format!(
        "{year:04}{month:02}{day:02}{:02}{:02}{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month and day of the Gregorian calendar, `days` after 1970-01-01.
fn calendar(mut days: u64) -> (u64, u64, u64) {
    let mut year = 1970;
    while days >= 365 + leap(year) {
        days -= 365 + leap(year);
        year += 1;
    }
    let mut month = 1;
    for length in [31, 28 + leap(year), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

/// How many leap days a year has.
fn leap(year: u64) -> u64 {
    u64::from(year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str, number: u64, second: u64) -> PathBuf {
        numbered(Path::new(path), number, second * NANOSECONDS, 0)
    }

    #[test]
    fn number_and_date_come_before_the_extension() {
        let first = name("/tmp/a.b/out.pcapng", 1, 1_795_246_200);
        assert_eq!(first, Path::new("/tmp/a.b/out_00001_20261121073000.pcapng"));
        assert_eq!(name("out", 2, 0), Path::new("out_00002_19700101000000"));
        assert_eq!(name(".out", 2, 0), Path::new(".out_00002_19700101000000"));
    }

    #[test]
    fn the_number_has_five_digits_or_more() {
        assert_eq!(name("o", 99_999, 0), Path::new("o_99999_19700101000000"));
        assert_eq!(
            name("o", 1_234_567, 0),
            Path::new("o_1234567_19700101000000")
        );
    }

    #[test]
    fn dates_follow_the_calendar() {
        let days = [
            (951_782_400, "20000229000000"),
            (951_868_800, "20000301000000"),
            (1_709_251_199, "20240229235959"),
            (1_798_761_599, "20261231235959"),
            (1_798_761_600, "20270101000000"),
            (4_107_542_400, "21000301000000"),
        ];
        for (second, shown) in days {
            assert_eq!(date(second * NANOSECONDS), shown);
        }
        assert_eq!(date(u64::MAX), "25540721233433");
    }
}
