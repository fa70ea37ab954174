//! What is asked of one value, checked and ready to be answered.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

use regex::bytes::Regex;

use super::parse::Op;
use crate::context::GroupSeen;
use crate::note::NoteKind;
use crate::schema::Message;
use crate::schema::base;
use crate::value::{Names, Value, from_hex, sockaddr};
use crate::wire::NLMSG_MIN_TYPE;

/// A value of a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'a> {
    Number(i128),
    Ip(IpAddr),
    Bytes(&'a [u8]),
    Uuid([u8; 16]),
    Text(&'a [u8]),
    /// Text in hexadecimal digits.
    HexText(&'a [u8]),
    /// A socket address in such digits.
    Sockaddr(&'a [u8]),
    /// `nlmsg_type` or a generic netlink command.
    Kind {
        number: u16,
        message: Option<&'static Message>,
    },
    Group(GroupSeen),
    Note(NoteKind),
}

impl<'a> Item<'a> {
    /// What can be compared of a decoded value.
    pub(super) fn of(value: Value<'a>) -> Option<Self> {
        Some(match value {
            Value::Tree | Value::List => return None,
            Value::Present => Self::Number(1),
            Value::Unsigned(number) => Self::Number(i128::from(number)),
            Value::Signed(number) => Self::Number(i128::from(number)),
            Value::Bitfield { value, .. } => Self::Number(i128::from(value)),
            Value::Text(text) => Self::Text(text),
            Value::HexText(digits) => Self::HexText(digits),
            Value::Sockaddr(digits) => Self::Sockaddr(digits),
            Value::Bytes(bytes) | Value::Mac(bytes) => Self::Bytes(bytes),
            Value::Ip(address) => Self::Ip(address),
            Value::Uuid(uuid) => Self::Uuid(uuid),
        })
    }

    fn number(&self) -> Option<i128> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Kind { number, .. } => Some(i128::from(*number)),
            Self::Group(group) => group.number().map(i128::from),
            Self::Note(kind) => Some(kind.severity() as i128),
            Self::Ip(_)
            | Self::Bytes(_)
            | Self::Uuid(_)
            | Self::Text(_)
            | Self::HexText(_)
            | Self::Sockaddr(_) => None,
        }
    }

    fn text(&self) -> Option<Cow<'_, [u8]>> {
        Some(match self {
            Self::Text(text) | Self::Bytes(text) => Cow::Borrowed(text),
            Self::HexText(digits) => Cow::Owned(from_hex(digits).collect()),
            Self::Sockaddr(digits) => Cow::Owned(sockaddr(digits)),
            Self::Uuid(bytes) => Cow::Borrowed(bytes),
            Self::Group(seen) => Cow::Borrowed(seen.group()?.name.as_bytes()),
            Self::Kind { number, message } => {
                let control = || base::control_name(*number).filter(|_| *number < NLMSG_MIN_TYPE);
                let name = message.map(|message| message.uapi).or_else(control)?;
                Cow::Borrowed(name.as_bytes())
            }
            Self::Note(kind) => Cow::Owned(kind.to_string().into_bytes()),
            Self::Number(_) | Self::Ip(_) => return None,
        })
    }
}

/// What a value is compared with.
#[derive(Debug, Clone)]
pub(super) enum Constant {
    Number(i128),
    Numbers(i128, i128),
    /// An address, or all of a prefix.
    Prefix(IpAddr, u8),
    Addresses(IpAddr, IpAddr),
    Bytes(Vec<u8>),
    Text(Vec<u8>),
    /// The interface of this name, by its index.
    Interface(String),
    Kinds(Vec<&'static Message>),
    Groups(Vec<&'static str>),
}

impl Constant {
    /// Whether the item is this; `None` where the two cannot be compared.
    fn is(&self, item: &Item<'_>, names: &dyn Names) -> Option<bool> {
        Some(match (self, item) {
            (Self::Kinds(kinds), Item::Kind { message, .. }) => {
                message.is_some_and(|m| kinds.iter().any(|kind| std::ptr::eq(*kind, m)))
            }
            // A command that no table knows is none of those that have a name.
            (Self::Kinds(_), Item::Number(_)) => false,
            (Self::Groups(groups), Item::Group(seen)) => {
                (seen.group()).is_some_and(|group| groups.contains(&group.name))
            }
            (Self::Number(wanted), item) => *wanted == item.number()?,
            (Self::Numbers(low, high), item) => (*low..=*high).contains(&item.number()?),
            (Self::Prefix(network, len), Item::Ip(address)) => in_prefix(*address, *network, *len),
            (Self::Addresses(low, high), Item::Ip(address)) => {
                low.is_ipv4() == address.is_ipv4() && (low..=high).contains(&address)
            }
            (Self::Bytes(wanted), Item::Bytes(bytes)) => wanted == bytes,
            (Self::Bytes(wanted), Item::Uuid(bytes)) => wanted == bytes,
            (Self::Text(wanted), Item::Text(text)) => wanted == text,
            (Self::Text(wanted), Item::HexText(digits)) => {
                from_hex(digits).eq(wanted.iter().copied())
            }
            (Self::Text(wanted), Item::Sockaddr(digits)) => *wanted == sockaddr(digits),
            (Self::Interface(name), Item::Number(index)) => {
                let index = u32::try_from(*index).ok();
                index.and_then(|index| names.interface(index)) == Some(name.as_str())
            }
            _ => return None,
        })
    }

    fn order(&self, item: &Item<'_>) -> Option<Ordering> {
        match (self, item) {
            (Self::Number(wanted), item) => Some(item.number()?.cmp(wanted)),
            (Self::Prefix(wanted, _), Item::Ip(address))
                if wanted.is_ipv4() == address.is_ipv4() =>
            {
                Some(address.cmp(wanted))
            }
            _ => None,
        }
    }
}

fn in_prefix(address: IpAddr, network: IpAddr, len: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let mask = u32::MAX
                .checked_shl(32_u32.saturating_sub(u32::from(len)))
                .unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let mask = u128::MAX
                .checked_shl(128_u32.saturating_sub(u32::from(len)))
                .unwrap_or(0);
            a.to_bits() & mask == n.to_bits() & mask
        }
        _ => false,
    }
}

/// What is asked of one value.
#[derive(Debug, Clone)]
pub(super) enum Relation {
    /// To be there, and, for what is true or false, to be true.
    Present,
    Compare(Op, Constant),
    In(Vec<Constant>),
    Contains(Vec<u8>),
    ContainsBits(i128),
    Matches(Regex),
    Bits(i128, Option<(Op, i128)>),
}

impl Relation {
    /// Asks something of every occurrence, not of any.
    pub(super) fn of_all(&self) -> bool {
        let op = match self {
            Self::Compare(op, _) | Self::Bits(_, Some((op, _))) => *op,
            _ => return false,
        };
        matches!(op, Op::Ne | Op::AllEq)
    }

    /// The answer; `None` where the value is none that this can be asked of.
    pub(super) fn holds(&self, item: &Item<'_>, names: &dyn Names) -> Option<bool> {
        match self {
            Self::Present => Some(true),
            Self::Compare(op, constant) if op.is_order() => {
                constant.order(item).map(|order| agrees(*op, order))
            }
            Self::Compare(op, constant) => {
                let same = constant.is(item, names)?;
                Some(same == matches!(op, Op::Eq | Op::AllEq))
            }
            Self::In(constants) => {
                let mut answers = constants.iter().filter_map(|c| c.is(item, names));
                let first = answers.next()?;
                Some(first || answers.any(|answer| answer))
            }
            Self::Contains(needle) => {
                let text = item.text()?;
                Some(contains(&text, needle))
            }
            Self::ContainsBits(mask) => Some(item.number()? & mask == *mask),
            Self::Matches(regex) => Some(regex.is_match(&item.text()?)),
            Self::Bits(mask, None) => Some(item.number()? & mask != 0),
            Self::Bits(mask, Some((op, wanted))) => {
                let order = (item.number()? & mask).cmp(wanted);
                Some(agrees(*op, order))
            }
        }
    }
}

fn agrees(op: Op, order: Ordering) -> bool {
    match op {
        Op::Eq | Op::AllEq => order.is_eq(),
        Op::Ne | Op::AnyNe => order.is_ne(),
        Op::Lt => order.is_lt(),
        Op::Le => order.is_le(),
        Op::Gt => order.is_gt(),
        Op::Ge => order.is_ge(),
    }
}

/// Whether `needle` is in `hay`, in time linear in `hay` for practical purposes: the
/// needle comes from the filter, not from the capture.
fn contains(hay: &[u8], needle: &[u8]) -> bool {
    needle.is_empty() || hay.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, network: &str, len: u8, expected: bool) {
        let found = in_prefix(address.parse().unwrap(), network.parse().unwrap(), len);
        assert_eq!(found, expected, "{address} in {network}/{len}");
    }

    #[test]
    fn prefixes_of_every_length() {
        check("10.1.2.3", "10.0.0.0", 8, true);
        check("11.1.2.3", "10.0.0.0", 8, false);
        check("11.1.2.3", "10.0.0.0", 0, true);
        check("10.0.0.1", "10.0.0.1", 32, true);
        check("10.0.0.2", "10.0.0.1", 32, false);
        check("fe80::1", "fe80::", 10, true);
        check("fec0::1", "fe80::", 10, false);
        check("::1", "::1", 128, true);
        check("::1", "::", 0, true);
        check("10.0.0.1", "::", 0, false);
    }
}
