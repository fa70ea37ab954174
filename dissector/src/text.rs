//! Text from a capture, made fit for a terminal.
//!
//! Whoever can send a netlink message can put escape sequences into a string. What
//! a terminal would act on, and what would turn the reading direction around, is
//! shown as an escape instead.

use std::fmt::{self, Write};

/// Shows bytes as text: UTF-8 as it is, control characters, invisible formatting
/// characters and bytes that are no UTF-8 as escapes.
#[derive(Debug, Clone, Copy)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                escape_char(c, f)?;
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// Writes `c`, escaped where a terminal would not simply print it.
///
/// # Errors
///
/// Those of `out`.
pub fn escape_char(c: char, out: &mut impl Write) -> fmt::Result {
    match c {
        '\\' => out.write_str("\\\\"),
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        c if is_unprintable(c) => {
            if u32::from(c) < 0x80 {
                write!(out, "\\x{:02x}", u32::from(c))
            } else {
                write!(out, "\\u{{{:x}}}", u32::from(c))
            }
        }
        c => out.write_char(c),
    }
}

/// Whether a terminal would act on `c`, hide it, or turn text around because of it:
/// Unicode's Cc and Cf, line and paragraph separators, variation selectors, and
/// private use.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00ad | 0x034f | 0x0600..=0x0605 | 0x061c | 0x06dd | 0x070f | 0x0890..=0x0891 | 0x08e2
            | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e
            | 0x2060..=0x206f | 0x3164 | 0xe000..=0xf8ff | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
            | 0xfff0..=0xfffb | 0x110bd | 0x110cd | 0x13430..=0x1343f | 0x1bca0..=0x1bca3
            | 0x1d173..=0x1d17a | 0xe0000..=0x10_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(Escaped(bytes).to_string(), expected);
    }

    #[test]
    fn plain_text_stays() {
        check(b"veth0", "veth0");
        check("größe".as_bytes(), "größe");
    }

    #[test]
    fn what_a_terminal_acts_on_is_escaped() {
        check(b"\x1b[31mred\x07", "\\x1b[31mred\\x07");
        check(b"a\nb\tc\\d", "a\\nb\\tc\\\\d");
        check("\u{9b}31m".as_bytes(), "\\u{9b}31m");
        check(
            "a\u{202e}b\u{2066}c\u{200f}".as_bytes(),
            "a\\u{202e}b\\u{2066}c\\u{200f}",
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_bytes() {
        check(b"a\xff\xc3", "a\\xff\\xc3");
    }
}
