//! What may come next while a filter is typed.

use std::collections::HashSet;
use std::ops::Range;

use super::constant::{short_group, value};
use super::header::{self, HeadField};
use super::lex::{Spanned, Token, lex};
use super::resolve::{Child, Fields, Name, Resolver, children_of, family_children, named};
use super::shape::Shape;
use crate::schema::{Enum, Field, Schema, Type, base};
use crate::wire::{NLMSG_MIN_TYPE, protocol};

/// How many ways are offered at most.
const MOST: usize = 200;

/// One way to go on typing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What stands in place of the word being typed.
    pub text: String,
    /// What it is, in a few words: a type, a UAPI name.
    pub about: String,
}

/// The ways to complete `text` at byte `cursor`: which bytes they replace, and they.
/// What begins with the word being typed comes before what merely has it inside; at
/// most 200 are returned. Inside quotes there are none.
#[must_use]
pub fn complete(text: &str, cursor: usize, schema: &Schema) -> (Range<usize>, Vec<Completion>) {
    let mut cursor = cursor.min(text.len());
    while !text.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let (tokens, open_quote) = lex(&text[..cursor]);
    if open_quote.is_some() {
        return (cursor..cursor, Vec::new());
    }
    let (before, word) = match tokens.split_last() {
        Some((last, before)) if last.span.end == cursor && is_typed(last.token) => {
            (before, Some(last))
        }
        _ => (tokens.as_slice(), None),
    };
    let start = word.map_or(cursor, |word| word.span.start);
    let resolver = Resolver::new(schema);
    let mut offers = Offers {
        typed: &text[start..cursor],
        first: Vec::new(),
        second: Vec::new(),
        seen: HashSet::new(),
    };
    match place(before) {
        Place::Field => names(&resolver, &mut offers),
        Place::Operator(field) => operators(&resolver, field, &mut offers),
        Place::Value(field) => values(&resolver, field, &mut offers),
        Place::Words(words) => {
            for (word, about) in words {
                offers.add(word, *about);
            }
        }
    }
    (start..cursor, offers.end())
}

/// Whether a token may still become another one.
fn is_typed(token: Token<'_>) -> bool {
    match token {
        Token::Word(_) => true,
        Token::Symbol(symbol) => matches!(symbol, "=" | "!=" | "<" | ">" | "==" | "&" | "|"),
        Token::Quoted { .. } => false,
    }
}

/// What may stand after some tokens.
#[derive(Debug, Clone, Copy)]
enum Place<'t> {
    Field,
    /// An operator after a field, or a conjunction.
    Operator(&'t str),
    /// A value for a field.
    Value(&'t str),
    Words(&'static [(&'static str, &'static str)]),
}

const JOIN: &[(&str, &str)] = &[("&&", "and"), ("||", "or")];
const SET: &[(&str, &str)] = &[
    (",", "one more"),
    ("}", "end of the set"),
    ("..", "a range"),
];
const OPEN: &[(&str, &str)] = &[("{", "a set")];

fn place<'t>(tokens: &[Spanned<'t>]) -> Place<'t> {
    let mut place = Place::Field;
    let (mut field, mut in_set) = ("", false);
    for token in tokens {
        place = match (place, token.token) {
            (Place::Field, Token::Word("not")) => Place::Field,
            (Place::Field, Token::Word(word)) => {
                field = word;
                Place::Operator(word)
            }
            (Place::Value(_), Token::Word(_) | Token::Quoted { .. }) => {
                Place::Words(if in_set { SET } else { JOIN })
            }
            (_, Token::Word("and" | "or") | Token::Symbol("&&" | "||")) => {
                in_set = false;
                Place::Field
            }
            (Place::Operator(_), Token::Word("in")) => Place::Words(OPEN),
            (Place::Operator(_), Token::Word("not")) => Place::Operator(field),
            (_, Token::Symbol("{")) => {
                in_set = true;
                Place::Value(field)
            }
            (_, Token::Symbol("}")) => {
                in_set = false;
                Place::Words(JOIN)
            }
            (_, Token::Symbol(")")) => Place::Words(JOIN),
            (Place::Field, Token::Symbol(_)) => Place::Field,
            (Place::Operator(_), Token::Word(_)) | (_, Token::Symbol(_)) => Place::Value(field),
            (_, Token::Word(_) | Token::Quoted { .. }) => place,
        };
    }
    place
}

/// What is offered, without repetition.
struct Offers<'t> {
    typed: &'t str,
    /// What begins with what was typed.
    first: Vec<Completion>,
    /// What has it inside.
    second: Vec<Completion>,
    seen: HashSet<String>,
}

impl Offers<'_> {
    fn add(&mut self, text: &str, about: impl Into<String>) {
        let typed = folded(self.typed);
        let candidate = folded(text);
        let list = if candidate.starts_with(&typed) {
            &mut self.first
        } else {
            // Of a name with dots, the last part may be known by its inside.
            let (above, part) = typed.split_at(typed.rfind('.').map_or(0, |at| at + 1));
            let inside = candidate.strip_prefix(above);
            if part.is_empty() || !inside.is_some_and(|rest| rest.contains(part)) {
                return;
            }
            &mut self.second
        };
        if list.len() < MOST && self.seen.insert(text.to_owned()) {
            list.push(Completion {
                text: text.to_owned(),
                about: about.into(),
            });
        }
    }

    fn end(self) -> Vec<Completion> {
        let mut all = self.first;
        all.extend(self.second);
        all.truncate(MOST);
        all
    }
}

fn folded(text: &str) -> String {
    text.to_ascii_lowercase().replace('_', "-")
}

fn names(resolver: &Resolver<'_>, offers: &mut Offers<'_>) {
    let typed = offers.typed;
    if let Some((above, _)) = typed.rsplit_once('.') {
        if above == "flags" {
            for (name, _, uapi) in HeadField::flags() {
                offers.add(&format!("flags.{name}"), uapi);
            }
        }
        for child in below_path(resolver, above) {
            if is_offered(child) {
                offers.add(&format!("{above}.{}", child.field.name), about(child.field));
            }
        }
        return;
    }
    for (name, _, what) in header::NAMES {
        offers.add(name, *what);
    }
    for family in resolver.schema.families() {
        if !family.messages.is_empty() {
            let what = match (family.genl, base::protocol_entry(family.protocol)) {
                (Some(registered), _) => format!("generic netlink family {registered}"),
                (None, Some(entry)) => format!("family of {}", entry.uapi),
                (None, None) => "family".to_owned(),
            };
            offers.add(family.name, what);
        }
    }
    for (name, _, uapi) in HeadField::flags() {
        offers.add(&format!("flags.{name}"), uapi);
    }
    if typed.is_empty() {
        return;
    }
    for child in resolver.all() {
        if is_offered(*child) {
            offers.add(child.field.name, about(child.field));
        }
    }
    for child in resolver.all() {
        if child.field.uapi.starts_with(typed) && is_offered(*child) {
            offers.add(child.field.uapi, about(child.field));
        }
    }
}

/// What may stand after `above` and a dot.
fn below_path(resolver: &Resolver<'_>, above: &str) -> Vec<Child> {
    if above == base::EXT_ACK_NAME {
        return base::EXT_ACK.attributes.iter().map(named).collect();
    }
    match resolver.resolve(above) {
        Ok(Name::Family(family)) => family_children(family),
        Ok(Name::Fields(Fields { last, .. })) => children_of(&last),
        // A name of the headers may be one of an attribute too.
        Ok(Name::Head(_)) | Err(_) => Vec::new(),
    }
}

fn is_offered(child: Child) -> bool {
    !child.unnamed && !matches!(child.field.ty, Type::Pad | Type::Unused)
}

/// Type and UAPI name.
fn about(field: &'static Field) -> String {
    let kind = about_type(field);
    if field.uapi == field.name {
        kind
    } else {
        format!("{kind}, {}", field.uapi)
    }
}

fn about_type(field: &'static Field) -> String {
    match field.ty {
        Type::Int { bytes, signed } => {
            let letter = if signed { 's' } else { 'u' };
            format!("{letter}{}", u32::from(bytes) * 8)
        }
        Type::VarInt { signed: true } => "sint".to_owned(),
        Type::VarInt { signed: false } => "uint".to_owned(),
        Type::Bitfield32 => "bitfield32".to_owned(),
        Type::Flag => "flag".to_owned(),
        Type::String => "string".to_owned(),
        Type::Binary => match Shape::of(field) {
            Shape::Address => "address".to_owned(),
            Shape::Text => "text".to_owned(),
            _ => "binary".to_owned(),
        },
        Type::Struct(_) | Type::Members => "struct".to_owned(),
        Type::Array { .. } | Type::Indexed { .. } | Type::TypeValue { .. } => "array".to_owned(),
        Type::SubMessage {
            formats, variants, ..
        } if formats.is_empty() => variants
            .first()
            .map_or_else(|| "nest".to_owned(), |variant| about_type(&variant.field)),
        Type::Nest { .. } | Type::Elements { .. } | Type::SubMessage { .. } => "nest".to_owned(),
        Type::BitUnit { .. } | Type::Bits { .. } => "bits".to_owned(),
        Type::Pad => "pad".to_owned(),
        Type::Unused => "unused".to_owned(),
        Type::Custom { .. } => "custom".to_owned(),
    }
}

/// What the name of a field or header stands for may be compared with.
fn shapes(resolver: &Resolver<'_>, name: &str) -> Vec<Shape> {
    match resolver.resolve(name) {
        Ok(Name::Head(field)) => vec![field.shape()],
        Ok(Name::Fields(fields)) => fields.last.into_iter().map(Shape::of).collect(),
        Ok(Name::Family(_)) | Err(_) => Vec::new(),
    }
}

fn operators(resolver: &Resolver<'_>, field: &str, offers: &mut Offers<'_>) {
    let shapes = shapes(resolver, field);
    let any = |fits: fn(&Shape) -> bool| shapes.iter().any(fits);
    if any(|shape| !matches!(shape, Shape::Tree | Shape::Flag | Shape::Truth)) {
        offers.add("==", "is");
        offers.add("!=", "is there, and none is");
        offers.add("in", "is one of a set");
    }
    if any(Shape::is_ordered) {
        for (symbol, what) in [
            ("<", "is less than"),
            ("<=", "is at most"),
            (">", "is more than"),
            (">=", "is at least"),
        ] {
            offers.add(symbol, what);
        }
    }
    if any(Shape::is_flags) {
        offers.add("contains", "has all of the flags");
        offers.add("&", "has one of the flags");
    } else if any(Shape::is_text) {
        offers.add("contains", "has it inside");
        offers.add("matches", "regular expression, any case");
    }
    for (word, what) in JOIN {
        offers.add(word, *what);
    }
}

fn values(resolver: &Resolver<'_>, field: &str, offers: &mut Offers<'_>) {
    for shape in shapes(resolver, field) {
        match shape {
            Shape::Number {
                names: Some(names), ..
            } => entries(names.of, names.as_flags, offers),
            Shape::Number {
                hint: crate::schema::Hint::Errno,
                ..
            } => {
                for entry in base::errnos().entries {
                    offers.add(entry.uapi, entry.value.to_string());
                }
            }
            Shape::Notes(names) => entries(names, false, offers),
            Shape::MessageFlags => {
                for (name, _, uapi) in HeadField::flags() {
                    offers.add(name, uapi);
                }
            }
            Shape::Truth => {
                offers.add("true", "");
                offers.add("false", "");
            }
            Shape::Flag => offers.add("true", ""),
            Shape::Type => {
                for kind in 0..NLMSG_MIN_TYPE {
                    if let Some(name) = base::control_name(kind) {
                        offers.add(name, kind.to_string());
                    }
                }
                messages(resolver, false, offers);
                messages(resolver, true, offers);
            }
            Shape::Command => messages(resolver, true, offers),
            Shape::Group => groups(resolver, offers),
            Shape::Family => {
                for family in resolver.schema.families() {
                    if !family.messages.is_empty() {
                        offers.add(family.name, family.genl.unwrap_or_default());
                    }
                }
            }
            Shape::Number { names: None, .. }
            | Shape::Address
            | Shape::Bytes
            | Shape::Text
            | Shape::Tree
            | Shape::Time
            | Shape::Duration => {}
        }
    }
}

fn entries(names: &'static Enum, as_flags: bool, offers: &mut Offers<'_>) {
    for entry in names.entries {
        let number = value(entry, as_flags);
        let number = if as_flags {
            format!("{number:#x}")
        } else {
            number.to_string()
        };
        let about = if entry.uapi == entry.name {
            number
        } else {
            format!("{}, {number}", entry.uapi)
        };
        offers.add(entry.name, about);
    }
    // Who types the header's spelling gets the header's spelling.
    for entry in names.entries {
        if !offers.typed.is_empty() && entry.uapi.starts_with(offers.typed) {
            offers.add(entry.uapi, value(entry, as_flags).to_string());
        }
    }
}

fn messages(resolver: &Resolver<'_>, generic: bool, offers: &mut Offers<'_>) {
    for family in resolver.schema.families() {
        if (family.protocol == protocol::GENERIC) == generic {
            for message in family.messages {
                let about = format!("{}, {}", family.name, message.number);
                offers.add(message.uapi, about);
            }
        }
    }
}

fn groups(resolver: &Resolver<'_>, offers: &mut Offers<'_>) {
    let mut families = resolver.schema.families().to_vec();
    families.sort_by_key(|family| family.protocol);
    let groups = || families.iter().flat_map(|family| family.groups);
    for group in groups() {
        let number = group.number.map(|number| number.to_string());
        offers.add(group.name, number.unwrap_or_default());
    }
    if !offers.typed.is_empty() {
        for group in groups() {
            offers.add(&short_group(group.name).to_ascii_lowercase(), group.name);
        }
    }
}
