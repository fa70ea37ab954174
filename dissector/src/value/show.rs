//! The one way in which a value is shown.

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Value, from_hex, text};
use crate::capture::{Time, Utc};
use crate::schema::{Field, Hint, ValueNames};
use crate::tape::NodeRef;
use crate::text::Escaped;

impl<'t> NodeRef<'t> {
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

pub(super) fn show(
    f: &mut fmt::Formatter<'_>,
    field: &Field,
    value: Value<'_>,
    how: Show<'_>,
) -> fmt::Result {
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
            (_, Err(_)) => {
                f.write_char('-')?;
                quantity(f, number.unsigned_abs(), field.hint)
            }
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
        (hint, _) => quantity(f, number, hint),
    }
}

/// A number with its unit, if it has one.
fn quantity(f: &mut fmt::Formatter<'_>, number: u64, hint: Hint) -> fmt::Result {
    let unit = match hint {
        Hint::HundredKilobitsPerSecond => {
            return write!(f, "{}.{} Mbit/s", number / 10, number % 10);
        }
        Hint::Mbm => return write!(f, "{}.{:02} dBm", number / 100, number % 100),
        Hint::ClockTicks => return write!(f, "{} ms", number.saturating_mul(10)),
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
    };
    write!(f, "{number}{unit}")
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
