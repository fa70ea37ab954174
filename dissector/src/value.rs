//! The value of a node, decoded from the frame when somebody looks, and its one way
//! of being shown.

use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::capture::{Time, Utc};
use crate::schema::{Field, Hint, Type, ValueNames};
use crate::tape::NodeRef;
use crate::text::Escaped;
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

    /// The elements of an array of scalars as text.
    pub fn elements_shown(&self, how: Show<'t>) -> impl Iterator<Item = ElementShown<'t>> {
        let masked = self.field().secret && how.redact;
        self.elements().map(move |(field, value)| ElementShown {
            field: if masked { self.field() } else { field },
            value,
            how,
        })
    }

    /// The node's value as text.
    #[must_use]
    pub fn show(&self, how: Show<'t>) -> Shown<'t> {
        Shown { node: *self, how }
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

/// Names that a capture or a machine knows and the bytes do not carry.
pub trait Names {
    /// The name of the interface with this index.
    fn interface(&self, index: u32) -> Option<&str>;
    /// The path of the device or program behind a port; `None` where unknown.
    fn port(&self, port: u32) -> Option<&str> {
        let _ = port;
        None
    }
}

/// Knows no name.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoNames;

impl Names for NoNames {
    fn interface(&self, _index: u32) -> Option<&str> {
        None
    }
}

/// How values are shown.
#[derive(Clone, Copy)]
pub struct Show<'a> {
    /// Names from outside the bytes.
    pub names: &'a dyn Names,
    /// Numbers instead of names.
    pub numeric: bool,
    /// Key material is masked.
    pub redact: bool,
}

impl Show<'static> {
    /// Names from the schema, none from elsewhere, nothing masked.
    pub const PLAIN: Self = Show {
        names: &NoNames,
        numeric: false,
        redact: false,
    };
}

/// A value as text, ready for a terminal: see [`NodeRef::show`].
#[derive(Clone, Copy)]
pub struct Shown<'t> {
    node: NodeRef<'t>,
    how: Show<'t>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.node.field();
        match self.node.value() {
            Value::List if !(field.secret && self.how.redact) => {
                f.write_char('[')?;
                for (at, (element, value)) in self.node.elements().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    show(f, element, value, self.how)?;
                }
                f.write_char(']')
            }
            value => show(f, field, value, self.how),
        }
    }
}

/// One element of a list as text: see [`NodeRef::elements_shown`].
#[derive(Clone, Copy)]
pub struct ElementShown<'t> {
    field: &'static Field,
    value: Value<'t>,
    how: Show<'t>,
}

impl fmt::Display for ElementShown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.field, self.value, self.how)
    }
}

fn show(f: &mut fmt::Formatter<'_>, field: &Field, value: Value<'_>, how: Show<'_>) -> fmt::Result {
    if field.secret && how.redact && !matches!(value, Value::Tree) {
        return f.write_str("(redacted)");
    }
    let names = field.names.filter(|_| !how.numeric);
    match value {
        Value::Tree | Value::List => Ok(()),
        Value::Present => f.write_str("true"),
        Value::Unsigned(number) => match names {
            Some(names) => named(f, names, number, field.hint, how),
            None => unsigned(f, number, field.hint, how),
        },
        Value::Signed(number) => match (names, u64::try_from(number)) {
            (Some(names), Ok(number)) => named(f, names, number, field.hint, how),
            // A negative entry is in the table as two's complement.
            (Some(names), Err(_)) => match names.of.entry(number.cast_unsigned()) {
                Some(entry) => f.write_str(entry.name),
                None => write!(f, "{number}"),
            },
            (_, Ok(number)) => unsigned(f, number, field.hint, how),
            // The kernel sends errors negative.
            (_, Err(_)) if field.hint == Hint::Errno && !how.numeric => {
                let name = u32::try_from(number.unsigned_abs())
                    .ok()
                    .and_then(crate::schema::base::errno_name);
                match name {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{number}"),
                }
            }
            (_, Err(_)) if how.numeric => write!(f, "{number}"),
            (_, Err(_)) if field.hint == Hint::Mbm => {
                let hundredths = number.unsigned_abs();
                write!(f, "-{}.{:02} dBm", hundredths / 100, hundredths % 100)
            }
            (_, Err(_)) => write!(f, "{number}{}", unit(field.hint)),
        },
        Value::Bitfield { value, selector } => {
            let part = |f: &mut fmt::Formatter<'_>, number| match names {
                Some(names) => named(f, names, u64::from(number), Hint::Hex, how),
                None => write!(f, "{number:#x}"),
            };
            part(f, value)?;
            f.write_char('/')?;
            part(f, selector)
        }
        Value::Text(text) => write!(f, "{}", Escaped(text)),
        Value::HexText(digits) => {
            let bytes: Vec<u8> = from_hex(digits).collect();
            write!(f, "{}", Escaped(&bytes))
        }
        Value::Sockaddr(digits) => write!(f, "{}", Escaped(&sockaddr(digits))),
        Value::Bytes(bytes) => match names {
            Some(names) if names.as_flags => bitmap(f, names, bytes),
            _ => hex(f, bytes, ""),
        },
        Value::Ip(address) => write!(f, "{address}"),
        Value::Mac(bytes) => hex(f, bytes, ":"),
        Value::Uuid(bytes) => {
            for (at, byte) in bytes.iter().enumerate() {
                if matches!(at, 4 | 6 | 8 | 10) {
                    f.write_char('-')?;
                }
                write!(f, "{byte:02x}")?;
            }
            Ok(())
        }
    }
}

/// Writes bytes as hexadecimal with something in between.
///
/// # Errors
///
/// Those of `out`.
pub fn hex(out: &mut impl Write, bytes: &[u8], between: &str) -> fmt::Result {
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.write_str(between)?;
        }
        write!(out, "{byte:02x}")?;
    }
    Ok(())
}

/// What digits say of a socket address, of a machine of either byte order, as people write
/// it: an IP address and port, or a path; of other families, the digits.
pub(crate) fn sockaddr(digits: &[u8]) -> Vec<u8> {
    let bytes: Vec<u8> = from_hex(digits).collect();
    known_sockaddr(&bytes).unwrap_or_else(|| digits.to_ascii_lowercase())
}

fn known_sockaddr(bytes: &[u8]) -> Option<Vec<u8>> {
    const AF_UNIX: u8 = 1;
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    let (family, rest) = match bytes {
        [family, 0, rest @ ..] | [0, family, rest @ ..] => (*family, rest),
        _ => return None,
    };
    let port = || rest.first_chunk().map(|port| u16::from_be_bytes(*port));
    match family {
        AF_UNIX => Some(match rest {
            [0, name @ ..] => [b"@", text(name)].concat(),
            name => text(name).to_vec(),
        }),
        AF_INET => {
            let address: &[u8; 4] = rest.get(2..)?.first_chunk()?;
            Some(format!("{}:{}", Ipv4Addr::from(*address), port()?).into_bytes())
        }
        AF_INET6 => {
            let address: &[u8; 16] = rest.get(6..)?.first_chunk()?;
            Some(format!("[{}]:{}", Ipv6Addr::from(*address), port()?).into_bytes())
        }
        _ => None,
    }
}

fn named(
    f: &mut fmt::Formatter<'_>,
    names: ValueNames,
    number: u64,
    hint: Hint,
    how: Show<'_>,
) -> fmt::Result {
    if !names.as_flags {
        return match names.of.entry(number) {
            Some(entry) => f.write_str(entry.name),
            None => unsigned(f, number, hint, how),
        };
    }
    if number == 0 {
        return f.write_char('0');
    }
    let mut left = number;
    for (at, bit) in flag_names(names, number).enumerate() {
        if at > 0 {
            f.write_char('|')?;
        }
        f.write_str(bit.1)?;
        left &= !bit.0;
    }
    if left != 0 {
        let separator = if left == number { "" } else { "|" };
        write!(f, "{separator}{left:#x}")?;
    }
    Ok(())
}

/// The bits of `number` that have a name, lowest first: the bit and its name.
pub fn flag_names(names: ValueNames, number: u64) -> impl Iterator<Item = (u64, &'static str)> {
    (0..64_u64).filter_map(move |bit| {
        let mask = 1_u64 << bit;
        if number & mask == 0 {
            return None;
        }
        names.of.entry(bit).map(|entry| (mask, entry.name))
    })
}

/// The bits that are set in `bytes`, the lowest of the first byte first: each with its name,
/// if it has one.
pub fn bitmap_names(
    names: ValueNames,
    bytes: &[u8],
) -> impl Iterator<Item = (u64, Option<&'static str>)> {
    (0_u64..).zip(bytes).flat_map(move |(at, byte)| {
        let set = (0..8).filter(move |bit| byte >> bit & 1 != 0);
        set.map(move |bit| {
            let number = at * 8 + bit;
            (number, names.of.entry(number).map(|entry| entry.name))
        })
    })
}

fn bitmap(f: &mut fmt::Formatter<'_>, names: ValueNames, bytes: &[u8]) -> fmt::Result {
    let mut set = bitmap_names(names, bytes).peekable();
    if set.peek().is_none() {
        return f.write_char('0');
    }
    for (at, (bit, name)) in set.enumerate() {
        if at > 0 {
            f.write_char('|')?;
        }
        match name {
            Some(name) => f.write_str(name)?,
            None => write!(f, "bit {bit}")?,
        }
    }
    Ok(())
}

fn unsigned(f: &mut fmt::Formatter<'_>, number: u64, hint: Hint, how: Show<'_>) -> fmt::Result {
    let small = u32::try_from(number).ok();
    if how.numeric && !matches!(hint, Hint::Hex | Hint::Octal) {
        return write!(f, "{number}");
    }
    match (hint, small) {
        (Hint::Hex, _) => write!(f, "{number:#x}"),
        (Hint::Octal, _) => write!(f, "{number:#o}"),
        (Hint::Ifindex, Some(index)) => match how.names.interface(index) {
            Some(name) => write!(f, "{index} ({})", Escaped(name.as_bytes())),
            None => write!(f, "{index}"),
        },
        (Hint::PortId, Some(port)) => match how.names.port(port) {
            Some(name) => write!(f, "{port} ({})", Escaped(name.as_bytes())),
            None => write!(f, "{port}"),
        },
        (Hint::TcHandle, Some(handle)) => tc_handle(f, handle),
        (Hint::TcAction, Some(action)) => match (action >> 28, action & 0x0fff_ffff) {
            (1, number) => write!(f, "jump {number}"),
            (2, chain) => write!(f, "goto chain {chain}"),
            _ => write!(f, "{action}"),
        },
        (Hint::NetnsId, Some(u32::MAX)) => f.write_str("none"),
        (Hint::Errno, Some(number)) => match crate::schema::base::errno_name(number) {
            Some(name) => f.write_str(name),
            None => write!(f, "{number}"),
        },
        (Hint::Lifetime, Some(u32::MAX)) => f.write_str("forever"),
        (Hint::Lifetime, None) if number == u64::MAX => f.write_str("forever"),
        (Hint::UnixSeconds | Hint::UnixNanoseconds, _) => {
            let unit = match hint {
                Hint::UnixSeconds => 1_000_000_000,
                _ => 1,
            };
            match i64::try_from(number)
                .ok()
                .and_then(|it| it.checked_mul(unit))
            {
                Some(time) => write!(f, "{} UTC", Utc(Time(time))),
                None => write!(f, "{number}"),
            }
        }
        (Hint::HundredKilobitsPerSecond, _) => {
            write!(f, "{}.{} Mbit/s", number / 10, number % 10)
        }
        (Hint::Mbm, _) => write!(f, "{}.{:02} dBm", number / 100, number % 100),
        (Hint::ClockTicks, _) => write!(f, "{} ms", number.saturating_mul(10)),
        (hint, _) => write!(f, "{number}{}", unit(hint)),
    }
}

fn unit(hint: Hint) -> &'static str {
    match hint {
        Hint::Seconds | Hint::Lifetime => " s",
        Hint::Milliseconds => " ms",
        Hint::Microseconds => " us",
        Hint::Nanoseconds => " ns",
        Hint::Bytes => " B",
        Hint::BytesPerSecond => " B/s",
        Hint::BitsPerSecond => " bit/s",
        Hint::KilobitsPerSecond => " kbit/s",
        Hint::MegabitsPerSecond => " Mbit/s",
        Hint::Megahertz => " MHz",
        Hint::Kilohertz => " kHz",
        Hint::Dbm => " dBm",
        _ => "",
    }
}

/// As `tc` writes handles: `1:10`, `root`, `ingress`, `none`.
fn tc_handle(f: &mut fmt::Formatter<'_>, handle: u32) -> fmt::Result {
    match (handle >> 16, handle & 0xffff) {
        (0, 0) => f.write_str("none"),
        (0xffff, 0xffff) => f.write_str("root"),
        (0xffff, 0xfff1) => f.write_str("ingress"),
        (major, 0) => write!(f, "{major:x}:"),
        (0, minor) => write!(f, ":{minor:x}"),
        (major, minor) => write!(f, "{major:x}:{minor:x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::FieldOrder;

    struct Eth0;

    impl Names for Eth0 {
        fn interface(&self, index: u32) -> Option<&str> {
            (index == 2).then_some("eth0")
        }
    }

    fn field(ty: Type, hint: Hint) -> Field {
        Field {
            ty,
            hint,
            ..Field::of_struct("field")
        }
    }

    const fn int(bytes: u8, signed: bool) -> Type {
        Type::Int { bytes, signed }
    }

    struct Once<'t>(&'t Field, Value<'t>);

    impl fmt::Display for Once<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let how = Show {
                names: &Eth0,
                numeric: false,
                redact: false,
            };
            show(f, self.0, self.1, how)
        }
    }

    /// `bytes` as little-endian `ty`.
    #[track_caller]
    fn check(ty: Type, hint: Hint, bytes: &[u8], expected: &str) {
        let field = field(ty, hint);
        let value = decode(&field, bytes, Order::Little, Order::Little);
        assert_eq!(Once(&field, value).to_string(), expected, "{value:?}");
    }

    #[test]
    fn numbers_of_every_length_and_sign() {
        check(int(1, false), Hint::None, &[0xff], "255");
        check(int(1, true), Hint::None, &[0xff], "-1");
        check(int(2, false), Hint::None, &[1, 2], "513");
        check(int(4, true), Hint::None, &[0xfe, 0xff, 0xff, 0xff], "-2");
        check(
            int(8, false),
            Hint::None,
            &[0xff; 8],
            "18446744073709551615",
        );
        check(int(8, true), Hint::None, &[0xff; 8], "-1");
        check(
            Type::VarInt { signed: false },
            Hint::None,
            &[5, 0, 0, 0],
            "5",
        );
        check(Type::VarInt { signed: true }, Hint::None, &[0xff; 8], "-1");
        check(int(4, false), Hint::None, &[], "");
        check(int(4, false), Hint::None, &[1; 9], "010101010101010101");
    }

    #[test]
    fn hints_say_what_a_number_means() {
        let word = |hint, number: u32, expected: &str| {
            check(int(4, false), hint, &number.to_le_bytes(), expected);
        };
        word(Hint::Hex, 255, "0xff");
        word(Hint::Octal, 8, "0o10");
        word(Hint::Ifindex, 2, "2 (eth0)");
        word(Hint::Ifindex, 3, "3");
        word(Hint::PortId, 3, "3");
        word(Hint::TcHandle, 0x1_0010, "1:10");
        word(Hint::TcHandle, 0x1_0000, "1:");
        word(Hint::TcHandle, u32::MAX, "root");
        word(Hint::TcHandle, 0xffff_fff1, "ingress");
        word(Hint::TcHandle, 0, "none");
        word(Hint::TcAction, 0x1000_0002, "jump 2");
        word(Hint::TcAction, 0x2000_0005, "goto chain 5");
        word(Hint::Seconds, 7, "7 s");
        word(Hint::Milliseconds, 7, "7 ms");
        word(Hint::Microseconds, 7, "7 us");
        word(Hint::Nanoseconds, 7, "7 ns");
        word(Hint::ClockTicks, 7, "70 ms");
        word(Hint::Lifetime, 7, "7 s");
        word(Hint::Lifetime, u32::MAX, "forever");
        word(
            Hint::UnixSeconds,
            1_795_204_618,
            "2026-11-20 19:56:58.000000000 UTC",
        );
        word(Hint::Bytes, 7, "7 B");
        word(Hint::BytesPerSecond, 7, "7 B/s");
        word(Hint::BitsPerSecond, 7, "7 bit/s");
        word(Hint::MegabitsPerSecond, 7, "7 Mbit/s");
        word(Hint::HundredKilobitsPerSecond, 65, "6.5 Mbit/s");
        word(Hint::Kilohertz, 7, "7 kHz");
        word(Hint::Mbm, 2005, "20.05 dBm");
        let signed = Type::Int {
            bytes: 4,
            signed: true,
        };
        check(signed, Hint::Mbm, &(-45_i32).to_le_bytes(), "-0.45 dBm");
        check(signed, Hint::Dbm, &(-45_i32).to_le_bytes(), "-45 dBm");
        word(Hint::NetnsId, u32::MAX, "none");
        word(Hint::Errno, 19, "ENODEV");
        check(
            int(4, true),
            Hint::Errno,
            &(-19_i32).to_le_bytes(),
            "ENODEV",
        );
        check(
            int(8, false),
            Hint::ClockTicks,
            &[0xff; 8],
            "18446744073709551615 ms",
        );
    }

    #[test]
    fn addresses_of_every_kind() {
        let ip6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        check(Type::Binary, Hint::Ipv4, &[10, 0, 0, 1], "10.0.0.1");
        check(Type::Binary, Hint::Ip, &[10, 0, 0, 1], "10.0.0.1");
        check(Type::Binary, Hint::Ip, &ip6, "2001:db8::1");
        check(Type::Binary, Hint::Ipv6, &ip6, "2001:db8::1");
        check(Type::Binary, Hint::Ipv6, &[1, 2], "0102");
        check(Type::Binary, Hint::IpUnion, &ip6, "2001:db8::1");
        let ip4 = [10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        check(Type::Binary, Hint::IpUnion, &ip4, "10.0.0.1");
        check(Type::Binary, Hint::IpUnion, &[0; 16], "0.0.0.0");
        check(Type::Binary, Hint::Mac, &[0, 0x1b, 0x21], "00:1b:21");
        check(
            Type::Binary,
            Hint::Uuid,
            &ip6,
            "20010db8-0000-0000-0000-000000000001",
        );
        let big = Field {
            order: FieldOrder::Big,
            ..field(int(4, false), Hint::Ipv4)
        };
        let value = decode(&big, &[10, 0, 0, 1], Order::Big, Order::Little);
        assert_eq!(Once(&big, value).to_string(), "10.0.0.1");
    }

    #[test]
    fn text_bytes_flags_and_bits() {
        check(Type::String, Hint::None, b"eth0\0junk", "eth0");
        check(Type::String, Hint::None, b"\x1b[2J", "\\x1b[2J");
        check(Type::Binary, Hint::Text, b"dummy\0", "dummy");
        check(Type::Binary, Hint::SunPath, b"/run/x\0", "/run/x");
        check(Type::Binary, Hint::SunPath, b"\0bus", "\\x00bus");
        check(Type::Binary, Hint::SunPath, b"\0", "");
        check(Type::Binary, Hint::None, &[0xde, 0xad], "dead");
        check(Type::Flag, Hint::None, &[], "true");
        check(Type::Flag, Hint::None, &[1], "01");
        check(
            Type::Bitfield32,
            Hint::None,
            &[1, 0, 0, 0, 3, 0, 0, 0],
            "0x1/0x3",
        );
        check(Type::Bitfield32, Hint::None, &[1, 0], "0100");
        let bits = |little, width| Type::Bits {
            little: Some(little),
            big: None,
            width,
        };
        check(bits(4, 3), Hint::None, &[0b0101_0000], "5");
        check(bits(0, 64), Hint::None, &[0xff; 8], "18446744073709551615");
    }
}
