//! What is known of every protocol: the types of the tables.
//!
//! A table says what a message carries: its fixed header, its attributes, their
//! types, and the names of their values. Built-in tables are statics made from
//! `schema/*.yaml` when the crate is built; a specification given at run time
//! becomes the same types through the same loader ([`ynl`]). A table is plain
//! borrowed data that lives as long as the program, so that a node of a tape can
//! point at its [`Field`] and two fields are the same when their addresses are.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

pub mod base;
mod builtin;
mod leak;
mod registry;
#[cfg(test)]
mod tests;
pub mod ynl;

pub use registry::{GenlGroup, GenlIds, GenlName, Lookup, Schema};
pub(crate) use ynl::MAX_TOGETHER;
pub use ynl::{Decoder, Direction, FieldOrder, Finder, FlagsAs, Hint};

/// One protocol family: a file of the schema.
#[derive(Debug)]
pub struct Family {
    /// First part of the family's filter names: `rt-link`, `nlctrl`.
    pub name: &'static str,
    /// Netlink protocol number (`NETLINK_ROUTE` is 0, `NETLINK_GENERIC` 16).
    pub protocol: u16,
    /// The name a generic netlink family registers with; `None` for the others.
    pub genl: Option<&'static str>,
    /// Every message, in the order of the file.
    pub messages: &'static [Message],
    /// Every attribute set, so that all of them can be listed and checked.
    pub sets: &'static [&'static AttributeSet],
    /// Every struct of the file.
    pub structs: &'static [&'static Struct],
    /// Every enum and set of flags of the file.
    pub enums: &'static [&'static Enum],
    /// The multicast groups the file declares.
    pub groups: &'static [Group],
}

/// A multicast group.
#[derive(Debug, PartialEq, Eq)]
pub struct Group {
    /// As people write it: `RTNLGRP_LINK`, or `nlctrl:notify` for generic netlink.
    pub name: &'static str,
    /// The group's number, or `None` where the kernel hands it out at run time.
    pub number: Option<u32>,
}

/// What a message looks like.
#[derive(Debug)]
pub struct Message {
    /// UAPI name: `RTM_NEWLINK`, `CTRL_CMD_GETFAMILY`.
    pub uapi: &'static str,
    /// Name of the operation in YNL: `newlink`.
    pub name: &'static str,
    /// `nlmsg_type`, or the command of a generic netlink family.
    pub number: u16,
    /// The only direction this meaning holds for, or `None` for both.
    pub direction: Option<Direction>,
    /// Address families (first byte of the fixed header) this meaning is confined
    /// to; empty for all others.
    pub when_family: &'static [u8],
    /// What `NLM_F_*` from 0x100 to 0x800 mean.
    pub flags_as: FlagsAs,
    /// A notification of this type carries the flags of the request that caused it.
    pub echoes_request: bool,
    /// A request to dump has no [`header`](Self::header), only attributes.
    pub bare_dump: bool,
    /// The struct before the attributes.
    pub header: Option<&'static Struct>,
    /// The attributes; `None` where nothing is known of them.
    pub attributes: Option<&'static AttributeSet>,
    /// Where a notification of this type goes, first match.
    pub groups: &'static [GroupRule],
    /// What the one-line form shows.
    pub summary: &'static [SummaryEntry],
}

/// One row of a message's table of multicast groups.
#[derive(Debug)]
pub struct GroupRule {
    /// The group.
    pub group: &'static Group,
    /// Address families it is for; empty for any.
    pub families: &'static [u8],
    /// The flags among 0xf00 the notification must have, or `None` for any.
    pub flags: Option<u16>,
    /// Number and value, an integer of 1 to 8 bytes in the host's order, of the attribute
    /// it must begin with, or `None` for any.
    pub first_attribute: Option<(u16, u64)>,
}

/// One entry of a summary line.
#[derive(Debug)]
pub struct SummaryEntry {
    /// Words printed before the value.
    pub label: &'static str,
    /// Joined to the entry before without a space.
    pub joined: bool,
    /// Alternatives, each a path of field names; the first that is there is shown.
    pub paths: &'static [&'static [&'static str]],
}

/// The attributes that may stand at one place.
#[derive(Debug)]
pub struct AttributeSet {
    /// Name in YNL: `link-attrs`.
    pub name: &'static str,
    /// Attributes in ascending order of [`Field::number`].
    pub attributes: Attributes,
    /// Elements of a list that some number and some do not: what has another number is the
    /// first attribute.
    pub any_number: bool,
    /// Bits of `nla_type` that are flags of the family's own, whatever netlink has them for.
    pub own_flags: u16,
    /// What a nest of them reads as in one line; empty where nothing is said.
    pub summary: &'static [SummaryEntry],
}

/// The attributes of a set: sets nest in each other and in themselves.
pub type Attributes = Late<Field>;

/// A slice of a table that may lead back to the table, so that what a specification given
/// at run time says is put in when all its parts exist.
pub struct Late<T: 'static> {
    built_in: &'static [T],
    loaded: OnceLock<&'static [T]>,
}

impl<T> Late<T> {
    /// That of a built-in table.
    #[must_use]
    pub const fn new(items: &'static [T]) -> Self {
        Self {
            built_in: items,
            loaded: OnceLock::new(),
        }
    }

    /// The items, as long as the program lives.
    #[must_use]
    pub fn items(&self) -> &'static [T] {
        self.loaded.get().copied().unwrap_or(self.built_in)
    }

    /// Puts in those of a specification given at run time, once.
    fn fill(&self, items: &'static [T]) {
        self.loaded.get_or_init(|| items);
    }
}

impl<T> Deref for Late<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.items()
    }
}

impl<T> fmt::Debug for Late<T> {
    // How many alone: it may lead back to itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} items]", self.len())
    }
}

impl AttributeSet {
    /// The attribute with this number (`nla_type` without its flags).
    #[must_use]
    pub fn attribute(&'static self, number: u16) -> Option<&'static Field> {
        // Numbers are nearly always dense from 0 or 1, so the guess mostly hits.
        let fields = &self.attributes;
        let first = fields.first()?.number;
        if let Some(field) = fields.get(usize::from(number.checked_sub(first)?))
            && field.number == number
        {
            return Some(field);
        }
        fields
            .binary_search_by_key(&number, |field| field.number)
            .ok()
            .and_then(|index| fields.get(index))
            .or_else(|| fields.first().filter(|_| self.any_number))
    }
}

/// A C struct.
#[derive(Debug)]
pub struct Struct {
    /// Name in YNL: `ifinfomsg`.
    pub name: &'static str,
    /// `sizeof`, trailing padding included; for a struct that ends in a flexible
    /// array, the size without it.
    pub size: u32,
    /// Members in ascending order of offset.
    pub members: &'static [Member],
    /// Whether it may end after any of its members.
    pub may_end: bool,
    /// What it reads as in one line; empty where nothing is said.
    pub summary: &'static [SummaryEntry],
    /// The struct where it stands without an attribute or a member around it: before
    /// attributes, or as an element ([`Field::of_struct`]).
    pub field: Field,
}

impl Struct {
    /// Whether its size depends on what is in it.
    pub(crate) fn is_open_ended(&self) -> bool {
        let mut members = self.members.iter();
        members.any(|member| member.len.bytes().is_none())
    }
}

impl Field {
    /// The field for [`Struct::field`], of the struct called `name`.
    #[must_use]
    pub const fn of_struct(name: &'static str) -> Self {
        Self {
            name,
            uapi: name,
            number: 0,
            ty: Type::Members,
            order: FieldOrder::Host,
            hint: Hint::None,
            names: None,
            multi: false,
            secret: false,
        }
    }
}

/// A member of a struct.
#[derive(Debug)]
pub struct Member {
    /// Name, type and how to show it.
    pub field: Field,
    /// Byte offset in the struct, as if every [`Len::Counted`] member before it were empty.
    pub offset: u32,
    /// How long it is.
    pub len: Len,
}

/// How long a member of a struct is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Len {
    /// This many bytes.
    Bytes(u32),
    /// All that is left (a flexible array).
    Rest,
    /// What an earlier member of the struct says.
    Counted {
        /// Index of that member among the struct's.
        by: usize,
        /// How many there are beside those it counts.
        more: u32,
        /// Bytes of one.
        each: u32,
    },
}

impl Len {
    /// The bytes, where the struct alone says how many.
    #[must_use]
    pub const fn bytes(self) -> Option<u32> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Rest | Self::Counted { .. } => None,
        }
    }
}

/// Something a node of the tape can be: an attribute, a struct member, an element.
#[derive(Debug)]
pub struct Field {
    /// Name in YNL, in filters and in JSON: `ifname`.
    pub name: &'static str,
    /// Name in the UAPI header: `IFLA_IFNAME`.
    pub uapi: &'static str,
    /// Attribute number; 0 for what is no attribute.
    pub number: u16,
    /// How its bytes are read.
    pub ty: Type,
    /// Byte order of its integers.
    pub order: FieldOrder,
    /// How its value is shown.
    pub hint: Hint,
    /// Names of its values.
    pub names: Option<ValueNames>,
    /// May occur several times; JSON shows a list.
    pub multi: bool,
    /// Key material, masked where that is asked for.
    pub secret: bool,
}

/// The names of a field's values.
#[derive(Debug, Clone, Copy)]
pub struct ValueNames {
    /// The names.
    pub of: &'static Enum,
    /// Each bit has a name of its own.
    pub as_flags: bool,
    /// JSON shows the name, as the kernel's own `ynl` does; else the number.
    pub in_json: bool,
}

/// Named numbers.
#[derive(Debug)]
pub struct Enum {
    /// Name in YNL.
    pub name: &'static str,
    /// Declared as flags: an entry's value is a bit number.
    pub flags: bool,
    /// Entries in ascending order of value, several may share one.
    pub entries: &'static [EnumEntry],
}

/// One named number.
#[derive(Debug)]
pub struct EnumEntry {
    /// Name in YNL.
    pub name: &'static str,
    /// Name in the UAPI header.
    pub uapi: &'static str,
    /// The number, or the bit number for flags.
    pub value: u64,
}

impl Enum {
    /// The first entry with this value (or bit number).
    #[must_use]
    pub fn entry(&self, value: u64) -> Option<&'static EnumEntry> {
        let at = self.entries.partition_point(|entry| entry.value < value);
        self.entries.get(at).filter(|entry| entry.value == value)
    }

    /// The entry with this name, in YNL's or the UAPI header's spelling.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&'static EnumEntry> {
        self.entries.iter().find(|entry| {
            entry.name.eq_ignore_ascii_case(name) || entry.uapi.eq_ignore_ascii_case(name)
        })
    }
}

/// How a field's bytes are read.
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// An integer of 1, 2, 4 or 8 bytes.
    Int {
        /// Its length in bytes.
        bytes: u8,
        /// Two's complement.
        signed: bool,
    },
    /// YNL's `uint` and `sint`: 4 or 8 bytes, as sent.
    VarInt {
        /// Two's complement.
        signed: bool,
    },
    /// `struct nla_bitfield32`: a value and a selector of the bits that matter.
    Bitfield32,
    /// Present or not; no payload.
    Flag,
    /// Text, with or without its NUL.
    String,
    /// Bytes; the hint may say that they are an address.
    Binary,
    /// A C struct.
    Struct(&'static Struct),
    /// A C struct in its own right: the nodes below say what it is.
    Members,
    /// A C array of elements up to the end of the payload.
    Array {
        /// What an element is.
        element: &'static Field,
        /// Length of an element in bytes.
        stride: u32,
        /// The elements by position, as far as they have names of their own.
        named: &'static [Field],
    },
    /// Up to the end of the payload: a byte that is the number of an attribute, a byte that
    /// is the length of what follows, and that.
    Elements {
        /// What the numbers mean.
        set: &'static AttributeSet,
    },
    /// Attributes, after a struct where there is one.
    Nest {
        /// The struct before the attributes.
        header: Option<&'static Struct>,
        /// The attributes.
        set: &'static AttributeSet,
    },
    /// Attributes whose number is an index.
    Indexed {
        /// What each of them is.
        element: &'static Field,
    },
    /// Attributes whose numbers are values, one level inside the other, and in the
    /// innermost the attributes of `set`.
    TypeValue {
        /// The name of each level's value, outermost first.
        levels: &'static [Field],
        /// The innermost attributes.
        set: &'static AttributeSet,
    },
    /// What another field says it is.
    SubMessage {
        /// The possible formats that have fields of their own.
        formats: &'static Formats,
        /// The possible formats that are one value.
        variants: &'static [Variant],
        /// The field that says which.
        selector: Selector,
    },
    /// An integer whose bits are fields of their own ([`Type::Bits`]).
    BitUnit {
        /// Length of the integer in bytes.
        bytes: u8,
        /// The bit-fields.
        parts: &'static [Field],
    },
    /// Some bits of the enclosing [`Type::BitUnit`]; which, depends on the byte
    /// order, because C declares them so.
    Bits {
        /// Shift in a little-endian capture, or `None` where it is not declared there.
        little: Option<u8>,
        /// Shift in a big-endian capture.
        big: Option<u8>,
        /// How many bits.
        width: u8,
    },
    /// Alignment, no content.
    Pad,
    /// A number that the header reserves.
    Unused,
    /// What no table can say; the functions are in `walk::custom`.
    Custom {
        /// The function.
        decoder: Decoder,
        /// The struct it meets, where the schema names one.
        header: Option<&'static Struct>,
        /// The attributes it meets, where the schema names them.
        set: Option<&'static AttributeSet>,
    },
}

/// Which field a sub-message looks at.
#[derive(Debug, Clone, Copy)]
pub enum Selector {
    /// The first of these fields that is there: attributes of the same set or an outer
    /// one, or members of the message's fixed header.
    Fields(&'static [&'static str]),
    /// All of these fields, of which a format says what the first few have to be.
    Together(&'static [&'static str]),
    /// What code makes out.
    Found(Finder),
    /// The number of the enclosing element of an indexed array.
    AttributeType,
    /// How many bytes there are.
    PayloadLength,
}

/// One value that a sub-message may be.
#[derive(Debug)]
pub struct Variant {
    /// When it is taken.
    pub when: FormatKey,
    /// The value; it has the name of the field that depends.
    pub field: Field,
    /// How many bytes it has, where it does not take all there are.
    pub len: Option<u32>,
}

/// Formats of sub-messages: they refer to sets and structs, which refer to them.
pub type Formats = Late<Format>;

/// One format of a sub-message.
#[derive(Debug)]
pub struct Format {
    /// When it is taken.
    pub when: FormatKey,
    /// The struct before the attributes.
    pub header: Option<&'static Struct>,
    /// The attributes.
    pub set: Option<&'static AttributeSet>,
}

/// When a format is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatKey {
    /// The selector is this text.
    Name(&'static str),
    /// The selector is this number.
    Number(u64),
    /// Nothing else fits.
    Default,
    /// There is no selector.
    Absent,
}
