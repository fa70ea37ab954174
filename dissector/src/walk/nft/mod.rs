//! What values in `nf_tables` are. They go through registers without a type: what a comparison
//! compares with is an address if an address was loaded before, and what the keys of a set are
//! its declaration says. Values are told by the numbers of nft's data types, which the formats
//! of `nft-value` (`schema/nf-tables-values.yaml`) have, or by length and byte order.

mod kinds;
mod rule;
mod sets;
#[cfg(test)]
mod tests;

use super::Walker;
use super::scope::Scope;
use crate::schema::{Field, Finder, FormatKey, Type};
use crate::tape::NodeFlags;
use crate::wire::{NLA_HDRLEN, Order, align, nlattr};
use rule::{Expression, Rule};
pub use sets::NftSets;
pub(super) use sets::Sets;

/// How many expressions of a rule are looked at, so that the cost of a value has a bound.
/// The kernel takes up to 128.
const MAX_EXPRESSIONS: usize = 64;
/// How many attributes of a set, a message or an expression are looked at.
const MAX_ATTRIBUTES: usize = 24;
/// Longest name of a table or a set, with its NUL (`NFT_NAME_MAXLEN`).
const MAX_NAME: usize = 256;

/// Where an expression begins, and what is in its register.
pub(super) type Register = Option<(u32, Option<FormatKey>)>;

impl<'w> Walker<'w> {
    /// What the bytes from `room.0` to `room.1` are, as far as it can be made out.
    pub(super) fn found(
        &self,
        finder: Finder,
        scope: Option<&Scope<'_>>,
        room: (u32, u32),
    ) -> Option<FormatKey> {
        let (start, end) = room;
        let room = end - start;
        let kind = match finder {
            Finder::Register => self.in_register(scope?)?,
            Finder::SetKey => self.types_of(scope?)?.key.kind(room)?,
            Finder::SetData => self.types_of(scope?)?.data.kind(room)?,
        };
        // No flag at all is a value too, and has no name.
        let is_zero = || self.bytes(start, end).iter().all(|byte| *byte == 0);
        if kinds::FLAGS.contains(&kind) && is_zero() {
            return kinds::of_host(room);
        }
        kinds::has_length(kind, room).then_some(kind)
    }

    /// Values one behind the other in one key, each from a multiple of 4 bytes on; what they
    /// are, the declaration of the set says with one number. Whether this is such a key.
    pub(super) fn concatenation(
        &mut self,
        field: &'static Field,
        finder: Finder,
        (start, end): (u32, u32),
        (depth, flags): (u8, NodeFlags),
        scope: Option<&Scope<'_>>,
    ) -> bool {
        let Type::SubMessage { variants, .. } = field.ty else {
            return false;
        };
        let of = scope.and_then(|scope| self.types_of(scope));
        let types = match (finder, of) {
            (Finder::SetKey, Some(of)) => of.key,
            (Finder::SetData, Some(of)) => of.data,
            _ => return false,
        };
        let inside = start.saturating_add(flags.header_len()).min(end);
        let lengths = types.parts().map(kinds::length);
        let total: Option<u32> = lengths.map(|len| len.map(align)).sum();
        if types.parts().nth(1).is_none() || total != Some(end - inside) {
            return false;
        }
        let node = self.tape.open(field, start, depth, flags);
        let below = depth.saturating_add(1);
        let mut at = inside;
        for kind in types.parts() {
            let to = at.saturating_add(kinds::length(kind).unwrap_or(0)).min(end);
            let by_key = |key| variants.iter().find(|variant| variant.when == key);
            let variant = by_key(kind).or_else(|| by_key(FormatKey::Default));
            match variant {
                Some(of) => self.node(&of.field, at, to, below, NodeFlags::UNNAMED, scope),
                None => drop(self.unknown(at, to, below)),
            }
            at = align(to - inside).saturating_add(inside).min(end);
            self.padding(to, at, below);
        }
        self.unknown(at, end, below);
        self.tape.close(node, end);
        true
    }

    /// What is in the register that the expression around `value` compares, changes or fills
    /// with it.
    fn in_register(&self, value: &Scope<'_>) -> Option<FormatKey> {
        let expression = value.outer?.outer?;
        // An expression may have any number of values, all of one kind.
        if let Some((start, kind)) = self.register.get()
            && start == expression.start
        {
            return kind;
        }
        let kind = self.register_of(expression, value);
        self.register.set(Some((expression.start, kind)));
        kind
    }

    fn register_of(&self, expression: &Scope<'_>, value: &Scope<'_>) -> Option<FormatKey> {
        let list = expression.outer?;
        if list.set?.name != "expr-list-attrs" {
            return None;
        }
        let here = Expression::of(self.chain(expression.start, expression.end)?)?;
        // That of the register is the first attribute of every expression that has values.
        let register = here.register(1)?;
        let family = value.find(self.frame, self.order, "nfgen-family")?;
        let mut rule = Rule::of_family(*family.payload.first()?);
        let mut left = MAX_EXPRESSIONS;
        let before = self.chain(list.start, expression.start.checked_sub(NLA_HDRLEN)?)?;
        for (_, payload) in before.each() {
            left = left.checked_sub(1)?;
            rule.run(&Expression::of(before.within(payload))?);
        }
        if here.name != b"immediate" {
            return rule.holds(register);
        }
        // A value that is put into a register is what it is taken for afterwards.
        let after = self.chain(align(expression.end), list.end)?;
        for (_, payload) in after.each().take(left) {
            let next = Expression::of(after.within(payload))?;
            if next.name == b"immediate" && next.register(1) == Some(register) {
                return None;
            }
            if let Some(kind) = rule.takes(&next, register) {
                return Some(kind);
            }
        }
        None
    }

    /// The attributes between two places of the frame.
    fn chain(&self, start: u32, end: u32) -> Option<Chain<'w>> {
        let frame: &'w [u8] = self.frame;
        Some(Chain {
            rest: frame.get(start as usize..end as usize)?,
            order: self.order,
        })
    }
}

/// Attributes, one after the other.
#[derive(Debug, Clone, Copy)]
struct Chain<'f> {
    rest: &'f [u8],
    order: Order,
}

impl<'f> Chain<'f> {
    /// The number and the payload of each.
    fn each(mut self) -> impl Iterator<Item = (u16, &'f [u8])> {
        std::iter::from_fn(move || {
            let (_, header) = nlattr(self.order)(self.rest).ok()?;
            let payload = (self.rest).get(NLA_HDRLEN as usize..usize::from(header.len))?;
            let next = align(u32::from(header.len)) as usize;
            self.rest = self.rest.get(next..).unwrap_or_default();
            Some((header.number(), payload))
        })
    }

    /// Those inside one of them.
    fn within(&self, payload: &'f [u8]) -> Self {
        Self {
            rest: payload,
            order: self.order,
        }
    }

    /// The payload of the first with this number.
    fn attribute(self, number: u16) -> Option<&'f [u8]> {
        self.each()
            .take(MAX_ATTRIBUTES)
            .find_map(|(found, payload)| (found == number).then_some(payload))
    }

    /// The integer with this number.
    fn number(self, number: u16) -> Option<u32> {
        let bytes = self.attribute(number)?;
        bytes.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// The text with this number, without its NUL.
    fn text(self, number: u16) -> Option<&'f [u8]> {
        self.attribute(number).map(text)
    }
}

/// Text up to its NUL, or as far as no name reaches: every value asks for names near by.
fn text(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.get(..MAX_NAME).unwrap_or(bytes);
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}
