//! Finding the table for a message.

use std::collections::HashMap;

use super::{Direction, Family, Group, Message, builtin};
use crate::wire::protocol;

/// What is known of a message.
#[derive(Debug, Clone, Copy)]
pub struct Lookup {
    /// Its family.
    pub family: &'static Family,
    /// Its meaning.
    pub message: &'static Message,
}

/// Every family that is known: the built-in ones and those added at run time.
#[derive(Debug)]
pub struct Schema {
    families: Vec<&'static Family>,
    /// By protocol and type for classic netlink. Several meanings of one number, told
    /// apart by direction and address family, stand beside each other.
    classic: HashMap<(u16, u16), Vec<Lookup>>,
    genl: HashMap<&'static str, &'static Family>,
    /// Multicast groups by protocol and number, but for those of generic netlink, whose
    /// numbers the kernel hands out.
    groups: HashMap<(u16, u32), &'static Group>,
}

impl Schema {
    /// The built-in tables.
    #[must_use]
    pub fn builtin() -> Self {
        let mut schema = Self {
            families: Vec::new(),
            classic: HashMap::new(),
            genl: HashMap::new(),
            groups: HashMap::new(),
        };
        for family in builtin::FAMILIES {
            schema.add(family);
        }
        schema
    }

    /// Adds a family. It takes the place of one with the same name, and of the
    /// messages with the same protocol and number.
    pub fn add(&mut self, family: &'static Family) {
        if let Some(old) = self
            .families
            .iter()
            .position(|known| known.name == family.name)
        {
            let old = self.families.remove(old);
            for lookups in self.classic.values_mut() {
                lookups.retain(|lookup| !std::ptr::eq(lookup.family, old));
            }
            let of_old = |group: &Group| old.groups.iter().any(|it| std::ptr::eq(it, group));
            self.groups.retain(|_, group| !of_old(group));
        }
        self.families.push(family);
        if let Some(registered) = family.genl {
            self.genl.insert(registered, family);
        } else {
            for group in family.groups {
                if let Some(number) = group.number {
                    self.groups
                        .entry((family.protocol, number))
                        .or_insert(group);
                }
            }
            for message in family.messages {
                let lookups = self
                    .classic
                    .entry((family.protocol, message.number))
                    .or_default();
                // The newest comes first, so that a specification given at run time wins
                // over a built-in table; within a file the order is the file's.
                let at = lookups
                    .iter()
                    .take_while(|lookup| std::ptr::eq(lookup.family, family))
                    .count();
                lookups.insert(at, Lookup { family, message });
            }
        }
    }

    /// All families, in the order in which they were added.
    #[must_use]
    pub fn families(&self) -> &[&'static Family] {
        &self.families
    }

    /// The family with this name (the first part of a filter name).
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&'static Family> {
        self.families
            .iter()
            .copied()
            .find(|family| family.name == name)
    }

    /// The generic netlink family that registers with this name.
    #[must_use]
    pub fn genl_family(&self, registered: &str) -> Option<&'static Family> {
        self.genl.get(registered).copied()
    }

    /// The meaning of a message of classic netlink. `first_byte` is the first of the
    /// payload, which is the address family in nearly every protocol.
    #[must_use]
    pub fn message(
        &self,
        protocol: u16,
        kind: u16,
        direction: Direction,
        first_byte: Option<u8>,
    ) -> Option<Lookup> {
        let lookups = self.classic.get(&(protocol, kind))?;
        let fits = |lookup: &&Lookup| {
            lookup
                .message
                .direction
                .is_none_or(|only| only == direction)
        };
        let confined = |lookup: &&Lookup| {
            first_byte.is_some_and(|byte| lookup.message.when_family.contains(&byte))
        };
        lookups
            .iter()
            .filter(fits)
            .find(confined)
            .or_else(|| {
                lookups
                    .iter()
                    .filter(fits)
                    .find(|lookup| lookup.message.when_family.is_empty())
            })
            .copied()
    }

    /// The multicast group with this number of a protocol other than generic netlink.
    #[must_use]
    pub fn group(&self, protocol: u16, number: u32) -> Option<&'static Group> {
        self.groups.get(&(protocol, number)).copied()
    }

    /// Every meaning of a number of classic netlink.
    #[must_use]
    pub fn meanings(&self, protocol: u16, kind: u16) -> &[Lookup] {
        self.classic
            .get(&(protocol, kind))
            .map_or(&[], Vec::as_slice)
    }

    /// The meaning of a command of a generic netlink family. Where a number is that of an
    /// answer and of an event, too, `answers` says which.
    #[must_use]
    pub fn command(
        family: &'static Family,
        command: u8,
        direction: Direction,
        answers: bool,
    ) -> Option<Lookup> {
        let number = u16::from(command);
        let going = |direction| {
            let mut messages = family.messages.iter();
            messages.find(move |it| it.number == number && it.direction == direction)
        };
        let either_way = going(None);
        let message = match (going(Some(direction)), either_way) {
            (Some(event), Some(answer)) if event.direction == Some(Direction::FromKernel) => {
                if answers {
                    answer
                } else {
                    event
                }
            }
            (Some(directed), _) => directed,
            (None, either_way) => either_way?,
        };
        Some(Lookup { family, message })
    }
}

/// A generic netlink family by the id it has in a capture.
#[derive(Debug, Clone)]
pub struct GenlName {
    /// The name it registered with.
    pub name: String,
    /// Its table, where there is one.
    pub family: Option<&'static Family>,
}

/// Which generic netlink family has which id: the kernel hands them out at run time.
#[derive(Debug, Clone, Default)]
pub struct GenlIds {
    ids: HashMap<u16, GenlName>,
    /// By number; a kernel has few, so a hostile capture is cut off early.
    groups: HashMap<u32, GenlGroup>,
}

/// How many multicast groups are remembered.
const MAX_GROUPS: usize = 1 << 12;

/// A multicast group of a generic netlink family.
#[derive(Debug, Clone)]
pub struct GenlGroup {
    /// `family:group`, as they register.
    pub name: String,
    /// Its row in a table, where there is one.
    pub group: Option<&'static Group>,
}

impl GenlIds {
    /// Only the ids that every kernel has: `nlctrl` is 16 (`GENL_ID_CTRL`),
    /// `VFS_DQUOT` 17, `pmcraid` 18.
    #[must_use]
    pub fn fixed(schema: &Schema) -> Self {
        let mut ids = Self::default();
        for (id, name) in [(16, "nlctrl"), (17, "VFS_DQUOT"), (18, "pmcraid")] {
            ids.learn(schema, id, name);
        }
        ids
    }

    /// Remembers that `id` is the family registered as `name`.
    pub fn learn(&mut self, schema: &Schema, id: u16, name: &str) {
        self.ids.insert(
            id,
            GenlName {
                name: name.to_owned(),
                family: schema.genl_family(name),
            },
        );
    }

    /// Remembers that the family registered as `family` has its group `group` under
    /// `number`.
    pub fn learn_group(&mut self, schema: &Schema, number: u32, family: &str, group: &str) {
        if self.groups.len() >= MAX_GROUPS {
            return;
        }
        let name = format!("{family}:{group}");
        let table = schema.genl_family(family);
        let row = table.and_then(|family| family.groups.iter().find(|row| row.name == name));
        self.groups.insert(number, GenlGroup { name, group: row });
    }

    /// The multicast group with this number.
    #[must_use]
    pub fn group(&self, number: u32) -> Option<&GenlGroup> {
        self.groups.get(&number)
    }

    /// How many ids are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether no id is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The family with this id.
    #[must_use]
    pub fn get(&self, id: u16) -> Option<&GenlName> {
        self.ids.get(&id)
    }

    /// The meaning of a message of any protocol, or its family alone where only that
    /// is known. `port` is the one in its header, which an event has none in; `payload` is
    /// what follows the `nlmsghdr`.
    #[must_use]
    pub fn resolve(
        &self,
        schema: &Schema,
        protocol: u16,
        kind: u16,
        port: u32,
        direction: Direction,
        payload: &[u8],
    ) -> (Option<&'static Family>, Option<&'static Message>) {
        let first = payload.first().copied();
        if protocol != protocol::GENERIC {
            let lookup = schema.message(protocol, kind, direction, first);
            return (lookup.map(|l| l.family), lookup.map(|l| l.message));
        }
        let Some(family) = self.get(kind).and_then(|name| name.family) else {
            return (None, None);
        };
        let lookup =
            first.and_then(|command| Schema::command(family, command, direction, port != 0));
        (Some(family), lookup.map(|l| l.message))
    }
}
