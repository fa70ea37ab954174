//! A message as something to read: one line, a tree, hex, JSON, PDML.
//!
//! What people read is made of [`Span`]s, pieces of text that say what they are. The
//! terminal interface paints them in its own styles, [`paint`] with ANSI escape codes,
//! and both show the same words. Text that came from a capture is made fit for a
//! terminal ([`crate::text`]) before it becomes a span, or a JSON or XML string.

mod clock;
mod coverage;
mod header;
mod hex;
mod json;
mod line;
mod pdml;
mod refused;
mod summary;
mod trail;
mod tree;

pub use clock::{TimeFormat, clock};
pub use coverage::{Coverage, coverage};
pub use hex::{HexLine, hex};
pub use json::json;
pub use line::{COLUMNS, Column, Line, line};
pub use pdml::{pdml_begin, pdml_end, pdml_packet};
pub use refused::{Missing, Refused, refused};
pub use tree::{Tree, TreeLine, tree};

use std::borrow::Cow;
use std::fmt::{self, Write};

use crate::capture::Time;
use crate::value::Show;

/// How messages are written.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// How values are shown.
    pub show: Show<'a>,
    /// Byte ranges beside what lies in them.
    pub ranges: bool,
    /// Colours, as ANSI escape codes.
    pub color: bool,
    /// How the time is written on lines and in trees.
    pub time: TimeFormat,
    /// The time of the capture's first frame, which [`TimeFormat::Relative`] counts from.
    pub first_time: Option<Time>,
}

impl Options<'static> {
    /// Names from the schema, no colours, no ranges, times since the first frame.
    pub const PLAIN: Self = Options {
        show: Show::PLAIN,
        ranges: false,
        color: false,
        time: TimeFormat::Relative,
        first_time: None,
    };
}

/// A piece of text that says what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// Text that is fit for a terminal.
    pub text: Cow<'static, str>,
    /// What it is.
    pub role: Role,
}

impl Span {
    pub(crate) fn new(role: Role, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            text: text.into(),
            role,
        }
    }
}

/// What a [`Span`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Space and punctuation.
    Plain,
    /// The number of a frame.
    Number,
    /// A time.
    Time,
    /// The way of a request.
    ToKernel,
    /// The way of an answer.
    FromKernel,
    /// The way of a multicast.
    Multicast,
    /// A protocol or family.
    Family,
    /// The name of a message.
    Message,
    /// A flag of a message's header.
    Flag,
    /// A port.
    Port,
    /// A multicast group.
    Group,
    /// The name of a field.
    Name,
    /// A word that explains the value after it.
    Label,
    /// A value.
    Value,
    /// A name from the UAPI header beside one from YNL, a byte range, a latency.
    Aside,
    /// All went well.
    Good,
    /// Worth knowing: a copy, a request without an answer, a guess.
    Hint,
    /// Not as it should be.
    Warning,
    /// An error.
    Error,
    /// What no table knows.
    Unknown,
}

impl Role {
    /// Parameters of the ANSI escape code (SGR) it is painted with; empty for none.
    #[must_use]
    pub const fn sgr(self) -> &'static str {
        match self {
            Self::Plain | Self::Value | Self::Port => "",
            Self::Number | Self::Time | Self::Label | Self::Aside => "2",
            Self::ToKernel => "32",
            Self::FromKernel | Self::Family => "34",
            Self::Multicast | Self::Group => "35",
            Self::Message => "1",
            Self::Flag | Self::Hint | Self::Unknown => "33",
            Self::Name => "36",
            Self::Good => "1;32",
            Self::Warning => "1;33",
            Self::Error => "1;31",
        }
    }
}

/// Writes spans one after the other, with ANSI escape codes where `color` says so.
///
/// # Errors
///
/// Those of `out`.
pub fn paint<'s>(
    out: &mut impl Write,
    spans: impl IntoIterator<Item = &'s Span>,
    color: bool,
) -> fmt::Result {
    for span in spans {
        let sgr = span.role.sgr();
        if color && !sgr.is_empty() && !span.text.trim().is_empty() {
            write!(out, "\x1b[{sgr}m{}\x1b[0m", span.text)?;
        } else {
            out.write_str(&span.text)?;
        }
    }
    Ok(())
}

/// What of `shown` fits into `limit` characters, then an ellipsis; never more work than
/// that.
fn limited(shown: impl fmt::Display, limit: usize) -> String {
    struct Limited {
        text: String,
        left: usize,
    }
    impl Write for Limited {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            let end = piece.char_indices().nth(self.left).map(|(at, _)| at);
            let fits = &piece[..end.unwrap_or(piece.len())];
            self.text.push_str(fits);
            self.left = self.left.saturating_sub(fits.chars().count());
            // The error only ends the writing.
            if end.is_some() {
                Err(fmt::Error)
            } else {
                Ok(())
            }
        }
    }
    let mut out = Limited {
        text: String::new(),
        left: limit,
    };
    if write!(out, "{shown}").is_err() {
        out.text.push('…');
    }
    out.text
}

#[cfg(test)]
mod tests;
