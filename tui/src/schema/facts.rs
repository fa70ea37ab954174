//! What a specification says, without what it explains: one of the kernel's, in the
//! compact form of our tables.

use super::yaml::Yaml;

/// Keys that are for people and for generators of code.
const FORGOTTEN: [&str; 15] = [
    "doc",
    "checks",
    "header",
    "scope",
    "enum-name",
    "enum-cnt-name",
    "render-max",
    "attr-cnt-name",
    "attr-max-name",
    "flags",
    "dont-validate",
    "config-cond",
    "pre",
    "post",
    "attributes",
];

/// A specification as a table: its parts in order.
#[derive(Debug)]
pub(super) struct Facts {
    /// `name`, `protocol` and what else stands at the head.
    pub(super) head: Vec<(String, Yaml)>,
    /// Constants, enums, flags and structs.
    pub(super) definitions: Vec<Yaml>,
    /// Attribute sets.
    pub(super) sets: Vec<Set>,
    /// Sub-messages.
    pub(super) sub_messages: Vec<Yaml>,
    /// What holds for all operations.
    pub(super) of_operations: Vec<(String, Yaml)>,
    /// Operations.
    pub(super) operations: Vec<Yaml>,
    /// Multicast groups.
    pub(super) groups: Vec<Yaml>,
}

/// An attribute set.
#[derive(Debug)]
pub(super) struct Set {
    /// Its keys but for the attributes.
    pub(super) head: Vec<(String, Yaml)>,
    /// Its attributes.
    pub(super) attributes: Vec<Yaml>,
}

impl Facts {
    /// Takes them from a specification.
    pub(super) fn of(spec: &Yaml) -> Self {
        let none = Yaml::Map(Vec::new());
        let operations = spec.get("operations").unwrap_or(&none);
        let groups = spec.get("mcast-groups").unwrap_or(&none);
        let items = |list: &[(u64, Yaml)]| list.iter().map(|(_, it)| bare(it)).collect();
        let of_operations = bare(operations);
        let of_operations = of_operations.pairs().iter();
        Self {
            head: head(spec),
            definitions: items(spec.list("definitions")),
            sets: spec
                .list("attribute-sets")
                .iter()
                .map(|(_, it)| set(it))
                .collect(),
            sub_messages: items(spec.list("sub-messages")),
            of_operations: of_operations
                .filter(|(key, _)| key != "list")
                .cloned()
                .collect(),
            operations: messages(operations),
            groups: items(groups.list("list")),
        }
    }

    /// The text of the table.
    pub(super) fn table(&self) -> String {
        let mut text = String::new();
        let pairs = |text: &mut String, indent: usize, pairs: &[(String, Yaml)]| {
            for (key, value) in pairs {
                text.push_str(&format!("{:indent$}{key}: {value}\n", ""));
            }
        };
        let section = |text: &mut String, title: &str| {
            text.push_str(&format!("\n{title}:\n"));
        };
        pairs(&mut text, 0, &self.head);
        if !self.definitions.is_empty() {
            section(&mut text, "definitions");
            text.extend(self.definitions.iter().map(|it| it.item(2)));
        }
        if !self.sets.is_empty() {
            section(&mut text, "attribute-sets");
            text.extend(self.sets.iter().map(Set::block));
        }
        if !self.sub_messages.is_empty() {
            section(&mut text, "sub-messages");
            text.extend(self.sub_messages.iter().map(|it| sub_message(it)));
        }
        section(&mut text, "operations");
        pairs(&mut text, 2, &self.of_operations);
        text.push_str("  list:\n");
        text.extend(self.operations.iter().map(|it| it.item(4)));
        if !self.groups.is_empty() {
            section(&mut text, "mcast-groups");
            text.push_str("  list:\n");
            text.extend(self.groups.iter().map(|it| it.item(4)));
        }
        text
    }
}

impl Set {
    /// Its lines of the table.
    pub(super) fn block(&self) -> String {
        let mut text = String::new();
        for (nth, (key, value)) in self.head.iter().enumerate() {
            let dash = if nth == 0 { "  - " } else { "    " };
            text.push_str(&format!("{dash}{key}: {value}\n"));
        }
        text.push_str("    attributes:\n");
        text.extend(self.attributes.iter().map(|it| it.item(6)));
        text
    }
}

/// A sub-message's lines of the table: one a format.
pub(super) fn sub_message(it: &Yaml) -> String {
    let mut text = format!("  - name: {}\n    formats:\n", it.name());
    text.extend(it.list("formats").iter().map(|(_, it)| it.item(6)));
    text
}

/// Name, protocol, header.
fn head(spec: &Yaml) -> Vec<(String, Yaml)> {
    let registered = spec.name();
    let name = registered.to_lowercase().replace('_', "-");
    let mut pairs = vec![("name".to_owned(), Yaml::word(&name))];
    let protocol = spec.text("protocol").unwrap_or("genetlink");
    pairs.push(("protocol".to_owned(), Yaml::word(protocol)));
    if name != registered && protocol != "netlink-raw" {
        pairs.push(("genl-family".to_owned(), Yaml::word(registered)));
    }
    for key in ["protonum", "uapi-header"] {
        if let Some(value) = spec.get(key) {
            pairs.push((key.to_owned(), value.clone()));
        }
    }
    pairs
}

/// Without the keys that are no facts; what is only a name is one.
fn bare(it: &Yaml) -> Yaml {
    match it {
        Yaml::Text(_) => it.clone(),
        Yaml::List(items) => Yaml::List(items.iter().map(|(_, it)| (0, short(bare(it)))).collect()),
        Yaml::Map(pairs) => Yaml::Map(
            pairs
                .iter()
                .filter(|(key, _)| !FORGOTTEN.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), bare(value)))
                .collect(),
        ),
    }
}

/// An entry that is nothing but a name.
fn short(it: Yaml) -> Yaml {
    match &it {
        Yaml::Map(pairs) => match pairs.as_slice() {
            [(key, name)] if key == "name" => name.clone(),
            _ => it,
        },
        _ => it,
    }
}

/// A set; numbers that go without saying are not said.
fn set(it: &Yaml) -> Set {
    let keys = bare(it);
    let counted = it.get("subset-of").is_none();
    let mut next = 1;
    let mut attributes = Vec::new();
    for (_, attribute) in it.list("attributes") {
        let value = attribute.number("value");
        let number = value.unwrap_or(next);
        // 0 is the kernel's way of beginning at 1.
        if number == 0 && attribute.text("type") == Some("unused") {
            continue;
        }
        let implied = counted && number == next;
        let pairs = bare(attribute).pairs().to_vec();
        attributes.push(Yaml::Map(
            pairs
                .into_iter()
                .filter(|(key, _)| key != "value" || !implied)
                .collect(),
        ));
        next = number + 1;
    }
    Set {
        head: keys.pairs().to_vec(),
        attributes,
    }
}

/// The messages. Where requests and answers share their numbers, each has its number;
/// where they do not, it is for the loader to count.
fn messages(operations: &Yaml) -> Vec<Yaml> {
    let list = operations.list("list");
    if operations.text("enum-model") == Some("directional") {
        return list.iter().map(|(_, it)| directional(it)).collect();
    }
    let named = |name: &str| list.iter().map(|(_, it)| it).find(|it| it.name() == name);
    let mut next = 1;
    let mut messages = Vec::new();
    for (_, it) in list {
        let number = it.number("value").unwrap_or(next);
        next = number + 1;
        let origin = it.text("notify").and_then(named);
        let mut pairs = vec![
            ("name".to_owned(), Yaml::word(it.name())),
            ("value".to_owned(), Yaml::word(number.to_string())),
        ];
        for key in ["fixed-header", "attribute-set", "mcgrp"] {
            let inherited = origin.filter(|_| key != "mcgrp");
            let value = it.get(key).or(inherited.and_then(|it| it.get(key)));
            pairs.extend(value.map(|it| (key.to_owned(), it.clone())));
        }
        messages.push(Yaml::Map(pairs));
    }
    messages
}

/// An operation whose requests are counted apart from its answers.
fn directional(it: &Yaml) -> Yaml {
    let twice = it.get("do").is_some();
    let pairs = bare(it).pairs().to_vec();
    Yaml::Map(
        pairs
            .into_iter()
            .filter(|(key, _)| key != "dump" || !twice)
            .collect(),
    )
}
