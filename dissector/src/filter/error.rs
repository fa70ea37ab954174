//! A mistake in a filter, and how it is shown.

use std::fmt::Write as _;
use std::ops::Range;

use thiserror::Error;
use unicode_width::UnicodeWidthStr;

use crate::text::{escape_char, is_unprintable};

/// How many columns of a filter are shown at most, around the mistake.
const WINDOW: usize = 100;
/// How many characters of a word are quoted in a message.
const QUOTED: usize = 48;

/// A mistake in a filter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct FilterError {
    /// What is wrong, in one line.
    pub message: String,
    /// Which bytes of the text.
    pub span: Range<usize>,
    /// The nearest thing that would have been right.
    pub suggestion: Option<String>,
}

impl FilterError {
    pub(super) fn new(message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            message: message.into(),
            span,
            suggestion: None,
        }
    }

    pub(super) fn suggest(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }

    /// Three lines, without a line break at the end: what is wrong and what is nearest
    /// to it, the filter, and carets under the place. `filter` is the text that was
    /// parsed; of a long one the part around the mistake is shown.
    #[must_use]
    pub fn render(&self, filter: &str) -> String {
        let mut first = self.message.clone();
        if let Some(suggestion) = &self.suggestion {
            let _ = write!(first, "; did you mean `{}`?", printable(suggestion));
        }
        let start = floor(filter, self.span.start);
        let end = floor(filter, self.span.end.max(start));
        let (before, place, after) = (&filter[..start], &filter[start..end], &filter[end..]);

        let place = clipped(&printable(place), WINDOW / 2);
        let room = WINDOW.saturating_sub(place.width());
        let before = clipped_front(&printable(before), room / 2);
        let after = clipped(&printable(after), room.saturating_sub(before.width()));
        let indent = " ".repeat(before.width());
        let carets = "^".repeat(place.width().max(1));
        format!("{first}\n  {before}{place}{after}\n  {indent}{carets}")
    }
}

/// A word of the filter for use in a message: printable, and not too long.
pub(super) fn quote(word: &str) -> String {
    let shown: String = word.chars().take(QUOTED).collect();
    let more = if shown.len() < word.len() { "…" } else { "" };
    format!("`{}{more}`", printable(&shown))
}

/// The largest character boundary that is not past `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// With escapes for what a terminal would act on. A backslash stays one: a filter may
/// hold a regular expression, and is to be shown as it was typed.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unprintable(c) {
            let _ = escape_char(c, &mut out);
        } else {
            out.push(c);
        }
    }
    out
}

fn clipped(text: &str, columns: usize) -> String {
    clip(text.chars(), columns).unwrap_or_else(|kept| kept.into_iter().chain(['…']).collect())
}

fn clipped_front(text: &str, columns: usize) -> String {
    match clip(text.chars().rev(), columns) {
        Ok(whole) => whole.chars().rev().collect(),
        Err(kept) => ['…'].into_iter().chain(kept.into_iter().rev()).collect(),
    }
}

/// All of `chars`, or those that fit into one column less.
fn clip(chars: impl Iterator<Item = char>, columns: usize) -> Result<String, Vec<char>> {
    let (mut kept, mut width) = (Vec::new(), 0);
    let mut buffer = [0; 4];
    for c in chars {
        width += c.encode_utf8(&mut buffer).width();
        kept.push(c);
        if width > columns {
            while width >= columns.max(1) && !kept.is_empty() {
                let last = kept.pop().unwrap_or(' ');
                width -= last.encode_utf8(&mut buffer).width();
            }
            return Err(kept);
        }
    }
    Ok(kept.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(filter: &str, span: Range<usize>, expected: &str) {
        let error = FilterError::new("no", span);
        let rendered = error.render(filter);
        let place: Vec<&str> = rendered.lines().skip(1).collect();
        assert_eq!(place.join("\n"), expected);
    }

    #[test]
    fn the_caret_is_under_the_place() {
        check("a == b", 5..6, "  a == b\n       ^");
        check("a ==", 4..4, "  a ==\n      ^");
        check("", 0..0, "  \n  ^");
    }

    #[test]
    fn wide_and_escaped_text_shifts_the_caret() {
        check("\"名前\" xy", 9..11, "  \"名前\" xy\n         ^^");
        check("a\tb", 2..3, "  a\\tb\n     ^");
        check("\u{1b}[0m", 0..4, "  \\x1b[0m\n  ^^^^^^^");
        check("e\u{301} x", 4..5, "  e\u{301} x\n    ^");
    }

    #[test]
    fn a_span_that_does_not_fit_is_moved_into_the_text() {
        check("ü", 1..9, "  ü\n  ^");
    }

    #[test]
    fn a_long_filter_is_cut_around_the_place() {
        let filter = format!("{} x {}", "a".repeat(500), "b".repeat(500));
        let rendered = FilterError::new("no", 501..502).render(&filter);
        let lines: Vec<&str> = rendered.lines().collect();
        assert!(lines[1].width() <= WINDOW + 2, "{}", lines[1].width());
        let caret = lines[2].find('^').unwrap();
        let under: String = lines[1].chars().skip(caret).take(1).collect();
        assert_eq!(under, "x");
    }
}
