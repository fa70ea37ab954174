//! Lists of what occurs, with counts, whose entries can be switched off.

use std::collections::{HashMap, HashSet};

use nlscope_dissector::context::{Context, GroupSeen, Head, Port, Record};
use nlscope_dissector::schema::base;
use nlscope_dissector::text::Escaped;
use nlscope_dissector::wire::{NLMSG_MIN_TYPE, protocol};

use super::action::{FacetChange, Motion};
use super::messages::Messages;

/// What an entry stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Facet {
    /// A `NETLINK_*` number.
    Protocol(u16),
    /// A family of a classic protocol that has a table.
    Family(&'static str),
    /// A generic netlink id; its name may become known later.
    Genl(u16),
    /// What has no family, by its protocol.
    NoFamily(u16),
    /// A port.
    Port(Port),
    /// A multicast group; `None` for what is no multicast.
    Group(Option<&'static str>),
    /// A group that no table has.
    GroupNumber(u32),
    /// The number of a network namespace.
    Netns(u32),
}

/// How many entries a list has at most: in a day each run of a program is a port of its
/// own.
const MAX_ENTRIES: usize = 1 << 14;

/// The kinds of lists, in the order in which they are shown.
const TITLES: [&str; 5] = ["protocol", "family", "port", "group", "network namespace"];
/// The list that is shown only where there is something to choose.
const NETNS: usize = 4;

impl Facet {
    /// The facets of a message, one for each of [`TITLES`].
    #[must_use]
    pub(crate) fn of(head: &Head<'_>) -> [Facet; 5] {
        [
            Facet::Protocol(head.protocol),
            family(head),
            Facet::Port(head.record.port),
            Facet::of_group(head.record.group),
            Facet::Netns(head.frame.origin.netns),
        ]
    }

    fn of_group(seen: Option<GroupSeen>) -> Self {
        match seen.map(|seen| (seen.group(), seen.number())) {
            Some((Some(group), _)) => Self::Group(Some(group.name)),
            Some((None, Some(number))) => Self::GroupNumber(number),
            _ => Self::Group(None),
        }
    }

    fn list(self) -> usize {
        match self {
            Facet::Protocol(_) => 0,
            Facet::Family(_) | Facet::Genl(_) | Facet::NoFamily(_) => 1,
            Facet::Port(_) => 2,
            Facet::Group(_) | Facet::GroupNumber(_) => 3,
            Facet::Netns(_) => NETNS,
        }
    }

    /// Its name, fit for a terminal.
    #[must_use]
    pub(crate) fn name(self, context: &Context) -> String {
        match self {
            Facet::Protocol(number) => protocol_name(number),
            Facet::Family(name) | Facet::Group(Some(name)) => name.to_owned(),
            Facet::Genl(id) => match context.ids().get(id) {
                Some(known) => match known.family {
                    Some(family) => family.name.to_owned(),
                    None => Escaped(known.name.as_bytes()).to_string(),
                },
                None => format!("generic:{id}"),
            },
            Facet::NoFamily(number) => format!("{}, no family", protocol_name(number)),
            Facet::Port(Port::Known(port)) => port.to_string(),
            Facet::Port(Port::Everyone) => "* (multicast)".to_owned(),
            Facet::Port(Port::Unknown) => "? (unknown)".to_owned(),
            Facet::GroupNumber(number) => match context.ids().group(number) {
                Some(known) => Escaped(known.name.as_bytes()).to_string(),
                None => format!("group {number}"),
            },
            Facet::Group(None) => "- (no multicast)".to_owned(),
            Facet::Netns(number) => match context.netns(number) {
                Some(name) => Escaped(name.as_bytes()).to_string(),
                None => "the first".to_owned(),
            },
        }
    }
}

fn family(head: &Head<'_>) -> Facet {
    if head.protocol == protocol::GENERIC {
        let own = head.header.kind >= NLMSG_MIN_TYPE;
        let id = if own {
            head.header.kind
        } else {
            head.record.request_kind
        };
        return if id == 0 {
            Facet::NoFamily(head.protocol)
        } else {
            Facet::Genl(id)
        };
    }
    match head.family {
        Some(family) => Facet::Family(family.name),
        None => Facet::NoFamily(head.protocol),
    }
}

fn protocol_name(number: u16) -> String {
    match base::protocol_entry(number) {
        Some(entry) => entry.name.to_owned(),
        None => number.to_string(),
    }
}

/// The messages of an entry.
#[derive(Debug, Clone, Copy)]
struct Met {
    count: u32,
    /// The one that came last.
    latest: u32,
}

/// One list.
#[derive(Debug, Default)]
struct List {
    met: HashMap<Facet, Met>,
    /// The entries that are on, if `only`; else those that are off. What turns up later
    /// then is what a person expects: shown, unless a few were chosen.
    listed: HashSet<Facet>,
    only: bool,
}

impl List {
    fn count(&mut self, facet: Facet, message: u32) {
        let room = self.met.len() < MAX_ENTRIES;
        match self.met.get_mut(&facet) {
            Some(met) => {
                met.count = met.count.saturating_add(1);
                met.latest = message;
            }
            None if room => {
                let (count, latest) = (1, message);
                self.met.insert(facet, Met { count, latest });
            }
            None => {}
        }
    }

    /// The name of an entry: of a port the program too that has it.
    fn name(facet: Facet, met: Met, messages: &Messages) -> String {
        let name = facet.name(messages.context());
        let Facet::Port(Port::Known(port)) = facet else {
            return name;
        };
        let process = messages.head(met.latest, |head| head.process().cloned());
        match process.flatten() {
            Some(process) if process.pid == port => process.to_string(),
            Some(process) => format!("{name} {process}"),
            None => name,
        }
    }

    fn is_on(&self, facet: Facet) -> bool {
        self.listed.contains(&facet) == self.only
    }
}

/// A line of the facet lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FacetRow {
    /// The title of a list.
    Title(&'static str),
    /// An entry.
    Entry {
        /// Which.
        facet: Facet,
        /// Its name.
        name: String,
        /// How many messages.
        count: u32,
        /// Whether they are shown.
        on: bool,
    },
}

/// All lists.
#[derive(Debug, Default)]
pub(crate) struct Facets {
    lists: [List; 5],
    cursor: Option<Facet>,
    /// First row on the screen.
    pub top: usize,
}

impl Facets {
    /// Counts a message.
    pub(crate) fn count(&mut self, message: u32, head: &Head<'_>) {
        for (list, facet) in self.lists.iter_mut().zip(Facet::of(head)) {
            list.count(facet, message);
        }
    }

    /// A message's port or group turned out.
    pub(crate) fn changed(&mut self, message: u32, from: &Record, to: &Record) {
        self.moved(message, Facet::Port(from.port), Facet::Port(to.port));
        let (from, to) = (Facet::of_group(from.group), Facet::of_group(to.group));
        self.moved(message, from, to);
    }

    fn moved(&mut self, message: u32, from: Facet, to: Facet) {
        if from == to {
            return;
        }
        let list = &mut self.lists[to.list()];
        if let Some(met) = list.met.get_mut(&from) {
            met.count = met.count.saturating_sub(1);
            if met.count == 0 {
                list.met.remove(&from);
            }
        }
        list.count(to, message);
    }

    /// Whether all entries are on.
    #[must_use]
    pub(crate) fn all_on(&self) -> bool {
        self.lists
            .iter()
            .all(|list| !list.only && list.listed.is_empty())
    }

    /// Switches all on.
    pub(crate) fn reset(&mut self) {
        for list in &mut self.lists {
            list.listed.clear();
            list.only = false;
        }
    }

    /// Whether a message is to be shown.
    #[must_use]
    pub(crate) fn pass(&self, head: &Head<'_>) -> bool {
        self.lists
            .iter()
            .zip(Facet::of(head))
            .all(|(list, facet)| list.is_on(facet))
    }

    /// All lines, most frequent entries first.
    #[must_use]
    pub(crate) fn rows(&self, messages: &Messages) -> Vec<FacetRow> {
        let mut rows = Vec::new();
        let lists = TITLES.into_iter().zip(&self.lists).enumerate();
        for (_, (title, list)) in lists.filter(|(at, (_, it))| *at != NETNS || it.met.len() > 1) {
            rows.push(FacetRow::Title(title));
            let mut entries: Vec<_> = list
                .met
                .iter()
                .map(|(facet, met)| {
                    let name = List::name(*facet, *met, messages);
                    (u32::MAX - met.count, name, *facet)
                })
                .collect();
            entries.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
            rows.extend(
                entries
                    .into_iter()
                    .map(|(inverse, name, facet)| FacetRow::Entry {
                        facet,
                        name,
                        count: u32::MAX - inverse,
                        on: list.is_on(facet),
                    }),
            );
        }
        rows
    }

    /// The row with the cursor.
    #[must_use]
    pub(crate) fn cursor(&self, rows: &[FacetRow]) -> usize {
        let at = rows.iter().position(
            |row| matches!(row, FacetRow::Entry { facet, .. } if Some(*facet) == self.cursor),
        );
        at.or_else(|| rows.iter().position(|row| !is_title(row)))
            .unwrap_or(0)
    }

    /// Puts the cursor onto a row.
    pub(crate) fn select(&mut self, rows: &[FacetRow], at: usize) {
        if let Some(FacetRow::Entry { facet, .. }) = rows.get(at) {
            self.cursor = Some(*facet);
        }
    }

    /// Moves the cursor.
    pub(crate) fn go(&mut self, motion: Motion, messages: &Messages) {
        let rows = self.rows(messages);
        let at = self.cursor(&rows);
        let entries = |range: std::ops::Range<usize>| {
            let of = rows.get(range.clone()).unwrap_or_default();
            of.iter()
                .zip(range)
                .filter(|(row, _)| !is_title(row))
                .map(|(_, at)| at)
        };
        let title = |range: std::ops::Range<usize>| {
            let of = rows.get(range.clone()).unwrap_or_default();
            of.iter()
                .zip(range)
                .filter(|(row, _)| is_title(row))
                .map(|(_, at)| at)
        };
        let to = match motion {
            Motion::Up => entries(0..at).next_back(),
            Motion::Down => entries(at + 1..rows.len()).next(),
            Motion::First => entries(0..rows.len()).next(),
            Motion::Last => entries(0..rows.len()).next_back(),
            Motion::PageDown => title(at..rows.len()).next().map(|title| title + 1),
            Motion::PageUp => title(0..at).nth_back(1).map(|title| title + 1),
            Motion::Left | Motion::Right => None,
        };
        self.select(&rows, to.unwrap_or(at));
    }

    /// Switches the entry under the cursor.
    pub(crate) fn change(&mut self, change: FacetChange, messages: &Messages) {
        let rows = self.rows(messages);
        let Some(FacetRow::Entry { facet, .. }) = rows.get(self.cursor(&rows)) else {
            return;
        };
        self.cursor = Some(*facet);
        let list = &mut self.lists[facet.list()];
        match change {
            FacetChange::Toggle => {
                if !list.listed.remove(facet) {
                    list.listed.insert(*facet);
                }
            }
            FacetChange::Only => {
                list.only = true;
                list.listed = HashSet::from([*facet]);
            }
            FacetChange::All => {
                list.only = false;
                list.listed.clear();
            }
        }
    }
}

fn is_title(row: &FacetRow) -> bool {
    matches!(row, FacetRow::Title(_))
}
