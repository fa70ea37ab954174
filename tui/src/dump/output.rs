//! How what passes is printed.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::ops::Range;

use nlscope_dissector::capture::{Frame, Time};
use nlscope_dissector::context::{Context, MessageView, NamesAt, Record};
use nlscope_dissector::export::{self, Options, Role, Span, TimeFormat};
use nlscope_dissector::tape::Tape;
use nlscope_dissector::value::Show;

use super::lone;
use crate::cli::{Format, Layout, Shown};

/// Writes messages in the form that was asked for.
pub(super) struct Output<W: Write> {
    out: BufWriter<W>,
    pub(super) layout: Layout,
    numeric: bool,
    redact: bool,
    color: bool,
    time: TimeFormat,
    first_time: Option<Time>,
    /// The text of the message that is being written.
    text: String,
}

impl<W: Write> Output<W> {
    pub(super) fn new(out: W, shown: &Shown, layout: Layout, terminal: bool) -> Self {
        Self {
            out: BufWriter::with_capacity(1 << 16, out),
            color: shown.color.colors(terminal),
            layout,
            numeric: shown.numeric,
            redact: shown.redact,
            time: shown.time.into(),
            first_time: None,
            text: String::new(),
        }
    }

    fn options<'a>(&self, names: &'a NamesAt<'a>) -> Options<'a> {
        Options {
            show: Show {
                names,
                numeric: self.numeric,
                redact: self.redact,
            },
            ranges: self.layout.ranges,
            color: self.color,
            time: self.time,
            first_time: self.first_time,
        }
    }

    /// Times count from the first one there is.
    pub(super) fn first_time(&mut self, time: Option<Time>) {
        self.first_time = self.first_time.or(time);
    }

    /// Whether frames are printed, not messages.
    pub(super) fn by_frame(&self) -> bool {
        self.layout.format == Format::Pdml
    }

    pub(super) fn begin(&mut self, input: &str) -> io::Result<()> {
        if self.by_frame() {
            export::pdml_begin(&mut self.out, input)?;
        }
        Ok(())
    }

    pub(super) fn end(&mut self) -> io::Result<()> {
        if self.by_frame() {
            export::pdml_end(&mut self.out)?;
        }
        Ok(())
    }

    /// Nothing but a number.
    pub(super) fn count(&mut self, count: u64) -> io::Result<()> {
        writeln!(self.out, "{count}")
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Something at this time is printed.
    pub(super) fn printed(&mut self, time: Option<Time>) -> io::Result<()> {
        if let TimeFormat::Delta(previous) = &mut self.time {
            *previous = time.or(*previous);
        }
        if self.layout.line_buffered {
            self.out.flush()?;
        }
        Ok(())
    }

    /// A frame with all its messages.
    pub(super) fn packet(
        &mut self,
        frame: &Frame<'_>,
        tape: &Tape,
        records: &[Record],
        context: &Context,
    ) -> io::Result<()> {
        let names = context.names_at(frame);
        let options = self.options(&names);
        export::pdml_packet(&mut self.out, frame, tape, records, context, &options)
    }

    /// A message, of which `copies` are left out.
    pub(super) fn message(&mut self, view: &MessageView<'_>, copies: u32) -> io::Result<()> {
        let names = view.head.context.names_at(view.head.frame);
        let options = self.options(&names);
        if self.layout.format == Format::Json {
            return export::json(&mut self.out, view, &options);
        }
        if self.layout.tree {
            for line in export::tree(view, &options) {
                line.write(&mut self.text, self.color);
                self.text.push('\n');
            }
        } else {
            let mut line = export::line(view, &options);
            if copies > 0 {
                line.summary.push(folded(copies, line.summary.is_empty()));
            }
            line.write(&mut self.text, self.color);
            self.text.push('\n');
        }
        if self.layout.hex {
            let bytes = view.head.frame.bytes;
            self.hex(view.tape, bytes, range(view), &options);
        }
        self.write_text()
    }

    /// A frame without any message.
    pub(super) fn lone(
        &mut self,
        frame: &Frame<'_>,
        tape: &Tape,
        protocol: Option<u16>,
        context: &Context,
    ) -> io::Result<()> {
        let names = context.names_at(frame);
        let options = self.options(&names);
        match self.layout.format {
            Format::Pdml => return self.packet(frame, tape, &[], context),
            Format::Json => lone::json(&mut self.text, frame, tape, protocol),
            Format::Text => {
                lone::line(frame, tape, protocol, &options).write(&mut self.text, self.color);
            }
        }
        self.text.push('\n');
        if self.layout.format == Format::Text {
            if self.layout.tree {
                lone::tree(&mut self.text, frame, tape, &options);
            }
            if self.layout.hex {
                self.hex(tape, frame.bytes, 0..u32::MAX, &options);
            }
        }
        self.write_text()
    }

    fn hex(&mut self, tape: &Tape, bytes: &[u8], range: Range<u32>, options: &Options<'_>) {
        for line in export::hex(tape, bytes, range, options) {
            // Writing to a string does not fail.
            let _ = writeln!(self.text, "{line}");
        }
    }

    /// Trees and hexadecimal have an empty line between messages.
    fn write_text(&mut self) -> io::Result<()> {
        if self.layout.format == Format::Text && (self.layout.tree || self.layout.hex) {
            self.text.push('\n');
        }
        self.out.write_all(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }
}

/// How many copies are not shown.
fn folded(copies: u32, alone: bool) -> Span {
    let space = if alone { "" } else { " " };
    let plural = if copies == 1 { "copy" } else { "copies" };
    Span {
        text: format!("{space}(and {copies} {plural})").into(),
        role: Role::Hint,
    }
}

/// The bytes that a message's tree shows: with the cooked header before the first
/// message, and what is left up to the next one.
fn range(view: &MessageView<'_>) -> Range<u32> {
    let start = |node| view.tape.nodes().get(node as usize).map(|node| node.start);
    let mut own = view.tape.messages().iter().filter(|mark| !mark.quoted);
    let first = own.clone().next().map(|mark| mark.node);
    let next = own.find(|mark| mark.node > view.mark.node);
    let from = if first == Some(view.mark.node) {
        Some(0)
    } else {
        start(view.mark.node)
    };
    from.unwrap_or(0)..next.and_then(|mark| start(mark.node)).unwrap_or(u32::MAX)
}
