//! Frames without any message: too short for an `nlmsghdr`, or of a protocol that has
//! none. They are printed too, so that nothing is lost.

use std::fmt::Write;

use nlscope_dissector::capture::Frame;
use nlscope_dissector::export::{COLUMNS, Line, Options, Role, Span, clock};
use nlscope_dissector::note::{Note, Severity};
use nlscope_dissector::schema::base::protocol_entry;
use nlscope_dissector::tape::Tape;
use nlscope_dissector::text::Escaped;
use nlscope_dissector::value::Value;

fn span(role: Role, text: impl Into<String>) -> Span {
    Span {
        text: text.into().into(),
        role,
    }
}

fn protocol_name(protocol: Option<u16>) -> String {
    match (protocol, protocol.and_then(protocol_entry)) {
        (_, Some(entry)) => entry.name.to_owned(),
        (Some(number), None) => number.to_string(),
        (None, None) => "-".to_owned(),
    }
}

/// The line of such a frame, in the columns of the others.
pub(super) fn line(
    frame: &Frame<'_>,
    tape: &Tape,
    protocol: Option<u16>,
    options: &Options<'_>,
) -> Line {
    let mut columns = [const { String::new() }; COLUMNS.len()].map(|text| span(Role::Plain, text));
    let known = [
        span(Role::Number, frame.number.to_string()),
        span(Role::Time, clock(frame.time, options)),
        span(Role::Plain, ""),
        span(Role::Family, protocol_name(protocol)),
        span(Role::Unknown, "no message"),
    ];
    for (column, known) in columns.iter_mut().zip(known) {
        *column = known;
    }
    let mut text = format!("{} bytes", frame.bytes.len());
    for note in tape.notes() {
        // Writing to a string does not fail.
        let _ = write!(text, "; {}", note.kind);
    }
    Line {
        columns,
        summary: vec![span(Role::Warning, text)],
    }
}

/// The nodes of such a frame, one a line.
pub(super) fn tree(out: &mut String, frame: &Frame<'_>, tape: &Tape, options: &Options<'_>) {
    let nodes = (1..).map_while(|index| {
        tape.nodes().get(index as usize)?;
        tape.at(frame.bytes, index)
    });
    for node in nodes {
        let depth = usize::from(node.node().depth);
        let (indent, name) = ("    ".repeat(depth), Escaped(node.field().name.as_bytes()));
        // Writing to a string does not fail.
        let _ = match node.value() {
            Value::Tree => writeln!(out, "{indent}{name}"),
            _ => writeln!(out, "{indent}{name}: {}", node.show(options.show)),
        };
    }
}

/// Such a frame as an object, with the keys of a message: there is none, so most are null.
/// Nothing in it is text from the capture.
pub(super) fn json(out: &mut String, frame: &Frame<'_>, tape: &Tape, protocol: Option<u16>) {
    let time = frame
        .time
        .map_or("null".to_owned(), |time| time.to_string());
    let protocol = protocol.map(|number| protocol_name(Some(number)));
    let note = |note: &Note| {
        let severity = match note.kind.severity() {
            Severity::Hint => "hint",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let at = tape.at(frame.bytes, note.node);
        let at = at.map_or("frame", |node| node.field().name);
        serde_json::json!({"at": at, "severity": severity, "text": note.kind.to_string()})
    };
    let notes: Vec<_> = tape.notes().iter().map(note).collect();
    // Writing to a string does not fail.
    let _ = write!(
        out,
        "{{\"frame\":{},\"time\":{time},\"protocol\":{},\"family\":null,\"message\":null,\
         \"type\":null,\"flags\":null,\"seq\":null,\"port\":null,\"pid\":null,\"group\":null,\
         \"direction\":null,\"len\":{},\"errno\":null,\"notes\":{}}}",
        frame.number,
        serde_json::json!(protocol),
        frame.bytes.len(),
        serde_json::json!(notes)
    );
}
