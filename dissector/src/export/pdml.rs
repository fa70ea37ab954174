//! Frames as PDML, Wireshark's "packet details markup language".
//!
//! A packet is a frame. Its fields without fields below them cover it exactly once: an
//! attribute has `nlattr.len`, `nlattr.type` and what it holds, bytes that belong to no
//! field are `nlscope.padding`, `nlscope.unknown` and `nlscope.trailing`. What is not in
//! the bytes has a size of 0, and so have bit-fields, whose bytes are those of the integer
//! that holds them.

use std::fmt::{self, Display, Write};
use std::io;

use super::clock::duration;
use super::header::header_value;
use super::trail::{NotesInOrder, Trail};
use super::{Options, limited};
use crate::capture::{Frame, Utc};
use crate::context::{Context, Head, Port, Record};
use crate::schema::{Direction, Type, base};
use crate::tape::{NodeFlags, NodeRef, Tape};
use crate::text::escape_char;
use crate::value::Value;
use crate::wire::{Cooked, NLA_HDRLEN, Order};

/// Longest value shown, in characters; `value` always has all bytes.
const SHOW_WIDTH: usize = 240;

/// Begins a document about the capture named `file`.
///
/// # Errors
///
/// Those of `out`.
pub fn pdml_begin(out: &mut impl io::Write, file: &str) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>")?;
    writeln!(
        out,
        "<pdml version=\"0\" creator=\"nlscope/{}\" capture_file=\"{}\">",
        env!("CARGO_PKG_VERSION"),
        Xml(file)
    )
}

/// Ends the document.
///
/// # Errors
///
/// Those of `out`.
pub fn pdml_end(out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "</pdml>")
}

/// Writes a frame. `records` are those of its messages, in order.
///
/// # Errors
///
/// Those of `out`.
pub fn pdml_packet(
    out: &mut impl io::Write,
    frame: &Frame<'_>,
    tape: &Tape,
    records: &[Record],
    context: &Context,
    options: &Options<'_>,
) -> io::Result<()> {
    let protocol = Cooked::parse(frame.link, frame.bytes).map_or(u16::MAX, |it| it.protocol);
    let mut packet = Packet {
        out,
        context,
        protocol,
        options,
        trail: Trail::default(),
        notes: NotesInOrder::new(tape),
        remarks: String::new(),
    };
    writeln!(packet.out, "<packet>")?;
    packet.about(frame)?;
    let mut records = records.iter();
    if let Some(root) = tape.at(frame.bytes, 0) {
        packet.enter(root);
        if !root.has_children() {
            packet.lone(root)?;
        }
        for node in root.children() {
            if std::ptr::eq(node.field(), &raw const base::MESSAGE) {
                let record = records.next();
                let head = record.and_then(|record| context.head(frame, record));
                packet.message(node, head.as_ref())?;
            } else if node.has_children() {
                packet.enter(node);
                packet.proto(node.field().name, node)?;
                packet.below(node, 2, false)?;
                writeln!(packet.out, "  </proto>")?;
            } else {
                packet.lone(node)?;
            }
        }
    }
    writeln!(packet.out, "</packet>")
}

/// A frame being written.
struct Packet<'p, W> {
    out: &'p mut W,
    context: &'p Context,
    protocol: u16,
    options: &'p Options<'p>,
    trail: Trail,
    notes: NotesInOrder<'p>,
    /// What is remarked on the node entered last.
    remarks: String,
}

impl<W: io::Write> Packet<'_, W> {
    fn enter(&mut self, node: NodeRef<'_>) {
        self.trail.enter(node);
        self.remarks.clear();
        while let Some(note) = self.notes.next_of(node.index()) {
            // Writing to a string does not fail.
            let _ = write!(self.remarks, " [{}]", note.kind);
        }
    }

    /// The two protocols that every packet begins with; not from its bytes.
    fn about(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let (number, len, caplen) = (frame.number, frame.wire_len, frame.bytes.len());
        let epoch = frame.time.map(|time| time.to_string()).unwrap_or_default();
        let date = frame
            .time
            .map(|time| format!("{} UTC", Utc(time)))
            .unwrap_or_default();
        writeln!(
            self.out,
            "  <proto name=\"geninfo\" pos=\"0\" showname=\"General information\" size=\"{caplen}\">"
        )?;
        self.told("num", "Number", &number, &format!("{number:x}"))?;
        self.told("len", "Frame Length", &len, &format!("{len:x}"))?;
        self.told("caplen", "Captured Length", &caplen, &format!("{caplen:x}"))?;
        self.told("timestamp", "Captured Time", &date, &epoch)?;
        writeln!(self.out, "  </proto>")?;
        writeln!(
            self.out,
            "  <proto name=\"frame\" showname=\"Frame {number}: {len} bytes on wire, {caplen} bytes captured\" size=\"{caplen}\" pos=\"0\">"
        )?;
        self.told("frame.interface_id", "Interface id", &frame.interface, "")?;
        self.told("frame.time_utc", "UTC Arrival Time", &date, "")?;
        self.told("frame.time_epoch", "Epoch Arrival Time", &epoch, "")?;
        self.told("frame.number", "Frame Number", &number, "")?;
        self.told("frame.len", "Frame Length", &len, "")?;
        self.told("frame.cap_len", "Capture Length", &caplen, "")?;
        writeln!(self.out, "  </proto>")
    }

    /// A field that no bytes of the frame say. Those of `geninfo` have a value all the same.
    fn told(
        &mut self,
        name: &str,
        showname: &str,
        show: &dyn Display,
        value: &str,
    ) -> io::Result<()> {
        writeln!(
            self.out,
            "    <field name=\"{name}\" showname=\"{showname}: {0}\" size=\"0\" pos=\"0\" show=\"{0}\" value=\"{value}\"/>",
            Xml(show)
        )
    }

    fn proto(&mut self, name: &str, node: NodeRef<'_>) -> io::Result<()> {
        let (pos, size) = (node.node().start, node.node().len);
        writeln!(
            self.out,
            "  <proto name=\"{name}\" showname=\"{name}\" size=\"{size}\" pos=\"{pos}\">"
        )
    }

    /// A field that stands in no protocol.
    fn lone(&mut self, node: NodeRef<'_>) -> io::Result<()> {
        if node.index() > 0 {
            self.enter(node);
        }
        self.proto("nlscope", node)?;
        let name = if node.index() == 0 {
            base::UNKNOWN.name
        } else {
            node.field().name
        };
        self.bytes(name, node, 0, 2, false)?;
        writeln!(self.out, "  </proto>")
    }

    fn message(&mut self, node: NodeRef<'_>, head: Option<&Head<'_>>) -> io::Result<()> {
        self.enter(node);
        self.proto("netlink", node)?;
        if let Some(head) = head {
            self.context_of(head)?;
        }
        self.below(node, 2, false)?;
        writeln!(self.out, "  </proto>")
    }

    /// What the context found out.
    fn context_of(&mut self, head: &Head<'_>) -> io::Result<()> {
        let record = head.record;
        let direction = match record.direction {
            Direction::ToKernel => "to kernel",
            Direction::FromKernel => "from kernel",
        };
        self.told("nlscope.direction", "Direction", &direction, "")?;
        if let Port::Known(port) = record.port {
            self.told("nlscope.port", "Port", &port, "")?;
        }
        if let Some(process) = head.process() {
            let about = if process.exact {
                "Process"
            } else {
                "Process (inferred)"
            };
            self.told("nlscope.process", about, &process.name, "")?;
            self.told("nlscope.process-id", "Process id", &process.pid, "")?;
        }
        if let Some(netns) = head.netns() {
            self.told("nlscope.netns", "Network namespace", &netns, "")?;
        }
        if let (Some(seen), Some(name)) = (record.group, head.group_name()) {
            let about = if seen.is_exact() {
                "Group"
            } else {
                "Group (inferred)"
            };
            self.told("nlscope.group", about, &name, "")?;
        }
        if record.request_frame != 0 {
            let request = record.request_frame;
            self.told("nlscope.request", "Answers frame", &request, "")?;
        }
        if let Some(latency) = record.latency {
            let latency = duration(latency.nanoseconds());
            self.told("nlscope.latency", "Latency", &latency, "")?;
        }
        if let Some(original) = record.copy_of {
            self.told("nlscope.copy-of", "Copy of message", &original.0, "")?;
        }
        Ok(())
    }

    fn below(&mut self, node: NodeRef<'_>, indent: usize, masked: bool) -> io::Result<()> {
        for child in node.children() {
            self.node(child, indent, masked)?;
        }
        Ok(())
    }

    fn node(&mut self, node: NodeRef<'_>, indent: usize, masked: bool) -> io::Result<()> {
        self.enter(node);
        let masked = masked || (node.field().secret && self.options.show.redact);
        // What has a header shows it before the rest.
        let header = match node.node().flags.header_len() {
            0 => None,
            _ if node.has(NodeFlags::TLV) => Some(["tlv.len", "tlv.type"]),
            NLA_HDRLEN => Some(["nlattr.len", "nlattr.type"]),
            _ => Some(["element.id", "element.len"]),
        };
        let whole = node.has_children();
        if matches!(node.field().ty, Type::BitUnit { .. }) {
            // Bit-fields share its bytes, so they stand behind it, not below.
            let name = self.name(node);
            self.bytes(&name, node, 0, indent, masked)?;
            return self.below(node, indent, masked);
        }
        if header.is_none() && !whole {
            let name = self.name(node);
            return self.bytes(&name, node, 0, indent, masked);
        }
        match header {
            Some([first, _]) if !whole => {
                let kind = first.split('.').next().unwrap_or(first);
                self.open(kind, node, indent, masked)?;
            }
            _ => {
                let name = self.name(node);
                self.open(&name, node, indent, masked)?;
            }
        }
        if let Some(names) = header {
            self.header(names, node, indent + 1)?;
        }
        if whole {
            self.below(node, indent + 1, masked)?;
        } else {
            let name = self.name(node);
            let skip = node.node().flags.header_len();
            self.bytes(&name, node, skip, indent + 1, masked)?;
        }
        writeln!(self.out, "{:1$}</field>", "", 2 * indent)
    }

    /// The name of the node entered last.
    fn name(&self, node: NodeRef<'_>) -> String {
        let field = node.field();
        let unknown = std::ptr::eq(field, &raw const base::UNKNOWN_ATTRIBUTE);
        if unknown && !node.has_children() {
            base::UNKNOWN.name.to_owned()
        } else if node.has(NodeFlags::UNNAMED) && node.has_children() {
            field.name.to_owned()
        } else {
            self.trail.path().to_owned()
        }
    }

    /// Begins a field that has others below it.
    fn open(
        &mut self,
        name: &str,
        node: NodeRef<'_>,
        indent: usize,
        masked: bool,
    ) -> io::Result<()> {
        let (pos, size) = (node.node().start, node.node().len);
        let shown = self.shown(node, masked);
        let label = Label {
            node,
            shown: &shown,
            remarks: &self.remarks,
        };
        writeln!(
            self.out,
            "{:1$}<field name=\"{2}\" showname=\"{3}\" size=\"{size}\" pos=\"{pos}\" show=\"{4}\">",
            "",
            2 * indent,
            Xml(name),
            Xml(label),
            Xml(&shown),
        )
    }

    /// A field with no other below it, or with bit-fields: the bytes of `node` after the
    /// first `skip`.
    fn bytes(
        &mut self,
        name: &str,
        node: NodeRef<'_>,
        skip: u32,
        indent: usize,
        masked: bool,
    ) -> io::Result<()> {
        let skip = skip.min(node.node().len);
        let (pos, size) = (node.node().start + skip, node.node().len - skip);
        let size = if node.has(NodeFlags::BITS) { 0 } else { size };
        let shown = self.shown(node, masked);
        let label = Label {
            node,
            shown: &shown,
            remarks: &self.remarks,
        };
        write!(
            self.out,
            "{:1$}<field name=\"{2}\" showname=\"{3}\" size=\"{size}\" pos=\"{pos}\" show=\"{4}\" value=\"",
            "",
            2 * indent,
            Xml(name),
            Xml(label),
            Xml(&shown),
        )?;
        if !masked && size > 0 {
            for byte in node.bytes().get(skip as usize..).unwrap_or_default() {
                write!(self.out, "{byte:02x}")?;
            }
        }
        writeln!(self.out, "\"/>")
    }

    /// The header of an attribute, element or TLV, two numbers of one size.
    fn header(&mut self, names: [&str; 2], node: NodeRef<'_>, indent: usize) -> io::Result<()> {
        let bytes = node.bytes();
        let size = node.node().flags.header_len() as usize / 2;
        let order = if node.has(NodeFlags::TLV) {
            Order::Big
        } else {
            node.tape().order()
        };
        for (name, at) in [(names[0], 0), (names[1], size)] {
            let end = bytes.len().min(at + size);
            let field = bytes.get(at..end).unwrap_or_default();
            let pos = u64::from(node.node().start) + at as u64;
            let shown = order.unsigned(field);
            write!(
                self.out,
                "{:1$}<field name=\"{name}\" showname=\"{name}: {shown}\" size=\"{2}\" pos=\"{pos}\" show=\"{shown}\" value=\"",
                "",
                2 * indent,
                field.len(),
            )?;
            for byte in field {
                write!(self.out, "{byte:02x}")?;
            }
            writeln!(self.out, "\"/>")?;
        }
        Ok(())
    }

    fn shown(&self, node: NodeRef<'_>, masked: bool) -> String {
        if masked {
            return "(redacted)".to_owned();
        }
        let numeric = self.options.show.numeric;
        let known = header_value(node, self.protocol, self.context).filter(|_| !numeric);
        known.unwrap_or_else(|| match node.value() {
            Value::Tree => String::new(),
            _ => limited(node.show(self.options.show), SHOW_WIDTH),
        })
    }
}

/// `IFLA_IFNAME: veth0`.
struct Label<'t, 's> {
    node: NodeRef<'t>,
    shown: &'s str,
    remarks: &'s str,
}

impl Display for Label<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.node.field();
        let unknown = std::ptr::eq(field, &raw const base::UNKNOWN_ATTRIBUTE);
        match self.node.number().filter(|_| unknown) {
            Some(number) => write!(f, "attribute {number}")?,
            None if field.uapi.is_empty() => f.write_str(field.name)?,
            None => f.write_str(field.uapi)?,
        }
        if !self.shown.is_empty() {
            write!(f, ": {}", self.shown)?;
        }
        if self.node.has(NodeFlags::GUESS) {
            f.write_str(" (guess)")?;
        }
        f.write_str(self.remarks)
    }
}

/// Text inside an XML attribute. What XML has no way to say is escaped as for a terminal.
struct Xml<T>(T);

impl<T: Display> Display for Xml<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Escape<'f, 'w>(&'f mut fmt::Formatter<'w>);
        impl Write for Escape<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                text.chars().try_for_each(|c| match c {
                    '&' => self.0.write_str("&amp;"),
                    '<' => self.0.write_str("&lt;"),
                    '>' => self.0.write_str("&gt;"),
                    '"' => self.0.write_str("&quot;"),
                    '\u{fffe}' | '\u{ffff}' => write!(self.0, "\\u{{{:x}}}", u32::from(c)),
                    // Text from a capture was escaped before, with backslashes.
                    '\\' => self.0.write_char(c),
                    c => escape_char(c, self.0),
                })
            }
        }
        write!(Escape(f), "{}", self.0)
    }
}
