//! A specification on top of the table that exists: what the table lacks is put in, at its
//! place; all that the table has stays as it is written, comments among it.

use std::collections::HashSet;

use super::facts::{self, Facts};
use super::yaml::Yaml;

/// A table as text, and what is to be put into it.
pub(super) struct Table<'t> {
    lines: Vec<&'t str>,
    read: Yaml,
    /// Lines to put in behind so many lines, or in place of as many as the second says.
    edits: Vec<(usize, usize, String)>,
    /// What was put in, one thing a line.
    pub(super) changes: Vec<String>,
    /// Places where the table differs on purpose.
    excused: &'t HashSet<String>,
    /// What stands in tables that this one imports: `set NAME`.
    elsewhere: HashSet<String>,
}

/// Where a new element goes.
struct Place {
    /// Behind so many lines.
    line: usize,
    /// Columns before its dash.
    indent: usize,
}

impl<'t> Table<'t> {
    /// Reads a table.
    pub(super) fn parse(
        file: &str,
        text: &'t str,
        excused: &'t HashSet<String>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            lines: text.lines().collect(),
            read: Yaml::parse(file, text)?,
            edits: Vec::new(),
            changes: Vec::new(),
            excused,
            elsewhere: HashSet::new(),
        })
    }

    /// Whether it is the table of what a specification calls `name`. The tables' names begin
    /// with the protocol, as in `nf-tables` and `rt-tc`.
    pub(super) fn is_of(&self, name: &str) -> bool {
        let dashed = name.to_lowercase().replace('_', "-");
        let ours = self.read.name();
        self.read.text("genl-family") == Some(name)
            || ours.replace('-', "") == dashed.replace('-', "")
            || self.read.get("protonum").is_some() && ours.ends_with(&format!("-{dashed}"))
    }

    /// The tables it imports.
    pub(super) fn imports(&self) -> impl Iterator<Item = &str> {
        self.read.list("import").iter().map(|(_, it)| it.name())
    }

    /// The table's name.
    pub(super) fn name(&self) -> &str {
        self.read.name()
    }

    /// A section's elements.
    fn section(&self, name: &str) -> Vec<(u64, Yaml)> {
        match self.read.get(name) {
            Some(Yaml::List(items)) => items.clone(),
            Some(it) => it.list("list").to_vec(),
            None => Vec::new(),
        }
    }

    /// Puts what a specification adds to the elements of a table that is imported.
    pub(super) fn extend(&mut self, spec: &Facts, by: &mut Table<'_>) {
        for (what, name) in [
            ("definition", "definitions"),
            ("set", "attribute-sets"),
            ("sub-message", "sub-messages"),
        ] {
            let names = self.section(name);
            let names = names.iter().map(|(_, it)| format!("{what} {}", it.name()));
            by.elsewhere.extend(names);
        }
        self.elements(spec);
    }

    /// Puts in what a specification has beside it.
    pub(super) fn add(&mut self, spec: &Facts) {
        let operations = self.section("operations");
        let numbered = |it: &Yaml| {
            let number = it.number("value");
            let taken = |ours: &Yaml| number.is_some() && ours.number("value") == number;
            operations.iter().any(|(_, ours)| taken(ours))
        };
        let new = spec.operations.iter().filter(|it| !numbered(it)).cloned();
        let new: Vec<_> = new.collect();
        self.items("operation", &operations, &new, |it| it.item(4));
        let groups = self.section("mcast-groups");
        self.items("group", &groups, &spec.groups, |it| it.item(4));
        self.elements(spec);
        // Of the rest, what these need: more may be there under another name.
        let [definitions, sets, formats] =
            ["definitions", "attribute-sets", "sub-messages"].map(|name| self.section(name));
        loop {
            let before = self.edits.len();
            for it in &spec.sets {
                if self.needs(it.name()) && named(&sets, it.name()).is_none() {
                    self.put_once(&format!("set {}", it.name()), &sets, it.block());
                }
            }
            for it in &spec.sub_messages {
                if self.needs(it.name()) && named(&formats, it.name()).is_none() {
                    let text = facts::sub_message(it);
                    self.put_once(&format!("sub-message {}", it.name()), &formats, text);
                }
            }
            for it in &spec.definitions {
                if self.needs(it.name()) && named(&definitions, it.name()).is_none() {
                    self.put_once(
                        &format!("definition {}", it.name()),
                        &definitions,
                        it.item(2),
                    );
                }
            }
            if self.edits.len() == before {
                break;
            }
        }
    }

    /// Whether something that was put in names it.
    fn needs(&self, name: &str) -> bool {
        let mut edits = self.edits.iter();
        edits.any(|(.., text)| text.split([' ', ',', '}', '\n']).any(|word| word == name))
    }

    /// Puts text behind the last element, if it was not put there before.
    fn put_once(&mut self, what: &str, ours: &[(u64, Yaml)], text: String) {
        if !self
            .changes
            .iter()
            .any(|it| it.ends_with(&format!(" {what}")))
        {
            self.put(what, ours, None, text);
        }
    }

    /// Puts in what a specification adds to elements that are there.
    fn elements(&mut self, spec: &Facts) {
        let definitions = self.section("definitions");
        for spec in &spec.definitions {
            if let Some((line, ours)) = named(&definitions, spec.name()) {
                self.members(*line, ours, spec);
            }
        }
        let sets = self.section("attribute-sets");
        for spec in &spec.sets {
            if let Some((_, ours)) = named(&sets, spec.name()) {
                self.attributes(spec.name(), ours, spec);
            }
        }
        let formats = self.section("sub-messages");
        for spec in &spec.sub_messages {
            if let Some((_, ours)) = named(&formats, spec.name()) {
                self.formats(ours, spec);
            }
        }
    }

    /// The text with everything put in.
    pub(super) fn text(mut self) -> String {
        self.edits.sort_by_key(|(line, ..)| *line);
        let mut text = String::new();
        let mut edits = self.edits.iter().peekable();
        let mut skip = 0;
        for nth in 0..=self.lines.len() {
            while let Some((_, replaced, new)) = edits.next_if(|(line, ..)| *line == nth) {
                text.push_str(new);
                skip = skip.max(*replaced);
            }
            if skip > 0 {
                skip -= 1;
            } else if let Some(line) = self.lines.get(nth) {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }

    /// Whether the table differs on purpose at a place.
    fn is_excused(&self, place: &str) -> bool {
        let place = place.to_lowercase();
        self.excused.iter().any(|it| {
            let it = it.to_lowercase();
            it.strip_prefix(&place)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })
    }

    /// Elements of a section that are there or not.
    fn items(
        &mut self,
        what: &str,
        ours: &[(u64, Yaml)],
        spec: &[Yaml],
        written: impl Fn(&Yaml) -> String,
    ) {
        let mut before = None;
        for it in spec {
            let name = it.name();
            if named(ours, name).is_none() {
                self.put(&format!("{what} {name}"), ours, before, written(it));
            }
            before = Some(name);
        }
    }

    /// Puts text behind the element called `before`, or the last.
    fn put(&mut self, what: &str, ours: &[(u64, Yaml)], before: Option<&str>, text: String) {
        if self.elsewhere.contains(what) || self.is_excused(what) {
            return;
        }
        let before = before.and_then(|name| named(ours, name));
        let Some(place) = before.or(ours.last()).map(|(line, _)| self.behind(*line)) else {
            self.changes
                .push(format!("not added, there is no such section: {what}"));
            return;
        };
        self.edits.push((place.line, 0, text));
        self.changes.push(format!("added {what}"));
    }

    /// The place behind the element that begins on a line (from 1).
    fn behind(&self, line: u64) -> Place {
        let first = usize::try_from(line)
            .unwrap_or(usize::MAX)
            .saturating_sub(1);
        let column = |nth: usize| {
            let line = self.lines.get(nth)?;
            let text = line.trim_start();
            (!text.is_empty()).then_some(line.len() - text.len())
        };
        let indent = column(first).unwrap_or_default();
        let mut end = first + 1;
        while column(end).is_some_and(|it| it > indent) {
            end += 1;
        }
        Place { line: end, indent }
    }

    /// Attributes of a set that the table lacks by name and number.
    fn attributes(&mut self, set: &str, ours: &Yaml, spec: &facts::Set) {
        let part = ours.get("subset-of").is_some();
        let list = ours.list("attributes");
        let taken = facts::numbers(list.iter().map(|(_, it)| it));
        let numbers = facts::numbers(spec.attributes.iter());
        let mut before: Option<(i128, &str)> = None;
        for (it, number) in spec.attributes.iter().zip(numbers) {
            let name = it.name();
            let previous = before.replace((number, name));
            if self.is_excused(&format!("set {set} {name}"))
                || named(list, name).is_some()
                || it.text("type") == Some("unused")
            {
                continue;
            }
            // Numbers may be right here that are wrong there: it follows what it follows.
            let ours = previous.and_then(|(_, name)| {
                let nth = list.iter().position(|(_, it)| it.name() == name)?;
                taken.get(nth).map(|it| it + 1)
            });
            let number = match (ours, previous) {
                (Some(ours), Some((before, _))) => ours + number - before - 1,
                _ => number,
            };
            let what = format!("attribute {set} {name}");
            if !part && taken.contains(&number) {
                self.changes
                    .push(format!("not added, its number is taken: {what}"));
                continue;
            }
            let mut pairs = it.pairs().to_vec();
            pairs.retain(|(key, _)| key != "value");
            if !part && taken.last().is_none_or(|last| last + 1 != number) {
                pairs.push(("value".to_owned(), Yaml::word(number.to_string())));
            }
            let previous = previous.map(|(_, name)| name);
            self.put(&what, list, previous, Yaml::Map(pairs).item(6));
        }
    }

    /// Entries of an enum that the table lacks; members of a struct are for a person, because
    /// those behind them would move.
    fn members(&mut self, line: u64, ours: &Yaml, spec: &Yaml) {
        let name = ours.name();
        let list = ours.list("entries");
        let mut entries = list.to_vec();
        let mut end = facts::last(ours);
        for ((_, it), number) in spec.list("entries").iter().zip(facts::entries(spec)) {
            if self.is_excused(&format!("enum {name} {}", it.name()))
                || named(list, it.name()).is_some()
            {
                continue;
            }
            let what = format!("entry {name} {}", it.name());
            if end.is_some_and(|end| number <= end) {
                self.changes
                    .push(format!("not added, its number is taken: {what}"));
                continue;
            }
            let mut pairs = vec![("name".to_owned(), Yaml::word(it.name()))];
            if end.is_none_or(|end| end + 1 != number) {
                pairs.push(("value".to_owned(), Yaml::word(number.to_string())));
            }
            entries.push((0, facts::short(Yaml::Map(pairs))));
            end = Some(number);
            self.changes.push(format!("added {what}"));
        }
        if entries.len() > list.len() {
            let pairs = ours.pairs().iter().map(|(key, value)| {
                let new = || Yaml::List(entries.clone());
                let value = if key == "entries" {
                    new()
                } else {
                    value.clone()
                };
                (key.clone(), value)
            });
            let place = self.behind(line);
            let first = usize::try_from(line).unwrap_or_default().saturating_sub(1);
            let text = Yaml::Map(pairs.collect()).item(place.indent);
            self.edits.push((first, place.line - first, text));
        }
        for (_, it) in spec.list("members") {
            if named(ours.list("members"), it.name()).is_none() {
                let member = format!("{name} {}", it.name());
                self.changes
                    .push(format!("to be looked at: member {member}"));
            }
        }
    }

    /// Formats of a sub-message that the table lacks.
    fn formats(&mut self, ours: &Yaml, spec: &Yaml) {
        let list = ours.list("formats");
        let values = |it: &Yaml| match it.get("value") {
            Some(Yaml::List(values)) => values.iter().map(|(_, it)| it.name().to_owned()).collect(),
            Some(it) => vec![it.name().to_owned()],
            None => Vec::new(),
        };
        let known: Vec<_> = list.iter().flat_map(|(_, it)| values(it)).collect();
        for (_, it) in spec.list("formats") {
            let value = it.text("value").unwrap_or_default();
            if !known.iter().any(|it| it == value) {
                let what = format!("format {} {value}", spec.name());
                self.put(&what, list, None, it.item(6));
            }
        }
    }
}

/// The element with a name, and its line.
fn named<'y>(list: &'y [(u64, Yaml)], name: &str) -> Option<&'y (u64, Yaml)> {
    list.iter().find(|(_, it)| it.name() == name)
}
