//! Where a sub-message's selector is looked for: the sets and structs around it.

use std::cell::Cell;

use crate::schema::{AttributeSet, Field, FormatKey, MAX_TOGETHER, Struct, Type};
use crate::value::{Value, decode, order_of};
use crate::wire::{NLA_F_NET_BYTEORDER, NLA_HDRLEN, Order, align, nlattr};

/// How many attributes of a set are searched for a selector. The kernel puts it first
/// or second; the cap keeps the cost of a hostile message linear.
const SEARCHED: usize = 64;

/// One level around the attribute at hand: bytes `start` to `end` of the frame hold
/// attributes of `set`, and `header` lies before them.
#[derive(Debug)]
pub(super) struct Scope<'p> {
    pub(super) outer: Option<&'p Scope<'p>>,
    /// Where the attribute before the one at hand is; 0 before the first.
    pub(super) previous: Cell<u32>,
    pub(super) set: Option<&'static AttributeSet>,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) header: Option<(&'static Struct, u32)>,
}

/// A selector's field and its payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selected<'f> {
    pub(super) field: &'static Field,
    pub(super) payload: &'f [u8],
    /// Byte order of its integers.
    pub(super) order: Order,
}

impl Selected<'_> {
    /// Whether this is the value that a format is taken for. A number has the name its
    /// table gives it, too.
    pub(super) fn is(&self, key: FormatKey) -> bool {
        match key {
            FormatKey::Default | FormatKey::Absent => false,
            FormatKey::Number(wanted) => !self.is_text() && self.number() == wanted,
            FormatKey::Name(wanted) if self.is_text() => {
                // Every format asks, so the payload is not searched for its NUL.
                let rest = self.payload.strip_prefix(wanted.as_bytes());
                rest.is_some_and(|rest| rest.first().is_none_or(|byte| *byte == 0))
            }
            FormatKey::Name(wanted) => {
                let number = self.number();
                let entry = self.field.names.and_then(|names| names.of.entry(number));
                entry.is_some_and(|entry| entry.name == wanted)
            }
        }
    }

    fn number(&self) -> u64 {
        match decode(self.field, self.payload, self.order, self.order) {
            Value::Unsigned(number) => number,
            _ => self.order.unsigned(self.payload),
        }
    }

    fn is_text(&self) -> bool {
        matches!(self.field.ty, Type::String | Type::Binary)
    }
}

/// What a selector says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Choice<'f> {
    /// Nothing: what it names is not there.
    Nothing,
    /// What one field is.
    Field(Selected<'f>),
    /// What several fields are.
    Together([Option<Selected<'f>>; MAX_TOGETHER]),
    /// A format itself.
    Format(FormatKey),
}

impl<'f> Choice<'f> {
    /// What the fields with these names are.
    pub(super) fn together(
        names: &[&str],
        mut find: impl FnMut(&str) -> Option<Selected<'f>>,
    ) -> Self {
        let mut found = [None; MAX_TOGETHER];
        for (slot, name) in found.iter_mut().zip(names) {
            *slot = find(name);
        }
        match found {
            [None, ..] => Self::Nothing,
            found => Self::Together(found),
        }
    }

    /// Whether the format with this key is meant.
    pub(super) fn is(&self, key: FormatKey) -> bool {
        match (self, key) {
            (Self::Nothing, _) => false,
            (Self::Field(found), _) => found.is(key),
            (Self::Format(chosen), _) => *chosen == key,
            (Self::Together(found), FormatKey::Name(parts)) => {
                let mut found = found.iter();
                parts.split('/').all(|part| {
                    let Some(Some(found)) = found.next() else {
                        return false;
                    };
                    let number = part.parse().map(FormatKey::Number);
                    found.is(FormatKey::Name(part)) || number.is_ok_and(|number| found.is(number))
                })
            }
            (Self::Together([first, ..]), _) => first.is_some_and(|first| first.is(key)),
        }
    }
}

impl Scope<'_> {
    /// The field called `name`, in this level or the nearest one around it.
    pub(super) fn find<'f>(
        &self,
        frame: &'f [u8],
        order: Order,
        name: &str,
    ) -> Option<Selected<'f>> {
        let mut scope = Some(self);
        while let Some(level) = scope {
            if let Some(found) = level
                .attribute(frame, order, name)
                .or_else(|| level.member(frame, order, name))
            {
                return Some(found);
            }
            scope = level.outer;
        }
        None
    }

    fn attribute<'f>(&self, frame: &'f [u8], order: Order, name: &str) -> Option<Selected<'f>> {
        let set = self.set?;
        let field = set.attributes.iter().find(|field| field.name == name)?;
        let selected = |at| selected(set, field, at, order);
        // Where pairs of type and value repeat, it is the type just before the value.
        let previous = self.previous.get();
        let near = (self.start..self.end).contains(&previous);
        let first = near.then(|| frame.get(previous as usize..self.end as usize));
        if let Some(found) = first.flatten().and_then(selected) {
            return Some(found);
        }
        let mut rest = frame.get(self.start as usize..self.end as usize)?;
        for _ in 0..SEARCHED {
            if let Some(found) = selected(rest) {
                return Some(found);
            }
            let (_, header) = nlattr(order)(rest).ok()?;
            rest = rest.get(align(u32::from(header.len)) as usize..)?;
        }
        None
    }

    fn member<'f>(&self, frame: &'f [u8], order: Order, name: &str) -> Option<Selected<'f>> {
        let (layout, start) = self.header?;
        // Where the members behind a counted one lie, their offsets do not say.
        let mut placed = (layout.members.iter()).take_while(|member| member.len.bytes().is_some());
        let (member, field) = placed.find_map(|member| match member.field.ty {
            Type::BitUnit { parts, .. } => {
                let part = parts.iter().find(|part| part.name == name)?;
                Some((member, part))
            }
            _ => (member.field.name == name).then_some((member, &member.field)),
        })?;
        let from = start.checked_add(member.offset)? as usize;
        let payload = frame.get(from..from.checked_add(member.len.bytes()? as usize)?)?;
        Some(Selected {
            field,
            payload,
            order: order_of(field, order),
        })
    }
}

/// The attribute at the front of these bytes, where it is this field.
fn selected<'f>(
    set: &AttributeSet,
    field: &'static Field,
    at: &'f [u8],
    order: Order,
) -> Option<Selected<'f>> {
    let (_, header) = nlattr(order)(at).ok()?;
    let header = header.without(set.own_flags);
    if header.number() != field.number {
        return None;
    }
    let host = if header.kind & NLA_F_NET_BYTEORDER == 0 {
        order
    } else {
        Order::Big
    };
    Some(Selected {
        field,
        payload: at.get(NLA_HDRLEN as usize..usize::from(header.len))?,
        order: order_of(field, host),
    })
}
