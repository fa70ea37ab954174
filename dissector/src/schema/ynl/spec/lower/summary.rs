//! The paths that the one-line form shows, and whether they lead anywhere.

use std::collections::HashSet;

use super::super::error::{Located, Reason, at, unknown};
use super::super::model::{Field, Message, Model, SummaryEntry, Type};
use super::super::source::{File, Name, Operations};
use super::symbols::Symbols;

/// Most entries of a summary, most ways to a value, most steps of a way.
const MAX: usize = 32;

/// The entries that a message shows: its own, or those of all messages.
pub(super) fn entries(
    own: Option<&[Name]>,
    of_all: Option<&[Name]>,
) -> Result<Vec<SummaryEntry>, Located> {
    let written = own.or(of_all).unwrap_or_default();
    if let Some(one_too_many) = written.get(MAX) {
        return Err(too_long(one_too_many));
    }
    written.iter().map(entry).collect()
}

fn entry(written: &Name) -> Result<SummaryEntry, Located> {
    let text = written.value.trim();
    let (label, paths) = text.rsplit_once(' ').unwrap_or(("", text));
    let paths: Vec<Vec<String>> = paths
        .split('|')
        .map(|path| path.split('.').map(str::to_owned).collect())
        .collect();
    if paths.len() > MAX || paths.iter().any(|path| path.len() > MAX) {
        return Err(too_long(written));
    }
    Ok(SummaryEntry {
        label: label.trim().to_owned(),
        joined: label.starts_with(['/', ':', '.', '-']),
        paths,
    })
}

fn too_long(written: &Name) -> Located {
    at(
        written,
        Reason::Misplaced("a summary has at most 32 entries, paths and steps"),
    )
}

/// Refuses paths that lead nowhere. Of a summary for all messages each keeps what leads
/// somewhere in it, and every path has to do so in one.
pub(super) fn check(
    model: &Model,
    operations: &Operations,
    messages: &mut [Message],
) -> Result<(), Located> {
    let mut used: HashSet<Vec<String>> = HashSet::new();
    for message in &mut *messages {
        let own = operations
            .list
            .iter()
            .find(|operation| operation.name.value == message.name)
            .and_then(|operation| operation.summary.as_ref());
        let roots = Place::of_message(message);
        for (index, entry) in message.summary.iter_mut().enumerate() {
            for path in &entry.paths {
                if let (Some(own), Err(known)) = (own, leads(model, &roots, path)) {
                    let written = own.get(index);
                    return Err(lost(written.unwrap_or(&own[0]), path, &known));
                }
            }
            entry
                .paths
                .retain(|path| leads(model, &roots, path).is_ok());
            if own.is_none() {
                used.extend(entry.paths.iter().cloned());
            }
        }
        message.summary.retain(|entry| !entry.paths.is_empty());
    }
    for written in operations.summary.iter().flatten() {
        for path in entry(written)?.paths {
            if !used.contains(&path) {
                return Err(lost(written, &path, &[]));
            }
        }
    }
    Ok(())
}

/// Refuses paths of sets and structs that lead nowhere.
pub(super) fn check_parts(
    model: &Model,
    symbols: &Symbols<'_>,
    file: usize,
    source: &File,
) -> Result<(), Located> {
    let structs = source.definitions.iter().filter_map(|definition| {
        let index = symbols.table(file).structs.get(&*definition.name.value)?;
        Some((Place::Struct(*index), definition.summary.as_ref()?))
    });
    let sets = source.attribute_sets.iter().filter_map(|set| {
        let index = symbols.table(file).sets.get(&*set.name.value)?;
        Some((Place::Set(*index), set.summary.as_ref()?))
    });
    for (place, written) in structs.chain(sets) {
        for written in written {
            for path in entry(written)?.paths {
                leads(model, &[place], &path).map_err(|known| lost(written, &path, &known))?;
            }
        }
    }
    Ok(())
}

fn lost(written: &Name, path: &[String], known: &[String]) -> Located {
    let mut name = written.clone();
    name.value = path.join(".");
    unknown("summary path", &name, known.iter().map(String::as_str))
}

/// Where the next name of a path is looked for.
#[derive(Clone, Copy)]
enum Place<'m> {
    Struct(usize),
    Set(usize),
    Levels(&'m [Field]),
}

impl Place<'_> {
    fn of_message(message: &Message) -> Vec<Self> {
        let header = message.header.map(Place::Struct);
        let set = message.attributes.map(Place::Set);
        header.into_iter().chain(set).collect()
    }
}

/// Whether a path leads somewhere; if not, the paths that would, as far as known.
fn leads(model: &Model, roots: &[Place<'_>], path: &[String]) -> Result<(), Vec<String>> {
    let mut places: Vec<Place<'_>> = roots.to_vec();
    for (step, name) in path.iter().enumerate() {
        let mut next = Next::default();
        let mut found = false;
        let mut known = Vec::new();
        for place in &places {
            for field in fields(model, *place) {
                if field.name == *name {
                    found = true;
                    next.below(model, field);
                }
                known.push(&field.name);
            }
        }
        if !found {
            let before = path.get(..step).unwrap_or_default().join(".");
            let whole = |name: &String| match step {
                0 => name.clone(),
                _ => format!("{before}.{name}"),
            };
            return Err(known.into_iter().map(whole).collect());
        }
        places = next.places;
    }
    Ok(())
}

/// The fields that can be named at a place; bit-fields without the integer around them.
fn fields<'m>(model: &'m Model, place: Place<'m>) -> Vec<&'m Field> {
    let mut fields: Vec<&Field> = match place {
        Place::Struct(index) => model.structs.get(index).map_or_else(Vec::new, |layout| {
            layout.members.iter().map(|member| &member.field).collect()
        }),
        Place::Set(index) => model
            .sets
            .get(index)
            .map_or_else(Vec::new, |set| set.attributes.iter().collect()),
        Place::Levels(levels) => levels.iter().collect(),
    };
    for at in 0..fields.len() {
        if let Some(Type::BitUnit { parts, .. }) = fields.get(at).map(|field| &field.ty) {
            fields.extend(parts);
        }
    }
    fields
}

/// Places without repetition.
#[derive(Default)]
struct Next<'m> {
    places: Vec<Place<'m>>,
    structs: HashSet<usize>,
    sets: HashSet<usize>,
}

impl<'m> Next<'m> {
    /// Adds what can be below a field. Indices are passed over.
    fn below(&mut self, model: &'m Model, field: &'m Field) {
        match &field.ty {
            Type::Struct(layout) => self.structure(Some(*layout)),
            Type::Array { element, .. } | Type::Indexed { element } => self.below(model, element),
            Type::Nest { header, set } => self.both(*header, Some(*set)),
            Type::Elements { set } => self.both(None, Some(*set)),
            Type::Custom { header, set, .. } => self.both(*header, *set),
            Type::NestTypeValue { levels, set } => {
                self.places.push(Place::Levels(levels));
                self.both(None, Some(*set));
            }
            Type::SubMessage {
                formats, variants, ..
            } => {
                let formats = model.sub_messages.get(*formats);
                for variant in variants {
                    self.below(model, &variant.field);
                }
                for format in formats.map_or(&[][..], |known| &known.formats) {
                    self.both(format.header, format.set);
                }
            }
            _ => {}
        }
    }

    fn both(&mut self, header: Option<usize>, set: Option<usize>) {
        self.structure(header);
        if let Some(set) = set
            && self.sets.insert(set)
        {
            self.places.push(Place::Set(set));
        }
    }

    fn structure(&mut self, layout: Option<usize>) {
        if let Some(layout) = layout
            && self.structs.insert(layout)
        {
            self.places.push(Place::Struct(layout));
        }
    }
}
