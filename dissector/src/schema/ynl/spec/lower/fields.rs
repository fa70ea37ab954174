//! Attributes, and what they share with members of structs.

use super::super::error::{Located, Reason, at, unknown};
use super::super::kinds::{Decoder, FieldOrder, Finder, Hint, MAX_TOGETHER};
use super::super::model::{
    EnumEntry, Field, Model, Selector, Set, Struct, SubMessage, Type, ValueNames, Variant,
};
use super::super::source::{self, Name};
use super::symbols::Symbols;
use super::{Complete, summary, upper};

/// Length in bytes and sign of an integer type.
pub(super) fn integer(kind: &str) -> Option<(u8, bool)> {
    Some(match kind {
        "u8" => (1, false),
        "u16" => (2, false),
        "u32" => (4, false),
        "u64" => (8, false),
        "s8" => (1, true),
        "s16" => (2, true),
        "s32" => (4, true),
        "s64" => (8, true),
        _ => return None,
    })
}

/// A C array whose elements are `element`, the first of them called as `named` says.
pub(super) fn array(element: Field, stride: u32, named: Option<&[EnumEntry]>) -> Field {
    let one = Field {
        multi: false,
        number: 0,
        ..element.clone()
    };
    let named = named.unwrap_or_default().iter().map(|entry| Field {
        name: entry.name.clone(),
        uapi: entry.uapi.clone(),
        ..one.clone()
    });
    Field {
        ty: Type::Array {
            stride,
            named: named.collect(),
            element: Box::new(one),
        },
        ..element
    }
}

/// The field for one attribute or member of the variants of a sub-message: they have its
/// name.
pub(super) fn variants(of: &SubMessage, field: &Field) -> Vec<Variant> {
    let own = of.variants.iter().cloned();
    own.map(|variant| Variant {
        field: Field {
            name: field.name.clone(),
            uapi: field.uapi.clone(),
            number: field.number,
            multi: field.multi,
            secret: field.secret || variant.field.secret,
            ..variant.field
        },
        ..variant
    })
    .collect()
}

/// The decoder called so.
pub(super) fn decoder(name: &Name) -> Result<Decoder, Located> {
    let mut known = Decoder::ALL.iter();
    let found = known.find(|(known, _)| *known == name.value);
    found.map(|(_, decoder)| *decoder).ok_or_else(|| {
        let known = Decoder::ALL.iter().map(|(known, _)| *known);
        unknown("decoder", name, known)
    })
}

/// The keys that say how a value is read and shown.
pub(super) struct Shown<'a> {
    byte_order: Option<&'a Name>,
    names: Option<(&'a Name, bool)>,
    display_names: Option<(&'a Name, bool)>,
    hint: Option<&'a Name>,
}

impl<'a> Shown<'a> {
    pub(super) fn of_member(member: &'a source::Member) -> Self {
        let named = |name: &'a Option<Name>, flags| name.as_ref().map(|name| (name, flags));
        Self {
            byte_order: member.byte_order.as_ref(),
            names: named(&member.names, member.enum_as_flags),
            display_names: named(&member.display_enum, member.display_enum_as_flags),
            hint: member.display_hint.as_ref(),
        }
    }

    fn of_attribute(attribute: &'a source::Attribute) -> Self {
        let named = |name: &'a Option<Name>, flags: Option<bool>| {
            name.as_ref().map(|name| (name, flags.unwrap_or(false)))
        };
        Self {
            byte_order: attribute.byte_order.as_ref(),
            names: named(&attribute.names, attribute.enum_as_flags),
            display_names: named(&attribute.display_enum, attribute.display_enum_as_flags),
            hint: attribute.display_hint.as_ref(),
        }
    }
}

/// What those keys mean.
pub(super) struct Meaning {
    pub(super) order: FieldOrder,
    pub(super) hint: Hint,
    pub(super) names: Option<ValueNames>,
}

/// What attributes are lowered with.
pub(super) struct Fields<'a, 's> {
    pub(super) symbols: &'a Symbols<'s>,
    /// What has been lowered so far.
    pub(super) model: &'a Model,
}

/// Every type of an attribute.
const TYPES: [&str; 21] = [
    "u8",
    "u16",
    "u32",
    "u64",
    "s8",
    "s16",
    "s32",
    "s64",
    "uint",
    "sint",
    "binary",
    "string",
    "flag",
    "pad",
    "unused",
    "bitfield32",
    "nest",
    "indexed-array",
    "nest-type-value",
    "sub-message",
    "elements",
];

impl Fields<'_, '_> {
    /// Resolves how a value is read and shown.
    pub(super) fn shown(&self, scope: &[usize], keys: &Shown<'_>) -> Result<Meaning, Located> {
        let order = match keys.byte_order {
            None => FieldOrder::Host,
            Some(order) => match order.value.as_str() {
                "big-endian" => FieldOrder::Big,
                "little-endian" => FieldOrder::Little,
                _ => {
                    return Err(unknown(
                        "byte-order",
                        order,
                        ["big-endian", "little-endian"],
                    ));
                }
            },
        };
        let hint = keys.hint.map(|name| {
            let found = Hint::ALL.iter().find(|(known, _)| *known == name.value);
            let found = found.map(|(_, hint)| *hint);
            found.ok_or_else(|| {
                unknown(
                    "display-hint",
                    name,
                    Hint::ALL.iter().map(|(known, _)| *known),
                )
            })
        });
        let in_json = keys.names.map(|(name, flags)| (name, flags, true));
        let shown = keys.display_names.map(|(name, flags)| (name, flags, false));
        let names = in_json.or(shown).map(|(name, as_flags, in_json)| {
            let of = self.symbols.names(scope, name)?;
            let as_flags = as_flags || self.model.enums.get(of).is_some_and(|names| names.flags);
            Ok(ValueNames {
                of,
                as_flags,
                in_json,
            })
        });
        Ok(Meaning {
            order,
            hint: hint.transpose()?.unwrap_or(Hint::None),
            names: names.transpose()?,
        })
    }

    /// The attributes of a set, by number.
    pub(super) fn attributes(&self, set: &Complete, written: &source::Set) -> Result<Set, Located> {
        let mut attributes = Vec::with_capacity(set.attributes.len());
        for (attribute, number) in &set.attributes {
            attributes.push(self.attribute(set, attribute, *number)?);
        }
        attributes.sort_by_key(|field| field.number);
        Ok(Set {
            name: written.name.value.clone(),
            attributes,
            any_number: written.any_number,
            own_flags: written.own_flags,
            summary: summary::entries(written.summary.as_deref(), None)?,
        })
    }

    pub(super) fn attribute(
        &self,
        set: &Complete,
        attribute: &source::Attribute,
        number: u16,
    ) -> Result<Field, Located> {
        let kind = attribute
            .kind
            .as_ref()
            .ok_or_else(|| missing(attribute, "type"))?;
        let shown = self.shown(&set.scope, &Shown::of_attribute(attribute))?;
        let prefix = attribute.name_prefix.as_ref().unwrap_or(&set.prefix);
        let name = &attribute.name.value;
        let uapi = attribute.c_name.clone();
        let mut field = Field {
            name: name.clone(),
            uapi: uapi.unwrap_or_else(|| upper(&format!("{prefix}{name}"))),
            number,
            ty: Type::Unused,
            order: shown.order,
            hint: shown.hint,
            names: shown.names,
            multi: attribute.multi_attr.unwrap_or(false),
            secret: attribute.secret.unwrap_or(false),
        };
        if kind.value == "indexed-array" {
            let element = attribute
                .sub_type
                .as_ref()
                .ok_or_else(|| missing(attribute, "sub-type"))?;
            let mut inner = field.clone();
            inner.number = 0;
            inner.multi = false;
            let element = self.typed(set, attribute, element, inner, true)?;
            field.ty = Type::Indexed {
                element: Box::new(element),
            };
            return Ok(field);
        }
        self.typed(set, attribute, kind, field, false)
    }

    /// Gives a field its type: the attribute's own, or the one of what it indexes.
    fn typed(
        &self,
        set: &Complete,
        attribute: &source::Attribute,
        kind: &Name,
        mut field: Field,
        indexed: bool,
    ) -> Result<Field, Located> {
        field.ty = match kind.value.as_str() {
            "uint" => Type::VarInt { signed: false },
            "sint" => Type::VarInt { signed: true },
            "string" => Type::String,
            "flag" => Type::Flag,
            "pad" => Type::Pad,
            "unused" => Type::Unused,
            "bitfield32" => Type::Bitfield32,
            "binary" => return self.binary(set, attribute, field, indexed),
            "nest" => self.nest(set, attribute)?,
            "nest-type-value" if !indexed => self.type_value(set, attribute)?,
            "sub-message" => self.sub_message(set, attribute, &field, indexed)?,
            "elements" => Type::Elements {
                set: self.nested(set, attribute)?,
            },
            other => match integer(other) {
                Some((bytes, signed)) => Type::Int { bytes, signed },
                None => return Err(unknown("type", kind, TYPES)),
            },
        };
        Ok(field)
    }

    fn binary(
        &self,
        set: &Complete,
        attribute: &source::Attribute,
        mut field: Field,
        indexed: bool,
    ) -> Result<Field, Located> {
        let layout = attribute.layout.as_ref();
        let layout = layout.map(|name| self.symbols.layout(&set.scope, name));
        let layout = layout.transpose()?;
        if let Some(name) = &attribute.decoder {
            let nested = attribute.nested_attributes.as_ref();
            let nested = nested.map(|name| self.symbols.set(&set.scope, name));
            field.ty = Type::Custom {
                decoder: decoder(name)?,
                header: layout,
                set: nested.transpose()?,
            };
            return Ok(field);
        }
        if let Some(index) = layout {
            field.ty = Type::Struct(index);
            let size = self
                .model
                .structs
                .get(index)
                .map_or(0, |layout| layout.size);
            return Ok(if attribute.array_of_struct == Some(true) {
                array(field, size.max(1), None)
            } else {
                field
            });
        }
        field.ty = Type::Binary;
        // Of an indexed array the sub-type is that of its elements, which is this one.
        let Some(element) = attribute.sub_type.as_ref().filter(|_| !indexed) else {
            return Ok(field);
        };
        let Some((bytes, signed)) = integer(&element.value) else {
            return Err(unknown("sub-type of a binary", element, TYPES));
        };
        field.ty = Type::Int { bytes, signed };
        let named = attribute.index_enum.as_ref();
        let named = named
            .map(|name| self.by_position(&set.scope, name, attribute.index_start.unwrap_or(0)));
        Ok(array(field, bytes.into(), named.transpose()?.as_deref()))
    }

    /// The entries of the enum `name` from `start` on, as names of the elements of an array.
    pub(super) fn by_position(
        &self,
        scope: &[usize],
        name: &Name,
        start: u64,
    ) -> Result<Vec<EnumEntry>, Located> {
        let index = self.symbols.names(scope, name)?;
        let entries = self
            .model
            .enums
            .get(index)
            .map_or(&[][..], |it| &it.entries);
        let from = entries.partition_point(|entry| entry.value < start);
        let entries = entries.get(from..).unwrap_or_default();
        let gap = (start..).zip(entries).any(|(at, entry)| at != entry.value);
        if gap {
            let reason = "an enum that names elements of an array has no gaps and no synonyms";
            return Err(at(name, Reason::Misplaced(reason)));
        }
        Ok(entries.to_vec())
    }

    fn nested(&self, set: &Complete, attribute: &source::Attribute) -> Result<usize, Located> {
        let nested = attribute.nested_attributes.as_ref();
        let nested = nested.ok_or_else(|| missing(attribute, "nested-attributes"))?;
        self.symbols.set(&set.scope, nested)
    }

    fn nest(&self, set: &Complete, attribute: &source::Attribute) -> Result<Type, Located> {
        let header = attribute.fixed_header.as_ref();
        let header = header.map(|name| self.symbols.layout(&set.scope, name));
        Ok(Type::Nest {
            header: header.transpose()?,
            set: self.nested(set, attribute)?,
        })
    }

    fn type_value(&self, set: &Complete, attribute: &source::Attribute) -> Result<Type, Located> {
        let levels = attribute.type_value.as_ref();
        let levels = levels.ok_or_else(|| missing(attribute, "type-value"))?;
        if levels.len() > MAX_LEVELS {
            return Err(at(
                &attribute.name,
                Reason::Range {
                    what: "number of levels",
                    value: i128::try_from(levels.len()).unwrap_or(i128::MAX),
                    max: MAX_LEVELS as u64,
                },
            ));
        }
        let level = |name: &String| Field {
            name: name.clone(),
            uapi: name.clone(),
            number: 0,
            ty: Type::Int {
                bytes: 2,
                signed: false,
            },
            order: FieldOrder::Host,
            hint: Hint::None,
            names: None,
            multi: false,
            secret: false,
        };
        Ok(Type::NestTypeValue {
            levels: levels.iter().map(level).collect(),
            set: self.nested(set, attribute)?,
        })
    }

    fn sub_message(
        &self,
        set: &Complete,
        attribute: &source::Attribute,
        field: &Field,
        indexed: bool,
    ) -> Result<Type, Located> {
        let formats = attribute.sub_message.as_ref();
        let formats = formats.ok_or_else(|| missing(attribute, "sub-message"))?;
        let formats = self.symbols.sub_message(&set.scope, formats)?;
        let one_value = self.model.sub_messages.get(formats);
        let variants = one_value.map_or_else(Vec::new, |of| variants(of, field));
        let selector = attribute.selector.as_ref();
        let selector = selector.ok_or_else(|| missing(attribute, "selector"))?;
        let selector = if selector.value == "attribute-type" {
            if !indexed {
                return Err(at(
                    selector,
                    Reason::Misplaced("attribute-type selects only inside an indexed-array"),
                ));
            }
            Selector::AttributeType
        } else if selector.value == "payload-length" {
            Selector::PayloadLength
        } else {
            let known: Vec<&str> = set.by_name.keys().map(String::as_str).collect();
            self.selector(&set.scope, selector, &known)?
        };
        Ok(Type::SubMessage {
            formats,
            variants,
            selector,
        })
    }

    /// A selector by name: one of the names in `beside`, an attribute of another set of these
    /// files, which may be an outer one, or a member of a struct; several of them; or code.
    pub(super) fn selector(
        &self,
        scope: &[usize],
        written: &Name,
        beside: &[&str],
    ) -> Result<Selector, Located> {
        let mut finders = Finder::ALL.iter();
        if let Some((_, finder)) = finders.find(|(name, _)| *name == written.value) {
            return Ok(Selector::Found(*finder));
        }
        let together = written.value.contains('/');
        let between = if together { '/' } else { '|' };
        let mut names = Vec::new();
        for name in written.value.split(between) {
            let member = |layout: &Struct| {
                let mut members = layout.members.iter();
                members.any(|member| member.field.name == name)
            };
            let known = beside.contains(&name)
                || self.symbols.has_field(scope, name)
                || self.model.structs.iter().any(member);
            if !known {
                let mut lost = written.clone();
                name.clone_into(&mut lost.value);
                return Err(unknown("selector", &lost, beside.iter().copied()));
            }
            names.push(name.to_owned());
        }
        if !together {
            return Ok(Selector::Fields(names));
        }
        if names.len() > MAX_TOGETHER {
            let reason = "so many fields do not select together";
            return Err(at(written, Reason::Misplaced(reason)));
        }
        Ok(Selector::Together(names))
    }
}

/// Most levels of a `nest-type-value`.
const MAX_LEVELS: usize = 8;

fn missing(attribute: &source::Attribute, key: &'static str) -> Located {
    at(
        &attribute.name,
        Reason::Missing {
            what: "attribute",
            name: attribute.name.value.clone(),
            key,
        },
    )
}
