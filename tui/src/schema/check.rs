//! `nlscope schema check`: what the kernel's specifications have and our tables lack or
//! contradict.
//!
//! A specification and a table are walked side by side, from their messages on, so that sets
//! and structs need not be called the same: what they say of a place is compared, not how it
//! is written. That our table knows more of a place than its specification is no difference.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use nlscope_dissector::schema::{
    AttributeSet, Direction, Enum, EnumEntry, Family, Field, Format, FormatKey, Hint, Message,
    Schema, Struct, Type, ynl,
};

use super::list::{self, Reached};
use crate::{Status, cli};

/// Why we differ where we do.
const REASONS: &str = include_str!("differences.tsv");

/// Compares the tables with a folder of specifications and prints each difference that has
/// no reason, and each reason that is none any more.
///
/// # Errors
///
/// A specification, a table or the reasons cannot be read, or the list not be written.
pub(crate) fn run(
    folder: &Path,
    tables: &[PathBuf],
    reasons: Option<&Path>,
) -> anyhow::Result<Status> {
    let ours = cli::schema(tables)?;
    let text = match reasons {
        Some(path) => fs::read_to_string(path).with_context(|| path.display().to_string())?,
        None => REASONS.to_owned(),
    };
    let mut reasons = parse(&text)?;
    let mut out = String::new();
    let mut excused = 0;
    let mut checked = HashSet::new();
    for (name, text) in cli::specifications(folder)? {
        let spec = ynl::load(&text, &name)?;
        checked.insert(spec.name);
        for (place, said) in Comparison::of(spec, &ours).found {
            let [spec_says, we_say] = said;
            match reasons.get_mut(&(spec.name.to_owned(), place.clone())) {
                Some(applies) => {
                    *applies = true;
                    excused += 1;
                }
                None => {
                    // Writing to a string does not fail.
                    let _ = writeln!(out, "{}\t{place}\t{spec_says}\t{we_say}", spec.name);
                }
            }
        }
    }
    if checked.is_empty() {
        bail!("{}: no specifications", folder.display());
    }
    for ((family, place), applies) in &reasons {
        if !applies && checked.contains(family.as_str()) {
            let _ = writeln!(out, "{family}\t{place}\tno difference\ta reason");
        }
    }
    let open = out.lines().count();
    list::print(&out)?;
    eprintln!("{open} differences, {excused} with a reason");
    Ok(if open == 0 {
        Status::Well
    } else {
        Status::Differs
    })
}

/// The places where we differ from a specification on purpose.
///
/// # Errors
///
/// The reasons cannot be read.
pub(super) fn excused(family: &str) -> anyhow::Result<HashSet<String>> {
    let reasons = parse(REASONS)?.into_keys();
    Ok(reasons
        .filter(|(it, _)| it == family)
        .map(|(_, place)| place)
        .collect())
}

/// Family, place and reason a line; whether a difference is there is found later.
fn parse(text: &str) -> anyhow::Result<BTreeMap<(String, String), bool>> {
    let mut reasons = BTreeMap::new();
    for (nth, line) in text.lines().enumerate().skip(1) {
        let [family, place, reason] = line.split('\t').collect::<Vec<_>>()[..] else {
            bail!("reasons, line {}: not family, place and reason", nth + 1);
        };
        if reason.is_empty() {
            bail!("reasons, line {}: no reason", nth + 1);
        }
        let key = (family.to_owned(), place.to_owned());
        if reasons.insert(key, false).is_some() {
            bail!("reasons, line {}: {place} is there twice", nth + 1);
        }
    }
    Ok(reasons)
}

/// A specification beside our tables.
struct Comparison<'a> {
    ours: &'a Schema,
    /// Pairs that were compared, and what of the specification was met.
    met: HashSet<[*const (); 2]>,
    /// Place, and what each says of it.
    found: BTreeMap<String, [String; 2]>,
}

const NOTHING: &str = "nothing";

impl<'a> Comparison<'a> {
    fn of(spec: &'static Family, ours: &'a Schema) -> Self {
        let mut comparison = Self {
            ours,
            met: HashSet::new(),
            found: BTreeMap::new(),
        };
        comparison.family(spec);
        comparison
    }

    fn differ(&mut self, place: String, spec: impl Into<String>, ours: impl Into<String>) {
        self.found.insert(place, [spec.into(), ours.into()]);
    }

    /// Whether the pair is new.
    fn meet<T>(&mut self, spec: &'static T, ours: Option<&'static T>) -> bool {
        let spec = std::ptr::from_ref(spec).cast();
        let ours = ours.map_or(std::ptr::null(), |it| std::ptr::from_ref(it).cast());
        self.met.insert([spec, ours])
    }

    /// Whether a part of the specification was met.
    fn has_met<T>(&self, spec: &'static T) -> bool {
        let spec = std::ptr::from_ref(spec).cast();
        self.met.iter().any(|pair| pair[0] == spec)
    }

    fn family(&mut self, spec: &'static Family) {
        let mut table = match spec.genl {
            Some(registered) => self.ours.genl_family(registered),
            None => self.ours.family(spec.name),
        };
        if spec.genl.is_some() && table.is_none() {
            self.differ("family".to_owned(), "there is one", NOTHING);
            return;
        }
        let mut others: Vec<(usize, &'static Family)> = Vec::new();
        for message in spec.messages {
            let ours = self.counterpart(spec, table, message);
            if let Some((family, _)) = ours {
                match others.iter_mut().find(|(_, it)| std::ptr::eq(*it, family)) {
                    Some((met, _)) => *met += 1,
                    None => others.push((1, family)),
                }
            }
            self.message(message, ours.map(|(_, message)| message));
        }
        // One of another name is the one with most of the messages.
        let most = others.into_iter().max_by_key(|(met, _)| *met);
        table = table.or(most.map(|(_, family)| family));
        for group in spec.groups {
            let named = |family: &'static Family| {
                let mut groups = family.groups.iter();
                groups.find(|it| it.name == group.name)
            };
            let place = format!("group {}", group.name);
            let mut families = table
                .into_iter()
                .chain(self.ours.families().iter().copied());
            match families.find_map(named) {
                None => self.differ(place, "there is one", NOTHING),
                Some(it) if group.number.is_some() && it.number != group.number => {
                    let number = |it: Option<u32>| it.map_or(NOTHING.into(), |it| it.to_string());
                    self.differ(place, number(group.number), number(it.number));
                }
                Some(_) => {}
            }
        }
        let families = self.ours.families().iter().copied();
        let families: Vec<_> = table
            .into_iter()
            .chain(families)
            .map(Reached::from)
            .collect();
        self.rest(spec, &families);
    }

    /// What no message of the specification leads to is found by its name, in the family's
    /// own table first.
    fn rest(&mut self, spec: &'static Family, tables: &[Reached]) {
        for &set in spec.sets {
            if !self.has_met(set) {
                // The names of sets are each table's own.
                let mut ours = tables.iter().take(1).flat_map(|it| &it.sets);
                self.set(set, ours.find(|it| it.name == set.name).copied());
            }
        }
        for &layout in spec.structs {
            if !self.has_met(layout) {
                let mut ours = tables.iter().flat_map(|it| &it.structs);
                self.structure(layout, ours.find(|it| it.name == layout.name).copied());
            }
        }
        for &names in spec.enums {
            if !self.has_met(names) && !names.entries.is_empty() {
                let mut ours = tables.iter().flat_map(|it| &it.enums);
                self.names(names, ours.find(|it| it.name == names.name).copied());
            }
        }
    }

    /// Our meaning of a message's number.
    fn counterpart(
        &self,
        spec: &'static Family,
        table: Option<&'static Family>,
        message: &Message,
    ) -> Option<(&'static Family, &'static Message)> {
        let fits = |ours: &Message| {
            let both = message.direction.is_none() || ours.direction.is_none();
            ours.number == message.number && (both || ours.direction == message.direction)
        };
        if spec.genl.is_some() {
            let table = table?;
            let mut messages = table.messages.iter();
            return messages.find(|it| fits(it)).map(|it| (table, it));
        }
        let meanings = self.ours.meanings(spec.protocol, message.number);
        let mut fitting: Vec<_> = meanings.iter().filter(|it| fits(it.message)).collect();
        // A table may tell apart by address family what a specification does not.
        fitting.sort_by_key(|it| {
            let same = table.is_some_and(|table| table.name == it.family.name);
            (!same, !it.message.when_family.is_empty())
        });
        fitting.first().map(|it| (it.family, it.message))
    }

    fn message(&mut self, spec: &'static Message, ours: Option<&'static Message>) {
        let way = match spec.direction {
            Some(Direction::ToKernel) => " request",
            Some(Direction::FromKernel) => " answer",
            None => "",
        };
        let place = format!("operation {}{way}", spec.name);
        let Some(ours) = ours else {
            self.differ(place, format!("number {}", spec.number), NOTHING);
            return;
        };
        // An answer has the name of its request in a specification.
        let asked = spec.direction != Some(Direction::FromKernel);
        if asked && spec.name != ours.name && spec.uapi != ours.uapi {
            self.differ(format!("{place} name"), spec.name, ours.name);
        }
        match (spec.header, ours.header) {
            (Some(header), None) => self.differ(format!("{place} header"), header.name, NOTHING),
            (Some(header), Some(it)) => self.structure(header, Some(it)),
            (None, _) => {}
        }
        match (spec.attributes, ours.attributes) {
            (Some(set), None) => self.differ(format!("{place} attributes"), set.name, NOTHING),
            (Some(set), Some(it)) => self.set(set, Some(it)),
            (None, _) => {}
        }
    }

    fn set(&mut self, spec: &'static AttributeSet, ours: Option<&'static AttributeSet>) {
        if !self.meet(spec, ours) {
            return;
        }
        let place = format!("set {}", both(spec.name, ours.map(|it| it.name)));
        let Some(ours) = ours else {
            self.differ(place, "there is one", NOTHING);
            return;
        };
        for field in spec.attributes.iter() {
            let place = format!("{place} {}", field.name);
            if matches!(field.ty, Type::Pad | Type::Unused) {
                continue;
            }
            match ours.attribute(field.number) {
                None => {
                    let elsewhere = ours.attributes.iter().find(|it| it.name == field.name);
                    let we_say = elsewhere.map_or(NOTHING.into(), |it| it.number.to_string());
                    self.differ(place, format!("number {}", field.number), we_say);
                }
                Some(it) => self.field(&place, field, it),
            }
        }
    }

    /// One place: an attribute, a member, an element.
    fn field(&mut self, place: &str, spec: &'static Field, ours: &'static Field) {
        if matches!(spec.ty, Type::Pad | Type::Unused) {
            return;
        }
        if spec.name != ours.name {
            // It is something else: what it is made of does not matter.
            self.differ(format!("{place} name"), spec.name, ours.name);
            return;
        }
        if !fits(&spec.ty, &ours.ty) {
            self.differ(format!("{place} type"), list::kind(spec), list::kind(ours));
            return;
        }
        if matches!(ours.ty, Type::SubMessage { .. }) && !matches!(spec.ty, Type::SubMessage { .. })
        {
            return;
        }
        let ordered = matches!(spec.ty, Type::Int { bytes, .. } if bytes > 1);
        if ordered && spec.order != ours.order {
            let order = |it: &Field| format!("{:?}", it.order).to_lowercase();
            self.differ(format!("{place} byte order"), order(spec), order(ours));
        }
        if spec.multi && !ours.multi {
            self.differ(format!("{place} several"), "several", "one");
        }
        if spec.hint != Hint::None && ours.hint == Hint::None && ours.names.is_none() {
            let plain = matches!(ours.ty, Type::Int { .. } | Type::Binary | Type::String);
            if plain {
                self.differ(format!("{place} hint"), list::kind(spec), list::kind(ours));
            }
        }
        match (spec.names, ours.names) {
            (Some(names), None) => self.differ(format!("{place} enum"), names.of.name, NOTHING),
            (Some(names), Some(it)) => {
                if names.as_flags != it.as_flags {
                    let what = |flags| if flags { "flags" } else { "values" };
                    let place = format!("{place} enum");
                    self.differ(place, what(names.as_flags), what(it.as_flags));
                } else if !it.in_json {
                    self.differ(format!("{place} enum"), names.of.name, "a number in JSON");
                }
                self.names(names.of, Some(it.of));
            }
            (None, _) => {}
        }
        self.content(place, spec, ours);
    }

    /// What a field is made of.
    fn content(&mut self, place: &str, spec: &'static Field, ours: &'static Field) {
        match (&spec.ty, &ours.ty) {
            (Type::Struct(spec), Type::Struct(ours)) => self.structure(spec, Some(ours)),
            (Type::Struct(spec), Type::Array { element, .. }) => {
                if let Type::Struct(ours) = element.ty {
                    self.structure(spec, Some(ours));
                }
            }
            (Type::Array { element: spec, .. }, Type::Array { element: ours, .. })
            | (Type::Indexed { element: spec }, Type::Indexed { element: ours }) => {
                self.field(place, spec, ours);
            }
            (
                Type::Nest { header, set },
                Type::Nest {
                    header: our_header,
                    set: our_set,
                },
            ) => {
                if let Some(header) = header {
                    self.structure(header, *our_header);
                }
                self.set(set, Some(our_set));
            }
            (Type::TypeValue { set, .. }, Type::TypeValue { set: ours, .. }) => {
                self.set(set, Some(ours));
            }
            (Type::SubMessage { .. }, Type::SubMessage { .. }) => {
                self.formats(place, spec, ours);
            }
            _ => {}
        }
    }

    /// The formats of a field that depends on another.
    fn formats(&mut self, place: &str, spec: &'static Field, ours: &'static Field) {
        let (
            Type::SubMessage { formats, .. },
            Type::SubMessage {
                formats: our_formats,
                variants,
                ..
            },
        ) = (&spec.ty, &ours.ty)
        else {
            return;
        };
        for format in formats.iter() {
            let place = format!("{place} format {}", key(format.when));
            let named = |when: FormatKey| {
                when == format.when
                    || matches!((when, format.when),
                    (FormatKey::Number(it), FormatKey::Name(name)) if name == it.to_string())
            };
            let it = our_formats.iter().find(|it| named(it.when));
            if it.is_none() && variants.iter().any(|it| named(it.when)) {
                continue;
            }
            match it {
                None => self.differ(place, said(format), NOTHING),
                Some(it) => self.format(&place, format, it),
            }
        }
    }

    fn format(&mut self, place: &str, spec: &'static Format, ours: &'static Format) {
        match (spec.header, ours.header) {
            (Some(header), None) => self.differ(format!("{place} header"), header.name, NOTHING),
            (Some(header), Some(it)) => self.structure(header, Some(it)),
            (None, _) => {}
        }
        match (spec.set, ours.set) {
            (Some(set), None) => self.differ(format!("{place} attributes"), set.name, NOTHING),
            (Some(set), Some(it)) => self.set(set, Some(it)),
            (None, _) => {}
        }
    }

    fn structure(&mut self, spec: &'static Struct, ours: Option<&'static Struct>) {
        if !self.meet(spec, ours) {
            return;
        }
        let place = format!("struct {}", both(spec.name, ours.map(|it| it.name)));
        let Some(ours) = ours else {
            self.differ(place, "there is one", NOTHING);
            return;
        };
        if spec.size != ours.size {
            let bytes = |it: &Struct| format!("{} bytes", it.size);
            self.differ(format!("{place} size"), bytes(spec), bytes(ours));
        }
        for member in spec.members {
            let place = format!("{place} {}", member.field.name);
            if matches!(member.field.ty, Type::Pad | Type::Unused) {
                continue;
            }
            let at = |offset: u32| format!("at {offset}");
            match ours.members.iter().find(|it| it.offset == member.offset) {
                None => {
                    let mut members = ours.members.iter();
                    let elsewhere = members.find(|it| it.field.name == member.field.name);
                    let we_say = elsewhere.map_or(NOTHING.into(), |it| at(it.offset));
                    self.differ(place, at(member.offset), we_say);
                }
                Some(it) => self.field(&place, &member.field, &it.field),
            }
        }
    }

    fn names(&mut self, spec: &'static Enum, ours: Option<&'static Enum>) {
        if !self.meet(spec, ours) {
            return;
        }
        let place = format!("enum {}", both(spec.name, ours.map(|it| it.name)));
        let Some(ours) = ours else {
            self.differ(place, "there is one", NOTHING);
            return;
        };
        // Where one entry is missing, all after it have another number: that is one mistake.
        let moved = spec.entries.iter().filter_map(|entry| {
            let it = ours.entries.iter().find(|it| it.name == entry.name)?;
            (it.value != entry.value).then_some((entry, it))
        });
        if let (Some((entry, it)), true) = (moved.clone().next(), moved.count() > 3) {
            let number = |it: &EnumEntry| format!("{} is {}", it.name, it.value);
            self.differ(format!("{place} numbers"), number(entry), number(it));
            return;
        }
        for entry in spec.entries {
            let place = format!("{place} {}", entry.name);
            let mut same = ours.entries.iter().filter(|it| it.value == entry.value);
            if same.clone().any(|it| it.name == entry.name) {
                continue;
            }
            match same.next() {
                Some(it) => self.differ(format!("{place} name"), entry.name, it.name),
                None => self.differ(place, entry.value.to_string(), NOTHING),
            }
        }
    }
}

/// What a specification calls a part, and what we do where that is another name.
fn both(spec: &str, ours: Option<&str>) -> String {
    match ours {
        Some(ours) if ours != spec => format!("{spec} ({ours})"),
        _ => spec.to_owned(),
    }
}

/// Whether a table may have this type where a specification has that: the same, or one that
/// says more.
fn fits(spec: &Type, ours: &Type) -> bool {
    match (spec, ours) {
        (
            Type::Int { bytes, signed },
            Type::Int {
                bytes: our_bytes,
                signed: our_signed,
            },
        ) => bytes == our_bytes && signed == our_signed,
        (Type::VarInt { signed }, Type::VarInt { signed: ours }) => signed == ours,
        (Type::Binary, ours) => !matches!(ours, Type::Flag | Type::Pad | Type::Unused),
        (Type::Struct(_), Type::Array { element, .. }) => matches!(element.ty, Type::Struct(_)),
        (Type::Int { .. }, Type::SubMessage { variants, .. }) => {
            !variants.is_empty() && variants.iter().all(|it| fits(spec, &it.field.ty))
        }
        (Type::Nest { .. }, Type::Custom { .. } | Type::SubMessage { .. })
        | (Type::Struct(_), Type::Custom { .. }) => true,
        _ => std::mem::discriminant(spec) == std::mem::discriminant(ours),
    }
}

fn key(when: FormatKey) -> String {
    match when {
        FormatKey::Name(name) => name.to_owned(),
        FormatKey::Number(number) => number.to_string(),
        FormatKey::Default => "default".to_owned(),
        FormatKey::Absent => "absent".to_owned(),
    }
}

fn said(format: &Format) -> String {
    let header = format.header.map(|it| format!("struct {}", it.name));
    let set = format.set.map(|it| format!("set {}", it.name));
    let parts: Vec<_> = header.into_iter().chain(set).collect();
    if parts.is_empty() {
        return "there is one".to_owned();
    }
    parts.join(", ")
}
