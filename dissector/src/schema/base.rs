//! What every frame has, whatever the protocol: the fields of the cooked header, of
//! netlink's own headers and control messages, and those for what nobody knows.

use super::builtin::protocols;
use super::{
    AttributeSet, Enum, EnumEntry, Field, FieldOrder, FlagsAs, Hint, Len, Member, Message, Struct,
    Type, ValueNames,
};
use crate::wire::{NLM_F_DUMP, NLMSG_MIN_TYPE, Nlmsghdr};

const fn field(name: &'static str, ty: Type, order: FieldOrder, hint: Hint) -> Field {
    Field {
        name,
        uapi: name,
        number: 0,
        ty,
        order,
        hint,
        names: None,
        multi: false,
        secret: false,
    }
}

const fn int(name: &'static str, bytes: u8, order: FieldOrder, hint: Hint) -> Field {
    field(
        name,
        Type::Int {
            bytes,
            signed: false,
        },
        order,
        hint,
    )
}

const fn member(field: Field, offset: u32, len: u32) -> Member {
    Member {
        field,
        offset,
        len: Len::Bytes(len),
    }
}

const fn named(mut field: Field, of: &'static Enum) -> Field {
    field.names = Some(ValueNames {
        of,
        as_flags: of.flags,
        in_json: true,
    });
    field
}

/// A frame.
pub static FRAME: Field = field("frame", Type::Binary, FieldOrder::Host, Hint::None);
/// Bytes between attributes or messages that only align.
pub static PADDING: Field = field("nlscope.padding", Type::Pad, FieldOrder::Host, Hint::None);
/// What stands between the fields of a text.
pub static SEPARATOR: Field = field("nlscope.separator", Type::Pad, FieldOrder::Host, Hint::None);
/// What programs say to each other, of which the kernel knows nothing.
pub static USER_DATA: Field = field(
    "nlscope.user-data",
    Type::Binary,
    FieldOrder::Host,
    Hint::None,
);
/// Bytes that nothing is known of.
pub static UNKNOWN: Field = field(
    "nlscope.unknown",
    Type::Binary,
    FieldOrder::Host,
    Hint::None,
);
/// Bytes that belong to nothing.
pub static TRAILING: Field = field(
    "nlscope.trailing",
    Type::Binary,
    FieldOrder::Host,
    Hint::None,
);
/// An attribute that no table knows.
pub static UNKNOWN_ATTRIBUTE: Field = field(
    "nlscope.unknown.attribute",
    Type::Binary,
    FieldOrder::Host,
    Hint::None,
);

/// A message.
pub static MESSAGE: Field = field("message", Type::Binary, FieldOrder::Host, Hint::None);
/// The request that an error quotes.
pub static QUOTED: Field = field("request", Type::Binary, FieldOrder::Host, Hint::None);

/// The cooked header of nlmon (and SLL).
pub static COOKED: Field = field(
    "cooked",
    Type::Struct(&COOKED_STRUCT),
    FieldOrder::Big,
    Hint::None,
);
static COOKED_STRUCT: Struct = Struct {
    summary: &[],
    name: "cooked",
    field: Field::of_struct("cooked"),
    size: 16,
    may_end: false,
    members: &[
        member(
            int("cooked.packet-type", 2, FieldOrder::Big, Hint::None),
            0,
            2,
        ),
        member(int("cooked.arphrd", 2, FieldOrder::Big, Hint::None), 2, 2),
        member(
            int("cooked.address-length", 2, FieldOrder::Big, Hint::None),
            4,
            2,
        ),
        member(
            field("cooked.address", Type::Binary, FieldOrder::Big, Hint::None),
            6,
            8,
        ),
        member(
            named(
                int("cooked.protocol", 2, FieldOrder::Big, Hint::None),
                &protocols::ENUM_PROTOCOL,
            ),
            14,
            2,
        ),
    ],
};
/// The cooked header of a newer capture on `any`.
pub static COOKED2: Field = field(
    "cooked",
    Type::Struct(&COOKED2_STRUCT),
    FieldOrder::Big,
    Hint::None,
);
static COOKED2_STRUCT: Struct = Struct {
    summary: &[],
    name: "cooked",
    field: Field::of_struct("cooked"),
    size: 20,
    may_end: false,
    members: &[
        member(
            named(
                int("cooked.protocol", 2, FieldOrder::Big, Hint::None),
                &protocols::ENUM_PROTOCOL,
            ),
            0,
            2,
        ),
        member(int("cooked.reserved", 2, FieldOrder::Big, Hint::None), 2, 2),
        member(
            int("cooked.ifindex", 4, FieldOrder::Big, Hint::Ifindex),
            4,
            4,
        ),
        member(int("cooked.arphrd", 2, FieldOrder::Big, Hint::None), 8, 2),
        member(
            int("cooked.packet-type", 1, FieldOrder::Big, Hint::None),
            10,
            1,
        ),
        member(
            int("cooked.address-length", 1, FieldOrder::Big, Hint::None),
            11,
            1,
        ),
        member(
            field("cooked.address", Type::Binary, FieldOrder::Big, Hint::None),
            12,
            8,
        ),
    ],
};

/// `struct nlmsghdr`.
pub static NLMSGHDR: Field = field(
    "nlmsghdr",
    Type::Struct(&NLMSGHDR_STRUCT),
    FieldOrder::Host,
    Hint::None,
);
/// The layout of `struct nlmsghdr`. The names of type and flags depend on the message:
/// see [`crate::context::Head::type_name`] and [`flag_names`].
pub static NLMSGHDR_STRUCT: Struct = Struct {
    summary: &[],
    name: "nlmsghdr",
    field: Field::of_struct("nlmsghdr"),
    size: 16,
    may_end: false,
    members: &[
        member(int("nlmsghdr.len", 4, FieldOrder::Host, Hint::None), 0, 4),
        member(int("nlmsghdr.type", 2, FieldOrder::Host, Hint::None), 4, 2),
        member(int("nlmsghdr.flags", 2, FieldOrder::Host, Hint::Hex), 6, 2),
        member(int("nlmsghdr.seq", 4, FieldOrder::Host, Hint::None), 8, 4),
        member(
            int("nlmsghdr.pid", 4, FieldOrder::Host, Hint::PortId),
            12,
            4,
        ),
    ],
};

/// The layout of `struct genlmsghdr`.
pub static GENLMSGHDR_STRUCT: Struct = Struct {
    summary: &[],
    name: "genlmsghdr",
    field: Field::of_struct("genlmsghdr"),
    size: 4,
    may_end: false,
    members: &[
        member(int("genlmsghdr.cmd", 1, FieldOrder::Host, Hint::None), 0, 1),
        member(
            int("genlmsghdr.version", 1, FieldOrder::Host, Hint::None),
            1,
            1,
        ),
        member(
            int("genlmsghdr.reserved", 2, FieldOrder::Host, Hint::Hex),
            2,
            2,
        ),
    ],
};

/// The first four bytes of `NLMSG_ERROR` and `NLMSG_DONE`: 0 or a negative errno; of a
/// dump's end also a count.
pub static ERROR: Field = field(
    "nlmsgerr.error",
    Type::Int {
        bytes: 4,
        signed: true,
    },
    FieldOrder::Host,
    Hint::Errno,
);
/// The header of a quoted request.
pub static QUOTED_NLMSGHDR: Field = field(
    "nlmsgerr.msg",
    Type::Struct(&NLMSGHDR_STRUCT),
    FieldOrder::Host,
    Hint::None,
);
/// Extended acknowledgement: the attributes after an error.
pub static EXT_ACK: &AttributeSet = &protocols::SET_NLMSGERR_ATTRS;

/// The name of an attribute of an extended acknowledgement begins with this.
pub const EXT_ACK_NAME: &str = "ext-ack";

/// The numbers of the attributes of an extended acknowledgement
/// (`enum nlmsgerr_attrs` of `linux/netlink.h`).
pub mod nlmsgerr {
    /// A message for people.
    pub const MSG: u16 = 1;
    /// Where in the request the refused attribute is, from its `nlmsghdr`.
    pub const OFFS: u16 = 2;
    /// Something that only the family understands.
    pub const COOKIE: u16 = 3;
    /// What the attribute has to be like.
    pub const POLICY: u16 = 4;
    /// The number of the attribute that is missing.
    pub const MISS_TYPE: u16 = 5;
    /// Where in the request the nest is that lacks it.
    pub const MISS_NEST: u16 = 6;
}

/// Names of the `NETLINK_*` protocols.
#[must_use]
pub fn protocols() -> &'static Enum {
    &protocols::ENUM_PROTOCOL
}

/// Names of errno numbers.
#[must_use]
pub fn errnos() -> &'static Enum {
    &protocols::ENUM_ERRNO
}

/// `ENODEV` for 19.
#[must_use]
pub fn errno_name(number: u32) -> Option<&'static str> {
    protocols::ENUM_ERRNO
        .entry(u64::from(number))
        .map(|entry| entry.uapi)
}

/// `NETLINK_ROUTE` for 0.
#[must_use]
pub fn protocol_entry(number: u16) -> Option<&'static EnumEntry> {
    protocols::ENUM_PROTOCOL.entry(u64::from(number))
}

/// The name of a type below [`NLMSG_MIN_TYPE`], which means the same everywhere.
#[must_use]
pub fn control_name(kind: u16) -> Option<&'static str> {
    protocols::ENUM_CONTROL_TYPE
        .entry(u64::from(kind))
        .map(|entry| entry.uapi)
}

/// The names of all flags of messages: those that mean the same everywhere, then what
/// the bits from 0x100 to 0x800 mean on a message that gets, makes, deletes or
/// acknowledges.
#[must_use]
pub fn message_flags() -> [&'static Enum; 5] {
    [
        &protocols::ENUM_NLMSG_FLAGS,
        &protocols::ENUM_GET_FLAGS,
        &protocols::ENUM_NEW_FLAGS,
        &protocols::ENUM_DELETE_FLAGS,
        &protocols::ENUM_ACK_FLAGS,
    ]
}

/// What the flags from 0x100 to 0x800 of a message mean, as its table says. Without one,
/// generic netlink takes both bits of `NLM_F_DUMP` as a dump, whatever the command.
#[must_use]
pub fn flags_as(
    protocol: u16,
    header: Nlmsghdr,
    message: Option<&'static Message>,
) -> Option<FlagsAs> {
    let dump = protocol == crate::wire::protocol::GENERIC && header.has(NLM_F_DUMP);
    message
        .map(|message| message.flags_as)
        .or(dump.then_some(FlagsAs::Get))
}

/// The enum that names the flags from 0x100 to 0x800 of a message.
fn high_flags(header: Nlmsghdr, flags_as: Option<FlagsAs>) -> Option<&'static Enum> {
    if header.kind < NLMSG_MIN_TYPE {
        return Some(&protocols::ENUM_ACK_FLAGS);
    }
    Some(match flags_as? {
        FlagsAs::Get => &protocols::ENUM_GET_FLAGS,
        FlagsAs::New => &protocols::ENUM_NEW_FLAGS,
        FlagsAs::Delete => &protocols::ENUM_DELETE_FLAGS,
    })
}

/// The flags of a message that have a name, lowest first: the bit and its UAPI name.
/// `flags_as` is what the message's table says; without one only the flags that mean
/// the same everywhere have names.
pub fn flag_names(
    header: Nlmsghdr,
    flags_as: Option<FlagsAs>,
) -> impl Iterator<Item = (u16, Option<&'static str>)> {
    let high = high_flags(header, flags_as);
    (0..16_u16)
        .filter(move |bit| header.flags & (1 << bit) != 0)
        .map(move |bit| {
            let names = if bit < 8 {
                Some(&protocols::ENUM_NLMSG_FLAGS)
            } else {
                high
            };
            let entry = names.and_then(|names| names.entry(u64::from(bit)));
            (1 << bit, entry.map(|entry| entry.uapi))
        })
}

/// Every field of this module: what is part of every frame, of no family.
pub fn fields() -> impl Iterator<Item = &'static Field> {
    let own = [
        &FRAME,
        &PADDING,
        &SEPARATOR,
        &USER_DATA,
        &UNKNOWN,
        &TRAILING,
        &UNKNOWN_ATTRIBUTE,
        &MESSAGE,
        &QUOTED,
        &COOKED,
        &COOKED2,
        &NLMSGHDR,
        &GENLMSGHDR_STRUCT.field,
        &ERROR,
        &QUOTED_NLMSGHDR,
    ];
    let structs = [
        &COOKED_STRUCT,
        &COOKED2_STRUCT,
        &NLMSGHDR_STRUCT,
        &GENLMSGHDR_STRUCT,
    ];
    let members = structs.into_iter().flat_map(|of| of.members);
    own.into_iter()
        .chain(members.map(|member| &member.field))
        .chain(EXT_ACK.attributes.items())
}

impl Field {
    /// Whether it is one of this module's: part of every frame, of no family.
    #[must_use]
    pub fn is_base(&self) -> bool {
        fields().any(|field| std::ptr::eq(field, self))
    }
}
