//! Texts of `key=value` pairs: audit records and the events of kernel objects.
//!
//! A pair is one node ([`NodeFlags::PAIR`]) that spans key and value; its field is the
//! attribute of its set that is called as the key is, where `_` and `-` are the same and
//! case does not count. No table can say where a pair ends: that is up to the quotes.

#[cfg(test)]
mod tests;

use super::scope::Scope;
use super::{MAX_DEPTH, MAX_NODES, Walker};
use crate::schema::{AttributeSet, Field, Type, base};
use crate::tape::NodeFlags;

/// Names of the fields that a set of pairs has for what is no pair, or none it knows.
mod field {
    /// Seconds since 1970 of an audit record.
    pub(super) const TIME: &str = "time";
    /// Number of an audit event.
    pub(super) const SERIAL: &str = "serial";
    /// Words without a key.
    pub(super) const WORDS: &str = "words";
    /// A pair with an unknown key, which it keeps.
    pub(super) const OTHER: &str = "other";
    /// An argument: `a0`, `a1`, `a2[0]`.
    pub(super) const ARGUMENT: &str = "argument";
    /// What happened, and to what.
    pub(super) const HEADER: &str = "header";
}

/// What an audit record begins with, before its time and number.
const STAMP: &[u8] = b"audit(";

impl Walker<'_> {
    /// An audit record: perhaps a stamp, `audit(1700000000.123:42): `, then words and pairs,
    /// with spaces between them. A value may be quoted; in `'` it is pairs again.
    pub(super) fn audit_record(
        &mut self,
        set: &'static AttributeSet,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        let bytes = self.bytes(start, end);
        let text = bytes.iter().rposition(|byte| *byte != 0);
        let stop = start + text.map_or(0, |last| length(last + 1));
        let at = self.stamp(set, (start, stop), depth, scope);
        self.words_and_pairs(set, (at, stop), depth, scope);
        self.padding(stop, end, depth);
    }

    /// Returns where the stamp ends.
    fn stamp(
        &mut self,
        set: &'static AttributeSet,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) -> u32 {
        let after = |bytes: &[u8], mark: u8| bytes.iter().position(|byte| *byte == mark);
        let Some(stamp) = self.bytes(start, end).strip_prefix(STAMP) else {
            return start;
        };
        let Some(close) = after(stamp, b')') else {
            return start;
        };
        let Some(colon) = stamp.get(..close).and_then(|stamp| after(stamp, b':')) else {
            return start;
        };
        let (Some(time), Some(serial)) = (named(set, field::TIME), named(set, field::SERIAL))
        else {
            return start;
        };
        let from = start + length(STAMP.len());
        let (colon, close) = (from + length(colon), from + length(close));
        let colon_after = self.bytes(close + 1, end).first() == Some(&b':');
        let to = close + if colon_after { 2 } else { 1 };
        self.separator(start, from, depth);
        self.node(time, from, colon, depth, NodeFlags::NONE, scope);
        self.separator(colon, colon + 1, depth);
        self.node(serial, colon + 1, close, depth, NodeFlags::NONE, scope);
        self.separator(close, to, depth);
        to
    }

    fn words_and_pairs(
        &mut self,
        set: &'static AttributeSet,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        let mut at = start;
        while at < end && self.tape.index() < MAX_NODES {
            let bytes = self.bytes(at, end);
            let gap = bytes.iter().take_while(|byte| is_gap(**byte)).count();
            if gap > 0 {
                self.separator(at, at + length(gap), depth);
                at += length(gap);
                continue;
            }
            let key = key_length(bytes);
            if key > 0 {
                at = self.pair(set, (at, end), key, depth, scope);
                continue;
            }
            let words = words_length(bytes);
            let to = at + length(words);
            match named(set, field::WORDS) {
                Some(field) => self.node(field, at, to, depth, NodeFlags::NONE, scope),
                None => drop(self.unknown(at, to, depth)),
            }
            at = to;
        }
        self.unknown(at, end, depth);
    }

    /// A pair whose key has `key` bytes. Returns where it ends.
    fn pair(
        &mut self,
        set: &'static AttributeSet,
        (start, end): (u32, u32),
        key: usize,
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) -> u32 {
        let bytes = self.bytes(start, end);
        let known = keyed(set, bytes.get(..key).unwrap_or_default());
        let value = bytes.get(key + 1..).unwrap_or_default();
        let from = start + length(key) + 1;
        if let Some((pairs, inner)) = known.and_then(nested)
            && value.first() == Some(&b'\'')
            && depth < MAX_DEPTH
        {
            let inside = value.get(1..).unwrap_or_default();
            let close = inside.iter().rposition(|byte| *byte == b'\'');
            let len = close.unwrap_or(inside.len());
            let (open, close) = (from + 1, from + 1 + length(len));
            let to = (close + 1).min(end);
            let node = self.tape.open(pairs, start, depth, NodeFlags::NONE);
            let below = depth.saturating_add(1);
            self.separator(start, open, below);
            self.words_and_pairs(inner, (open, close), below, scope);
            self.separator(close, to, below);
            self.tape.close(node, to);
            return to;
        }
        let to = from + length(value_length(value));
        self.key_and_value(set, known, (start, to), depth, scope);
        to
    }

    fn key_and_value(
        &mut self,
        set: &'static AttributeSet,
        known: Option<&'static Field>,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        match (known, named(set, field::OTHER)) {
            (Some(field), _) if nested(field).is_none() => {
                self.node(field, start, end, depth, NodeFlags::PAIR, scope);
            }
            (_, Some(field)) => self.node(field, start, end, depth, NodeFlags::NONE, scope),
            (_, None) => drop(self.unknown(start, end, depth)),
        }
    }

    /// The event of a kernel object: perhaps `action@path`, then pairs, a NUL after each.
    pub(super) fn uevent(
        &mut self,
        set: &'static AttributeSet,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        let mut at = start;
        while at < end && self.tape.index() < MAX_NODES {
            let bytes = self.bytes(at, end);
            let gap = bytes.iter().take_while(|byte| **byte == 0).count();
            if gap > 0 {
                self.separator(at, at + length(gap), depth);
                at += length(gap);
                continue;
            }
            let len = bytes.iter().position(|byte| *byte == 0);
            let text = bytes.get(..len.unwrap_or(bytes.len())).unwrap_or_default();
            let to = at + length(text.len());
            let mark = |mark| text.iter().position(|byte| *byte == mark);
            let header = named(set, field::HEADER).filter(|_| at == start);
            match (mark(b'@'), mark(b'='), header) {
                (Some(sign), equals, Some(header)) if equals.is_none_or(|it| it > sign) => {
                    self.node(header, at, to, depth, NodeFlags::NONE, scope);
                }
                (_, equals, _) => {
                    let key = equals.and_then(|equals| text.get(..equals));
                    let known = key.and_then(|key| keyed(set, key));
                    self.key_and_value(set, known, (at, to), depth, scope);
                }
            }
            at = to;
        }
        self.unknown(at, end, depth);
    }

    /// A leaf for what stands between fields; none where there is nothing.
    fn separator(&mut self, start: u32, end: u32, depth: u8) {
        if start < end {
            let field = &base::SEPARATOR;
            self.tape
                .leaf(field, start, end - start, depth, NodeFlags::NONE);
        }
    }
}

/// Lengths are those of parts of a frame, which `u32` counts.
fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// The field of a set with this name.
fn named(set: &'static AttributeSet, name: &str) -> Option<&'static Field> {
    set.attributes
        .items()
        .iter()
        .find(|field| field.name == name)
}

/// The field for a key.
fn keyed(set: &'static AttributeSet, key: &[u8]) -> Option<&'static Field> {
    let same = |field: &&Field| {
        let name = field.name.as_bytes();
        name.len() == key.len()
            && name.iter().zip(key).all(|(known, found)| {
                *known
                    == if *found == b'_' {
                        b'-'
                    } else {
                        found.to_ascii_lowercase()
                    }
            })
    };
    let items = set.attributes.items();
    items.iter().find(same).or_else(|| {
        let number = key.strip_prefix(b"a")?;
        let digits = number
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let part = number.get(digits..)?;
        let whole = part.is_empty() || (part.first() == Some(&b'[') && part.last() == Some(&b']'));
        named(set, field::ARGUMENT).filter(|_| digits > 0 && whole)
    })
}

/// A field that holds pairs, with their set.
fn nested(field: &'static Field) -> Option<(&'static Field, &'static AttributeSet)> {
    match field.ty {
        Type::Nest { set, .. } => Some((field, set)),
        _ => None,
    }
}

/// What stands between pairs. Programs append names after the control character.
fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | 0x1d)
}

/// How many bytes before `=` are a key; 0 where the text does not begin with a pair.
fn key_length(bytes: &[u8]) -> usize {
    let in_key = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.[]".contains(byte);
    let len = bytes.iter().take_while(|byte| in_key(byte)).count();
    match bytes.get(len) {
        Some(b'=') => len,
        _ => 0,
    }
}

/// How many bytes a value has, its quotes included.
fn value_length(bytes: &[u8]) -> usize {
    let until = |bytes: &[u8], end: fn(u8) -> bool| bytes.iter().position(|byte| end(*byte));
    let inside = bytes.get(1..).unwrap_or_default();
    let quoted = match bytes.first() {
        Some(b'"') => until(inside, |byte| byte == b'"'),
        Some(b'\'') => until(inside, |byte| byte == b'\''),
        _ => None,
    };
    match quoted {
        Some(len) => len + 2,
        None => until(bytes, is_gap).unwrap_or(bytes.len()),
    }
}

/// How many bytes there are up to the gap before the next pair.
fn words_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    let mut words = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let gap = rest.iter().take_while(|byte| is_gap(**byte)).count();
        let rest = rest.get(gap..).unwrap_or_default();
        if at > 0 && (rest.is_empty() || key_length(rest) > 0) {
            break;
        }
        let word = rest.iter().take_while(|byte| !is_gap(**byte)).count();
        at += gap + word;
        words = at;
    }
    words
}
