//! What matters of a message, in a few words.

use super::{Options, Role, Span, limited};
use crate::context::MessageView;
use crate::schema::{AttributeSet, Field, Format, Struct, SummaryEntry, Type};
use crate::tape::{NodeFlags, NodeRef};
use crate::value::Value;

/// Longest value, in characters.
const VALUE_WIDTH: usize = 64;
/// How many parts in parts are told.
const MAX_PARTS: u8 = 4;
/// How many parts of a list are told at most.
const MAX_LISTED: usize = 8;
/// How many values are shown where the schema does not say which.
const UNTOLD: usize = 4;

/// Appends what the schema names as worth a look; where it names nothing, the first
/// values there are.
pub(super) fn summary(view: &MessageView<'_>, options: &Options<'_>, out: &mut Vec<Span>) {
    let Some(node) = view.node() else { return };
    let entries = view.head.message.map_or(&[][..], |message| message.summary);
    let before = out.len();
    entries_of(node, entries, options, 0, out);
    if out.len() == before {
        untold(node, view.head.message.is_some(), options, out);
    }
}

/// Appends what a nest or a struct reads as, where its table says so; `above` is the type of
/// the node that it is directly below. Whether it does.
pub(super) fn of_part(
    node: NodeRef<'_>,
    above: Option<Type>,
    options: &Options<'_>,
    level: u8,
    out: &mut Vec<Span>,
) -> bool {
    let before = out.len();
    for entries in parts(node, above) {
        entries_of(node, entries, options, level, out);
    }
    out.len() > before
}

/// What the tables say of how a node with others below it reads: of its struct, then of its
/// attributes.
fn parts(node: NodeRef<'_>, above: Option<Type>) -> impl Iterator<Item = &'static [SummaryEntry]> {
    let of_struct = |of: &'static Struct| of.summary;
    let of_set = |of: &'static AttributeSet| of.summary;
    let (first, second) = match node.field().ty {
        Type::Struct(of) => (Some(of_struct(of)), None),
        Type::Nest { header, set } => (header.map(of_struct), Some(of_set(set))),
        Type::Elements { set } | Type::TypeValue { set, .. } => (None, Some(of_set(set))),
        Type::Members => match above {
            Some(Type::Custom {
                header: Some(header),
                set,
                ..
            }) if std::ptr::eq(&raw const header.field, node.field()) => {
                (Some(of_struct(header)), set.map(of_set))
            }
            _ => (None, None),
        },
        Type::Custom {
            header: None, set, ..
        } => (None, set.map(of_set)),
        // Which format it is, shows in what it holds.
        Type::SubMessage { formats, .. } => {
            let inside = node.children().next().map(|child| child.field());
            let format = formats
                .items()
                .iter()
                .find(|format| inside.is_some_and(|inside| holds(format, inside)));
            (
                format.and_then(|format| format.header).map(of_struct),
                format.and_then(|format| format.set).map(of_set),
            )
        }
        _ => (None, None),
    };
    first.into_iter().chain(second)
}

/// Whether a sub-message of this format can begin with `field`.
pub(super) fn holds(format: &Format, field: &'static Field) -> bool {
    let in_set = format.set.is_some_and(|set| {
        set.attribute(field.number)
            .is_some_and(|known| std::ptr::eq(known, field))
    });
    in_set
        || format.header.is_some_and(|header| {
            std::ptr::eq(&raw const header.field, field)
                || header.members.first().is_some_and(|member| {
                    // What it is in this message has a field of its own.
                    std::ptr::eq(&raw const member.field, field)
                        || matches!(member.field.ty, Type::SubMessage { .. })
                            && member.field.name == field.name
                })
        })
}

fn entries_of(
    node: NodeRef<'_>,
    entries: &[SummaryEntry],
    options: &Options<'_>,
    level: u8,
    out: &mut Vec<Span>,
) {
    let mut found = false;
    for entry in entries {
        // What is joined to nothing says nothing.
        if !entry.joined || found {
            found = told(node, entry, options, level, out);
        }
    }
}

/// Appends one entry. Whether it is there.
fn told(
    node: NodeRef<'_>,
    entry: &SummaryEntry,
    options: &Options<'_>,
    level: u8,
    out: &mut Vec<Span>,
) -> bool {
    let hits = entry
        .paths
        .iter()
        .map(|path| Hits::of(node, path, options))
        .find(|hits| hits.count > 0);
    let Some(hits) = hits else {
        return false;
    };
    if !entry.joined {
        space(out);
    }
    if !entry.label.is_empty() {
        out.push(Span::new(Role::Label, entry.label));
        if !entry.joined {
            out.push(Span::new(Role::Plain, " "));
        }
    }
    if level >= MAX_PARTS || !hits.in_parts(options, level, out) {
        hits.in_short(options, out);
    }
    true
}

/// The nodes that a path leads to, the first few of them.
#[derive(Default)]
struct Hits<'t> {
    first: Vec<NodeRef<'t>>,
    count: usize,
}

impl<'t> Hits<'t> {
    fn of(node: NodeRef<'t>, path: &[&str], options: &Options<'_>) -> Self {
        let mut hits = Self::default();
        hits.below(node, path, options);
        hits
    }

    /// Of an attribute and a header's member with the same name the attribute counts.
    fn add(&mut self, node: NodeRef<'t>) {
        let attribute = node.has(NodeFlags::ATTRIBUTE);
        match self.first.first() {
            Some(first) if first.has(NodeFlags::ATTRIBUTE) == attribute => {}
            Some(_) if !attribute => return,
            _ => {
                self.first.clear();
                self.count = 0;
            }
        }
        if self.first.len() < MAX_LISTED {
            self.first.push(node);
        }
        self.count += 1;
    }

    fn below(&mut self, node: NodeRef<'t>, path: &[&str], options: &Options<'_>) {
        let Some((name, rest)) = path.split_first() else {
            return;
        };
        for child in node.children() {
            if child.has(NodeFlags::UNNAMED) {
                if rest.is_empty() && child.field().name == *name && is_level(node, child) {
                    self.add(child);
                }
                self.below(child, path, options);
            } else if child.field().name != *name || says_nothing(child) {
            } else if rest.is_empty() || is_masked(child, options) {
                self.add(child);
            } else {
                self.below(child, rest, options);
            }
        }
    }
}

/// Whether nothing below the node is to be shown.
pub(super) fn is_masked(node: NodeRef<'_>, options: &Options<'_>) -> bool {
    node.field().secret && options.show.redact && node.has_children()
}

/// Whether `node`, directly below `above`, is a level of attributes whose number is a
/// value of its own.
fn is_level(above: NodeRef<'_>, node: NodeRef<'_>) -> bool {
    node.has(NodeFlags::ATTRIBUTE)
        && matches!(node.field().ty, Type::Int { .. })
        && matches!(above.field().ty, Type::TypeValue { .. } | Type::Int { .. })
}

/// Whether the node has nothing to tell: a nest without anything in it, a member without
/// text, flags of which none is set.
fn says_nothing(node: NodeRef<'_>) -> bool {
    let field = node.field();
    match node.value() {
        Value::Tree => {
            let is_sub_message = matches!(field.ty, Type::SubMessage { .. });
            !node.has_children()
                && (is_sub_message || parts(node, None).any(|entries| !entries.is_empty()))
        }
        Value::Unsigned(0) => field.names.is_some_and(|names| names.as_flags),
        Value::Text(text) => text.is_empty() && !node.has(NodeFlags::ATTRIBUTE),
        _ => false,
    }
}

impl Hits<'_> {
    /// Appends nests and structs as their tables say that they read, one behind the other
    /// as far as there is room. Whether their tables say anything.
    fn in_parts(&self, options: &Options<'_>, level: u8, out: &mut Vec<Span>) -> bool {
        let mut told = 0;
        let mut width = 0;
        let mut total = self.count;
        for hit in &self.first {
            if is_masked(*hit, options) {
                return false;
            }
            let is_list = matches!(
                hit.field().ty,
                Type::Indexed { .. }
                    | Type::Array { .. }
                    | Type::Custom {
                        header: Some(_),
                        ..
                    }
            );
            let elements = if is_list { hit.children().count() } else { 1 };
            total += elements;
            total -= 1;
            let parts = hit.children().filter(|_| is_list);
            let above = is_list.then_some(hit.field().ty);
            for part in parts.chain((!is_list).then_some(*hit)) {
                if width > VALUE_WIDTH || told == MAX_LISTED {
                    break;
                }
                let mut inside = Vec::new();
                if !of_part(part, above, options, level + 1, &mut inside) {
                    continue;
                }
                if told > 0 {
                    out.push(Span::new(Role::Plain, "; "));
                }
                width += inside
                    .iter()
                    .map(|span| span.text.chars().count())
                    .sum::<usize>();
                out.append(&mut inside);
                told += 1;
            }
        }
        if told > 0 && total > told {
            out.push(Span::new(Role::Aside, format!(" +{}", total - told)));
        }
        told > 0
    }

    /// Appends the first value, and how many more there are.
    fn in_short(&self, options: &Options<'_>, out: &mut Vec<Span>) {
        let Some(node) = self.first.first() else {
            return;
        };
        let (text, more) = short(*node, options);
        out.push(Span::new(Role::Value, text));
        let more = more + self.count.saturating_sub(1);
        if more > 0 {
            out.push(Span::new(Role::Aside, format!(" +{more}")));
        }
    }
}

/// A value, or the first of those in a list and how many more it has.
fn short(node: NodeRef<'_>, options: &Options<'_>) -> (String, usize) {
    if is_masked(node, options) {
        return ("(redacted)".to_owned(), 0);
    }
    match node.value() {
        Value::Present => (node.field().name.to_owned(), 0),
        Value::List => {
            let mut elements = node.elements_shown(options.show);
            let first = elements.next();
            let text = first.map_or_else(|| "[]".to_owned(), |it| limited(it, VALUE_WIDTH));
            (text, elements.count())
        }
        Value::Tree if node.parent().is_some_and(|above| is_level(above, node)) => (
            node.number().map_or_else(String::new, |it| it.to_string()),
            0,
        ),
        // Values one behind the other that are one key.
        Value::Tree if matches!(node.field().ty, Type::SubMessage { .. }) => {
            let parts = node
                .children()
                .filter(|child| child.has(NodeFlags::UNNAMED) && !child.has_children());
            let parts: Vec<_> = parts
                .map(|part| part.show(options.show).to_string())
                .collect();
            if parts.is_empty() {
                return (node.field().name.to_owned(), 0);
            }
            (limited(parts.join(" . "), VALUE_WIDTH), 0)
        }
        Value::Tree => {
            // A list of values, or something that is worth knowing to be there.
            let mut elements = node
                .children()
                .filter(|child| child.has(NodeFlags::UNNAMED) && !child.has_children());
            match elements.next() {
                Some(first) => (
                    limited(first.show(options.show), VALUE_WIDTH),
                    elements.count(),
                ),
                None => (node.field().name.to_owned(), 0),
            }
        }
        _ => (limited(node.show(options.show), VALUE_WIDTH), 0),
    }
}

/// Appends the first few attributes that hold a value, or else header fields, or else
/// how much there is; nothing of a `known` message that is empty.
fn untold(node: NodeRef<'_>, known: bool, options: &Options<'_>, out: &mut Vec<Span>) {
    let mut shown = 0;
    let scalar = |node: &NodeRef<'_>| {
        !node.has_children()
            && !matches!(node.field().ty, Type::Pad | Type::Unused)
            && !node.field().is_base()
    };
    let attributes = || {
        node.children()
            .filter(|child| child.has(NodeFlags::ATTRIBUTE))
    };
    let members = || {
        node.children()
            .filter(|child| child.has(NodeFlags::UNNAMED) && !child.has(NodeFlags::ATTRIBUTE))
            .filter(|child| !child.field().is_base())
            .flat_map(|header| header.children())
            .filter(|member| member.bytes().iter().any(|byte| *byte != 0))
    };
    for node in attributes().chain(members()).filter(scalar).take(UNTOLD) {
        space(out);
        out.push(Span::new(Role::Name, node.field().name));
        if node.value() != Value::Present {
            out.push(Span::new(Role::Plain, " "));
            let text = limited(node.show(options.show), VALUE_WIDTH / 2);
            out.push(Span::new(Role::Value, text));
        }
        shown += 1;
    }
    if shown > 0 {
        return;
    }
    let text = match (attributes().count(), node.node().len) {
        (0, _) if known => return,
        (0, len) => format!("{len} bytes"),
        (1, _) => "1 attribute".to_owned(),
        (count, _) => format!("{count} attributes"),
    };
    space(out);
    out.push(Span::new(Role::Unknown, text));
}

/// Appends a space, unless nothing is there to be kept apart from.
pub(super) fn space(out: &mut Vec<Span>) {
    if !out.is_empty() {
        out.push(Span::new(Role::Plain, " "));
    }
}
