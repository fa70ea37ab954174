//! Numbers, addresses, bytes, times and text as they are typed.

use std::net::IpAddr;

const SECOND: i128 = 1_000_000_000;

/// A decimal, hexadecimal (`0x`), octal (`0o` or `0`) or binary (`0b`) number with or
/// without sign.
pub(super) fn number(word: &str) -> Option<i128> {
    let (negative, digits) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let prefixed = |prefix: &str| {
        let (head, rest) = digits.split_at_checked(2)?;
        head.eq_ignore_ascii_case(prefix).then_some(rest)
    };
    let (digits, radix) = if let Some(digits) = prefixed("0x") {
        (digits, 16)
    } else if let Some(digits) = prefixed("0o") {
        (digits, 8)
    } else if let Some(digits) = prefixed("0b") {
        (digits, 2)
    } else if digits.len() > 1 && digits.starts_with('0') {
        (digits, 8)
    } else {
        (digits, 10)
    };
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let number = i128::from_str_radix(digits, radix).ok()?;
    Some(if negative { -number } else { number })
}

/// An address with or without the length of a prefix.
pub(super) fn prefix(word: &str) -> Option<(IpAddr, u8)> {
    let (address, len) = match word.split_once('/') {
        Some((address, len)) => (address, Some(len)),
        None => (word, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let len = match len {
        Some(len) => len.parse().ok().filter(|len| *len <= longest)?,
        None => longest,
    };
    Some((address, len))
}

/// Whether the prefix is one address.
pub(super) fn is_host((address, len): (IpAddr, u8)) -> bool {
    len == if address.is_ipv4() { 32 } else { 128 }
}

/// Bytes: `aa:bb:cc`, `aa-bb-cc`, `aabb.ccdd`, `0xaabbcc` or `aabbcc`.
pub(super) fn bytes(word: &str) -> Option<Vec<u8>> {
    let word = word.strip_prefix("0x").unwrap_or(word);
    let separated = word.contains([':', '-', '.']);
    let mut bytes = Vec::with_capacity(word.len() / 2);
    for part in word.split([':', '-', '.']) {
        if !part.bytes().all(|digit| digit.is_ascii_hexdigit()) || part.is_empty() {
            return None;
        }
        if part.len() == 1 && separated {
            bytes.push(u8::from_str_radix(part, 16).ok()?);
            continue;
        }
        if !part.len().is_multiple_of(2) {
            return None;
        }
        for at in (0..part.len()).step_by(2) {
            bytes.push(u8::from_str_radix(part.get(at..at + 2)?, 16).ok()?);
        }
    }
    Some(bytes)
}

/// What the text between quotes means, escapes resolved, or the first escape that
/// means nothing.
pub(super) fn unescape(inner: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at + 1..];
        let Some(c) = rest.chars().next() else {
            return Err("\\".to_owned());
        };
        rest = &rest[c.len_utf8()..];
        match c {
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            '0' => out.push(0),
            '\\' | '"' | '\'' => out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            'x' => {
                let digits = rest
                    .get(..2)
                    .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                out.push(byte.ok_or("\\x")?);
                rest = &rest[2..];
            }
            'u' => {
                let (c, after) = unicode(rest).ok_or("\\u")?;
                out.extend(c.encode_utf8(&mut [0; 4]).bytes());
                rest = after;
            }
            other => return Err(format!("\\{other}")),
        }
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// The character that `{20ac}` stands for, and what follows.
fn unicode(rest: &str) -> Option<(char, &str)> {
    let (digits, after) = rest.strip_prefix('{')?.split_once('}')?;
    let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    Some((c, after))
}

/// A decimal number with a fraction and a unit, in nanoseconds: `1.5ms`. Without a
/// unit it is seconds.
pub(super) fn duration(word: &str) -> Option<i128> {
    let digits = word
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
        .unwrap_or(word.len());
    let (number, unit) = word.split_at(digits);
    let scale = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "" | "s" => SECOND,
        "min" | "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        _ => return None,
    };
    decimal(number, scale)
}

/// A decimal number times `scale`; digits that are too small to count are dropped.
fn decimal(word: &str, scale: i128) -> Option<i128> {
    let (sign, word) = match word.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, word),
    };
    let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || whole.len() + fraction.len() == 0 {
        return None;
    }
    if whole.len() > 18 {
        return None;
    }
    let mut total = whole.parse::<i128>().unwrap_or(0).checked_mul(scale)?;
    let mut unit = scale;
    for digit in fraction.bytes() {
        unit /= 10;
        total += unit * i128::from(digit - b'0');
    }
    Some(sign * total)
}

/// A time in nanoseconds since 1970: seconds with a fraction, or RFC 3339
/// (`2025-11-20T16:20:00.5Z`, a space for the `T`, an offset for the `Z`; without
/// either it is UTC; the time of day may be left out).
pub(super) fn time(word: &str) -> Option<i128> {
    if let Some(seconds) = decimal(word, SECOND) {
        return Some(seconds);
    }
    let (date, clock) = match word.split_once(['T', 't', ' ']) {
        Some((date, clock)) => (date, Some(clock)),
        None => (word, None),
    };
    let mut date = date.splitn(3, '-');
    let mut part = |len: usize| {
        let digits = date.next().filter(|digits| digits.len() == len)?;
        digits.parse::<u32>().ok()
    };
    let days = days(part(4)?, part(2)?, part(2)?)?;
    let midnight = i128::from(days) * 86_400 * SECOND;
    match clock {
        Some(clock) => Some(midnight + time_of_day(clock)?),
        None => Some(midnight),
    }
}

/// `16:20`, `16:20:00`, `16:20:00.5`, each with or without `Z` or an offset.
fn time_of_day(clock: &str) -> Option<i128> {
    let (clock, offset) = match clock.find(['Z', 'z', '+', '-']) {
        Some(at) => clock.split_at(at),
        None => (clock, ""),
    };
    let minutes = |word: &str| {
        let (hours, minutes) = word.split_once(':')?;
        let two = |digits: &str, limit: u32| {
            let number = digits.parse::<u32>().ok()?;
            (digits.len() == 2 && number < limit).then_some(number)
        };
        Some(i128::from(two(hours, 24)? * 60 + two(minutes, 60)?))
    };
    let east = match offset {
        "" | "Z" | "z" => 0,
        _ => {
            let size = minutes(offset.get(1..)?)?;
            if offset.starts_with('-') { -size } else { size }
        }
    };
    let (clock, seconds) = match clock.get(5..) {
        Some(seconds) if !seconds.is_empty() => {
            let seconds = decimal(seconds.strip_prefix(':')?, SECOND)?;
            (clock.get(..5)?, seconds)
        }
        _ => (clock, 0),
    };
    if !(0..=60 * SECOND).contains(&seconds) {
        return None;
    }
    Some((minutes(clock)? - east) * 60 * SECOND + seconds)
}

/// Days from 1970-01-01 to a day of the Gregorian calendar.
fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let lengths = [
        31,
        28 + u32::from(leap),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let month = usize::try_from(month).ok()?.checked_sub(1)?;
    let length = *lengths.get(month)?;
    if day == 0 || day > length || year == 0 {
        return None;
    }
    let before = u32::checked_sub(year, 1)?;
    let leaps = before / 4 - before / 100 + before / 400;
    let in_year: u32 = lengths[..month].iter().sum::<u32>() + day - 1;
    // 719162 days lie between 0001-01-01 and 1970-01-01.
    Some(i64::from(before) * 365 + i64::from(leaps) + i64::from(in_year) - 719_162)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_every_base() {
        #[track_caller]
        fn check(word: &str, expected: Option<i128>) {
            assert_eq!(number(word), expected, "{word}");
        }
        check("0", Some(0));
        check("42", Some(42));
        check("-42", Some(-42));
        check("0x1F", Some(31));
        check("0o17", Some(15));
        check("017", Some(15));
        check("0b101", Some(5));
        check("18446744073709551615", Some(i128::from(u64::MAX)));
        for wrong in [
            "", "-", "+", "0x", "--1", "0x-1", "1a", "8021q", "1.5", "é0", "09",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn bytes_in_every_spelling() {
        #[track_caller]
        fn check(word: &str, expected: Option<&[u8]>) {
            assert_eq!(bytes(word).as_deref(), expected, "{word}");
        }
        check("aa:bb:0c", Some(&[0xaa, 0xbb, 0x0c]));
        check("a:b", Some(&[0xa, 0xb]));
        check("aabb.cc00", Some(&[0xaa, 0xbb, 0xcc, 0]));
        check("0xAABB", Some(&[0xaa, 0xbb]));
        check("aab", None);
        check("aa::bb", None);
        check("xy", None);
        check("", None);
        check("é", None);
    }

    #[test]
    fn escapes() {
        #[track_caller]
        fn check(inner: &str, expected: Result<&[u8], &str>) {
            let expected = expected.map(<[u8]>::to_vec).map_err(str::to_owned);
            assert_eq!(unescape(inner), expected, "{inner}");
        }
        check(r#"a\"b\\\n"#, Ok(b"a\"b\\\n"));
        check(r"\xff\x00\u{20ac}", Ok(b"\xff\0\xe2\x82\xac"));
        check(r"\d", Err("\\d"));
        check(r"\xf", Err("\\x"));
        check(r"\x+1", Err("\\x"));
        check(r"\u{110000}", Err("\\u"));
        check("\\", Err("\\"));
    }

    #[test]
    fn durations_and_times() {
        #[track_caller]
        fn check(found: Option<i128>, expected: Option<i128>) {
            assert_eq!(found, expected);
        }
        check(duration("1ms"), Some(1_000_000));
        check(duration("1.5us"), Some(1_500));
        check(duration("2"), Some(2 * SECOND));
        check(duration(".5"), Some(SECOND / 2));
        check(duration("1 ms"), None);
        check(duration("ms"), None);
        check(duration("1.2.3s"), None);
        check(time("1.5"), Some(1_500_000_000));
        check(time("1970-01-01"), Some(0));
        check(time("2025-11-20T16:20:00Z"), Some(1_763_655_600 * SECOND));
        check(
            time("2025-11-20 16:20:00.25"),
            Some(1_763_655_600 * SECOND + SECOND / 4),
        );
        check(time("2025-11-20T17:20+01:00"), Some(1_763_655_600 * SECOND));
        check(time("2024-02-29"), Some(1_709_164_800 * SECOND));
        check(time("2023-02-29"), None);
        check(time("2025-13-01"), None);
        check(time("2025-11-20T24:00"), None);
        check(time("2025-11-20Té"), None);
        check(time("yesterday"), None);
    }
}
