//! A name -> the fields of the schema that have it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashSet;
use std::ops::Range;

use super::header::{self, HeadField};
use super::suggest::nearest;
use crate::schema::{Family, Field, Schema, Struct, Type, base};

/// How many layers without a name are followed.
const MAX_LAYERS: u8 = 8;

/// What a name stands for.
#[derive(Debug)]
pub(super) enum Name {
    /// What every message has.
    Head(HeadField),
    /// Messages of a family.
    Family(&'static Family),
    /// Fields of the schema.
    Fields(Fields),
}

/// The fields that a name stands for, and what lies above them.
#[derive(Debug)]
pub(super) struct Fields {
    /// The family, where the name begins with one.
    pub(super) root: Option<&'static Family>,
    /// The names from there, or from anywhere, down to the field; empty where the
    /// field alone tells.
    pub(super) path: Vec<String>,
    /// What the last name may be, without repetition.
    pub(super) last: Vec<&'static Field>,
}

/// Why a name stands for nothing.
#[derive(Debug)]
pub(super) struct Unknown {
    pub(super) message: String,
    /// Where in the name the part stands that is unknown.
    pub(super) part: Range<usize>,
    pub(super) suggestion: Option<String>,
}

/// A field below another one, or in a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Child {
    pub(super) field: &'static Field,
    /// It has no part in a path.
    pub(super) unnamed: bool,
}

/// Whether a field is meant by this name: YNL's or that of the UAPI header.
pub(super) fn is_named(field: &Field, name: &str) -> bool {
    field.name == name || field.uapi == name
}

/// Whether a field is the one for attributes that no table knows.
pub(super) fn is_unknown(field: &Field) -> bool {
    std::ptr::eq(field, &raw const base::UNKNOWN_ATTRIBUTE)
}

/// Finds names in a schema.
pub(super) struct Resolver<'s> {
    pub(super) schema: &'s Schema,
    all: OnceCell<Vec<Child>>,
}

impl<'s> Resolver<'s> {
    pub(super) fn new(schema: &'s Schema) -> Self {
        Self {
            schema,
            all: OnceCell::new(),
        }
    }

    /// The family with this name or the one that registers with it.
    pub(super) fn family(&self, name: &str) -> Option<&'static Family> {
        self.schema
            .family(name)
            .or_else(|| self.schema.genl_family(name))
    }

    /// Every field of the schema, those of every frame included.
    pub(super) fn all(&self) -> &[Child] {
        self.all.get_or_init(|| everything(self.schema))
    }

    /// What `name` stands for.
    pub(super) fn resolve(&self, name: &str) -> Result<Name, Unknown> {
        if let Some(field) = HeadField::named(name) {
            return Ok(Name::Head(field));
        }
        if let Some(family) = self.family(name) {
            return Ok(Name::Family(family));
        }
        if let Some(fields) = of_every_frame(name) {
            return Ok(Name::Fields(fields));
        }
        let rooted = name
            .split_once('.')
            .and_then(|(first, rest)| Some((self.family(first)?, first.len() + 1, rest)));
        let missing = match rooted {
            Some((family, at, rest)) => match descend(&family_children(family), rest, true) {
                Ok(mut fields) => {
                    fields.root = Some(family);
                    return Ok(Name::Fields(fields));
                }
                Err(missing) => Some((family, at, missing)),
            },
            None => None,
        };
        match (descend(self.all(), name, false), missing) {
            (Ok(mut fields), _) => {
                if !name.contains('.') {
                    // The field's own address tells.
                    fields.path.clear();
                }
                Ok(Name::Fields(fields))
            }
            (Err(_), Some((family, at, missing))) => {
                Err(missing.explain(name, at, Some(family.name), &[]))
            }
            (Err(missing), None) => {
                let first = missing.at == 0;
                let others = if first {
                    self.first_names()
                } else {
                    Vec::new()
                };
                Err(missing.explain(name, 0, None, &others))
            }
        }
    }

    /// Names that may begin a name, beside those of fields.
    fn first_names(&self) -> Vec<String> {
        let flags = HeadField::flags().map(|(flag, ..)| format!("flags.{flag}"));
        let head = header::NAMES.iter().map(|(name, ..)| (*name).to_owned());
        let families = self.schema.families().iter();
        head.chain(flags)
            .chain(families.map(|family| family.name.to_owned()))
            .collect()
    }
}

/// What is not of any family: its name is one, dots and all.
fn of_every_frame(name: &str) -> Option<Fields> {
    let ext_ack = name.strip_prefix(base::EXT_ACK_NAME);
    if ext_ack == Some("") {
        return Some(Fields {
            root: None,
            path: Vec::new(),
            last: base::EXT_ACK.attributes.iter().collect(),
        });
    }
    if let Some(rest) = ext_ack.and_then(|rest| rest.strip_prefix('.')) {
        let start: Vec<Child> = base::EXT_ACK.attributes.iter().map(named).collect();
        return descend(&start, rest, true).ok();
    }
    let last: Vec<&Field> = base::fields()
        .filter(|field| field.name == name && name.contains('.'))
        .collect();
    (!last.is_empty()).then(|| Fields {
        root: None,
        path: Vec::new(),
        last,
    })
}

/// The part of a name that was not found.
struct Missing {
    part: String,
    at: usize,
    /// The field before it.
    above: Option<&'static Field>,
    /// What there would have been.
    known: Vec<&'static str>,
}

impl Missing {
    fn explain(
        self,
        name: &str,
        offset: usize,
        family: Option<&str>,
        others: &[String],
    ) -> Unknown {
        let at = offset + self.at;
        let place = at..at + self.part.len();
        if self.part.is_empty() {
            return Unknown {
                message: "a name is missing beside this dot".to_owned(),
                part: at.saturating_sub(1)..(at + 1).min(name.len()),
                suggestion: None,
            };
        }
        let part = super::error::quote(&self.part);
        let message = match (self.above, family) {
            (Some(above), _) if self.known.is_empty() => {
                format!("`{}` has no fields, so no {part}", above.name)
            }
            (Some(above), _) => format!("`{}` has no field {part}", above.name),
            (None, Some(family)) => format!("`{family}` has no field {part}"),
            (None, None) => format!("no field is called {part}"),
        };
        let whole = others.iter().map(String::as_str);
        let suggestion = match nearest(&self.part, self.known.iter().copied()) {
            Some(near) => {
                let before = name.get(..place.start).unwrap_or_default();
                let after = name.get(place.end..).unwrap_or_default();
                let near = format!("{before}{near}{after}");
                if others.is_empty() {
                    Some(near)
                } else {
                    nearest(name, whole.chain([near.as_str()]))
                }
            }
            None => nearest(name, whole),
        };
        Unknown {
            message,
            part: place,
            suggestion,
        }
    }
}

/// Follows the names in `path` from `start`. Below a name, and `at_once` where one came
/// before, a number is an attribute that no table knows.
fn descend(start: &[Child], path: &str, at_once: bool) -> Result<Fields, Missing> {
    let mut names = Vec::new();
    let mut last = Vec::new();
    let mut choice = Cow::Borrowed(start);
    let mut above: Option<&'static Field> = None;
    let mut at = 0;
    for part in path.split('.') {
        let of = |unnamed: bool| {
            choice
                .iter()
                .filter(|child| child.unnamed == unnamed && is_named(child.field, part))
                .map(|child| child.field)
                .collect::<Vec<_>>()
        };
        last = of(false);
        let unnamed = last.is_empty();
        if unnamed {
            last = of(true);
        }
        if last.is_empty() && (at_once || above.is_some()) && part.parse::<u16>().is_ok() {
            last = vec![&base::UNKNOWN_ATTRIBUTE];
        }
        let numbered = last.first().is_some_and(|field| is_unknown(field));
        let Some(first) = last.first() else {
            return Err(Missing {
                part: part.to_owned(),
                at,
                above,
                known: choice.iter().map(|child| child.field.name).collect(),
            });
        };
        above = Some(first);
        // What lies below a layer without a name is there to choose from already.
        if !unnamed || numbered {
            names.push(part.to_owned());
            choice = Cow::Owned(children_of(&last));
        }
        at += part.len() + 1;
    }
    let elements: Vec<_> = last.iter().flat_map(|field| elements(field)).collect();
    last.extend(elements);
    // What is always one of several values has none of its own.
    last.retain(|field| {
        !matches!(field.ty, Type::SubMessage { formats, variants, .. }
            if formats.is_empty() && !variants.is_empty())
    });
    Ok(Fields {
        root: None,
        path: names,
        last: unique(last),
    })
}

fn unique(fields: Vec<&'static Field>) -> Vec<&'static Field> {
    let mut seen = HashSet::new();
    fields
        .into_iter()
        .filter(|field| seen.insert(std::ptr::from_ref(*field)))
        .collect()
}

/// The values that a field may be, or that stand without a name below an indexed array.
fn elements(field: &'static Field) -> Vec<&'static Field> {
    let mut found = Vec::new();
    let mut at = field;
    if let Type::SubMessage { variants, .. } = field.ty {
        found.extend(variants.iter().map(|variant| &variant.field));
    }
    for _ in 0..MAX_LAYERS {
        let Type::Indexed { element } = at.ty else {
            break;
        };
        found.push(element);
        at = element;
    }
    found
}

/// What may stand below any of these fields.
pub(super) fn children_of(fields: &[&'static Field]) -> Vec<Child> {
    let mut children = Vec::new();
    for field in fields {
        below(field, 0, &mut |child| children.push(child));
    }
    children
}

/// The fields of a family's messages: members of the header and attributes.
pub(super) fn family_children(family: &'static Family) -> Vec<Child> {
    let mut children = Vec::new();
    for message in family.messages {
        if let Some(header) = message.header {
            members(header, &mut |child| children.push(child));
        }
        let attributes = message
            .attributes
            .map_or(&[][..], |set| set.attributes.items());
        children.extend(attributes.iter().map(named));
    }
    let mut seen = HashSet::new();
    children.retain(|child| seen.insert(std::ptr::from_ref(child.field)));
    children
}

/// A field that has a part in a path.
pub(super) fn named(field: &'static Field) -> Child {
    Child {
        field,
        unnamed: false,
    }
}

fn members(of: &'static Struct, visit: &mut dyn FnMut(Child)) {
    visit(Child {
        field: &of.field,
        unnamed: true,
    });
    for member in of.members {
        let field = &member.field;
        // The integer around bit-fields has no name, and they stand for themselves.
        if let Type::BitUnit { parts, .. } = field.ty {
            visit(Child {
                field,
                unnamed: true,
            });
            for part in parts {
                visit(named(part));
            }
        } else {
            visit(named(field));
        }
    }
}

/// Visits what may stand below a field, layers without a name passed over.
pub(super) fn below(field: &'static Field, layers: u8, visit: &mut dyn FnMut(Child)) {
    let attributes = |fields: &'static [Field], visit: &mut dyn FnMut(Child)| {
        for field in fields {
            visit(named(field));
        }
    };
    match field.ty {
        Type::Struct(of) => members(of, visit),
        Type::Nest { header, set } => {
            if let Some(header) = header {
                members(header, visit);
            }
            attributes(set.attributes.items(), visit);
        }
        Type::Array { element, named, .. } => {
            attributes(named, visit);
            visit(Child {
                field: element,
                unnamed: true,
            });
            if layers < MAX_LAYERS {
                below(element, layers + 1, visit);
            }
        }
        Type::Indexed { element } => {
            visit(Child {
                field: element,
                unnamed: true,
            });
            if layers < MAX_LAYERS {
                below(element, layers + 1, visit);
            }
        }
        Type::Elements { set } => attributes(set.attributes.items(), visit),
        Type::TypeValue { levels, set } => {
            for level in levels {
                visit(Child {
                    field: level,
                    unnamed: true,
                });
            }
            attributes(set.attributes.items(), visit);
        }
        Type::SubMessage {
            formats, variants, ..
        } => {
            for variant in variants {
                below(&variant.field, layers, visit);
            }
            for format in formats.items() {
                if let Some(header) = format.header {
                    members(header, visit);
                }
                attributes(format.set.map_or(&[], |set| set.attributes.items()), visit);
            }
        }
        Type::BitUnit { parts, .. } => attributes(parts, visit),
        Type::Custom { header, set, .. } => {
            if let Some(header) = header {
                members(header, visit);
            }
            attributes(set.map_or(&[], |set| set.attributes.items()), visit);
        }
        Type::Int { .. }
        | Type::VarInt { .. }
        | Type::Bitfield32
        | Type::Flag
        | Type::String
        | Type::Binary
        | Type::Members
        | Type::Bits { .. }
        | Type::Pad
        | Type::Unused => {}
    }
}

/// Every field that a message of the schema can hold, and those of every frame.
fn everything(schema: &Schema) -> Vec<Child> {
    let mut found: Vec<Child> = Vec::new();
    let mut seen: HashSet<*const Field> = HashSet::new();
    let mut add = |child: Child, found: &mut Vec<Child>| {
        if seen.insert(std::ptr::from_ref(child.field)) {
            found.push(child);
        }
    };
    for family in schema.families() {
        for child in family_children(family) {
            add(child, &mut found);
        }
        for set in family.sets {
            for field in set.attributes.items() {
                add(named(field), &mut found);
            }
        }
        for of in family.structs {
            members(of, &mut |child| add(child, &mut found));
        }
    }
    for field in base::fields() {
        add(named(field), &mut found);
    }
    // What the fields found so far hold comes after them, and is looked into in its turn.
    let mut at = 0;
    while let Some(child) = found.get(at).copied() {
        below(child.field, 0, &mut |child| add(child, &mut found));
        at += 1;
    }
    found
}
