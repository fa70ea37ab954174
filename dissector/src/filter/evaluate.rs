//! A checked filter and a message -> yes or no.

use super::Verdict;
use super::header::HeadField;
use super::relation::{Item, Relation};
use super::resolve::{is_named, is_unknown};
use crate::context::{Head, MessageView};
use crate::schema::{Family, Field, Type, base};
use crate::tape::{Node, NodeFlags, NodeIndex, NodeRef};
use crate::value::{NoNames, Value};
use crate::wire::NLMSG_MIN_TYPE;

/// A checked expression.
#[derive(Debug)]
pub(super) enum Checked {
    All(Vec<Checked>),
    Any(Vec<Checked>),
    Not(Box<Checked>),
    Head(HeadField, Relation),
    Family(&'static Family),
    Notes(Relation),
    Field(FieldTest),
}

/// What is asked of the fields with some name.
#[derive(Debug)]
pub(super) struct FieldTest {
    /// The family, where the name begins with one.
    pub(super) root: Option<&'static Family>,
    /// The names above and of the field; empty where the field alone tells.
    pub(super) path: Vec<String>,
    /// The fields, in ascending order of address, and what is asked of each.
    pub(super) targets: Vec<(&'static Field, Relation)>,
    /// What is asked holds only if it holds for every occurrence.
    pub(super) of_all: bool,
}

impl Checked {
    /// What can be said without the attributes.
    pub(super) fn head(&self, head: &Head<'_>) -> Verdict {
        match self {
            Self::All(parts) => Verdict::all(parts, |part| part.head(head)),
            Self::Any(parts) => Verdict::any(parts, |part| part.head(head)),
            Self::Not(inner) => inner.head(head).not(),
            Self::Head(field, relation) => of(head_holds(*field, relation, head)),
            Self::Family(family) => of(is_of(head.family, family)),
            Self::Field(test) if test.impossible(head) => Verdict::No,
            Self::Field(_) | Self::Notes(_) => Verdict::NeedsTape,
        }
    }

    /// What can be said of every message of a protocol.
    pub(super) fn protocol(&self, protocol: u16) -> Verdict {
        match self {
            Self::All(parts) => Verdict::all(parts, |part| part.protocol(protocol)),
            Self::Any(parts) => Verdict::any(parts, |part| part.protocol(protocol)),
            Self::Not(inner) => inner.protocol(protocol).not(),
            Self::Head(HeadField::Protocol, relation) => {
                let item = Item::Number(i128::from(protocol));
                of(relation.holds(&item, &NoNames).unwrap_or(false))
            }
            Self::Family(family) if family.protocol != protocol => Verdict::No,
            Self::Field(test) if test.root.is_some_and(|root| root.protocol != protocol) => {
                Verdict::No
            }
            Self::Head(..) | Self::Family(_) | Self::Field(_) | Self::Notes(_) => {
                Verdict::NeedsTape
            }
        }
    }

    /// Whether the message passes.
    pub(super) fn matches(&self, view: &MessageView<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.matches(view)),
            Self::Any(parts) => parts.iter().any(|part| part.matches(view)),
            Self::Not(inner) => !inner.matches(view),
            Self::Head(field, relation) => head_holds(*field, relation, &view.head),
            Self::Family(family) => is_of(view.head.family, family),
            Self::Notes(relation) => notes_hold(relation, view),
            Self::Field(test) => !test.impossible(&view.head) && test.holds(view),
        }
    }
}

impl Verdict {
    /// Whether all parts pass; what decides it ends the asking.
    fn all(parts: &[Checked], ask: impl Fn(&Checked) -> Self) -> Self {
        let mut verdict = Self::Yes;
        for part in parts {
            match ask(part) {
                Self::No => return Self::No,
                Self::NeedsTape => verdict = Self::NeedsTape,
                Self::Yes => {}
            }
        }
        verdict
    }

    /// Whether one of the parts passes.
    fn any(parts: &[Checked], ask: impl Fn(&Checked) -> Self) -> Self {
        Self::all(parts, |part| ask(part).not()).not()
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::NeedsTape => Self::NeedsTape,
        }
    }
}

fn of(holds: bool) -> Verdict {
    if holds { Verdict::Yes } else { Verdict::No }
}

fn is_of(found: Option<&'static Family>, wanted: &'static Family) -> bool {
    found.is_some_and(|found| std::ptr::eq(found, wanted))
}

fn head_holds(field: HeadField, relation: &Relation, head: &Head<'_>) -> bool {
    let Some(item) = field.item(head) else {
        return false;
    };
    if let (Relation::Present, Item::Number(number)) = (relation, &item)
        && field.is_truth()
    {
        return *number != 0;
    }
    relation
        .holds(&item, &head.context.names_at(head.frame))
        .unwrap_or(false)
}

/// Nodes of the message: its own and all below.
fn extent(view: &MessageView<'_>) -> std::ops::Range<NodeIndex> {
    let nodes = view.tape.nodes();
    let end = nodes
        .get(view.mark.node as usize)
        .map_or(0, |node| node.next);
    view.mark.node..end
}

fn notes_hold(relation: &Relation, view: &MessageView<'_>) -> bool {
    let mut answer = Answer::new(relation.of_all());
    for note in view.tape.notes_on(view.extent()) {
        answer.take(relation.holds(&Item::Note(note.kind), &NoNames));
        if answer.settled {
            break;
        }
    }
    answer.holds
}

/// The answers of several occurrences, taken together.
struct Answer {
    of_all: bool,
    holds: bool,
    settled: bool,
}

impl Answer {
    fn new(of_all: bool) -> Self {
        Self {
            of_all,
            holds: false,
            settled: false,
        }
    }

    fn take(&mut self, answer: Option<bool>) {
        let Some(answer) = answer else { return };
        self.holds = answer;
        self.settled = answer != self.of_all;
    }
}

impl FieldTest {
    /// Whether the headers rule out that the field is there.
    fn impossible(&self, head: &Head<'_>) -> bool {
        let Some(root) = self.root else {
            return false;
        };
        if head.protocol != root.protocol {
            return true;
        }
        // An error's attributes are those of the request it quotes.
        head.header.kind >= NLMSG_MIN_TYPE && !is_of(head.family, root)
    }

    fn holds(&self, view: &MessageView<'_>) -> bool {
        let mut answer = Answer::new(self.of_all);
        let nodes = view.tape.nodes();
        let mut line = Line([0; 256]);
        for index in extent(view) {
            let Some(node) = nodes.get(index as usize) else {
                break;
            };
            line.0[usize::from(node.depth)] = index;
            let Some(relation) = self.relation(node.field) else {
                continue;
            };
            if !self.is_here(view, node, &line) {
                continue;
            }
            let Some(found) = view.tape.at(view.head.frame.bytes, index) else {
                break;
            };
            ask(relation, found, &view.head, &mut answer);
            if answer.settled {
                break;
            }
        }
        answer.holds
    }

    fn relation(&self, field: &'static Field) -> Option<&Relation> {
        let address = std::ptr::from_ref(field);
        let same = |target: &(&'static Field, Relation)| std::ptr::eq(target.0, address);
        let found = if let [only] = self.targets.as_slice() {
            Some(only).filter(|only| same(only))
        } else {
            let at = self
                .targets
                .binary_search_by_key(&address, |(field, _)| std::ptr::from_ref(*field))
                .ok()?;
            self.targets.get(at)
        };
        found.map(|(_, relation)| relation)
    }

    /// Whether what lies above `node` is what the name says.
    fn is_here(&self, view: &MessageView<'_>, node: &Node, line: &Line) -> bool {
        if self.path.is_empty() && self.root.is_none() {
            return true;
        }
        let tape = view.tape;
        let mut left = self.path.as_slice();
        for depth in (0..=node.depth).rev() {
            let index = line.0[usize::from(depth)];
            let Some(above) = tape.nodes().get(index as usize) else {
                return false;
            };
            if std::ptr::eq(above.field, &raw const base::MESSAGE)
                || std::ptr::eq(above.field, &raw const base::QUOTED)
            {
                let family = || tape.message_of(index).and_then(|mark| mark.family);
                return left.is_empty() && self.root.is_none_or(|root| is_of(family(), root));
            }
            if above.flags.has(NodeFlags::UNNAMED) && !is_unknown(above.field) {
                continue;
            }
            let is_called = |name: &str| {
                if !is_unknown(above.field) {
                    return is_named(above.field, name);
                }
                let number = tape
                    .at(view.head.frame.bytes, index)
                    .and_then(|n| n.number());
                number.is_some() && number == name.parse().ok()
            };
            match left.split_last() {
                Some((name, rest)) if is_called(name) => left = rest,
                Some(_) => return false,
                None => return self.root.is_none(),
            }
            if left.is_empty() && self.root.is_none() {
                return true;
            }
        }
        false
    }
}

/// The nodes above the one at hand, and itself, by their depth.
struct Line([NodeIndex; 256]);

/// Asks every value of a node.
fn ask(relation: &Relation, node: NodeRef<'_>, head: &Head<'_>, answer: &mut Answer) {
    if matches!(relation, Relation::Present) {
        answer.take(Some(true));
        return;
    }
    let names = &head.context.names_at(head.frame);
    match node.value() {
        Value::List => {
            for (_, value) in node.elements() {
                let item = Item::of(value);
                answer.take(item.and_then(|item| relation.holds(&item, names)));
                if answer.settled {
                    return;
                }
            }
        }
        // A level of an array of arrays: its number is its value.
        Value::Tree if matches!(node.field().ty, Type::Int { .. } | Type::VarInt { .. }) => {
            let item = node.number().map(|number| Item::Number(i128::from(number)));
            answer.take(item.and_then(|item| relation.holds(&item, names)));
        }
        value => {
            let item = Item::of(value);
            answer.take(item.and_then(|item| relation.holds(&item, names)));
        }
    }
}
