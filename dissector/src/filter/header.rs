//! The names that every message has.

use super::relation::Item;
use super::shape::Shape;
use crate::context::{Head, Port, Role};
use crate::schema::{Direction, Enum, EnumEntry, FlagsAs, Hint, ValueNames, base};
use crate::wire::{NLM_F_DUMP, NLMSG_MIN_TYPE};

/// A name that every message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadField {
    Protocol,
    Port,
    Group,
    Type,
    Family,
    Cmd,
    Flags,
    Seq,
    Len,
    Errno,
    Direction,
    Role,
    Process,
    Netns,
    Frame,
    Time,
    Latency,
    Copy,
    Orphan,
    Open,
    /// Remarks of the dissection; the only one that needs the tape.
    Notes,
    /// A flag by its name; its meaning depends on the message.
    Flag(u16, &'static str),
    /// `NLM_F_DUMP`, two flags at once.
    Dump,
}

/// Every name but those of flags, in the order in which they are offered, with what it is.
pub(super) const NAMES: &[(&str, HeadField, &str)] = &[
    ("protocol", HeadField::Protocol, "netlink protocol"),
    ("family", HeadField::Family, "name of the family"),
    ("type", HeadField::Type, "message type, or its name"),
    ("cmd", HeadField::Cmd, "generic netlink command"),
    (
        "direction",
        HeadField::Direction,
        "to-kernel or from-kernel",
    ),
    (
        "errno",
        HeadField::Errno,
        "of an error or the end of a dump",
    ),
    ("flags", HeadField::Flags, "nlmsg_flags"),
    ("port", HeadField::Port, "port id at the user's side"),
    ("group", HeadField::Group, "multicast group"),
    (
        "latency",
        HeadField::Latency,
        "from request to answer, 1.5ms",
    ),
    ("seq", HeadField::Seq, "nlmsg_seq"),
    ("len", HeadField::Len, "nlmsg_len"),
    ("frame", HeadField::Frame, "number of the frame"),
    ("time", HeadField::Time, "when it was captured"),
    ("role", HeadField::Role, "part in its transaction"),
    ("process", HeadField::Process, "program at the user's side"),
    (
        "netns",
        HeadField::Netns,
        "network namespace, where it is not the first one",
    ),
    ("notes", HeadField::Notes, "remarks: hint, warning, error"),
    ("copy", HeadField::Copy, "copy of an earlier multicast"),
    ("open", HeadField::Open, "request without its answer"),
    ("orphan", HeadField::Orphan, "answer without its request"),
];

const fn entry(name: &'static str, value: u64) -> EnumEntry {
    EnumEntry {
        name,
        uapi: name,
        value,
    }
}

const fn names(name: &'static str, entries: &'static [EnumEntry]) -> Enum {
    Enum {
        name,
        flags: false,
        entries,
    }
}

static DIRECTIONS: Enum = names(
    "direction",
    &[entry("to-kernel", 0), entry("from-kernel", 1)],
);
static ROLES: Enum = names(
    "role",
    &[
        entry("open", 0),
        entry("request", 1),
        entry("reply", 2),
        entry("end", 3),
        entry("orphan", 4),
        entry("notification", 5),
    ],
);
/// In the order of [`crate::note::Severity`].
static SEVERITIES: Enum = names(
    "severity",
    &[entry("hint", 0), entry("warning", 1), entry("error", 2)],
);

impl HeadField {
    /// The field with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        if let Some(flag) = name.strip_prefix("flags.") {
            return Self::flags()
                .find(|(known, ..)| known.eq_ignore_ascii_case(flag))
                .map(|(_, field, _)| field);
        }
        NAMES
            .iter()
            .find(|(known, ..)| *known == name)
            .map(|(_, field, _)| *field)
    }

    /// The flags that have a name of their own: it, the field and its UAPI name.
    pub(super) fn flags() -> impl Iterator<Item = (&'static str, Self, &'static str)> {
        let dump = std::iter::once(("dump", Self::Dump, "NLM_F_DUMP"));
        dump.chain(
            base::message_flags()
                .into_iter()
                .flat_map(|names| names.entries)
                .filter_map(|entry| {
                    let bit = 1_u16.checked_shl(u32::try_from(entry.value).ok()?)?;
                    Some((entry.name, Self::Flag(bit, entry.uapi), entry.uapi))
                }),
        )
    }

    /// What it is compared with.
    pub(super) fn shape(self) -> Shape {
        match self {
            Self::Protocol => number(16, Some(base::protocols())),
            Self::Flags => Shape::MessageFlags,
            Self::Port | Self::Seq | Self::Len | Self::Frame => number(32, None),
            Self::Errno => Shape::Number {
                signed: false,
                bits: 32,
                names: None,
                hint: Hint::Errno,
            },
            Self::Direction => number(8, Some(&DIRECTIONS)),
            Self::Role => number(8, Some(&ROLES)),
            Self::Notes => Shape::Notes(&SEVERITIES),
            Self::Group => Shape::Group,
            Self::Type => Shape::Type,
            Self::Cmd => Shape::Command,
            Self::Family => Shape::Family,
            Self::Process | Self::Netns => Shape::Text,
            Self::Time => Shape::Time,
            Self::Latency => Shape::Duration,
            Self::Copy | Self::Orphan | Self::Open | Self::Flag(..) | Self::Dump => Shape::Truth,
        }
    }

    /// Its value in a message, where it has one. [`HeadField::Notes`] has none here.
    pub(super) fn item<'a>(self, head: &Head<'a>) -> Option<Item<'a>> {
        match self {
            Self::Group => head.record.group.map(Item::Group),
            Self::Process => head.process().map(|it| Item::Text(it.name.as_bytes())),
            Self::Netns => head.netns().map(|name| Item::Text(name.as_bytes())),
            Self::Type => Some(Item::Kind {
                number: head.header.kind,
                message: head.message,
            }),
            Self::Cmd if head.message.is_some() => head.command().map(|command| Item::Kind {
                number: u16::from(command),
                message: head.message,
            }),
            Self::Family => head.family_name().map(|name| Item::Text(name.as_bytes())),
            _ => self
                .small(head)
                .map(i128::from)
                .or_else(|| self.nanoseconds(head))
                .map(Item::Number),
        }
    }

    fn small(self, head: &Head<'_>) -> Option<u32> {
        let record = head.record;
        Some(match self {
            Self::Protocol => u32::from(head.protocol),
            Self::Port => match record.port {
                Port::Known(port) => port,
                Port::Everyone | Port::Unknown => return None,
            },
            Self::Cmd => u32::from(head.command()?),
            Self::Flags => u32::from(head.header.flags),
            Self::Seq => head.header.seq,
            Self::Len => head.header.len,
            Self::Errno => head.errno()?,
            Self::Direction => match record.direction {
                Direction::ToKernel => 0,
                Direction::FromKernel => 1,
            },
            Self::Role => match record.role {
                Role::OpenRequest => 0,
                Role::Request => 1,
                Role::Reply => 2,
                Role::End => 3,
                Role::Orphan => 4,
                Role::Notification => 5,
            },
            Self::Frame => record.frame,
            Self::Copy => u32::from(record.copy_of.is_some()),
            Self::Orphan => u32::from(record.role == Role::Orphan),
            Self::Open => u32::from(record.role == Role::OpenRequest),
            Self::Flag(bit, uapi) => u32::from(has_flag(head, bit, uapi)),
            Self::Dump => u32::from(is_dump(head)),
            _ => return None,
        })
    }

    fn nanoseconds(self, head: &Head<'_>) -> Option<i128> {
        match self {
            Self::Time => head.frame.time.map(|time| i128::from(time.0)),
            Self::Latency => Some(i128::from(head.record.latency?.nanoseconds())),
            _ => None,
        }
    }

    /// True or false of every message, so that the bare name asks for true.
    pub(super) fn is_truth(self) -> bool {
        matches!(self.shape(), Shape::Truth)
    }
}

fn number(bits: u8, names: Option<&'static Enum>) -> Shape {
    Shape::Number {
        signed: false,
        bits,
        names: names.map(|of| ValueNames {
            of,
            as_flags: false,
            in_json: true,
        }),
        hint: Hint::None,
    }
}

/// Whether the flag is set and means this in such a message.
fn has_flag(head: &Head<'_>, bit: u16, uapi: &str) -> bool {
    head.header.has(bit)
        && base::flag_names(head.header, head.flags_as())
            .any(|(set, name)| set == bit && name == Some(uapi))
}

fn is_dump(head: &Head<'_>) -> bool {
    head.header.kind >= NLMSG_MIN_TYPE
        && head.header.has(NLM_F_DUMP)
        && head.flags_as() == Some(FlagsAs::Get)
}
