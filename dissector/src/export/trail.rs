//! What a walk through a tape in order has to remember, so that a path or the notes of
//! each node cost no search.

use crate::note::Note;
use crate::schema::base;
use crate::tape::{NodeFlags, NodeIndex, NodeRef, Tape};

/// The name of a node of an extended acknowledgement begins with this.
const EXT_ACK: &str = "ext-ack";

/// The names above the node a walk is at. Each node that the walk shows has to be
/// entered, in order; nodes may be left out together with all below them.
#[derive(Default)]
pub(super) struct Trail {
    /// Where each open node ends, and the length of the path at it.
    open: Vec<(NodeIndex, usize)>,
    /// The path of the innermost node entered.
    path: String,
    /// How many of the tape's messages begin at or before it.
    messages: usize,
}

impl Trail {
    /// Goes on to `node`, the next in order. Returns its path, the name a filter knows it
    /// by; a layer without a name has the path of what holds it.
    pub(super) fn enter(&mut self, node: NodeRef<'_>) -> &str {
        let index = node.index();
        while self.open.last().is_some_and(|(end, _)| *end <= index) {
            self.open.pop();
        }
        self.path
            .truncate(self.open.last().map_or(0, |(_, len)| *len));
        let marks = node.tape().messages();
        let before = self.messages;
        while marks
            .get(self.messages)
            .is_some_and(|mark| mark.node <= index)
        {
            self.messages += 1;
        }
        let field = node.field();
        let begun = (self.messages > before).then(|| marks.get(self.messages - 1));
        if let Some(mark) = begun.flatten().filter(|mark| mark.node == index) {
            self.path.clear();
            self.path
                .push_str(mark.family.map_or("", |family| family.name));
        } else if field.is_base() {
            self.base(node);
        } else if !node.has(NodeFlags::UNNAMED) {
            self.push(field.name);
        }
        self.open.push((node.node().next, self.path.len()));
        &self.path
    }

    /// The path of the last node entered.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// What every frame has is named by itself, wherever it stands.
    fn base(&mut self, node: NodeRef<'_>) {
        let field = node.field();
        if std::ptr::eq(field, &raw const base::UNKNOWN_ATTRIBUTE) {
            let name = match node.number() {
                Some(number) => number.to_string(),
                None => field.name.to_owned(),
            };
            self.push(&name);
            return;
        }
        self.path.clear();
        if node.has(NodeFlags::ATTRIBUTE) {
            self.path.push_str(EXT_ACK);
        }
        self.push(field.name);
    }

    fn push(&mut self, name: &str) {
        if !self.path.is_empty() {
            self.path.push('.');
        }
        self.path.push_str(name);
    }
}

/// The notes of a tape in the order of their nodes.
pub(super) struct NotesInOrder<'t> {
    notes: Vec<&'t Note>,
    at: usize,
}

impl<'t> NotesInOrder<'t> {
    pub(super) fn new(tape: &'t Tape) -> Self {
        let mut notes: Vec<_> = tape.notes().iter().collect();
        notes.sort_by_key(|note| note.node);
        Self { notes, at: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// The next note of `node`; asked for nodes in ascending order.
    pub(super) fn next_of(&mut self, node: NodeIndex) -> Option<&'t Note> {
        while self.notes.get(self.at).is_some_and(|note| note.node < node) {
            self.at += 1;
        }
        let note = self.notes.get(self.at).filter(|note| note.node == node)?;
        self.at += 1;
        Some(note)
    }
}
