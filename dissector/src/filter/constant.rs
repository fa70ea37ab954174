//! A right-hand side and the shape of the left -> a constant.

use std::net::IpAddr;

use super::FilterError;
use super::error::quote;
use super::header::HeadField;
use super::literal;
use super::parse::{Literal, Operand};
use super::relation::Constant;
use super::resolve::Resolver;
use super::shape::Shape;
use super::suggest::nearest;
use crate::schema::{Enum, EnumEntry, Hint, Message, ValueNames, base};
use crate::wire::{NLMSG_MIN_TYPE, protocol};

/// Reads the right-hand sides of one field.
pub(super) struct Constants<'a> {
    pub(super) resolver: &'a Resolver<'a>,
    /// The field, as it was typed.
    pub(super) name: &'a str,
}

impl Constants<'_> {
    /// One value, or the sum of flags joined by `|`.
    pub(super) fn operand(
        &self,
        shape: Shape,
        operand: &Operand<'_>,
    ) -> Result<Constant, FilterError> {
        if operand.more.is_empty() {
            self.literal(shape, &operand.first)
        } else {
            self.bits(shape, operand).map(Constant::Number)
        }
    }

    /// A number, or the sum of flags joined by `|`.
    pub(super) fn bits(&self, shape: Shape, operand: &Operand<'_>) -> Result<i128, FilterError> {
        if !operand.more.is_empty() && !shape.has_bits() {
            return Err(FilterError::new("`|` joins flags only", operand.span()));
        }
        let mut sum = 0;
        for part in std::iter::once(&operand.first).chain(&operand.more) {
            match self.literal(shape, part)? {
                Constant::Number(number) => sum |= number,
                _ => {
                    return Err(FilterError::new(
                        "a number is needed here",
                        part.span.clone(),
                    ));
                }
            }
        }
        Ok(sum)
    }

    /// One value.
    pub(super) fn literal(
        &self,
        shape: Shape,
        literal: &Literal<'_>,
    ) -> Result<Constant, FilterError> {
        match shape {
            Shape::Text => self.text(literal),
            Shape::Bytes => self.bytes(literal),
            Shape::Address => self.address(literal),
            Shape::Number {
                signed,
                bits,
                names,
                hint,
            } => self.number(literal, signed, bits, names, hint),
            Shape::MessageFlags => self.message_flags(literal),
            Shape::Flag => self.truth(literal).and_then(|is| {
                if is {
                    return Ok(Constant::Number(1));
                }
                let message = format!("{} is there or not; it is never false", quote(self.name));
                let instead = Some(format!("!{}", self.name));
                Err(FilterError::new(message, literal.span.clone()).suggest(instead))
            }),
            Shape::Truth => {
                let is = self.truth(literal)?;
                Ok(Constant::Number(i128::from(is)))
            }
            Shape::Time => {
                let what = "a time: seconds since 1970, or 2025-11-20T16:20:00Z";
                self.scalar(literal, literal::time, what)
            }
            Shape::Duration => {
                let what = "a duration: 1.5ms, 20us, 2s";
                self.scalar(literal, literal::duration, what)
            }
            Shape::Notes(severities) => self.number(
                literal,
                false,
                8,
                Some(ValueNames {
                    of: severities,
                    as_flags: false,
                    in_json: false,
                }),
                Hint::None,
            ),
            Shape::Type => self.kind(literal, false),
            Shape::Command => self.kind(literal, true),
            Shape::Group => self.group(literal),
            Shape::Family => self.family(literal),
            Shape::Tree => Err(self.wrong(literal, "comparable")),
        }
    }

    fn wrong(&self, literal: &Literal<'_>, what: &str) -> FilterError {
        let message = format!(
            "{} is {what}, not {}",
            quote(self.name),
            quote(literal.text)
        );
        FilterError::new(message, literal.span.clone())
    }

    fn scalar(
        &self,
        literal: &Literal<'_>,
        read: fn(&str) -> Option<i128>,
        what: &str,
    ) -> Result<Constant, FilterError> {
        read(literal.text)
            .map(Constant::Number)
            .ok_or_else(|| self.wrong(literal, what))
    }

    /// An address without quotes more likely means that the field was taken for one.
    fn text(&self, literal: &Literal<'_>) -> Result<Constant, FilterError> {
        if literal.quoted || literal::prefix(literal.text).is_none() {
            return text(literal).map(Constant::Text);
        }
        let message = format!("{} is text, not an address", quote(self.name));
        let instead = format!("\"{}\"", literal.text);
        Err(FilterError::new(message, literal.span.clone()).suggest(Some(instead)))
    }

    fn truth(&self, literal: &Literal<'_>) -> Result<bool, FilterError> {
        match literal.text {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(self.wrong(literal, "true or false")),
        }
    }

    fn bytes(&self, literal: &Literal<'_>) -> Result<Constant, FilterError> {
        if let Some(bytes) = literal::bytes(literal.text) {
            return Ok(Constant::Bytes(bytes));
        }
        if literal.quoted {
            return text(literal).map(Constant::Bytes);
        }
        Err(self.wrong(literal, "a row of bytes (aa:bb:cc, or text in quotes)"))
    }

    fn address(&self, literal: &Literal<'_>) -> Result<Constant, FilterError> {
        let prefix: Option<(IpAddr, u8)> = literal::prefix(literal.text);
        prefix
            .map(|(address, len)| Constant::Prefix(address, len))
            .ok_or_else(|| self.wrong(literal, "an IP address or prefix"))
    }

    fn number(
        &self,
        literal: &Literal<'_>,
        signed: bool,
        bits: u8,
        names: Option<ValueNames>,
        hint: Hint,
    ) -> Result<Constant, FilterError> {
        if let Some(number) = literal::number(literal.text).filter(|_| !literal.quoted) {
            return self.fits(literal, number, signed, bits);
        }
        if let Some(names) = names {
            return match named(names.of, literal.text) {
                Some(entry) => Ok(Constant::Number(value(entry, names.as_flags))),
                None => Err(self.no_entry(literal, names.of)),
            };
        }
        if let Some(constant) = self.hinted(literal, signed, bits, hint)? {
            return Ok(constant);
        }
        Err(self.wrong(literal, "a number"))
    }

    /// A number as people write it where the hint says what it is.
    fn hinted(
        &self,
        literal: &Literal<'_>,
        signed: bool,
        bits: u8,
        hint: Hint,
    ) -> Result<Option<Constant>, FilterError> {
        let unit: i128 = match hint {
            Hint::Ifindex => {
                let name = text(literal)?;
                let name = String::from_utf8_lossy(&name).into_owned();
                return Ok(Some(Constant::Interface(name)));
            }
            Hint::Errno => {
                return match named(base::errnos(), literal.text) {
                    Some(entry) => {
                        let number = i128::from(entry.value);
                        let number = if signed { -number } else { number };
                        Ok(Some(Constant::Number(number)))
                    }
                    None => Err(self.no_entry(literal, base::errnos())),
                };
            }
            Hint::TcHandle => return Ok(tc_handle(literal.text).map(Constant::Number)),
            Hint::NetnsId if literal.text == "none" => {
                let none = if signed { -1 } else { i128::from(u32::MAX) };
                return Ok(Some(Constant::Number(none)));
            }
            Hint::Lifetime if literal.text == "forever" => {
                let all = (1_i128 << bits.min(64)) - 1;
                return Ok(Some(Constant::Number(all)));
            }
            Hint::UnixSeconds | Hint::UnixNanoseconds => {
                let unit = match hint {
                    Hint::UnixSeconds => 1_000_000_000,
                    _ => 1,
                };
                let time = literal::time(literal.text.trim_end_matches(" UTC"));
                return Ok(time.map(|time| Constant::Number(time / unit)));
            }
            Hint::Seconds | Hint::Lifetime => 1_000_000_000,
            Hint::ClockTicks => 10_000_000,
            Hint::Milliseconds => 1_000_000,
            Hint::Microseconds => 1_000,
            Hint::Nanoseconds => 1,
            _ => return Ok(None),
        };
        Ok(literal::duration(literal.text).map(|time| Constant::Number(time / unit)))
    }

    fn fits(
        &self,
        literal: &Literal<'_>,
        number: i128,
        signed: bool,
        bits: u8,
    ) -> Result<Constant, FilterError> {
        let bits = u32::from(bits.min(64));
        let (low, high) = if signed {
            let half = 1_i128 << bits.saturating_sub(1);
            (-half, half - 1)
        } else {
            (0, (1_i128 << bits) - 1)
        };
        if (low..=high).contains(&number) {
            return Ok(Constant::Number(number));
        }
        let message = format!(
            "{} lies outside {low}..{high}, what {} can be",
            quote(literal.text),
            quote(self.name)
        );
        Err(FilterError::new(message, literal.span.clone()))
    }

    fn no_entry(&self, literal: &Literal<'_>, names: &'static Enum) -> FilterError {
        // In the spelling that was tried.
        let upper = literal.text.starts_with(|c: char| c.is_ascii_uppercase());
        let known = names.entries.iter().flat_map(|entry| {
            let both = [entry.name, entry.uapi];
            if upper { [both[1], both[0]] } else { both }
        });
        self.unknown(literal, "value", nearest(literal.text, known))
    }

    fn unknown(
        &self,
        literal: &Literal<'_>,
        what: &str,
        suggestion: Option<String>,
    ) -> FilterError {
        let message = format!(
            "no {what} of {} is called {}",
            quote(self.name),
            quote(literal.text)
        );
        FilterError::new(message, literal.span.clone()).suggest(suggestion)
    }

    fn message_flags(&self, literal: &Literal<'_>) -> Result<Constant, FilterError> {
        if let Some(number) = literal::number(literal.text).filter(|_| !literal.quoted) {
            return self.fits(literal, number, false, 16);
        }
        let known = HeadField::flags()
            .find(|(name, _, uapi)| same(name, literal.text) || same(uapi, literal.text));
        match known {
            Some((_, HeadField::Flag(bit, _), _)) => Ok(Constant::Number(i128::from(bit))),
            Some(_) => Ok(Constant::Number(i128::from(crate::wire::NLM_F_DUMP))),
            None => {
                let near = nearest(literal.text, HeadField::flags().map(|(name, ..)| name));
                Err(self.unknown(literal, "flag", near))
            }
        }
    }

    /// A message type, or a generic netlink command.
    fn kind(&self, literal: &Literal<'_>, command: bool) -> Result<Constant, FilterError> {
        if let Some(number) = literal::number(literal.text).filter(|_| !literal.quoted) {
            return self.fits(literal, number, false, if command { 8 } else { 16 });
        }
        if !command {
            let control = (0..NLMSG_MIN_TYPE).find(|kind| {
                base::control_name(*kind).is_some_and(|name| {
                    let short = name.strip_prefix("NLMSG_").unwrap_or(name);
                    same(name, literal.text) || same(short, literal.text)
                })
            });
            if let Some(kind) = control {
                return Ok(Constant::Number(i128::from(kind)));
            }
        }
        let all = || self.messages(command);
        let kinds: Vec<_> = all()
            .filter(|kind| same(kind.uapi, literal.text) || same(kind.name, literal.text))
            .collect();
        if kinds.is_empty() {
            let near = nearest(literal.text, all().flat_map(|kind| [kind.uapi, kind.name]));
            return Err(self.unknown(literal, "value", near));
        }
        Ok(Constant::Kinds(kinds))
    }

    fn messages(&self, command: bool) -> impl Iterator<Item = &'static Message> {
        (self.resolver.schema.families().iter())
            .filter(move |family| !command || family.protocol == protocol::GENERIC)
            .flat_map(|family| family.messages)
    }

    fn group(&self, literal: &Literal<'_>) -> Result<Constant, FilterError> {
        if let Some(number) = literal::number(literal.text).filter(|_| !literal.quoted) {
            return self.fits(literal, number, false, 32);
        }
        let all = || {
            let families = self.resolver.schema.families().iter();
            families.flat_map(|family| family.groups).map(|g| g.name)
        };
        let groups: Vec<_> = all()
            .filter(|name| same(name, literal.text) || same(short_group(name), literal.text))
            .collect();
        if !groups.is_empty() {
            return Ok(Constant::Groups(groups));
        }
        let near = nearest(
            literal.text,
            all().flat_map(|name| [name, short_group(name)]),
        );
        Err(self.unknown(literal, "value", near))
    }

    /// The name of a family. One in quotes need not be known: a generic netlink family
    /// without a table has only the name it registered with.
    fn family(&self, literal: &Literal<'_>) -> Result<Constant, FilterError> {
        if let Some(family) = self.resolver.family(literal.text) {
            return Ok(Constant::Text(family.name.as_bytes().to_vec()));
        }
        if literal.quoted {
            return text(literal).map(Constant::Text);
        }
        let families = self.resolver.schema.families().iter();
        let known = families.flat_map(|family| [Some(family.name), family.genl]);
        let near = nearest(literal.text, known.flatten());
        let message = format!(
            "no table has a family {0}; for one that has no table write \"{0}\"",
            quote(literal.text).trim_matches('`')
        );
        Err(FilterError::new(message, literal.span.clone()).suggest(near))
    }
}

/// The value of an enum's entry, or the bit of a flag.
pub(super) fn value(entry: &EnumEntry, as_flags: bool) -> i128 {
    if !as_flags {
        return i128::from(entry.value);
    }
    let bit = u32::try_from(entry.value).unwrap_or(u32::MAX);
    1_i128.checked_shl(bit.min(64)).unwrap_or(0)
}

/// What follows the prefix of a group's name: `link` of `RTNLGRP_LINK`, `notify` of
/// `nlctrl:notify`.
pub(super) fn short_group(name: &str) -> &str {
    name.split_once(':')
        .or_else(|| name.split_once("GRP_"))
        .map_or(name, |(_, short)| short)
}

/// The entry that `name` names, in YNL's or the UAPI header's spelling, in any case,
/// with `_` or `-`.
fn named(names: &'static Enum, name: &str) -> Option<&'static EnumEntry> {
    let exact = |entry: &&EnumEntry| entry.name == name || entry.uapi == name;
    let alike = |entry: &&EnumEntry| same(entry.name, name) || same(entry.uapi, name);
    let entries = names.entries;
    entries
        .iter()
        .find(exact)
        .or_else(|| entries.iter().find(alike))
}

/// Whether two names are the same but for case and `_` for `-`.
fn same(a: &str, b: &str) -> bool {
    let fold = |byte: u8| {
        if byte == b'_' {
            b'-'
        } else {
            byte.to_ascii_lowercase()
        }
    };
    a.bytes().map(fold).eq(b.bytes().map(fold))
}

/// The bytes of a piece of text, with or without quotes.
fn text(literal: &Literal<'_>) -> Result<Vec<u8>, FilterError> {
    if !literal.quoted || literal.raw {
        return Ok(literal.text.as_bytes().to_vec());
    }
    literal::unescape(literal.text).map_err(|escape| {
        let message = format!(
            "{} is no escape; write \\\\ for a backslash, or r\"...\"",
            quote(&escape)
        );
        FilterError::new(message, literal.span.clone())
    })
}

/// A traffic control handle as `tc` writes it.
fn tc_handle(word: &str) -> Option<i128> {
    match word {
        "root" => return Some(0xffff_ffff),
        "ingress" | "clsact" => return Some(0xffff_fff1),
        "none" => return Some(0),
        _ => {}
    }
    let half = |digits: &str| match digits {
        "" => Some(0),
        _ => u16::from_str_radix(digits, 16).ok(),
    };
    let (major, minor) = word.split_once(':')?;
    Some(i128::from(half(major)?) << 16 | i128::from(half(minor)?))
}
