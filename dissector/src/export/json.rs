//! A message as one JSON object, in the names and shapes of the kernel's own
//! `ynl --output-json`.
//!
//! Everything streams: a nest is grouped by name with a list of its own nodes, and no
//! tree of JSON values is ever built.

mod attributes;

use std::io;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use self::attributes::ByName;
use super::header::{errno_name, flags, header_of};
use super::refused::{ext_ack, quoted};
use super::trail::{NotesInOrder, Trail};
use super::{Options, Refused, refused};
use crate::capture::{Process, Time};
use crate::context::{MessageView, Port, Role};
use crate::note::Severity;
use crate::schema::{Direction, FlagsAs, base};
use crate::tape::{MessageMark, NodeRef};
use crate::text::is_unprintable;
use crate::wire::Nlmsghdr;

/// Writes a message as one JSON object on one line, with a line feed.
///
/// `time` is in seconds since 1970; `latency` in seconds. `direction` and, where
/// `group-inferred` says so, `group` are inferred. `attrs` has the fixed header's members
/// and the attributes. An error has `ext-ack`, with `at`, the path of the refused
/// attribute, and `missing`, that of a missing one, and `quoted`, the request it carries.
/// `notes` has also what is odd about the bytes behind the message, up to the next one.
/// With [`Options::ranges`] there is `ranges`: the path of every node in order, and its
/// first byte in the frame and the one after its last. What terminals would act on is
/// escaped, so that the text may be printed.
///
/// # Errors
///
/// Those of `out`.
pub fn json(
    out: &mut impl io::Write,
    view: &MessageView<'_>,
    options: &Options<'_>,
) -> io::Result<()> {
    let message = Message { view, options };
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Printable);
    message.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Compact, and safe to be shown on a terminal.
struct Printable;

impl serde_json::ser::Formatter for Printable {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        let mut rest = fragment;
        // Nearly all of it is printable ASCII; what is below that is escaped already.
        if fragment.bytes().all(|byte| byte < 0x7f) {
            return writer.write_all(fragment.as_bytes());
        }
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_unprintable(*c)) {
            let (plain, after) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            rest = &after[c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

/// The whole object.
struct Message<'v, 'a> {
    view: &'v MessageView<'a>,
    options: &'v Options<'v>,
}

impl Serialize for Message<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.frame(&mut map)?;
        self.header(&mut map)?;
        self.transaction(&mut map)?;
        if let Some(node) = self.view.node() {
            let inside = ByName {
                node,
                show: self.options.show,
            };
            map.serialize_entry("attrs", &inside)?;
        }
        self.answer(&mut map)?;
        self.beside(&mut map)?;
        map.end()
    }
}

/// A program: `pid`, `name`, and `inferred` where it is.
struct Program<'a>(&'a Process);

impl Serialize for Program<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(process) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("pid", &process.pid)?;
        map.serialize_entry("name", &process.name)?;
        if !process.exact {
            map.serialize_entry("inferred", &true)?;
        }
        map.end()
    }
}

impl Message<'_, '_> {
    fn frame<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let head = &self.view.head;
        let numeric = self.options.show.numeric;
        map.serialize_entry("frame", &head.record.frame)?;
        map.serialize_entry("nth", &(u64::from(head.record.nth) + 1))?;
        map.serialize_entry("time", &head.frame.time.map(exact_seconds))?;
        match base::protocol_entry(head.protocol).filter(|_| !numeric) {
            Some(entry) => map.serialize_entry("protocol", entry.name)?,
            None => map.serialize_entry("protocol", &head.protocol)?,
        }
        map.serialize_entry("family", &head.family_name())
    }

    fn header<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let head = &self.view.head;
        let numeric = self.options.show.numeric;
        map.serialize_entry("message", &head.type_name().filter(|_| !numeric))?;
        map.serialize_entry("type", &head.header.kind)?;
        if let Some(command) = head.command() {
            map.serialize_entry("cmd", &command)?;
        }
        header_flags(map, head.header, head.flags_as(), numeric)?;
        map.serialize_entry("seq", &head.header.seq)?;
        let port = match head.record.port {
            Port::Known(port) => Some(port),
            Port::Everyone | Port::Unknown => None,
        };
        map.serialize_entry("port", &port)?;
        map.serialize_entry("pid", &head.header.pid)?;
        if let Some(process) = head.process() {
            map.serialize_entry("process", &Program(process))?;
        }
        if let Some(netns) = head.netns() {
            map.serialize_entry("netns", netns)?;
        }
        let group = head.record.group;
        match group.and_then(|seen| seen.number().filter(|_| numeric)) {
            Some(number) => map.serialize_entry("group", &number)?,
            None => map.serialize_entry("group", &head.group_name())?,
        }
        if group.is_some_and(|seen| !seen.is_exact()) {
            map.serialize_entry("group-inferred", &true)?;
        }
        let direction = match head.record.direction {
            Direction::ToKernel => "to-kernel",
            Direction::FromKernel => "from-kernel",
        };
        map.serialize_entry("direction", direction)?;
        map.serialize_entry("len", &head.header.len)
    }

    fn transaction<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let record = self.view.head.record;
        let role = match record.role {
            Role::OpenRequest => "open-request",
            Role::Request => "request",
            Role::Reply => "reply",
            Role::End => "end",
            Role::Orphan => "orphan",
            Role::Notification => "notification",
        };
        map.serialize_entry("role", role)?;
        if record.request_frame != 0 {
            map.serialize_entry("request", &record.request_frame)?;
        }
        if let Some(latency) = record.latency {
            let time = i64::try_from(latency.nanoseconds()).unwrap_or(i64::MAX);
            map.serialize_entry("latency", &exact_seconds(Time(time)))?;
        }
        if let Some(original) = record.copy_of {
            map.serialize_entry("copy-of", &original.0)?;
        }
        let told = (record.errno != 0).then_some(record.errno);
        let errno = self.view.head.errno().or(told);
        let named = |errno: &u32| base::errno_name(*errno).is_some() && *errno != 0;
        match errno.filter(named).filter(|_| !self.options.show.numeric) {
            Some(errno) => map.serialize_entry("errno", &errno_name(errno, false)),
            None => map.serialize_entry("errno", &errno),
        }
    }

    fn answer<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        if let Some(refused) = refused(self.view).filter(|_| ext_ack(self.view).next().is_some()) {
            let ack = ExtAck {
                message: self,
                refused: &refused,
            };
            map.serialize_entry("ext-ack", &ack)?;
        }
        if let Some(mark) = quoted(self.view) {
            let quoted = Quoted {
                message: self,
                mark: &mark,
            };
            map.serialize_entry("quoted", &quoted)?;
        }
        Ok(())
    }

    /// Notes and byte ranges, each with the path of its node.
    fn beside<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let walk = Walk { message: self };
        let notes = NotesInOrder::new(self.view.tape);
        map.serialize_entry("notes", &walk.notes(notes))?;
        if self.options.ranges {
            map.serialize_entry("ranges", &walk)?;
        }
        Ok(())
    }
}

/// Seconds with nine decimals, which a floating-point number would not hold.
fn exact_seconds(time: Time) -> Option<Box<RawValue>> {
    RawValue::from_string(time.to_string()).ok()
}

fn header_flags<M: SerializeMap>(
    map: &mut M,
    header: Nlmsghdr,
    flags_as: Option<FlagsAs>,
    numeric: bool,
) -> Result<(), M::Error> {
    if numeric {
        return map.serialize_entry("flags", &header.flags);
    }
    let names: Vec<_> = flags(header, flags_as).map(|(_, name)| name).collect();
    map.serialize_entry("flags", &names)
}

/// The attributes after an error, and what they point at.
struct ExtAck<'m, 'v, 'a> {
    message: &'m Message<'v, 'a>,
    refused: &'m Refused<'a>,
}

impl Serialize for ExtAck<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(node) = self.message.view.node() {
            ByName {
                node,
                show: self.message.options.show,
            }
            .ext_ack(&mut map)?;
        }
        if let Some(path) = self.refused.path() {
            map.serialize_entry("at", &path)?;
        }
        if let Some(missing) = &self.refused.missing {
            map.serialize_entry("missing", &missing.path())?;
        }
        map.end()
    }
}

/// The request that an error carries.
struct Quoted<'m, 'v, 'a> {
    message: &'m Message<'v, 'a>,
    mark: &'m MessageMark,
}

impl Serialize for Quoted<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let view = self.message.view;
        let show = self.message.options.show;
        let mut map = serializer.serialize_map(None)?;
        if let Some(header) = header_of(view.tape, view.head.frame.bytes, self.mark) {
            let name = base::control_name(header.kind)
                .or_else(|| self.mark.message.map(|message| message.uapi))
                .filter(|_| !show.numeric);
            map.serialize_entry("message", &name)?;
            map.serialize_entry("type", &header.kind)?;
            let flags_as = base::flags_as(view.head.protocol, header, self.mark.message);
            header_flags(&mut map, header, flags_as, show.numeric)?;
            map.serialize_entry("seq", &header.seq)?;
            map.serialize_entry("pid", &header.pid)?;
            map.serialize_entry("len", &header.len)?;
        }
        if let Some(node) = view.tape.at(view.head.frame.bytes, self.mark.node) {
            map.serialize_entry("attrs", &ByName { node, show })?;
        }
        map.end()
    }
}

/// The nodes of the message in order, with their paths.
struct Walk<'m, 'v, 'a> {
    message: &'m Message<'v, 'a>,
}

#[derive(serde::Serialize)]
struct NoteEntry {
    at: String,
    severity: &'static str,
    text: String,
}

#[derive(serde::Serialize)]
struct RangeEntry<'p> {
    at: &'p str,
    range: [u64; 2],
}

impl<'a> Walk<'_, '_, 'a> {
    fn nodes(&self) -> impl Iterator<Item = NodeRef<'a>> {
        let view = self.message.view;
        let end = view.node().map_or(0, |node| node.node().next);
        (view.mark.node..end).filter_map(|index| view.tape.at(view.head.frame.bytes, index))
    }

    fn notes(&self, mut notes: NotesInOrder<'_>) -> Vec<NoteEntry> {
        if notes.is_empty() {
            return Vec::new();
        }
        let mut trail = Trail::default();
        let mut found = Vec::new();
        let view = self.message.view;
        let at = |index| view.tape.at(view.head.frame.bytes, index);
        for node in view.extent().filter_map(at) {
            let path = trail.enter(node);
            while let Some(note) = notes.next_of(node.index()) {
                let severity = match note.kind.severity() {
                    Severity::Hint => "hint",
                    Severity::Warning => "warning",
                    Severity::Error => "error",
                };
                found.push(NoteEntry {
                    at: if path.is_empty() {
                        node.field().name
                    } else {
                        path
                    }
                    .to_owned(),
                    severity,
                    text: note.kind.to_string(),
                });
            }
        }
        found
    }
}

impl Serialize for Walk<'_, '_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        let mut trail = Trail::default();
        let mut list = serializer.serialize_seq(None)?;
        for node in self.nodes() {
            let (start, len) = (u64::from(node.node().start), u64::from(node.node().len));
            let path = trail.enter(node);
            list.serialize_element(&RangeEntry {
                at: if path.is_empty() {
                    node.field().name
                } else {
                    path
                },
                range: [start, start + len],
            })?;
        }
        list.end()
    }
}
