//! One look at all the built-in tables.

use std::collections::HashSet;

use super::{AttributeSet, Enum, Family, Field, Message, Schema, Selector, Struct, Type};

fn families() -> Vec<&'static Family> {
    Schema::builtin().families().to_vec()
}

/// What must be empty is listed whole, so that one run tells everything.
fn check(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

/// Every field of a set or struct, those inside fields as well.
fn fields(of: impl Iterator<Item = &'static Field>) -> Vec<&'static Field> {
    let mut all: Vec<&Field> = of.collect();
    let mut at = 0;
    while let Some(field) = all.get(at) {
        match field.ty {
            Type::Array { element, named, .. } => {
                all.push(element);
                all.extend(named);
            }
            Type::Indexed { element } => all.push(element),
            Type::SubMessage { variants, .. } => {
                all.extend(variants.iter().map(|variant| &variant.field));
            }
            Type::TypeValue { levels, .. } => all.extend(levels),
            Type::BitUnit { parts, .. } => all.extend(parts),
            _ => {}
        }
        at += 1;
    }
    all
}

fn of_set(set: &'static AttributeSet) -> Vec<&'static Field> {
    fields(set.attributes.iter())
}

fn of_struct(layout: &'static Struct) -> Vec<&'static Field> {
    fields(layout.members.iter().map(|member| &member.field))
}

/// The sets and structs that a field leads to.
fn below(field: &'static Field) -> (Vec<&'static Struct>, Vec<&'static AttributeSet>) {
    match field.ty {
        Type::Struct(layout) => (vec![layout], vec![]),
        Type::Nest { header, set } => (header.into_iter().collect(), vec![set]),
        Type::Elements { set } | Type::TypeValue { set, .. } => (vec![], vec![set]),
        Type::Custom { header, set, .. } => {
            (header.into_iter().collect(), set.into_iter().collect())
        }
        Type::SubMessage { formats, .. } => (
            formats.iter().filter_map(|format| format.header).collect(),
            formats.iter().filter_map(|format| format.set).collect(),
        ),
        _ => (vec![], vec![]),
    }
}

#[test]
fn nothing_is_there_twice() {
    let mut wrong = Vec::new();
    let mut names = HashSet::new();
    let mut registered = HashSet::new();
    let mut numbers = HashSet::new();
    let mut groups = HashSet::new();
    for family in families() {
        if !names.insert(family.name) || family.genl.is_some_and(|name| !registered.insert(name)) {
            wrong.push(family.name.to_owned());
        }
        for message in family.messages {
            // Generic netlink numbers are each family's own.
            let number = (
                family.protocol,
                family.genl,
                message.number,
                message.direction,
                message.when_family,
            );
            if !numbers.insert(number) {
                wrong.push(format!("{} {}", family.name, message.uapi));
            }
        }
        for group in family.groups {
            let number = group.number.map(|number| (family.protocol, number));
            if number.is_some_and(|number| !groups.insert(number)) {
                wrong.push(format!("{} {}", family.name, group.name));
            }
        }
    }
    check("twice", &wrong);
}

#[test]
fn names_are_well_formed() {
    let kebab = |name: &str| {
        name.chars()
            .all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && !name.ends_with('-')
    };
    // A member of a union in a struct has a dot.
    let c = |name: &str| {
        name.chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    };
    let expression = |text: &str| {
        let mut words = text.split(['(', ')', ' ', '<']);
        words.all(|word| word.is_empty() || word == "1" || c(word))
    };
    let mut wrong = Vec::new();
    for family in families() {
        let mut look = |what: &str, good: bool| {
            if !good {
                wrong.push(format!("{}: {what}", family.name));
            }
        };
        look(family.name, kebab(family.name));
        for message in family.messages {
            look(message.name, kebab(message.name));
            look(message.uapi, c(message.uapi));
        }
        let in_sets = family.sets.iter().flat_map(|set| of_set(set));
        let in_structs = family.structs.iter().flat_map(|layout| of_struct(layout));
        for field in in_sets.chain(in_structs) {
            look(field.name, kebab(field.name));
            // What has no number of its own is no attribute and has no UAPI name.
            look(field.uapi, field.number == 0 || c(field.uapi));
        }
        for names in family.enums {
            look(names.name, kebab(names.name));
            for entry in names.entries {
                look(entry.name, kebab(entry.name));
                // A bit that the header has no name for is an expression.
                look(entry.uapi, expression(entry.uapi));
            }
        }
    }
    check("not well formed", &wrong);
}

#[test]
fn fields_of_a_set_or_struct_have_names_and_places_of_their_own() {
    let mut wrong = Vec::new();
    for family in families() {
        for set in family.sets {
            let mut names = HashSet::new();
            let mut last = None;
            for field in set.attributes.iter() {
                if !names.insert(field.name) || last.is_some_and(|last| last >= field.number) {
                    wrong.push(format!("{} {} {}", family.name, set.name, field.name));
                }
                last = Some(field.number);
            }
        }
        for layout in family.structs {
            let mut names = HashSet::new();
            let mut end = 0;
            for member in layout.members {
                let name = member.field.name;
                let padding = matches!(member.field.ty, Type::Pad);
                if member.offset < end || !(names.insert(name) || padding) {
                    wrong.push(format!("{} {} {name}", family.name, layout.name));
                }
                end = member.offset + member.len.bytes().unwrap_or(0);
            }
            if end > layout.size {
                wrong.push(format!("{} {}", family.name, layout.name));
            }
        }
    }
    check("overlaps or repeats", &wrong);
}

/// What is in reach of the messages, and which selectors find nothing.
#[derive(Default)]
struct Reach {
    sets: HashSet<*const AttributeSet>,
    structs: HashSet<*const Struct>,
    enums: HashSet<*const Enum>,
    /// UAPI names of elements that have names.
    elements: HashSet<&'static str>,
    lost: Vec<String>,
}

/// The sets and structs around a place, innermost last.
#[derive(Default)]
struct Around {
    sets: Vec<&'static AttributeSet>,
    structs: Vec<&'static Struct>,
}

impl Around {
    fn has(&self, name: &str) -> bool {
        let attribute = |set: &&AttributeSet| set.attributes.iter().any(|field| field.name == name);
        let member = |layout: &&Struct| {
            let mut members = layout.members.iter();
            members.any(|member| member.field.name == name)
        };
        self.sets.iter().any(attribute) || self.structs.iter().any(member)
    }
}

impl Reach {
    fn message(&mut self, message: &'static Message) {
        let mut around = Around::default();
        if let Some(header) = message.header {
            self.layout(header);
            around.structs.push(header);
        }
        if let Some(set) = message.attributes {
            self.set(set, &mut around, &mut HashSet::new());
        }
    }

    fn names(&mut self, field: &'static Field) {
        self.enums
            .extend(field.names.map(|names| std::ptr::from_ref(names.of)));
        if let Type::Array { named, .. } = field.ty {
            self.elements.extend(named.iter().map(|field| field.uapi));
        }
    }

    fn layout(&mut self, layout: &'static Struct) {
        if self.structs.insert(layout) {
            for field in of_struct(layout) {
                self.names(field);
                let (structs, sets) = below(field);
                for inner in structs {
                    self.layout(inner);
                }
                for set in sets {
                    let mut around = Around {
                        structs: vec![layout],
                        ..Around::default()
                    };
                    self.set(set, &mut around, &mut HashSet::new());
                }
            }
        }
    }

    fn set(
        &mut self,
        set: &'static AttributeSet,
        around: &mut Around,
        seen: &mut HashSet<*const AttributeSet>,
    ) {
        if !seen.insert(set) {
            return;
        }
        self.sets.insert(set);
        around.sets.push(set);
        for field in of_set(set) {
            self.names(field);
            if let Type::SubMessage {
                selector: Selector::Fields(names),
                ..
            } = field.ty
                && !names.iter().any(|name| around.has(name))
            {
                self.lost
                    .push(format!("{} of {}: {names:?}", field.name, set.name));
            }
            if let Type::SubMessage {
                selector: Selector::Together(names),
                ..
            } = field.ty
                && !names.iter().all(|name| around.has(name))
            {
                self.lost
                    .push(format!("{} of {}: {names:?}", field.name, set.name));
            }
            let (structs, sets) = below(field);
            let outside = around.structs.len();
            for layout in structs {
                self.layout(layout);
                around.structs.push(layout);
            }
            for set in sets {
                self.set(set, around, seen);
            }
            around.structs.truncate(outside);
        }
        around.sets.pop();
    }
}

#[test]
fn selectors_find_something_and_everything_is_in_reach_of_a_message() {
    let mut reach = Reach::default();
    for family in families() {
        for message in family.messages {
            reach.message(message);
        }
    }
    check("selectors that find nothing", &reach.lost);
    let mut unreached = Vec::new();
    for family in families() {
        let mut look = |kind: &str, name: &str, reached: bool| {
            if !reached {
                unreached.push(format!("{} {kind} {name}", family.name));
            }
        };
        for set in family.sets {
            look(
                "attribute-set",
                set.name,
                reach.sets.contains(&std::ptr::from_ref(*set)),
            );
        }
        for layout in family.structs {
            look(
                "struct",
                layout.name,
                reach.structs.contains(&std::ptr::from_ref(*layout)),
            );
        }
        for names in family.enums {
            let mut entries = names.entries.iter();
            let elements = entries.any(|entry| reach.elements.contains(entry.uapi));
            look(
                "enum",
                names.name,
                elements || reach.enums.contains(&std::ptr::from_ref(*names)),
            );
        }
    }
    check("no message has these", &unreached);
}

#[test]
fn entries_of_enums_are_in_order() {
    let mut wrong = Vec::new();
    for family in families() {
        for names in family.enums {
            if !names.entries.is_sorted_by_key(|entry| entry.value) || names.entries.is_empty() {
                wrong.push(format!("{} {}", family.name, names.name));
            }
        }
    }
    check("empty or out of order", &wrong);
}
