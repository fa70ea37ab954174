//! From what is written to what it means: names found, numbers given, structs laid out.

mod fields;
mod layout;
mod operations;
mod summary;
mod symbols;

use std::collections::HashMap;

use super::error::{Located, Reason, SpecError, at, unknown};
use super::model::{self, Enum, EnumEntry, Format, FormatKey, Model, Set, SubMessage, Variant};
use super::source::{self, Scalar};
use symbols::Symbols;

/// The name of something in the UAPI header.
fn upper(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}

/// Lowers files that may import each other.
pub(super) fn lower(sources: &[(&str, source::File)]) -> Result<Model, SpecError> {
    let symbols = Symbols::of(sources)?;
    let mut model = Model::default();
    for (index, (name, file)) in sources.iter().enumerate() {
        let located = |error: Located| error.in_file(name);
        for definition in &file.definitions {
            if matches!(definition.kind.value.as_str(), "enum" | "flags") {
                let lowered = lower_enum(&file.name.value, definition).map_err(located)?;
                model.enums.push(lowered);
            }
        }
        let table = symbols.table(index);
        model.files.push(model::File {
            name: file.name.value.clone(),
            enums: sorted(table.enums.values().copied()),
            structs: sorted(table.structs.values().copied()),
            sets: sorted(table.sets.values().copied()),
            family: None,
        });
    }
    model.structs = layout::structs(sources, &symbols, &model)?;
    for (index, (name, file)) in sources.iter().enumerate() {
        for sub_message in &file.sub_messages {
            let lowered = lower_sub_message(&symbols, &model, index, sub_message)
                .map_err(|error| error.in_file(name))?;
            model.sub_messages.push(lowered);
        }
    }
    for layout in &mut model.structs {
        for member in &mut layout.members {
            let known = match &member.field.ty {
                model::Type::SubMessage { formats, .. } => model.sub_messages.get(*formats),
                _ => None,
            };
            let own = known.map(|of| fields::variants(of, &member.field));
            if let (model::Type::SubMessage { variants, .. }, Some(own)) =
                (&mut member.field.ty, own)
            {
                *variants = own;
            }
        }
    }
    model.sets = sets(sources, &symbols, &model)?;
    for (index, (name, file)) in sources.iter().enumerate() {
        summary::check_parts(&model, &symbols, index, file).map_err(|error| error.in_file(name))?;
        let family = operations::family(&symbols, &model, index, file)
            .map_err(|error| error.in_file(name))?;
        if let Some(lowered) = model.files.get_mut(index) {
            lowered.family = family;
        }
    }
    Ok(model)
}

fn sorted(indices: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut indices: Vec<usize> = indices.collect();
    indices.sort_unstable();
    indices
}

fn lower_enum(family: &str, definition: &source::Definition) -> Result<Enum, Located> {
    let name = &definition.name.value;
    let missing = |key| {
        at(
            &definition.name,
            Reason::Missing {
                what: "enum",
                name: name.clone(),
                key,
            },
        )
    };
    let prefix = match &definition.name_prefix {
        Some(prefix) => prefix.clone(),
        None => format!("{family}-{name}-"),
    };
    let flags = definition.kind.value == "flags";
    let mut next = match &definition.value_start {
        Some(Scalar::Number(start)) => *start,
        Some(Scalar::Word(_)) | None => 0,
    };
    let written = definition.entries.as_ref();
    let mut entries = Vec::new();
    for entry in written.ok_or_else(|| missing("entries"))? {
        let keys = &entry.value.0;
        match &keys.value {
            Some(Scalar::Number(value)) => next = *value,
            Some(Scalar::Word(_)) => {
                return Err(at(entry, Reason::Misplaced("an entry's value is a number")));
            }
            None => {}
        }
        let max = if flags { 63 } else { u64::MAX };
        // A negative one is looked up as the two's complement that a field of 64 bits
        // would hold.
        let value = match i64::try_from(next) {
            Ok(value) if value < 0 && !flags => Some(value.cast_unsigned()),
            _ => u64::try_from(next).ok().filter(|value| *value <= max),
        };
        let value = value.ok_or_else(|| {
            let what = if flags { "bit number" } else { "enum value" };
            let value = next;
            at(entry, Reason::Range { what, value, max })
        })?;
        let uapi = keys.c_name.clone();
        entries.push(EnumEntry {
            name: keys.name.clone(),
            uapi: uapi.unwrap_or_else(|| upper(&format!("{prefix}{}", keys.name))),
            value,
        });
        next = next.saturating_add(1);
    }
    entries.sort_by_key(|entry| entry.value);
    Ok(Enum {
        name: name.clone(),
        flags,
        entries,
    })
}

fn lower_sub_message(
    symbols: &Symbols<'_>,
    model: &Model,
    file: usize,
    written: &source::SubMessage,
) -> Result<SubMessage, Located> {
    let mut formats: Vec<Format> = Vec::new();
    let mut variants: Vec<Variant> = Vec::new();
    let mut seen: HashMap<String, u64> = HashMap::new();
    for format in &written.formats {
        let header = format.fixed_header.as_ref();
        let header = header
            .map(|name| symbols.layout(&[file], name))
            .transpose()?;
        let set = format.attribute_set.as_ref();
        let set = set.map(|name| symbols.set(&[file], name)).transpose()?;
        let one_value = one_value(symbols, model, file, &written.name.value, format)?;
        let place = &format.value;
        for value in &place.value.0 {
            let line = place.referenced.line();
            if let Some(first) = seen.insert(value.value.to_string(), line) {
                return Err(at(
                    place,
                    Reason::Duplicate {
                        what: "format",
                        name: value.value.to_string(),
                        first,
                    },
                ));
            }
            let when = match &value.value {
                Scalar::Word(word) if word == "default" => FormatKey::Default,
                Scalar::Word(word) if word == "absent" => FormatKey::Absent,
                Scalar::Word(word) => FormatKey::Name(word.clone()),
                Scalar::Number(number) => {
                    FormatKey::Number(u64::try_from(*number).map_err(|_| {
                        at(
                            place,
                            Reason::Range {
                                what: "selector value",
                                value: *number,
                                max: u64::MAX,
                            },
                        )
                    })?)
                }
            };
            match &one_value {
                Some(field) => variants.push(Variant {
                    when,
                    field: field.clone(),
                    len: format.len.as_ref().map(|len| len.value),
                }),
                None => formats.push(Format { when, header, set }),
            }
        }
    }
    Ok(SubMessage { formats, variants })
}

/// The field of a format that is one value.
fn one_value(
    symbols: &Symbols<'_>,
    model: &Model,
    file: usize,
    name: &str,
    format: &source::Format,
) -> Result<Option<model::Field>, Located> {
    let Some(attribute) = format.attribute(name) else {
        return Ok(None);
    };
    let complete = Complete {
        attributes: Vec::new(),
        by_name: HashMap::new(),
        prefix: String::new(),
        scope: vec![file],
    };
    let fields = fields::Fields { symbols, model };
    fields.attribute(&complete, &attribute, 0).map(Some)
}

/// A set with every attribute complete: those of a subset with what the superset says.
struct Complete {
    attributes: Vec<(source::Attribute, u16)>,
    by_name: HashMap<String, usize>,
    prefix: String,
    /// The files whose names its attributes use.
    scope: Vec<usize>,
}

/// Deepest subset of a subset of a subset.
const MAX_SUBSETS: usize = 8;

fn sets(
    sources: &[(&str, source::File)],
    symbols: &Symbols<'_>,
    model: &Model,
) -> Result<Vec<Set>, SpecError> {
    let written: Vec<(usize, &source::Set)> = sources
        .iter()
        .enumerate()
        .flat_map(|(file, (_, source))| source.attribute_sets.iter().map(move |set| (file, set)))
        .collect();
    let mut complete: Vec<Option<Complete>> = written.iter().map(|_| None).collect();
    // A set is complete before its subsets are looked at, so a mistake is told where it is.
    for round in 0..=MAX_SUBSETS {
        for (index, (file, set)) in written.iter().enumerate() {
            if complete.get(index).is_some_and(Option::is_some) {
                continue;
            }
            let located = |error: Located| error.in_file(sources.get(*file).map_or("", |s| s.0));
            let superset = set.subset_of.as_ref();
            let superset = superset.map(|name| symbols.set(&[*file], name));
            let superset = superset.transpose().map_err(located)?;
            let done = match superset {
                None => Some(numbered(symbols, *file, set).map_err(located)?),
                Some(of) => match complete.get(of).and_then(Option::as_ref) {
                    Some(of) => Some(subset(*file, set, of).map_err(located)?),
                    None => None,
                },
            };
            if done.is_none() && round == MAX_SUBSETS {
                let name = set.name.value.clone();
                let what = "subset";
                return Err(located(at(&set.name, Reason::Cyclic { what, name })));
            }
            if let Some(slot) = complete.get_mut(index) {
                *slot = done;
            }
        }
    }
    written
        .iter()
        .zip(complete.into_iter().flatten())
        .map(|((file, set), complete)| {
            let fields = fields::Fields { symbols, model };
            fields
                .attributes(&complete, set)
                .map_err(|error| error.in_file(sources.get(*file).map_or("", |s| s.0)))
        })
        .collect()
}

/// Gives the attributes of a set their numbers.
fn numbered(symbols: &Symbols<'_>, file: usize, set: &source::Set) -> Result<Complete, Located> {
    let family = symbols.file_name(file);
    let prefix = match &set.name_prefix {
        Some(prefix) => prefix.clone(),
        None if set.name.value == family => format!("{family}-a-"),
        None => format!("{family}-a-{}-", set.name.value),
    };
    let mut next = 1;
    let mut lines: HashMap<u16, u64> = HashMap::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    let mut attributes: Vec<(source::Attribute, u16)> = Vec::new();
    for attribute in &set.attributes {
        if let Some(value) = &attribute.value {
            next = value.value;
        }
        let number = u16::try_from(next).ok().filter(|number| *number < 1 << 14);
        let number = number.ok_or_else(|| {
            at(
                &attribute.name,
                Reason::Range {
                    what: "attribute number",
                    value: next.into(),
                    max: (1 << 14) - 1,
                },
            )
        })?;
        let line = attribute.name.referenced.line();
        let twice = |what, name: String, first| {
            at(&attribute.name, Reason::Duplicate { what, name, first })
        };
        if let Some(first) = lines.insert(number, line) {
            return Err(twice("attribute number", number.to_string(), first));
        }
        let name = &attribute.name.value;
        if let Some(first) = by_name.insert(name.clone(), attributes.len()) {
            let first = attributes
                .get(first)
                .map_or(0, |(first, _)| first.name.referenced.line());
            return Err(twice("attribute", name.clone(), first));
        }
        attributes.push((attribute.clone(), number));
        next += 1;
    }
    Ok(Complete {
        attributes,
        by_name,
        prefix,
        scope: vec![file],
    })
}

/// Completes the attributes of a subset.
fn subset(file: usize, set: &source::Set, of: &Complete) -> Result<Complete, Located> {
    let mut by_name: HashMap<String, usize> = HashMap::new();
    let mut attributes: Vec<(source::Attribute, u16)> = Vec::new();
    for attribute in &set.attributes {
        let name = &attribute.name;
        let inherited = of.by_name.get(&name.value);
        let inherited = inherited.and_then(|index| of.attributes.get(*index));
        let (inherited, number) = inherited
            .ok_or_else(|| unknown("attribute", name, of.by_name.keys().map(String::as_str)))?;
        // Named twice, as in a specification of the kernel, it is still one.
        if by_name
            .insert(name.value.clone(), attributes.len())
            .is_some()
        {
            continue;
        }
        attributes.push((attribute.over(inherited), *number));
    }
    let mut scope = vec![file];
    scope.extend(&of.scope);
    Ok(Complete {
        attributes,
        by_name,
        prefix: of.prefix.clone(),
        scope,
    })
}
