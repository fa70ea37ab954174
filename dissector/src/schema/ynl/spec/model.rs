//! What a specification says, checked and resolved. Things refer to each other by
//! index, so that both who writes them as Rust text and who makes them borrowed data
//! that lives as long as the program can follow.

use super::kinds::{Decoder, Direction, FieldOrder, Finder, FlagsAs, Hint};

/// Several files that may use each other's names.
#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) files: Vec<File>,
    pub(crate) enums: Vec<Enum>,
    pub(crate) structs: Vec<Struct>,
    pub(crate) sets: Vec<Set>,
    pub(crate) sub_messages: Vec<SubMessage>,
}

/// What one file declares.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) enums: Vec<usize>,
    pub(crate) structs: Vec<usize>,
    pub(crate) sets: Vec<usize>,
    /// `None` where it only defines what others use.
    pub(crate) family: Option<Family>,
}

#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) protocol: u16,
    pub(crate) genl: Option<String>,
    pub(crate) messages: Vec<Message>,
    pub(crate) groups: Vec<Group>,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) number: Option<u32>,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) uapi: String,
    pub(crate) name: String,
    pub(crate) number: u16,
    pub(crate) direction: Option<Direction>,
    pub(crate) when_family: Vec<u8>,
    pub(crate) flags_as: FlagsAs,
    pub(crate) echoes_request: bool,
    pub(crate) bare_dump: bool,
    pub(crate) header: Option<usize>,
    pub(crate) attributes: Option<usize>,
    pub(crate) groups: Vec<GroupRule>,
    pub(crate) summary: Vec<SummaryEntry>,
}

#[derive(Debug, Clone)]
pub(crate) struct GroupRule {
    /// Index into the family's groups.
    pub(crate) group: usize,
    pub(crate) families: Vec<u8>,
    pub(crate) flags: Option<u16>,
    /// Number and value.
    pub(crate) first_attribute: Option<(u16, u64)>,
}

#[derive(Debug, Clone)]
pub(crate) struct SummaryEntry {
    pub(crate) label: String,
    pub(crate) joined: bool,
    pub(crate) paths: Vec<Vec<String>>,
}

#[derive(Debug)]
pub(crate) struct Enum {
    pub(crate) name: String,
    pub(crate) flags: bool,
    pub(crate) entries: Vec<EnumEntry>,
}

#[derive(Debug, Clone)]
pub(crate) struct EnumEntry {
    pub(crate) name: String,
    pub(crate) uapi: String,
    pub(crate) value: u64,
}

#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) name: String,
    pub(crate) size: u32,
    /// What a member of this type is aligned to.
    pub(crate) align: u32,
    pub(crate) members: Vec<Member>,
    /// Whether it may end after any of its members.
    pub(crate) may_end: bool,
    pub(crate) summary: Vec<SummaryEntry>,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) field: Field,
    pub(crate) offset: u32,
    pub(crate) len: Len,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Len {
    Bytes(u32),
    Rest,
    Counted {
        /// Index of the member that has the number.
        by: usize,
        /// How many there are beside those it counts.
        more: u32,
        /// Bytes of one.
        each: u32,
    },
}

#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) attributes: Vec<Field>,
    pub(crate) any_number: bool,
    pub(crate) own_flags: u16,
    pub(crate) summary: Vec<SummaryEntry>,
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) uapi: String,
    pub(crate) number: u16,
    pub(crate) ty: Type,
    pub(crate) order: FieldOrder,
    pub(crate) hint: Hint,
    pub(crate) names: Option<ValueNames>,
    pub(crate) multi: bool,
    pub(crate) secret: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ValueNames {
    pub(crate) of: usize,
    pub(crate) as_flags: bool,
    pub(crate) in_json: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Type {
    Int {
        bytes: u8,
        signed: bool,
    },
    VarInt {
        signed: bool,
    },
    Bitfield32,
    Flag,
    String,
    Binary,
    Struct(usize),
    Array {
        element: Box<Field>,
        stride: u32,
        /// Elements with names of their own.
        named: Vec<Field>,
    },
    Elements {
        set: usize,
    },
    Nest {
        header: Option<usize>,
        set: usize,
    },
    Indexed {
        element: Box<Field>,
    },
    NestTypeValue {
        levels: Vec<Field>,
        set: usize,
    },
    SubMessage {
        /// Index into the model's sub-messages.
        formats: usize,
        /// Those of its formats that are one value, which has the field's name.
        variants: Vec<Variant>,
        selector: Selector,
    },
    BitUnit {
        bytes: u8,
        parts: Vec<Field>,
    },
    Bits {
        little: Option<u8>,
        big: Option<u8>,
        width: u8,
    },
    Pad,
    Unused,
    Custom {
        decoder: Decoder,
        header: Option<usize>,
        set: Option<usize>,
    },
}

#[derive(Debug, Clone)]
pub(crate) enum Selector {
    Fields(Vec<String>),
    Together(Vec<String>),
    Found(Finder),
    AttributeType,
    PayloadLength,
}

#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) when: FormatKey,
    pub(crate) field: Field,
    /// Bytes of the value, where it does not take all there are.
    pub(crate) len: Option<u32>,
}

#[derive(Debug)]
pub(crate) struct SubMessage {
    pub(crate) formats: Vec<Format>,
    /// Formats that are one value, each field without the name it gets where it stands.
    pub(crate) variants: Vec<Variant>,
}

#[derive(Debug, Clone)]
pub(crate) struct Format {
    pub(crate) when: FormatKey,
    pub(crate) header: Option<usize>,
    pub(crate) set: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FormatKey {
    Name(String),
    Number(u64),
    Default,
    Absent,
}
