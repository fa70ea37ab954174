//! `struct nlattr` (`linux/netlink.h`).

use nom::Parser;
use nom::number::complete::u16;

use super::Order;

/// Length of `struct nlattr`.
pub const NLA_HDRLEN: u32 = 4;
/// The payload holds attributes.
pub const NLA_F_NESTED: u16 = 1 << 15;
/// The payload is in network byte order.
pub const NLA_F_NET_BYTEORDER: u16 = 1 << 14;
/// The bits of `nla_type` that are the number.
pub const NLA_TYPE_MASK: u16 = !(NLA_F_NESTED | NLA_F_NET_BYTEORDER);

/// An attribute's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nlattr {
    /// Length with this header, without padding.
    pub len: u16,
    /// Number and flags.
    pub kind: u16,
}

impl Nlattr {
    /// The header as if none of these flags were set.
    #[must_use]
    pub(crate) fn without(self, flags: u16) -> Self {
        Self {
            kind: self.kind & !flags,
            ..self
        }
    }

    /// The number without the flags.
    #[must_use]
    pub fn number(self) -> u16 {
        self.kind & NLA_TYPE_MASK
    }
}

/// Reads a header.
pub fn nlattr<'a>(order: Order) -> impl FnMut(&'a [u8]) -> nom::IResult<&'a [u8], Nlattr> {
    let endianness = order.endianness();
    move |input| {
        (u16(endianness), u16(endianness))
            .map(|(len, kind)| Nlattr { len, kind })
            .parse(input)
    }
}

/// Attributes one after the other: their numbers and payloads. What is no whole attribute
/// ends them.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    rest: &'a [u8],
    order: Order,
}

impl<'a> Attributes<'a> {
    /// The attributes at the beginning of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8], order: Order) -> Self {
        Self { rest: bytes, order }
    }

    /// The payload of the first attribute that has this number, of those that are left.
    #[must_use]
    pub fn value(&self, number: u16) -> Option<&'a [u8]> {
        let mut all = self.clone();
        all.find(|(found, _)| *found == number)
            .map(|(_, payload)| payload)
    }

    /// The text of such an attribute up to its NUL; `None` for text that is empty, no UTF-8,
    /// or does not fit into `size` bytes with its NUL.
    #[must_use]
    pub fn text(&self, number: u16, size: usize) -> Option<&'a str> {
        let bytes = self.value(number)?;
        let end = bytes.iter().position(|byte| *byte == 0);
        let text = std::str::from_utf8(bytes.get(..end.unwrap_or(bytes.len()))?).ok()?;
        (!text.is_empty() && text.len() < size).then_some(text)
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (_, header) = nlattr(self.order)(self.rest).ok()?;
        let payload = (self.rest).get(NLA_HDRLEN as usize..usize::from(header.len))?;
        let next = super::align(u32::from(header.len)) as usize;
        self.rest = self.rest.get(next..).unwrap_or_default();
        Some((header.number(), payload))
    }
}
