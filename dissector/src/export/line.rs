//! A message as one line.

use std::borrow::Cow;
use std::fmt::Write;

use super::clock::{clock, duration};
use super::header::{errno_name, family_or_protocol, flags, message_name};
use super::refused::quoted;
use super::summary::{space, summary};
use super::{Options, Refused, Role, Span, limited, paint, refused};
use crate::context::{self, Head, MessageView, Port};
use crate::schema::Direction;
use crate::text::Escaped;
use crate::wire::{NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, is_control};

/// Longest text of an error, in characters.
const WORDS_WIDTH: usize = 120;

/// A column of the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// What stands above it.
    pub title: &'static str,
    /// Least width in characters; what is longer takes more.
    pub width: usize,
    /// Aligned at its right edge.
    pub right: bool,
}

/// The columns before the summary, from left to right.
pub const COLUMNS: [Column; 7] = [
    column("frame", 6, true),
    column("time", 11, true),
    column("", 2, false),
    column("family", 10, false),
    column("message", 19, false),
    column("flags", 11, false),
    column("port or group", 20, false),
];

const fn column(title: &'static str, width: usize, right: bool) -> Column {
    Column {
        title,
        width,
        right,
    }
}

/// A message as one line.
#[derive(Debug, Clone)]
pub struct Line {
    /// What stands in each of [`COLUMNS`], not padded.
    pub columns: [Span; COLUMNS.len()],
    /// What matters of the message.
    pub summary: Vec<Span>,
}

impl Line {
    /// Appends the whole line, without a line feed. What is too long for its column takes
    /// the room that the columns after it leave, so that the summaries stay aligned.
    pub fn write(&self, out: &mut String, color: bool) {
        let mut over = 0;
        let mut gap = 0;
        for (span, column) in self.columns.iter().zip(COLUMNS) {
            let len = span.text.chars().count();
            let free = column.width.saturating_sub(len);
            let fill = free.saturating_sub(over);
            over = (over + len.saturating_sub(column.width)).saturating_sub(free);
            let before = gap + if column.right { fill } else { 0 };
            out.extend(std::iter::repeat_n(' ', before));
            // Writing to a string does not fail.
            let _ = paint(out, [span], color);
            gap = 1 + if column.right { 0 } else { fill };
        }
        if !self.summary.is_empty() {
            out.extend(std::iter::repeat_n(' ', gap));
        }
        let _ = paint(out, &self.summary, color);
    }
}

/// A message as one line.
///
/// The columns are the frame's number (and the message's in it, from the second), the
/// time, the way (`->` to the kernel, `<-` from it, `**` to all who listen), the family or
/// else the protocol, the message, its flags, and the port at the user's side, or the program
/// that has it; of a notification the group instead. What is inferred stands after `~`.
#[must_use]
pub fn line(view: &MessageView<'_>, options: &Options<'_>) -> Line {
    let head = &view.head;
    let numeric = options.show.numeric;
    let (way, way_role) = way(head);
    Line {
        columns: [
            Span::new(Role::Number, number(head)),
            Span::new(Role::Time, clock(head.frame.time, options)),
            Span::new(way_role, way),
            Span::new(Role::Family, family_or_protocol(head, numeric)),
            Span::new(message_role(head), message_name(head, numeric)),
            Span::new(Role::Flag, flag_text(view, numeric)),
            peer(head, numeric),
        ],
        summary: whole_summary(view, options),
    }
}

/// `12`, and `12.2` for the frame's second message.
fn number(head: &Head<'_>) -> String {
    match head.record.nth {
        0 => head.record.frame.to_string(),
        nth => format!("{}.{}", head.record.frame, u64::from(nth) + 1),
    }
}

fn way(head: &Head<'_>) -> (&'static str, Role) {
    match (head.record.direction, head.record.role) {
        (Direction::ToKernel, _) => ("->", Role::ToKernel),
        (_, context::Role::Notification) => ("**", Role::Multicast),
        (Direction::FromKernel, _) => ("<-", Role::FromKernel),
    }
}

fn message_role(head: &Head<'_>) -> Role {
    match head.type_name() {
        Some(_) => Role::Message,
        None => Role::Unknown,
    }
}

/// The flags that say something: not those that the way and the length already say.
fn flag_text(view: &MessageView<'_>, numeric: bool) -> String {
    let header = view.head.header;
    if numeric {
        return format!("{:#x}", header.flags);
    }
    let control = matches!(header.kind, NLMSG_ERROR | NLMSG_DONE);
    let to_kernel = view.head.record.direction == Direction::ToKernel;
    let mut text = String::new();
    for (bit, name) in flags(header, view.head.flags_as()) {
        let said = (bit == NLM_F_REQUEST && to_kernel) || (control && matches!(bit, 0x100 | 0x200));
        if !said {
            let _ = write!(text, "{}{name}", if text.is_empty() { "" } else { "," });
        }
    }
    text
}

/// The port, or the group.
fn peer(head: &Head<'_>, numeric: bool) -> Span {
    if let (Some(seen), Some(name)) = (head.record.group, head.group_name()) {
        let mark = if seen.is_exact() { "" } else { "~" };
        return Span::new(Role::Group, format!("{mark}{name}"));
    }
    let text: Cow<'static, str> = match head.record.port {
        Port::Known(port) => match head.process().filter(|_| !numeric) {
            Some(process) if process.pid == port => process.to_string().into(),
            Some(process) => format!("{port} {process}").into(),
            None => port.to_string().into(),
        },
        Port::Everyone => "*".into(),
        Port::Unknown => "?".into(),
    };
    Span::new(Role::Port, text)
}

fn whole_summary(view: &MessageView<'_>, options: &Options<'_>) -> Vec<Span> {
    let mut out = Vec::new();
    marks(view, &mut out);
    let from_kernel = view.head.record.direction == Direction::FromKernel;
    let kind = view.head.header.kind;
    let ends = from_kernel && is_control(view.head.protocol, kind);
    match kind {
        NLMSG_ERROR if ends => answer(view, "ok", options, &mut out),
        NLMSG_DONE if ends => answer(view, "done", options, &mut out),
        _ => {
            let failed = request_failed(view, options, &mut out);
            let caused = cause(&view.head, options.show.numeric, &mut out);
            let first = out.len();
            summary(view, options, &mut out);
            if failed || caused {
                keep_apart(first, &mut out);
            }
        }
    }
    out
}

/// Keeps the first spans apart from what follows, so that it is not read as part of them.
fn keep_apart(first: usize, out: &mut Vec<Span>) {
    if out.len() > first {
        out.insert(first, Span::new(Role::Plain, ":"));
    }
}

/// Whose request a notification is about: the program, or else its port. Whether that is
/// known.
fn cause(head: &Head<'_>, numeric: bool, out: &mut Vec<Span>) -> bool {
    let port = head.header.pid;
    let text = match head.process().filter(|_| !numeric) {
        _ if head.record.port != Port::Everyone => return false,
        Some(process) => process.to_string(),
        None if port != 0 => port.to_string(),
        None => return false,
    };
    space(out);
    out.push(Span::new(Role::Label, "by "));
    out.push(Span::new(Role::Port, text));
    true
}

/// What is odd about the message as a whole.
fn marks(view: &MessageView<'_>, out: &mut Vec<Span>) {
    let record = view.head.record;
    let mut mark = |text: &'static str| {
        space(out);
        out.push(Span::new(Role::Hint, text));
    };
    match record.role {
        context::Role::OpenRequest => mark("[no answer]"),
        context::Role::Orphan => mark("[no request]"),
        _ => {}
    }
    if record.copy_of.is_some() {
        mark("[copy]");
    }
    if let Some(netns) = view.head.netns() {
        space(out);
        let text = format!("[{}]", Escaped(netns.as_bytes()));
        out.push(Span::new(Role::Hint, text));
    }
    let serious = |note: &crate::note::Note| {
        note.kind.severity() > crate::note::Severity::Hint
            && note.kind != crate::note::NoteKind::Refused
    };
    let notes = view.tape.notes_on(view.extent()).iter().any(serious);
    if notes {
        space(out);
        out.push(Span::new(Role::Warning, "[malformed]"));
    }
}

/// Of a request, what the kernel answered where it refused. Whether it did.
fn request_failed(view: &MessageView<'_>, options: &Options<'_>, out: &mut Vec<Span>) -> bool {
    let record = view.head.record;
    let failed = record.direction == Direction::ToKernel && record.errno != 0;
    if failed {
        space(out);
        let name = errno_name(record.errno, options.show.numeric);
        out.push(Span::new(Role::Error, name));
        latency(view, out);
    }
    failed
}

fn latency(view: &MessageView<'_>, out: &mut Vec<Span>) {
    if let Some(latency) = view.head.record.latency {
        let text = format!(" after {}", duration(latency.nanoseconds()));
        out.push(Span::new(Role::Aside, text));
    }
}

/// The end of an answer: `good` or the error, then whose answer it is.
fn answer(view: &MessageView<'_>, good: &'static str, options: &Options<'_>, out: &mut Vec<Span>) {
    space(out);
    let refused = refused(view);
    let len = view.head.payload.len();
    // Nothing at all may stand after the end of several messages.
    let cut = len < 4 && (len > 0 || view.head.header.kind == NLMSG_ERROR);
    match &refused {
        Some(refused) if refused.errno != 0 => {
            let name = errno_name(refused.errno, options.show.numeric);
            out.push(Span::new(Role::Error, name));
        }
        _ if cut => out.push(Span::new(Role::Warning, "cut off")),
        _ => out.push(Span::new(Role::Good, good)),
    }
    let before = out.len();
    if let Some(refused) = &refused {
        reason(refused, out);
    }
    let first = out.len();
    let failed = refused.is_some_and(|refused| refused.errno != 0);
    let meaning = view
        .head
        .asked
        .or_else(|| quoted(view)?.message)
        .or_else(|| view.request?.mark.message);
    if let Some(message) = meaning {
        space(out);
        out.push(Span::new(Role::Label, message.uapi));
    }
    if view.head.record.request_frame != 0 {
        space(out);
        let text = format!("#{}", view.head.record.request_frame);
        out.push(Span::new(Role::Number, text));
    }
    latency(view, out);
    if failed || first > before {
        keep_apart(first, out);
    }
}

/// The kernel's words, and where they point.
pub(super) fn reason(refused: &Refused<'_>, out: &mut Vec<Span>) {
    if let Some(text) = refused.text {
        space(out);
        let text = format!("\"{}\"", limited(Escaped(text), WORDS_WIDTH));
        out.push(Span::new(Role::Error, text));
    }
    let place = match (refused.path(), refused.offset) {
        (Some(path), _) => Some(path),
        (None, Some(offset)) => Some(format!("byte {offset}")),
        (None, None) => None,
    };
    let mut say = |label: &'static str, text: String| {
        space(out);
        out.push(Span::new(Role::Label, label));
        out.push(Span::new(Role::Plain, " "));
        out.push(Span::new(Role::Name, text));
    };
    if let Some(place) = place {
        say("at", place);
    }
    if let Some(missing) = &refused.missing {
        say("missing", missing.path());
    }
}
