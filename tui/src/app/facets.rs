//! Lists of what occurs, with counts, whose entries can be switched off.

use std::collections::{HashMap, HashSet};

use nlscope_dissector::context::{Context, GroupSeen, Head, Port, Record};
use nlscope_dissector::schema::base;
use nlscope_dissector::text::Escaped;
use nlscope_dissector::wire::{NLMSG_MIN_TYPE, protocol};

use super::action::{FacetChange, Motion};

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
}

/// How many entries a list has at most: in a day each run of a program is a port of its
/// own.
const MAX_ENTRIES: usize = 1 << 14;

/// The kinds of lists, in the order in which they are shown.
const TITLES: [&str; 4] = ["protocol", "family", "port", "group"];

impl Facet {
    /// The facets of a message, one for each of [`TITLES`].
    #[must_use]
    pub(crate) fn of(head: &Head<'_>) -> [Facet; 4] {
        [
            Facet::Protocol(head.protocol),
            family(head),
            Facet::Port(head.record.port),
            Facet::of_group(head.record.group),
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

/// One list.
#[derive(Debug, Default)]
struct List {
    counts: HashMap<Facet, u32>,
    /// The entries that are on, if `only`; else those that are off. What turns up later
    /// then is what a person expects: shown, unless a few were chosen.
    listed: HashSet<Facet>,
    only: bool,
}

impl List {
    fn count(&mut self, facet: Facet) {
        let room = self.counts.len() < MAX_ENTRIES;
        match self.counts.get_mut(&facet) {
            Some(count) => *count = count.saturating_add(1),
            None if room => {
                self.counts.insert(facet, 1);
            }
            None => {}
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
    lists: [List; 4],
    cursor: Option<Facet>,
    /// First row on the screen.
    pub top: usize,
}

impl Facets {
    /// Counts a message.
    pub(crate) fn count(&mut self, head: &Head<'_>) {
        for (list, facet) in self.lists.iter_mut().zip(Facet::of(head)) {
            list.count(facet);
        }
    }

    /// A message's port or group turned out.
    pub(crate) fn changed(&mut self, from: &Record, to: &Record) {
        self.moved(Facet::Port(from.port), Facet::Port(to.port));
        self.moved(Facet::of_group(from.group), Facet::of_group(to.group));
    }

    fn moved(&mut self, from: Facet, to: Facet) {
        if from == to {
            return;
        }
        let list = &mut self.lists[to.list()];
        if let Some(count) = list.counts.get_mut(&from) {
            *count = count.saturating_sub(1);
        }
        list.counts.retain(|_, count| *count > 0);
        list.count(to);
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
    pub(crate) fn rows(&self, context: &Context) -> Vec<FacetRow> {
        let mut rows = Vec::new();
        for (title, list) in TITLES.into_iter().zip(&self.lists) {
            rows.push(FacetRow::Title(title));
            let mut entries: Vec<_> = list
                .counts
                .iter()
                .map(|(facet, count)| (u32::MAX - count, facet.name(context), *facet))
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
    pub(crate) fn go(&mut self, motion: Motion, context: &Context) {
        let rows = self.rows(context);
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
    pub(crate) fn change(&mut self, change: FacetChange, context: &Context) {
        let rows = self.rows(context);
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
