//! What the tables claim about C, as expressions and the values that they have to have.

use std::collections::{BTreeMap, HashSet};

use crate::spec::kinds::Hint;
use crate::spec::model::{self, Len, Model, Type};
use crate::spec::source::{self, Scalar};

/// What a claim is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Attribute,
    Entry,
    Message,
    Group,
    Struct,
    Offset,
    Length,
    Sign,
}

impl Kind {
    pub(crate) fn plural(self) -> &'static str {
        match self {
            Self::Attribute => "attributes",
            Self::Entry => "entries of enums",
            Self::Message => "messages",
            Self::Group => "multicast groups",
            Self::Struct => "structs",
            Self::Offset => "offsets of members",
            Self::Length => "lengths of members",
            Self::Sign => "signs of members",
        }
    }
}

/// A C expression and its value.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) kind: Kind,
    /// The set, enum or struct that says so.
    pub(crate) place: String,
    pub(crate) expression: String,
    /// `None`: it only has to exist.
    pub(crate) value: Option<u64>,
}

/// A table's claims.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// `None` where it does not say.
    pub(crate) headers: Option<Vec<String>>,
    pub(crate) claims: Vec<Claim>,
}

/// The claims of all tables.
pub(crate) fn of(sources: &[source::File], model: &Model) -> Vec<Table> {
    sources
        .iter()
        .zip(&model.files)
        .map(|(source, lowered)| Table {
            name: source.name.value.clone(),
            headers: source.uapi_header.as_ref().map(|list| {
                let headers = list.0.iter();
                headers.map(|header| header.value.to_string()).collect()
            }),
            claims: table(source, lowered, model),
        })
        .collect()
}

fn table(source: &source::File, lowered: &model::File, model: &Model) -> Vec<Claim> {
    let mut claims = Claims::default();
    let kind = |wanted: &'static [&'static str]| {
        let definitions = source.definitions.iter();
        definitions.filter(move |it| wanted.contains(&it.kind.value.as_str()))
    };
    for constant in kind(&["const"]) {
        if let (Some(name), Some(Scalar::Number(value))) = (&constant.c_name, &constant.value) {
            let value = u64::try_from(*value).expect("a constant of a table is not negative");
            claims.constant(Kind::Entry, "consts", name, value);
        }
    }
    for (definition, index) in kind(&["enum", "flags"]).zip(&lowered.enums) {
        let prefix = match (&definition.name_prefix, &lowered.family) {
            (Some(prefix), _) => Some(prefix.clone()),
            // That of YNL, which is for generic netlink.
            (None, Some(family)) if family.genl.is_some() => {
                Some(format!("{}-{}-", source.name.value, definition.name.value))
            }
            (None, _) => None,
        };
        claims.entries(definition, &model.enums[*index], prefix.as_deref());
    }
    for (definition, index) in kind(&["struct"]).zip(&lowered.structs) {
        claims.layout(definition, &model.structs[*index]);
    }
    for (written, index) in source.attribute_sets.iter().zip(&lowered.sets) {
        // Those of a subset are its superset's. An empty prefix: names of nobody's header.
        let named = written.name_prefix.as_deref() != Some("");
        if named && written.subset_of.is_none() {
            for field in &model.sets[*index].attributes {
                let number = field.number.into();
                claims.constant(Kind::Attribute, &written.name.value, &field.uapi, number);
            }
        }
    }
    if let Some(family) = &lowered.family {
        // Without a prefix they are of a protocol that has no names for them.
        let prefix = source
            .operations
            .iter()
            .find_map(|it| it.name_prefix.as_ref());
        let named = prefix.is_some() || family.genl.is_some();
        for message in family.messages.iter().filter(|_| named) {
            let place = format!("message {}", message.name);
            let number = message.number & own_part(family.protocol);
            claims.constant(Kind::Message, &place, &message.uapi, number.into());
        }
        let groups = source.mcast_groups.iter().flat_map(|groups| &groups.list);
        for (written, group) in groups.zip(&family.groups) {
            // Those of generic netlink have numbers that the kernel gives at run time.
            if let (Some(number), None) = (group.number, &family.genl) {
                let name = written.c_define_name.as_ref().unwrap_or(&group.name);
                claims.constant(Kind::Group, "groups", name, number.into());
            }
        }
    }
    claims.list
}

/// The part of a message's number that its constant has: in two protocols the rest says
/// which subsystem.
fn own_part(protocol: u16) -> u16 {
    const NETFILTER: u16 = 12;
    const RDMA: u16 = 20;
    match protocol {
        NETFILTER => 0xff,
        RDMA => 0x3ff,
        _ => u16::MAX,
    }
}

#[derive(Default)]
struct Claims {
    list: Vec<Claim>,
    seen: HashSet<(String, Option<u64>)>,
}

impl Claims {
    fn add(&mut self, kind: Kind, place: &str, expression: String, value: Option<u64>) {
        if self.seen.insert((expression.clone(), value)) {
            self.list.push(Claim {
                kind,
                place: place.to_owned(),
                expression,
                value,
            });
        }
    }

    fn constant(&mut self, kind: Kind, place: &str, name: &str, value: u64) {
        if !name.is_empty() {
            self.add(kind, place, name.to_owned(), Some(value));
        }
    }

    /// Entries are claimed where the table says how the UAPI calls them.
    fn entries(
        &mut self,
        written: &source::Definition,
        lowered: &model::Enum,
        prefix: Option<&str>,
    ) {
        if written.c_name.as_deref() == Some("") {
            return;
        }
        let values: BTreeMap<&str, u64> = lowered
            .entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.value))
            .collect();
        for entry in written.entries.iter().flatten() {
            let keys = &entry.value.0;
            let name = match (&keys.c_name, prefix) {
                (Some(name), _) => name.clone(),
                (None, Some(prefix)) => upper(&format!("{prefix}{}", keys.name)),
                (None, None) => continue,
            };
            let value = values[keys.name.as_str()];
            // The header has the mask of a flag; what it has the bit of is an enum.
            let value = if lowered.flags { 1 << value } else { value };
            if written.byte_order.is_some() && !name.is_empty() {
                let expression = format!("IN_HOST_ORDER({name})");
                self.add(Kind::Entry, &written.name.value, expression, Some(value));
            } else {
                self.constant(Kind::Entry, &written.name.value, &name, value);
            }
        }
    }

    fn layout(&mut self, written: &source::Definition, lowered: &model::Struct) {
        let name = written.c_name.clone();
        let name = name.unwrap_or_else(|| written.name.value.replace('-', "_"));
        if name.is_empty() {
            return;
        }
        let place = &written.name.value;
        let ty = if name.contains(' ') {
            name
        } else {
            format!("struct {name}")
        };
        let fixed = lowered
            .members
            .iter()
            .all(|member| matches!(member.len, Len::Bytes(_)));
        let size = fixed.then_some(lowered.size.into());
        self.add(Kind::Struct, place, format!("sizeof({ty})"), size);
        for member in &lowered.members {
            let c = &member.field.uapi;
            if c.is_empty() || matches!(member.field.ty, Type::Pad | Type::BitUnit { .. }) {
                continue;
            }
            let offset = Some(member.offset.into());
            let expression = format!("__builtin_offsetof({ty}, {c})");
            self.add(Kind::Offset, place, expression, offset);
            if let Len::Bytes(bytes) = member.len {
                let expression = format!("sizeof((({ty} *)0)->{c})");
                self.add(Kind::Length, place, expression, Some(bytes.into()));
            }
            // A `char` is text; an index is never negative and an errno always, whatever C says.
            let told = matches!(member.field.hint, Hint::Ifindex | Hint::Errno);
            if let (Type::Int { bytes: 2.., signed }, false) = (&member.field.ty, told) {
                let signed = u8::from(*signed);
                let expression = format!("IS_SIGNED((({ty} *)0)->{c})");
                self.add(Kind::Sign, place, expression, Some(signed.into()));
            }
        }
    }
}

fn upper(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}
