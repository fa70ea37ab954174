//! Which name means what, in which file.

use std::collections::{HashMap, HashSet};

use super::super::error::{Located, Reason, SpecError, at, unknown};
use super::super::source::{self, Name, Scalar};

/// The names of every file.
pub(super) struct Symbols<'s> {
    tables: Vec<Table<'s>>,
}

/// The names that a file declares, each with its index in the model.
#[derive(Default)]
pub(super) struct Table<'s> {
    name: &'s str,
    imports: Vec<usize>,
    pub(super) enums: HashMap<&'s str, usize>,
    pub(super) structs: HashMap<&'s str, usize>,
    pub(super) sets: HashMap<&'s str, usize>,
    pub(super) sub_messages: HashMap<&'s str, usize>,
    constants: HashMap<&'s str, i128>,
    /// Attributes and members of structs: what a selector may be.
    fields: HashSet<&'s str>,
}

/// Counts what has been declared so far, and knows where.
struct Declared<'s> {
    what: &'static str,
    next: usize,
    lines: HashMap<&'s str, u64>,
}

impl<'s> Declared<'s> {
    fn new(what: &'static str) -> Self {
        Self {
            what,
            next: 0,
            lines: HashMap::new(),
        }
    }

    fn add(&mut self, names: &mut HashMap<&'s str, usize>, name: &'s Name) -> Result<(), Located> {
        if names.is_empty() {
            self.lines.clear();
        }
        let line = name.referenced.line();
        if let Some(first) = self.lines.insert(&name.value, line) {
            return Err(at(
                name,
                Reason::Duplicate {
                    what: self.what,
                    name: name.value.clone(),
                    first,
                },
            ));
        }
        names.insert(&name.value, self.next);
        self.next += 1;
        Ok(())
    }
}

impl<'s> Symbols<'s> {
    /// Collects the names of all files.
    pub(super) fn of(sources: &'s [(&str, source::File)]) -> Result<Self, SpecError> {
        let mut enums = Declared::new("enum");
        let mut structs = Declared::new("struct");
        let mut sets = Declared::new("attribute-set");
        let mut sub_messages = Declared::new("sub-message");
        let mut tables = Vec::new();
        for (path, file) in sources {
            let located = |error: Located| error.in_file(path);
            let mut table = Table {
                name: &file.name.value,
                ..Table::default()
            };
            for definition in &file.definitions {
                let name = &definition.name;
                match (definition.kind.value.as_str(), &definition.value) {
                    ("enum" | "flags", _) => enums.add(&mut table.enums, name).map_err(located)?,
                    ("struct", _) => structs.add(&mut table.structs, name).map_err(located)?,
                    ("const", Some(Scalar::Number(value))) => {
                        table.constants.insert(&name.value, *value);
                    }
                    ("const", _) => {}
                    _ => {
                        let known = ["const", "enum", "flags", "struct"];
                        let error = unknown("type of definition", &definition.kind, known);
                        return Err(located(error));
                    }
                }
            }
            let members = file.definitions.iter().flat_map(|it| it.members.iter());
            table
                .fields
                .extend(members.flatten().map(|it| it.name.value.as_str()));
            for set in &file.attribute_sets {
                sets.add(&mut table.sets, &set.name).map_err(located)?;
                let attributes = set.attributes.iter();
                table
                    .fields
                    .extend(attributes.map(|attribute| attribute.name.value.as_str()));
            }
            for sub_message in &file.sub_messages {
                sub_messages
                    .add(&mut table.sub_messages, &sub_message.name)
                    .map_err(located)?;
            }
            tables.push(table);
        }
        let by_name: HashMap<&str, usize> = sources
            .iter()
            .enumerate()
            .map(|(index, (_, file))| (file.name.value.as_str(), index))
            .collect();
        for (table, (path, file)) in tables.iter_mut().zip(sources) {
            for import in &file.import {
                let found = by_name.get(import.value.as_str()).ok_or_else(|| {
                    unknown("file to import", import, by_name.keys().copied()).in_file(path)
                })?;
                table.imports.push(*found);
            }
        }
        Ok(Self { tables })
    }

    /// What a file declares.
    pub(super) fn table(&self, file: usize) -> &Table<'s> {
        &self.tables[file]
    }

    /// The `name` of a file.
    pub(super) fn file_name(&self, file: usize) -> &'s str {
        self.table(file).name
    }

    /// The enum called so: of the first of `scope` that has it, or of its imports.
    pub(super) fn names(&self, scope: &[usize], name: &Name) -> Result<usize, Located> {
        self.find(scope, "enum", name, |table| &table.enums)
    }

    /// The struct called so.
    pub(super) fn layout(&self, scope: &[usize], name: &Name) -> Result<usize, Located> {
        self.find(scope, "struct", name, |table| &table.structs)
    }

    /// The attribute set called so.
    pub(super) fn set(&self, scope: &[usize], name: &Name) -> Result<usize, Located> {
        self.find(scope, "attribute-set", name, |table| &table.sets)
    }

    /// The sub-message called so.
    pub(super) fn sub_message(&self, scope: &[usize], name: &Name) -> Result<usize, Located> {
        self.find(scope, "sub-message", name, |table| &table.sub_messages)
    }

    /// The value of the constant called so.
    pub(super) fn constant(&self, file: usize, name: &str) -> Option<i128> {
        self.visible(&[file])
            .find_map(|table| table.constants.get(name).copied())
    }

    /// Whether any attribute or member of a struct is called so.
    pub(super) fn has_field(&self, scope: &[usize], name: &str) -> bool {
        self.visible(scope).any(|table| table.fields.contains(name))
    }

    fn visible<'a>(&'a self, scope: &'a [usize]) -> impl Iterator<Item = &'a Table<'s>> {
        scope.iter().flat_map(move |file| {
            let own = self.table(*file);
            let imports = own.imports.iter().map(|import| self.table(*import));
            std::iter::once(own).chain(imports)
        })
    }

    fn find<'a>(
        &'a self,
        scope: &'a [usize],
        what: &'static str,
        name: &Name,
        names: impl Fn(&'a Table<'s>) -> &'a HashMap<&'s str, usize>,
    ) -> Result<usize, Located> {
        self.visible(scope)
            .find_map(|table| names(table).get(name.value.as_str()).copied())
            .ok_or_else(|| {
                let known = self.visible(scope).flat_map(|table| names(table).keys());
                unknown(what, name, known.copied())
            })
    }
}
