//! Nodes in the shapes of the kernel's `ynl`.
//!
//! A nest is an object, a struct is one, an array a list; an array of indexed attributes
//! is a list of objects with the index as their only name, or of bare values; of
//! attributes whose numbers are values, those are members of the object. An enum value is
//! its name, flags are a list of names in alphabetical order, bytes are hexadecimal. A
//! value without a name is its number, a flag without one its bit's value; an attribute
//! that no table knows stands under its number. What occurs twice is a list, even where
//! the schema says that it occurs once; but a member of a fixed header whose name an
//! attribute has too stands under the name of its struct, a dot, and its own.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::schema::{Field, Hint, Type, ValueNames, base};
use crate::tape::{NodeFlags, NodeRef};
use crate::value::{Show, Value, bitmap_names, flag_names, from_hex, hex, sockaddr};

/// The nodes below a node as an object.
#[derive(Clone, Copy)]
pub(super) struct ByName<'t> {
    pub(super) node: NodeRef<'t>,
    pub(super) show: Show<'t>,
}

/// The name of a member.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Name(&'static str),
    Number(u16),
    /// A member of a struct.
    Member(&'static str, &'static str),
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Name(name) => serializer.serialize_str(name),
            Self::Number(number) => serializer.collect_str(number),
            Self::Member(of, name) => serializer.collect_str(&format_args!("{of}.{name}")),
        }
    }
}

/// A member of an object.
struct Entry<'t> {
    key: Key,
    piece: Piece<'t>,
    /// The fixed header it is a member of.
    header: Option<&'static str>,
}

#[derive(Clone, Copy)]
enum Piece<'t> {
    Node(NodeRef<'t>),
    /// The number of an attribute, which is a value.
    Level(&'static Field, u16),
}

impl Serialize for ByName<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = Vec::new();
        collect(self.node, is_control(&self.node), None, &mut entries);
        part_members(&mut entries);
        let mut map = serializer.serialize_map(None)?;
        self.write(&entries, &mut map)?;
        map.end()
    }
}

impl<'t> ByName<'t> {
    /// The attributes of an extended acknowledgement.
    pub(super) fn ext_ack<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let attributes = self
            .node
            .children()
            .filter(|child| child.has(NodeFlags::ATTRIBUTE));
        let entries: Vec<_> = attributes.map(Entry::of).collect();
        self.write(&entries, map)
    }

    /// Each name once, in the order in which they come.
    fn write<M: SerializeMap>(&self, entries: &[Entry<'t>], map: &mut M) -> Result<(), M::Error> {
        let mut order: Vec<usize> = (0..entries.len()).collect();
        order.sort_by_key(|at| (entries[*at].key, *at));
        let mut groups: Vec<&[usize]> = order
            .chunk_by(|a, b| entries[*a].key == entries[*b].key)
            .collect();
        groups.sort_by_key(|group| group.first().copied());
        for group in groups {
            let Some(first) = group.first().map(|at| &entries[*at]) else {
                continue;
            };
            let multi = matches!(first.piece, Piece::Node(node) if node.field().multi);
            if multi || group.len() > 1 {
                let list = Several {
                    pieces: group.iter().map(|at| entries[*at].piece).collect(),
                    show: self.show,
                };
                map.serialize_entry(&first.key, &list)?;
            } else {
                map.serialize_entry(&first.key, &first.piece.shown(self.show))?;
            }
        }
        Ok(())
    }
}

impl<'t> Entry<'t> {
    fn of(node: NodeRef<'t>) -> Self {
        let unknown = std::ptr::eq(node.field(), &raw const base::UNKNOWN_ATTRIBUTE);
        let key = match node.number() {
            Some(number) if unknown => Key::Number(number),
            _ => Key::Name(node.field().name),
        };
        Self {
            key,
            piece: Piece::Node(node),
            header: None,
        }
    }
}

/// Whether the message is an error or the end of a dump: its attributes are no payload.
fn is_control(node: &NodeRef<'_>) -> bool {
    node.children()
        .take(3)
        .any(|child| std::ptr::eq(child.field(), &raw const base::ERROR))
}

/// What is below `node`, without the layers that have no name, without padding and without
/// what the message's own headers say.
fn collect<'t>(
    node: NodeRef<'t>,
    control: bool,
    header: Option<&'static str>,
    out: &mut Vec<Entry<'t>>,
) {
    for child in node.children() {
        let field = child.field();
        let left_out = [
            &raw const base::PADDING,
            &raw const base::SEPARATOR,
            &raw const base::NLMSGHDR,
            &raw const base::QUOTED_NLMSGHDR,
            &raw const base::GENLMSGHDR_STRUCT.field,
            &raw const base::ERROR,
            &raw const base::QUOTED,
        ];
        if left_out.iter().any(|of| std::ptr::eq(*of, field))
            || matches!(field.ty, Type::Pad)
            || (control && child.has(NodeFlags::ATTRIBUTE))
        {
            continue;
        }
        if !child.has(NodeFlags::UNNAMED) {
            let entry = Entry::of(child);
            out.push(Entry { header, ..entry });
            continue;
        }
        if let Some(number) = child.number() {
            out.push(Entry {
                key: Key::Name(field.name),
                piece: Piece::Level(field, number),
                header: None,
            });
        }
        let inner = matches!(field.ty, Type::Members).then_some(field.name);
        collect(child, control, inner.or(header), out);
    }
}

/// Renames the members of a fixed header whose names attributes have too.
fn part_members(entries: &mut [Entry<'_>]) {
    if entries.iter().all(|entry| entry.header.is_none()) {
        return;
    }
    let attributes = entries.iter().filter(|entry| entry.header.is_none());
    let mut taken: Vec<Key> = attributes.map(|entry| entry.key).collect();
    taken.sort_unstable();
    for entry in entries {
        if let (Some(header), Key::Name(name)) = (entry.header, entry.key)
            && taken.binary_search(&entry.key).is_ok()
        {
            entry.key = Key::Member(header, name);
        }
    }
}

impl<'t> Piece<'t> {
    fn shown(self, show: Show<'t>) -> Shown<'t> {
        Shown { piece: self, show }
    }
}

/// The values of a member that is a list.
struct Several<'t> {
    pieces: Vec<Piece<'t>>,
    show: Show<'t>,
}

impl Serialize for Several<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.pieces.iter().map(|piece| piece.shown(self.show)))
    }
}

/// The value of a member.
struct Shown<'t> {
    piece: Piece<'t>,
    show: Show<'t>,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let node = match self.piece {
            Piece::Node(node) => node,
            Piece::Level(field, number) => {
                return Scalar {
                    field,
                    value: Value::Unsigned(number.into()),
                    numeric: self.show.numeric,
                }
                .serialize(serializer);
            }
        };
        if node.field().secret && self.show.redact {
            return serializer.serialize_str("(redacted)");
        }
        match node.value() {
            Value::Tree => self.tree(node, serializer),
            Value::List => {
                let numeric = self.show.numeric;
                let element = |(field, value)| Scalar {
                    field,
                    value,
                    numeric,
                };
                serializer.collect_seq(node.elements().map(element))
            }
            value => Scalar {
                field: node.field(),
                value,
                numeric: self.show.numeric,
            }
            .serialize(serializer),
        }
    }
}

impl<'t> Shown<'t> {
    fn object<S: Serializer>(&self, node: NodeRef<'t>, serializer: S) -> Result<S::Ok, S::Error> {
        let show = self.show;
        ByName { node, show }.serialize(serializer)
    }

    fn tree<S: Serializer>(&self, node: NodeRef<'t>, serializer: S) -> Result<S::Ok, S::Error> {
        let elements = || {
            let fill = [&raw const base::PADDING, &raw const base::SEPARATOR];
            node.children()
                .filter(move |child| !fill.iter().any(|of| std::ptr::eq(*of, child.field())))
        };
        let several = match node.field().ty {
            Type::Indexed { .. } | Type::Array { .. } => true,
            Type::TypeValue { .. } => elements().nth(1).is_some(),
            Type::Custom { .. } => {
                node.has_children() && elements().all(|child| child.has(NodeFlags::UNNAMED))
            }
            // Values one behind the other that are one key.
            Type::SubMessage { .. } => {
                let is_value = |child: NodeRef<'_>| {
                    child.has(NodeFlags::UNNAMED) && !matches!(child.field().ty, Type::Members)
                };
                node.has_children() && elements().all(is_value)
            }
            _ => false,
        };
        if !several {
            return self.object(node, serializer);
        }
        let levels = matches!(node.field().ty, Type::TypeValue { .. });
        let mut list = serializer.serialize_seq(None)?;
        for node in elements() {
            list.serialize_element(&Element {
                node,
                show: self.show,
                level: levels,
            })?;
        }
        list.end()
    }
}

/// An element of a list that has a node of its own.
struct Element<'t> {
    node: NodeRef<'t>,
    show: Show<'t>,
    /// Its number is a value.
    level: bool,
}

impl Serialize for Element<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let show = self.show;
        let piece = Piece::Node(self.node).shown(show);
        let tree = self.node.value() == Value::Tree;
        let Some(number) = self.node.number().filter(|_| tree) else {
            return piece.serialize(serializer);
        };
        let mut map = serializer.serialize_map(None)?;
        if self.level {
            let mut entries = vec![Entry {
                key: Key::Name(self.node.field().name),
                piece: Piece::Level(self.node.field(), number),
                header: None,
            }];
            collect(self.node, false, None, &mut entries);
            let node = self.node;
            ByName { node, show }.write(&entries, &mut map)?;
        } else {
            map.serialize_entry(&Key::Number(number), &piece)?;
        }
        map.end()
    }
}

/// A value that has no nodes below it.
pub(super) struct Scalar<'t> {
    pub(super) field: &'static Field,
    pub(super) value: Value<'t>,
    pub(super) numeric: bool,
}

impl Serialize for Scalar<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Tree | Value::List => serializer.serialize_map(Some(0))?.end(),
            Value::Present => serializer.serialize_bool(true),
            Value::Unsigned(number) => self.number(number, serializer),
            Value::Signed(number) => match u64::try_from(number) {
                Ok(number) => self.number(number, serializer),
                Err(_) => serializer.serialize_i64(number),
            },
            Value::Bitfield { value, selector } => {
                let part = |number: u32| Scalar {
                    field: self.field,
                    value: Value::Unsigned(number.into()),
                    numeric: self.numeric,
                };
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("value", &part(value))?;
                map.serialize_entry("selector", &part(selector))?;
                map.end()
            }
            Value::Text(text) => Text(text).serialize(serializer),
            Value::HexText(digits) => {
                let text: Vec<u8> = from_hex(digits).collect();
                Text(&text).serialize(serializer)
            }
            Value::Sockaddr(digits) => Text(&sockaddr(digits)).serialize(serializer),
            Value::Bytes(bytes) => {
                if let Some(names) = self.names().filter(|names| names.as_flags) {
                    return bitmap(names, bytes, serializer);
                }
                let spaced = self.field.hint == Hint::Hex;
                serializer.collect_str(&Hex(bytes, if spaced { " " } else { "" }))
            }
            Value::Mac(bytes) => serializer.collect_str(&Hex(bytes, ":")),
            Value::Ip(address) => serializer.collect_str(&address),
            Value::Uuid(bytes) => serializer.collect_str(&Uuid(bytes)),
        }
    }
}

/// A list of what is set: the name, or the number of the bit.
fn bitmap<S: Serializer>(
    names: ValueNames,
    bytes: &[u8],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(None)?;
    for (bit, name) in bitmap_names(names, bytes) {
        match name {
            Some(name) => list.serialize_element(name)?,
            None => list.serialize_element(&bit)?,
        }
    }
    list.end()
}

impl Scalar<'_> {
    /// The names that JSON shows.
    fn names(&self) -> Option<ValueNames> {
        let names = self.field.names?;
        (names.in_json && !self.numeric).then_some(names)
    }

    fn number<S: Serializer>(&self, number: u64, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(names) = self.names() else {
            // YNL gives a variable-length integer no hint.
            let hex = self.field.hint == Hint::Hex
                && !self.numeric
                && !matches!(self.field.ty, Type::VarInt { .. } | Type::Bitfield32);
            return if hex {
                serializer.collect_str(&format_args!("{number:#x}"))
            } else {
                serializer.serialize_u64(number)
            };
        };
        if !names.as_flags {
            return match names.of.entry(number) {
                Some(entry) => serializer.serialize_str(entry.name),
                None => serializer.serialize_u64(number),
            };
        }
        let mut known: Vec<_> = flag_names(names, number).collect();
        let unnamed = known.iter().fold(number, |left, (bit, _)| left & !bit);
        known.sort_unstable_by_key(|(_, name)| *name);
        let mut list = serializer.serialize_seq(None)?;
        for (_, name) in known {
            list.serialize_element(name)?;
        }
        for bit in (0..64).map(|bit| 1_u64 << bit) {
            if unnamed & bit != 0 {
                list.serialize_element(&bit)?;
            }
        }
        list.end()
    }
}

/// Text as it is; bytes in it that are no UTF-8 as `\xff`.
pub(super) struct Text<'t>(pub(super) &'t [u8]);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.collect_str(self),
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

struct Hex<'t>(&'t [u8], &'static str);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, self.0, self.1)
    }
}

struct Uuid([u8; 16]);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (a, rest) = self.0.split_at(4);
        hex(f, a, "")?;
        let (middle, end) = rest.split_at(6);
        for pair in middle.chunks(2) {
            f.write_str("-")?;
            hex(f, pair, "")?;
        }
        f.write_str("-")?;
        hex(f, end, "")
    }
}
