//! What a walk through a tape in order has to remember, so that a path or the notes of
//! each node cost no search.

use crate::note::Note;
use crate::schema::base;
use crate::tape::{NodeFlags, NodeIndex, NodeRef, Tape};

/// The names above the node a walk is at. Each node that the walk shows has to be
/// entered, in order; nodes may be left out together with all below them.
#[derive(Default)]
pub(super) struct Trail {
    open: Vec<Open>,
    /// The paths of all open nodes, each beginning in or behind the one before.
    text: String,
    /// How many of the tape's messages begin at or before the node entered last.
    messages: usize,
}

/// A node that the walk is inside of.
#[derive(Clone, Copy)]
struct Open {
    /// The first node behind it.
    next: NodeIndex,
    /// Where its path begins in the text.
    start: usize,
    /// Where its path ends.
    end: usize,
}

impl Trail {
    /// Goes on to `node`, the next in order. Returns its path, the name a filter knows it
    /// by; a layer without a name has the path of what holds it.
    pub(super) fn enter(&mut self, node: NodeRef<'_>) -> &str {
        let index = node.index();
        while self.open.last().is_some_and(|open| open.next <= index) {
            self.open.pop();
        }
        let above = self.open.last();
        self.text.truncate(above.map_or(0, |open| open.end));
        let mut start = above.map_or(0, |open| open.start);
        let field = node.field();
        if let Some(family) = self.begins(node) {
            start = self.text.len();
            self.text.push_str(family);
        } else if std::ptr::eq(field, &raw const base::UNKNOWN_ATTRIBUTE) {
            match node.number() {
                Some(number) => self.push(start, &number.to_string()),
                None => self.push(start, field.name),
            }
        } else if field.is_base() {
            // What every frame has is named by itself, wherever it stands.
            start = self.text.len();
            if node.has(NodeFlags::ATTRIBUTE) {
                self.text.push_str(base::EXT_ACK_NAME);
            }
            self.push(start, field.name);
        } else if !node.has(NodeFlags::UNNAMED) {
            self.push(start, field.name);
        }
        self.open.push(Open {
            next: node.node().next,
            start,
            end: self.text.len(),
        });
        self.path()
    }

    /// The path of the node entered last.
    pub(super) fn path(&self) -> &str {
        let start = self.open.last().map_or(0, |open| open.start);
        self.text.get(start..).unwrap_or_default()
    }

    /// The name of the family of the message that begins with `node`, if one does.
    fn begins(&mut self, node: NodeRef<'_>) -> Option<&'static str> {
        let marks = node.tape().messages();
        let mut begun = None;
        while let Some(mark) = marks.get(self.messages).filter(|m| m.node <= node.index()) {
            self.messages += 1;
            begun = Some(mark).filter(|mark| mark.node == node.index());
        }
        Some(begun?.family.map_or("", |family| family.name))
    }

    fn push(&mut self, start: usize, name: &str) {
        if self.text.len() > start {
            self.text.push('.');
        }
        self.text.push_str(name);
    }
}

/// The notes of a tape, taken in the order of their nodes.
pub(super) struct NotesInOrder<'t> {
    rest: &'t [Note],
}

impl<'t> NotesInOrder<'t> {
    pub(super) fn new(tape: &'t Tape) -> Self {
        Self { rest: tape.notes() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next note of `node`; asked for nodes in ascending order.
    pub(super) fn next_of(&mut self, node: NodeIndex) -> Option<&'t Note> {
        if self.rest.first()?.node < node {
            let skipped = self.rest.partition_point(|note| note.node < node);
            self.rest = self.rest.get(skipped..)?;
        }
        let (first, rest) = self.rest.split_first()?;
        if first.node != node {
            return None;
        }
        self.rest = rest;
        Some(first)
    }
}
