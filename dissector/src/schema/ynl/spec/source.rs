//! The YAML as it is written: one struct a mapping, every key that YNL has. Keys that
//! only matter to who generates code from a specification are accepted and forgotten.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Location, Spanned};

use super::error::{Reason, SpecError};

/// A name and where it stands.
pub(crate) type Name = Spanned<String>;

/// Longest text that is read. The largest specification of the kernel has 120 kB.
const MAX_BYTES: usize = 8 << 20;
/// Deepest nesting of YAML; a specification has about 12.
const MAX_DEPTH: usize = 32;

/// Reads a file.
pub(crate) fn parse(file: &str, text: &str) -> Result<File, SpecError> {
    let refused = |line, column, reason| SpecError {
        file: file.to_owned(),
        line,
        column,
        reason,
    };
    if text.len() > MAX_BYTES {
        return Err(refused(0, 0, Reason::TooLarge(MAX_BYTES)));
    }
    // The kernel's specifications use aliases for lists of names; what an alias may
    // bring in is bounded, so that a short text cannot become a long one.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_documents: 1,
            max_recorded_anchor_events: 100_000,
            max_recorded_anchor_bytes: MAX_BYTES,
            max_total_scalar_bytes: MAX_BYTES,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 200_000,
            max_replay_stack_depth: 4,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let error = error.without_snippet();
        let at = error.location().unwrap_or(Location::UNKNOWN);
        refused(at.line(), at.column(), Reason::Yaml(plain(error)))
    })
}

/// An error's text without its place, on one line and without control characters.
fn plain(error: &serde_saphyr::Error) -> String {
    let text = error.to_string();
    let text = text
        .rfind(" at line ")
        .and_then(|end| text.get(..end))
        .unwrap_or(&text);
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// A value that nothing here depends on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// A number or a word: a length or the constant that is one, a value or `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar {
    Number(i128),
    Word(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| {
            let number = match text.strip_prefix("0x") {
                Some(digits) => i128::from_str_radix(digits, 16),
                None => text.parse(),
            };
            number.map_or(Self::Word(text), Self::Number)
        })
    }
}

/// One value, or several in a list.
#[derive(Debug, Clone)]
pub(crate) struct OneOrMany(pub(crate) Vec<Spanned<Scalar>>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Values;
        impl<'de> Visitor<'de> for Values {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or a list of values")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(one(Scalar::Word(text.to_owned())))
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<OneOrMany, E> {
                Ok(one(Scalar::Number(number.into())))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<OneOrMany, E> {
                Ok(one(Scalar::Number(number.into())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                Ok(OneOrMany(values))
            }
        }
        deserializer.deserialize_any(Values)
    }
}

fn one(value: Scalar) -> OneOrMany {
    OneOrMany(vec![Spanned::new(
        value,
        Location::UNKNOWN,
        Location::UNKNOWN,
    )])
}

/// An entry of an enum: a name alone, or a mapping.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct EntryKeys {
    pub(crate) name: String,
    pub(crate) value: Option<Scalar>,
    pub(crate) c_name: Option<String>,
    #[serde(default, rename = "doc")]
    _doc: Ignored,
}

/// An entry of an enum, written either way.
#[derive(Debug, Clone)]
pub(crate) struct Entry(pub(crate) EntryKeys);

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or a mapping with a name")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Entry, E> {
                Ok(Entry(EntryKeys {
                    name: name.to_owned(),
                    value: None,
                    c_name: None,
                    _doc: Ignored,
                }))
            }

            // Names that YAML takes for something else.
            fn visit_bool<E: de::Error>(self, name: bool) -> Result<Entry, E> {
                self.visit_str(if name { "true" } else { "false" })
            }

            fn visit_u64<E: de::Error>(self, name: u64) -> Result<Entry, E> {
                self.visit_str(&name.to_string())
            }

            fn visit_unit<E: de::Error>(self) -> Result<Entry, E> {
                self.visit_str("null")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
                EntryKeys::deserialize(de::value::MapAccessDeserializer::new(map)).map(Entry)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A specification.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) name: Name,
    pub(crate) protocol: Option<Name>,
    pub(crate) protonum: Option<Spanned<u16>>,
    pub(crate) genl_family: Option<String>,
    #[serde(default)]
    pub(crate) import: Vec<Name>,
    #[serde(default)]
    pub(crate) definitions: Vec<Definition>,
    #[serde(default)]
    pub(crate) attribute_sets: Vec<Set>,
    #[serde(default)]
    pub(crate) sub_messages: Vec<SubMessage>,
    pub(crate) operations: Option<Operations>,
    pub(crate) mcast_groups: Option<Groups>,
    /// The C headers that declare what is here, relative to the folder for includes; those
    /// that only the kernel has, relative to its source tree. An empty list: none does.
    #[allow(dead_code, reason = "for the proof in tests/headers.rs")]
    pub(crate) uapi_header: Option<OneOrMany>,
    #[serde(default, rename = "doc")]
    _doc: Ignored,
    #[serde(default, rename = "version")]
    _version: Ignored,
    #[serde(default, rename = "c-family-name")]
    _c_family_name: Ignored,
    #[serde(default, rename = "c-version-name")]
    _c_version_name: Ignored,
    #[serde(default, rename = "max-by-define")]
    _max_by_define: Ignored,
    #[serde(default, rename = "cmd-max-name")]
    _cmd_max_name: Ignored,
    #[serde(default, rename = "cmd-cnt-name")]
    _cmd_cnt_name: Ignored,
    #[serde(default, rename = "kernel-policy")]
    _kernel_policy: Ignored,
    #[serde(default, rename = "kernel-family")]
    _kernel_family: Ignored,
}

/// A constant, enum, set of flags or struct.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Definition {
    pub(crate) name: Name,
    #[serde(rename = "type")]
    pub(crate) kind: Name,
    pub(crate) name_prefix: Option<String>,
    pub(crate) value: Option<Scalar>,
    pub(crate) value_start: Option<Scalar>,
    pub(crate) entries: Option<Vec<Spanned<Entry>>>,
    pub(crate) members: Option<Vec<Member>>,
    #[serde(default)]
    pub(crate) packed: bool,
    /// Of an enum: the headers have its values in network order.
    #[allow(dead_code, reason = "for the proof in tests/headers.rs")]
    pub(crate) byte_order: Option<Name>,
    #[serde(default)]
    pub(crate) may_end: bool,
    #[serde(default)]
    pub(crate) lowest_bit_first: bool,
    pub(crate) summary: Option<Vec<Name>>,
    /// Of a struct: its tag in C, or its type where that is two words. Empty: no header has it.
    #[allow(dead_code, reason = "for the proof in tests/headers.rs")]
    pub(crate) c_name: Option<String>,
    #[serde(default, rename = "doc")]
    _doc: Ignored,
    #[serde(default, rename = "header")]
    _header: Ignored,
    #[serde(default, rename = "scope")]
    _scope: Ignored,
    #[serde(default, rename = "enum-name")]
    _enum_name: Ignored,
    #[serde(default, rename = "enum-cnt-name")]
    _enum_cnt_name: Ignored,
    #[serde(default, rename = "render-max")]
    _render_max: Ignored,
}

/// A member of a struct.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a key of the vocabulary"
)]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Member {
    pub(crate) name: Name,
    #[serde(rename = "type")]
    pub(crate) kind: Name,
    pub(crate) c_name: Option<String>,
    pub(crate) len: Option<Spanned<Scalar>>,
    pub(crate) count: Option<Spanned<Scalar>>,
    pub(crate) bits: Option<Spanned<u8>>,
    pub(crate) when_order: Option<Name>,
    pub(crate) byte_order: Option<Name>,
    #[serde(rename = "enum")]
    pub(crate) names: Option<Name>,
    #[serde(default)]
    pub(crate) enum_as_flags: bool,
    pub(crate) display_enum: Option<Name>,
    #[serde(default)]
    pub(crate) display_enum_as_flags: bool,
    pub(crate) display_hint: Option<Name>,
    #[serde(rename = "struct")]
    pub(crate) layout: Option<Name>,
    #[serde(default)]
    pub(crate) array_of_struct: bool,
    pub(crate) index_enum: Option<Name>,
    #[serde(default)]
    pub(crate) index_start: u64,
    pub(crate) sub_message: Option<Name>,
    pub(crate) selector: Option<Name>,
    pub(crate) nested_attributes: Option<Name>,
    pub(crate) decoder: Option<Name>,
    #[serde(default)]
    pub(crate) secret: bool,
    #[serde(default, rename = "doc")]
    _doc: Ignored,
}

/// An attribute set.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Set {
    pub(crate) name: Name,
    pub(crate) name_prefix: Option<String>,
    pub(crate) subset_of: Option<Name>,
    pub(crate) attributes: Vec<Attribute>,
    #[serde(default)]
    pub(crate) any_number: bool,
    #[serde(default)]
    pub(crate) own_flags: u16,
    pub(crate) summary: Option<Vec<Name>>,
    #[serde(default, rename = "doc")]
    _doc: Ignored,
    #[serde(default, rename = "enum-name")]
    _enum_name: Ignored,
    #[serde(default, rename = "attr-cnt-name")]
    _attr_cnt_name: Ignored,
    #[serde(default, rename = "attr-max-name")]
    _attr_max_name: Ignored,
    #[serde(default, rename = "header")]
    _header: Ignored,
}

/// An attribute. In a subset a key that is absent is the superset's.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Attribute {
    pub(crate) name: Name,
    #[serde(rename = "type")]
    pub(crate) kind: Option<Name>,
    pub(crate) value: Option<Spanned<u64>>,
    pub(crate) name_prefix: Option<String>,
    pub(crate) c_name: Option<String>,
    pub(crate) sub_type: Option<Name>,
    pub(crate) type_value: Option<Vec<String>>,
    pub(crate) byte_order: Option<Name>,
    pub(crate) multi_attr: Option<bool>,
    pub(crate) nested_attributes: Option<Name>,
    #[serde(rename = "enum")]
    pub(crate) names: Option<Name>,
    pub(crate) enum_as_flags: Option<bool>,
    pub(crate) display_enum: Option<Name>,
    pub(crate) display_enum_as_flags: Option<bool>,
    pub(crate) display_hint: Option<Name>,
    #[serde(rename = "struct")]
    pub(crate) layout: Option<Name>,
    pub(crate) array_of_struct: Option<bool>,
    pub(crate) index_enum: Option<Name>,
    pub(crate) index_start: Option<u64>,
    pub(crate) fixed_header: Option<Name>,
    pub(crate) sub_message: Option<Name>,
    pub(crate) selector: Option<Name>,
    pub(crate) decoder: Option<Name>,
    pub(crate) secret: Option<bool>,
    #[serde(default, rename = "doc")]
    _doc: Ignored,
    #[serde(default, rename = "checks")]
    _checks: Ignored,
    #[serde(default, rename = "len")]
    _len: Ignored,
}

impl Attribute {
    /// One of which only the name is said.
    fn bare(name: Name) -> Self {
        Self {
            name,
            kind: None,
            value: None,
            name_prefix: None,
            c_name: None,
            sub_type: None,
            type_value: None,
            byte_order: None,
            multi_attr: None,
            nested_attributes: None,
            names: None,
            enum_as_flags: None,
            display_enum: None,
            display_enum_as_flags: None,
            display_hint: None,
            layout: None,
            array_of_struct: None,
            index_enum: None,
            index_start: None,
            fixed_header: None,
            sub_message: None,
            selector: None,
            decoder: None,
            secret: None,
            _doc: Ignored,
            _checks: Ignored,
            _len: Ignored,
        }
    }

    /// This attribute of a subset with what it does not say taken from the superset's.
    pub(crate) fn over(&self, of: &Self) -> Self {
        let name = |own: &Option<Name>, of: &Option<Name>| own.clone().or_else(|| of.clone());
        Self {
            name: self.name.clone(),
            kind: name(&self.kind, &of.kind),
            value: self.value.clone().or_else(|| of.value.clone()),
            name_prefix: self.name_prefix.clone().or_else(|| of.name_prefix.clone()),
            c_name: self.c_name.clone().or_else(|| of.c_name.clone()),
            sub_type: name(&self.sub_type, &of.sub_type),
            type_value: self.type_value.clone().or_else(|| of.type_value.clone()),
            byte_order: name(&self.byte_order, &of.byte_order),
            multi_attr: self.multi_attr.or(of.multi_attr),
            nested_attributes: name(&self.nested_attributes, &of.nested_attributes),
            names: name(&self.names, &of.names),
            enum_as_flags: self.enum_as_flags.or(of.enum_as_flags),
            display_enum: name(&self.display_enum, &of.display_enum),
            display_enum_as_flags: self.display_enum_as_flags.or(of.display_enum_as_flags),
            display_hint: name(&self.display_hint, &of.display_hint),
            layout: name(&self.layout, &of.layout),
            array_of_struct: self.array_of_struct.or(of.array_of_struct),
            index_enum: name(&self.index_enum, &of.index_enum),
            index_start: self.index_start.or(of.index_start),
            fixed_header: name(&self.fixed_header, &of.fixed_header),
            sub_message: name(&self.sub_message, &of.sub_message),
            selector: name(&self.selector, &of.selector),
            decoder: name(&self.decoder, &of.decoder),
            secret: self.secret.or(of.secret),
            _doc: Ignored,
            _checks: Ignored,
            _len: Ignored,
        }
    }
}

/// What the payload of a sub-message attribute may be.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SubMessage {
    pub(crate) name: Name,
    pub(crate) formats: Vec<Format>,
    #[serde(default, rename = "doc")]
    _doc: Ignored,
}

/// One of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Format {
    pub(crate) value: Spanned<OneOrMany>,
    pub(crate) fixed_header: Option<Name>,
    pub(crate) attribute_set: Option<Name>,
    /// The payload is one value: this and the keys below are those of an attribute.
    #[serde(rename = "type")]
    pub(crate) kind: Option<Name>,
    pub(crate) len: Option<Spanned<u32>>,
    pub(crate) sub_type: Option<Name>,
    pub(crate) byte_order: Option<Name>,
    #[serde(rename = "enum")]
    pub(crate) names: Option<Name>,
    pub(crate) enum_as_flags: Option<bool>,
    pub(crate) display_enum: Option<Name>,
    pub(crate) display_enum_as_flags: Option<bool>,
    pub(crate) display_hint: Option<Name>,
    #[serde(rename = "struct")]
    pub(crate) layout: Option<Name>,
    pub(crate) array_of_struct: Option<bool>,
    pub(crate) nested_attributes: Option<Name>,
    pub(crate) decoder: Option<Name>,
    pub(crate) secret: Option<bool>,
    #[serde(default, rename = "doc")]
    _doc: Ignored,
}

impl Format {
    /// The attribute called `name` that this format makes of a payload, if it is one value.
    pub(crate) fn attribute(&self, name: &str) -> Option<Attribute> {
        let kind = self.kind.clone()?;
        let name = Spanned::new(name.to_owned(), kind.referenced, kind.defined);
        Some(Attribute {
            kind: Some(kind),
            sub_type: self.sub_type.clone(),
            byte_order: self.byte_order.clone(),
            names: self.names.clone(),
            enum_as_flags: self.enum_as_flags,
            display_enum: self.display_enum.clone(),
            display_enum_as_flags: self.display_enum_as_flags,
            display_hint: self.display_hint.clone(),
            layout: self.layout.clone(),
            array_of_struct: self.array_of_struct,
            nested_attributes: self.nested_attributes.clone(),
            decoder: self.decoder.clone(),
            secret: self.secret,
            ..Attribute::bare(name)
        })
    }
}

/// The messages.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Operations {
    pub(crate) enum_model: Option<Name>,
    pub(crate) name_prefix: Option<String>,
    pub(crate) async_prefix: Option<String>,
    pub(crate) fixed_header: Option<Name>,
    pub(crate) summary: Option<Vec<Name>>,
    #[serde(default)]
    pub(crate) list: Vec<Operation>,
    #[serde(default, rename = "enum-name")]
    _enum_name: Ignored,
    #[serde(default, rename = "async-enum")]
    _async_enum: Ignored,
    #[serde(default, rename = "doc")]
    _doc: Ignored,
}

/// A message, or a request and its answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Operation {
    pub(crate) name: Name,
    pub(crate) value: Option<Spanned<u64>>,
    pub(crate) c_name: Option<String>,
    pub(crate) attribute_set: Option<Name>,
    pub(crate) fixed_header: Option<Name>,
    #[serde(rename = "do")]
    pub(crate) does: Option<Exchange>,
    pub(crate) dump: Option<Exchange>,
    pub(crate) notify: Option<Name>,
    pub(crate) event: Option<Ignored>,
    pub(crate) mcgrp: Option<Name>,
    #[serde(default)]
    pub(crate) groups: Vec<GroupRule>,
    #[serde(default)]
    pub(crate) when_family: Vec<u8>,
    pub(crate) flags_as: Option<Name>,
    #[serde(default)]
    pub(crate) echoes_request: bool,
    #[serde(default)]
    pub(crate) bare_dump: bool,
    pub(crate) summary: Option<Vec<Name>>,
    #[serde(default, rename = "doc")]
    _doc: Ignored,
    #[serde(default, rename = "flags")]
    _flags: Ignored,
    #[serde(default, rename = "dont-validate")]
    _dont_validate: Ignored,
    #[serde(default, rename = "config-cond")]
    _config_cond: Ignored,
}

/// A request and its reply.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Exchange {
    pub(crate) request: Option<Half>,
    pub(crate) reply: Option<Half>,
    #[serde(default, rename = "pre")]
    _pre: Ignored,
    #[serde(default, rename = "post")]
    _post: Ignored,
}

/// One of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Half {
    pub(crate) value: Option<Spanned<u64>>,
    #[serde(default, rename = "attributes")]
    _attributes: Ignored,
}

/// A multicast group that a notification goes to, and when.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct GroupRule {
    pub(crate) group: Name,
    #[serde(default)]
    pub(crate) family: Vec<u8>,
    pub(crate) flags: Option<u16>,
    pub(crate) first_attribute: Option<FirstAttribute>,
}

/// The attribute that a notification begins with.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct FirstAttribute {
    pub(crate) name: Name,
    pub(crate) value: u64,
}

/// The multicast groups.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Groups {
    pub(crate) list: Vec<Group>,
}

/// A multicast group.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) name: Name,
    pub(crate) value: Option<u32>,
    /// Empty: no header has its number.
    #[allow(dead_code, reason = "for the proof in tests/headers.rs")]
    pub(crate) c_define_name: Option<String>,
    #[serde(default, rename = "doc")]
    _doc: Ignored,
    #[serde(default, rename = "flags")]
    _flags: Ignored,
}
