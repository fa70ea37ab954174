//! Attributes and their values.

use std::cell::Cell;

use super::custom::CustomField;
use super::scope::{Choice, Scope};
use super::{MAX_DEPTH, MAX_NODES, Walker, guess};
use crate::note::NoteKind;
use crate::schema::{
    AttributeSet, Field, Format, FormatKey, Formats, Selector, Struct, Type, Variant, base,
};
use crate::tape::{NodeFlags, NodeIndex};
use crate::wire::{NLA_F_NET_BYTEORDER, NLA_HDRLEN, Nlattr, Order, align, nlattr};

impl Walker<'_> {
    /// The attributes between `start` and `end`, of `set` where one is known. `guess`
    /// marks them as recognised by their shape alone.
    pub(super) fn attributes(
        &mut self,
        set: Option<&'static AttributeSet>,
        start: u32,
        end: u32,
        depth: u8,
        scope: Option<&Scope<'_>>,
        guess: bool,
    ) {
        let extra = if guess {
            NodeFlags::GUESS
        } else {
            NodeFlags::NONE
        };
        self.each_attribute(start, end, depth, |walker, header, at, to| {
            let header = header.without(set.map_or(0, |set| set.own_flags));
            let known = set.and_then(|set| set.attribute(header.number()));
            walker.attribute(known, header, (at, to), depth, extra, scope);
            if let Some(scope) = scope.filter(|scope| scope.start == start) {
                scope.previous.set(at);
            }
        });
    }

    /// Calls `visit` with the header, start and end of every attribute from `start` on,
    /// and leaves what is no attribute as bytes.
    pub(super) fn each_attribute(
        &mut self,
        start: u32,
        end: u32,
        depth: u8,
        mut visit: impl FnMut(&mut Self, Nlattr, u32, u32),
    ) {
        let mut at = start;
        while at < end {
            if self.tape.index() >= MAX_NODES {
                if let Some(rest) = self.unknown(at, end, depth) {
                    self.tape.note(rest, NoteKind::TooMany);
                }
                return;
            }
            let left = end - at;
            let Ok((_, header)) = nlattr(self.order)(self.bytes(at, end)) else {
                self.trailing(at, end, depth);
                return;
            };
            let len = u32::from(header.len);
            if len < NLA_HDRLEN || len > left {
                if let Some(rest) = self.unknown(at, end, depth) {
                    self.tape.note(
                        rest,
                        NoteKind::AttributeLength {
                            says: header.len,
                            left,
                        },
                    );
                }
                return;
            }
            let to = at + len;
            visit(self, header, at, to);
            at = at.saturating_add(align(len)).min(end);
            self.padding(to, at, depth);
        }
    }

    /// One attribute: a known one, or a numbered one whose payload is looked into where
    /// it is attributes beyond doubt.
    fn attribute(
        &mut self,
        known: Option<&'static Field>,
        header: Nlattr,
        (at, to): (u32, u32),
        depth: u8,
        extra: NodeFlags,
        scope: Option<&Scope<'_>>,
    ) {
        let mut flags = NodeFlags::ATTRIBUTE.with(extra);
        if header.kind & NLA_F_NET_BYTEORDER != 0 {
            flags = flags.with(NodeFlags::NET_ORDER);
        }
        if let Some(field) = known {
            self.node(field, at, to, depth, flags, scope);
            return;
        }
        let node = self.tape.open(&base::UNKNOWN_ATTRIBUTE, at, depth, flags);
        self.guessed(node, header.kind, at + NLA_HDRLEN, to, depth);
        self.tape.close(node, to);
    }

    /// Below `node`, the attributes of a payload that is attributes beyond doubt.
    fn guessed(&mut self, node: NodeIndex, kind: u16, start: u32, end: u32, depth: u8) {
        if depth < MAX_DEPTH && guess::is_nest(self.bytes(start, end), kind, self.order) {
            self.tape.note(node, NoteKind::Guessed);
            self.attributes(None, start, end, depth + 1, None, true);
        }
    }

    /// A node for `field` from `start` to `end`, and all below it.
    pub(super) fn node(
        &mut self,
        field: &'static Field,
        start: u32,
        end: u32,
        depth: u8,
        flags: NodeFlags,
        scope: Option<&Scope<'_>>,
    ) {
        let inside = start.saturating_add(flags.header_len()).min(end);
        if self.one_value(field, inside, (start, end), (depth, flags), scope) {
            return;
        }
        // The integer around bit-fields is C's, and has no name there.
        let flags = match field.ty {
            Type::BitUnit { .. } => flags.with(NodeFlags::UNNAMED),
            _ => flags,
        };
        let node = self.tape.open(field, start, depth, flags);
        if depth >= MAX_DEPTH && is_container(field.ty) {
            self.tape.note(node, NoteKind::TooDeep);
        } else {
            self.content(field, node, (inside, end), depth, scope);
        }
        self.tape.close(node, end);
    }

    /// The node of a sub-message that is one value here, or several in a row. Whether it is.
    fn one_value(
        &mut self,
        field: &'static Field,
        inside: u32,
        (start, end): (u32, u32),
        (depth, flags): (u8, NodeFlags),
        scope: Option<&Scope<'_>>,
    ) -> bool {
        let Type::SubMessage {
            formats,
            variants,
            selector,
        } = field.ty
        else {
            return false;
        };
        if variants.is_empty() {
            return false;
        }
        if let Selector::Found(finder) = selector
            && self.concatenation(field, finder, (start, end), (depth, flags), scope)
        {
            return true;
        }
        let choice = self.choice(selector, scope, (inside, end));
        let Some(variant) = variant(formats, variants, choice) else {
            return false;
        };
        let to = (variant.len).map_or(end, |len| end.min(inside.saturating_add(len)));
        self.node(&variant.field, start, to, depth, flags, scope);
        self.padding(to, end, depth);
        true
    }

    fn content(
        &mut self,
        field: &'static Field,
        node: NodeIndex,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        let below = depth.saturating_add(1);
        let found = end - start;
        match field.ty {
            Type::Int { bytes, .. } => self.expect(node, u32::from(bytes), found),
            Type::VarInt { .. } if found != 4 && found != 8 => self.expect(node, 4, found),
            Type::Bitfield32 => self.expect(node, 8, found),
            Type::Flag => self.expect(node, 0, found),
            Type::Struct(of) => self.whole_struct(of, node, (start, end), below, scope),
            Type::Array {
                element,
                stride,
                named,
            } => {
                let one = Elements {
                    element,
                    stride: stride.max(1),
                    named,
                };
                self.array(one, node, (start, end), below, scope);
            }
            Type::Elements { set } => self.elements(set, (start, end), below, scope),
            Type::Nest { header, set } => self.nest(header, Some(set), (start, end), below, scope),
            Type::Indexed { element } => {
                self.each_attribute(start, end, below, |walker, header, at, to| {
                    let flags = NodeFlags::ATTRIBUTE.with(NodeFlags::UNNAMED);
                    walker.element(element, header, (at, to), below, flags, scope);
                });
            }
            Type::TypeValue { levels, set } => {
                self.type_value(levels, set, (start, end), below, scope);
            }
            Type::SubMessage {
                formats, selector, ..
            } => {
                let choice = self.choice(selector, scope, (start, end));
                let format = format(formats, choice);
                self.sub_message(format, node, (start, end), below, scope);
            }
            Type::BitUnit { bytes, parts } => {
                self.expect(node, u32::from(bytes), found);
                let order = self.order;
                for part in parts.iter().filter(|part| is_declared(part, order)) {
                    self.tape.leaf(part, start, found, below, NodeFlags::BITS);
                }
            }
            Type::Custom {
                decoder,
                header,
                set,
            } => {
                self.custom(
                    CustomField {
                        decoder,
                        header,
                        set,
                    },
                    node,
                    (start, end),
                    below,
                    scope,
                );
            }
            Type::VarInt { .. }
            | Type::String
            | Type::Binary
            | Type::Members
            | Type::Bits { .. }
            | Type::Pad
            | Type::Unused => {}
        }
    }

    fn expect(&mut self, node: NodeIndex, expected: u32, found: u32) {
        if expected != found {
            self.tape
                .note(node, NoteKind::ValueLength { expected, found });
        }
    }

    /// An element of an indexed array; its own number may select its format.
    fn element(
        &mut self,
        element: &'static Field,
        header: Nlattr,
        (at, to): (u32, u32),
        depth: u8,
        flags: NodeFlags,
        scope: Option<&Scope<'_>>,
    ) {
        if let Type::SubMessage {
            formats,
            variants,
            selector: Selector::AttributeType,
        } = element.ty
            && depth < MAX_DEPTH
        {
            let number = header.number();
            let key = FormatKey::Number(number.into());
            let variant = variants.iter().find(|variant| variant.when == key);
            if let Some(variant) = variant {
                self.node(&variant.field, at, to, depth, flags, scope);
                return;
            }
            let node = self.tape.open(element, at, depth, flags);
            let choice = Choice::Format(key);
            let format = format(formats, choice);
            self.sub_message(format, node, (at + NLA_HDRLEN, to), depth + 1, scope);
            self.tape.close(node, to);
        } else {
            self.node(element, at, to, depth, flags, scope);
        }
    }

    fn array(
        &mut self,
        of: Elements,
        node: NodeIndex,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        let odd = (end - start) % of.stride;
        if odd != 0 {
            self.tape.note(
                node,
                NoteKind::ValueLength {
                    expected: of.stride,
                    found: odd,
                },
            );
        }
        if !is_container(of.element.ty) && of.named.is_empty() {
            return;
        }
        let mut named = of.named.iter();
        let mut at = start;
        while end - at >= of.stride && self.tape.index() < MAX_NODES {
            let to = at + of.stride;
            match named.next() {
                Some(field) => self.node(field, at, to, depth, NodeFlags::NONE, scope),
                None => self.node(of.element, at, to, depth, NodeFlags::UNNAMED, scope),
            }
            at = to;
        }
        self.unknown(at, end, depth);
    }

    /// What has a byte for its number and one for its length, of `set`.
    fn elements(
        &mut self,
        set: &'static AttributeSet,
        (start, end): (u32, u32),
        depth: u8,
        outer: Option<&Scope<'_>>,
    ) {
        let scope = Scope {
            outer,
            previous: Cell::new(0),
            set: None,
            start,
            end,
            header: None,
        };
        let mut at = start;
        while at < end && self.tape.index() < MAX_NODES {
            let [number, len] = match self.bytes(at, end) {
                [number, len, ..] => [*number, *len],
                _ => break,
            };
            let to = at + 2 + u32::from(len);
            if to > end {
                let left = end - at;
                if let Some(rest) = self.unknown(at, end, depth) {
                    let says = u16::from(len) + 2;
                    self.tape
                        .note(rest, NoteKind::AttributeLength { says, left });
                }
                return;
            }
            let field = set.attribute(number.into());
            let field = field.unwrap_or(&base::UNKNOWN_ATTRIBUTE);
            self.node(field, at, to, depth, NodeFlags::ELEMENT, Some(&scope));
            at = to;
        }
        self.trailing(at, end, depth);
    }

    /// Attributes of `set`, after a struct where there is one.
    pub(super) fn nest(
        &mut self,
        header: Option<&'static Struct>,
        set: Option<&'static AttributeSet>,
        (start, end): (u32, u32),
        depth: u8,
        outer: Option<&Scope<'_>>,
    ) {
        let inside = match header {
            Some(header) if start < end => self.header_struct(header, start, end, depth, outer),
            _ => start,
        };
        let header = header.map(|header| (header, start));
        let scope = Scope {
            outer,
            previous: Cell::new(0),
            set,
            start: inside,
            end,
            header,
        };
        self.attributes(set, inside, end, depth, Some(&scope), false);
    }

    /// Levels of attributes whose numbers are values, and in the innermost `set`.
    fn type_value(
        &mut self,
        levels: &'static [Field],
        set: &'static AttributeSet,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        let Some((level, inner)) = levels.split_first() else {
            self.nest(None, Some(set), (start, end), depth, scope);
            return;
        };
        self.each_attribute(start, end, depth, |walker, _, at, to| {
            let node = walker.tape.open(
                level,
                at,
                depth,
                NodeFlags::ATTRIBUTE.with(NodeFlags::UNNAMED),
            );
            walker.type_value(
                inner,
                set,
                (at + NLA_HDRLEN, to),
                depth.saturating_add(1),
                scope,
            );
            walker.tape.close(node, to);
        });
    }

    /// What the selector says of the bytes from `room.0` to `room.1`.
    fn choice<'f>(
        &'f self,
        selector: Selector,
        scope: Option<&Scope<'_>>,
        room: (u32, u32),
    ) -> Choice<'f> {
        let find = |name: &str| scope?.find(self.frame, self.order, name);
        match selector {
            // Only an element of an array has a number, and it asks for itself.
            Selector::AttributeType => Choice::Nothing,
            Selector::PayloadLength => Choice::Format(FormatKey::Number((room.1 - room.0).into())),
            Selector::Fields(names) => names
                .iter()
                .find_map(|name| find(name))
                .map_or(Choice::Nothing, Choice::Field),
            Selector::Together(names) => Choice::together(names, find),
            Selector::Found(finder) => self
                .found(finder, scope, room)
                .map_or(Choice::Nothing, Choice::Format),
        }
    }

    fn sub_message(
        &mut self,
        format: Option<&'static Format>,
        node: NodeIndex,
        (start, end): (u32, u32),
        depth: u8,
        outer: Option<&Scope<'_>>,
    ) {
        let Some(format) = format else {
            self.tape.note(node, NoteKind::NoFormat);
            let chain = guess::is_chain(self.bytes(start, end), self.order);
            if chain {
                self.attributes(None, start, end, depth, None, true);
            } else {
                self.unknown(start, end, depth);
            }
            return;
        };
        match (format.header, format.set) {
            (Some(only), None) => self.whole_struct(only, node, (start, end), depth, outer),
            (header, Some(set)) => self.nest(header, Some(set), (start, end), depth, outer),
            (None, None) => {
                self.unknown(start, end, depth);
            }
        }
    }
}

/// The format that is chosen.
fn format(formats: &'static Formats, choice: Choice<'_>) -> Option<&'static Format> {
    let by_key = |key| formats.iter().find(|format| format.when == key);
    let chosen = formats.iter().find(|format| choice.is(format.when));
    let absent = match choice {
        Choice::Nothing => by_key(FormatKey::Absent),
        _ => None,
    };
    chosen.or(absent).or_else(|| by_key(FormatKey::Default))
}

/// The one value that is chosen, if it is one: none of the formats is meant.
fn variant(
    formats: &'static Formats,
    variants: &'static [Variant],
    choice: Choice<'_>,
) -> Option<&'static Variant> {
    let by_key = |key| variants.iter().find(|variant| variant.when == key);
    if let Choice::Nothing = choice {
        let absent = by_key(FormatKey::Absent);
        if absent.is_some() || formats.iter().any(|it| it.when == FormatKey::Absent) {
            return absent;
        }
        return by_key(FormatKey::Default);
    }
    let chosen = variants.iter().find(|variant| choice.is(variant.when));
    if chosen.is_some() || formats.iter().any(|format| choice.is(format.when)) {
        return chosen;
    }
    by_key(FormatKey::Default)
}

/// What an array holds.
#[derive(Clone, Copy)]
struct Elements {
    element: &'static Field,
    /// Bytes of one, not 0.
    stride: u32,
    /// Those that have names of their own, from the first on.
    named: &'static [Field],
}

/// Whether a bit-field is declared in this byte order.
fn is_declared(part: &Field, order: Order) -> bool {
    match (part.ty, order) {
        (Type::Bits { little, .. }, Order::Little) => little.is_some(),
        (Type::Bits { big, .. }, Order::Big) => big.is_some(),
        _ => true,
    }
}

/// Whether nodes of this type have others below them.
fn is_container(ty: Type) -> bool {
    matches!(
        ty,
        Type::Struct(_)
            | Type::Nest { .. }
            | Type::Indexed { .. }
            | Type::Elements { .. }
            | Type::TypeValue { .. }
            | Type::SubMessage { .. }
            | Type::BitUnit { .. }
            | Type::Custom { .. }
    ) || matches!(ty, Type::Array { element, .. } if is_container(element.ty))
}
