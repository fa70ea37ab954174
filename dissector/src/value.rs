//! The value of a node, decoded from the frame when somebody looks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

mod show;
#[cfg(test)]
mod tests;

pub(crate) use show::sockaddr;
pub use show::{ElementShown, Names, NoNames, Show, Shown, bitmap_names, flag_names, hex};

use crate::schema::{Field, Hint, Type};
use crate::tape::NodeRef;
use crate::wire::Order;

/// What a node's bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'t> {
    /// Nothing of its own: the nodes below say it.
    Tree,
    /// Being there is all it says.
    Present,
    /// A number without sign.
    Unsigned(u64),
    /// A number with sign.
    Signed(i64),
    /// `struct nla_bitfield32`.
    Bitfield {
        /// The bits.
        value: u32,
        /// The bits that are meant.
        selector: u32,
    },
    /// Text, in whatever encoding, without the NUL that ends it and what follows.
    Text(&'t [u8]),
    /// Text that was written in hexadecimal digits, which these are, an even number.
    HexText(&'t [u8]),
    /// A socket address in such digits.
    Sockaddr(&'t [u8]),
    /// Bytes.
    Bytes(&'t [u8]),
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
    /// A link-layer address of any length.
    Mac(&'t [u8]),
    /// A UUID.
    Uuid([u8; 16]),
    /// An array of scalars; [`NodeRef::elements`] has them.
    List,
}

impl<'t> NodeRef<'t> {
    /// The node's value.
    #[must_use]
    pub fn value(&self) -> Value<'t> {
        if self.has_children() && !matches!(self.field().ty, Type::BitUnit { .. }) {
            return Value::Tree;
        }
        decode(
            self.field(),
            self.payload(),
            self.order(),
            self.tape().order(),
        )
    }

    /// The elements of an array of scalars; nothing for what is none. A piece shorter
    /// than an element, at the end, is bytes.
    pub fn elements(&self) -> impl Iterator<Item = (&'static Field, Value<'t>)> + use<'t> {
        let (element, stride) = match self.field().ty {
            Type::Array {
                element, stride, ..
            } => (Some(element), stride.max(1)),
            _ => (None, 1),
        };
        let payload = if element.is_some() && !self.has_children() {
            self.payload()
        } else {
            &[]
        };
        let (own, host) = (self.order(), self.tape().order());
        payload.chunks(stride as usize).filter_map(move |bytes| {
            let field = element?;
            if bytes.len() < stride as usize {
                return Some((field, Value::Bytes(bytes)));
            }
            let order = if field.order == crate::schema::FieldOrder::Host {
                own
            } else {
                order_of(field, host)
            };
            Some((field, decode(field, bytes, order, host)))
        })
    }
}

/// Byte order of a field's integers in a frame of byte order `host`.
pub(crate) fn order_of(field: &Field, host: Order) -> Order {
    match field.order {
        crate::schema::FieldOrder::Host => host,
        crate::schema::FieldOrder::Big => Order::Big,
        crate::schema::FieldOrder::Little => Order::Little,
    }
}

/// Decodes `bytes` as `field`: `order` is that of its integers, `host` that of the
/// frame, which tells how C laid out bit-fields.
pub(crate) fn decode<'t>(field: &Field, bytes: &'t [u8], order: Order, host: Order) -> Value<'t> {
    match field.ty {
        Type::Int { signed, .. } | Type::VarInt { signed } => integer(field, bytes, order, signed),
        Type::Bitfield32 => bitfield(bytes, order),
        Type::Flag if bytes.is_empty() => Value::Present,
        Type::String if field.hint == Hint::Untrusted => untrusted(text(bytes)),
        Type::String if field.hint == Hint::HexSockaddr => match untrusted(text(bytes)) {
            Value::HexText(digits) => Value::Sockaddr(digits),
            other => other,
        },
        Type::String => Value::Text(text(bytes)),
        Type::Binary => binary(field.hint, bytes),
        Type::Array { .. } => Value::List,
        Type::BitUnit { .. } if bytes.len() <= 8 => Value::Unsigned(order.unsigned(bytes)),
        Type::Bits { little, big, width } if bytes.len() <= 8 => {
            let shift = match host {
                Order::Little => little,
                Order::Big => big,
            };
            let mask = 1_u64
                .checked_shl(u32::from(width))
                .map_or(u64::MAX, |bit| bit - 1);
            let unit = order.unsigned(bytes);
            Value::Unsigned(
                shift
                    .and_then(|shift| unit.checked_shr(u32::from(shift)))
                    .unwrap_or(0)
                    & mask,
            )
        }
        Type::Struct(_)
        | Type::Members
        | Type::Nest { .. }
        | Type::Indexed { .. }
        | Type::Elements { .. }
        | Type::TypeValue { .. }
        | Type::SubMessage { .. }
        | Type::Custom { .. }
            if bytes.is_empty() =>
        {
            Value::Tree
        }
        _ => Value::Bytes(bytes),
    }
}

fn integer<'t>(field: &Field, bytes: &'t [u8], order: Order, signed: bool) -> Value<'t> {
    if bytes.is_empty() || bytes.len() > 8 {
        return Value::Bytes(bytes);
    }
    match (field.hint, bytes.len()) {
        (Hint::Ipv4 | Hint::Ip, 4) => {
            let number = u32::try_from(order.unsigned(bytes)).unwrap_or(0);
            Value::Ip(IpAddr::V4(Ipv4Addr::from(number)))
        }
        (Hint::Mac, _) => Value::Mac(bytes),
        _ if signed => Value::Signed(order.signed(bytes)),
        _ => Value::Unsigned(order.unsigned(bytes)),
    }
}

fn bitfield(bytes: &[u8], order: Order) -> Value<'_> {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(value), Some(selector)) if bytes.len() == 8 => Value::Bitfield {
            value: order.u32(*value),
            selector: order.u32(*selector),
        },
        _ => Value::Bytes(bytes),
    }
}

fn binary(hint: Hint, bytes: &[u8]) -> Value<'_> {
    match (hint, bytes.len()) {
        (Hint::Ipv4 | Hint::Ip, 4) => <[u8; 4]>::try_from(bytes).map_or(Value::Bytes(bytes), |b| {
            Value::Ip(IpAddr::V4(Ipv4Addr::from(b)))
        }),
        (Hint::Ipv6 | Hint::Ip, 16) => <[u8; 16]>::try_from(bytes)
            .map_or(Value::Bytes(bytes), |b| {
                Value::Ip(IpAddr::V6(Ipv6Addr::from(b)))
            }),
        (Hint::IpUnion, 16) => match bytes.split_first_chunk::<4>() {
            Some((v4, rest)) if rest.iter().all(|byte| *byte == 0) => {
                Value::Ip(IpAddr::V4(Ipv4Addr::from(*v4)))
            }
            _ => binary(Hint::Ipv6, bytes),
        },
        (Hint::Mac, 1..) => Value::Mac(bytes),
        (Hint::Uuid, 16) => <[u8; 16]>::try_from(bytes).map_or(Value::Bytes(bytes), Value::Uuid),
        (Hint::Text, _) => Value::Text(text(bytes)),
        (Hint::SunPath, _) => Value::Text(match bytes {
            [0, _, ..] => bytes,
            _ => text(bytes),
        }),
        _ => Value::Bytes(bytes),
    }
}

/// Text that has quotes around it, or is in hexadecimal digits because it has characters
/// that would break the record it is in.
fn untrusted(text: &[u8]) -> Value<'_> {
    let quoted = text
        .strip_prefix(b"\"")
        .map(|text| text.strip_suffix(b"\"").unwrap_or(text));
    match quoted {
        Some(text) => Value::Text(text),
        None if is_hex(text) => Value::HexText(text),
        None => Value::Text(text),
    }
}

/// Whether these are digits as audit writes them: capitals, two a byte.
fn is_hex(text: &[u8]) -> bool {
    let digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
    text.len().is_multiple_of(2) && !text.is_empty() && text.iter().all(digit)
}

/// The bytes that hexadecimal digits say.
pub(crate) fn from_hex(digits: &[u8]) -> impl Iterator<Item = u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    digits.chunks_exact(2).filter_map(move |pair| {
        let [high, low] = pair.first_chunk()?;
        Some(digit(*high)? << 4 | digit(*low)?)
    })
}

/// Up to the first NUL.
fn text(bytes: &[u8]) -> &[u8] {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    &bytes[..end]
}
