//! What a field can be compared with.

use crate::schema::{Enum, Field, Hint, Type, ValueNames};

/// The kinds of values a filter tells apart.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// An integer.
    Number {
        signed: bool,
        bits: u8,
        names: Option<ValueNames>,
        hint: Hint,
    },
    /// An IPv4 or IPv6 address.
    Address,
    /// Bytes, a link-layer address or a UUID.
    Bytes,
    /// Text.
    Text,
    /// An attribute that is there or not.
    Flag,
    /// Fields of its own, no value.
    Tree,
    /// True or false.
    Truth,
    /// The flags of a message, by every name they may have.
    MessageFlags,
    /// Nanoseconds since 1970.
    Time,
    /// Nanoseconds.
    Duration,
    /// A message type.
    Type,
    /// A generic netlink command.
    Command,
    /// A multicast group.
    Group,
    /// The name of a family.
    Family,
    /// How bad a note is, and its text.
    Notes(&'static Enum),
}

impl Shape {
    /// That of a field of the schema.
    pub(super) fn of(field: &'static Field) -> Self {
        let number = |signed, bits| Self::Number {
            signed,
            bits,
            names: field.names,
            hint: field.hint,
        };
        match field.ty {
            Type::Int { bytes: 4, .. } if matches!(field.hint, Hint::Ipv4 | Hint::Ip) => {
                Self::Address
            }
            Type::Int { .. } | Type::VarInt { .. } if field.hint == Hint::Mac => Self::Bytes,
            Type::Int { bytes, signed } => number(signed, bytes.saturating_mul(8)),
            Type::VarInt { signed } => number(signed, 64),
            Type::Bitfield32 => number(false, 32),
            Type::BitUnit { bytes, .. } => number(false, bytes.saturating_mul(8)),
            Type::Bits { width, .. } => number(false, width),
            Type::Flag => Self::Flag,
            Type::String => Self::Text,
            Type::Binary => match field.hint {
                Hint::Ip | Hint::IpUnion | Hint::Ipv4 | Hint::Ipv6 => Self::Address,
                Hint::Text | Hint::SunPath => Self::Text,
                _ => Self::Bytes,
            },
            Type::Pad | Type::Unused => Self::Bytes,
            Type::Array { element, .. } if !matches!(element.ty, Type::Array { .. }) => {
                Self::of(element)
            }
            Type::Array { .. }
            | Type::Struct(_)
            | Type::Members
            | Type::Nest { .. }
            | Type::Elements { .. }
            | Type::Indexed { .. }
            | Type::TypeValue { .. }
            | Type::SubMessage { .. }
            | Type::Custom { .. } => Self::Tree,
        }
    }

    /// Whether more and less mean something.
    pub(super) fn is_ordered(&self) -> bool {
        matches!(
            self,
            Self::Number { .. }
                | Self::MessageFlags
                | Self::Address
                | Self::Time
                | Self::Duration
                | Self::Type
                | Self::Command
                | Self::Notes(_)
        )
    }

    /// Whether it has text or bytes to look into.
    pub(super) fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::Bytes
                | Self::Type
                | Self::Command
                | Self::Group
                | Self::Family
                | Self::Notes(_)
        )
    }

    /// Whether its bits have a meaning each.
    pub(super) fn is_flags(&self) -> bool {
        match self {
            Self::MessageFlags => true,
            Self::Number { names, .. } => names.is_some_and(|names| names.as_flags),
            _ => false,
        }
    }

    /// Whether it has bits.
    pub(super) fn has_bits(&self) -> bool {
        matches!(self, Self::Number { .. } | Self::MessageFlags)
    }

    /// What it is, with its article.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Number { .. } if self.is_flags() => "a set of flags",
            Self::Number { .. } => "a number",
            Self::MessageFlags => "a set of flags",
            Self::Address => "an IP address",
            Self::Bytes => "a row of bytes",
            Self::Text => "text",
            Self::Flag => "there or not",
            Self::Tree => "a group of fields",
            Self::Truth => "true or false",
            Self::Time => "a time",
            Self::Duration => "a duration",
            Self::Type => "a message type",
            Self::Command => "a generic netlink command",
            Self::Group => "a multicast group",
            Self::Family => "the name of a family",
            Self::Notes(_) => "a set of remarks",
        }
    }
}
