//! How much of a message has a name.

use std::ops::AddAssign;

use crate::context::MessageView;
use crate::schema::{Field, base};
use crate::tape::{Leaf, NodeFlags, Tape};

/// Bytes after the `nlmsghdr`, where there is one, and those of them that lie in a field,
/// header or padding that a table knows: not in an unknown or guessed attribute, and not
/// left over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coverage {
    /// All of them.
    pub bytes: u64,
    /// Those that have a name.
    pub named: u64,
}

impl AddAssign for Coverage {
    fn add_assign(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.named += other.named;
    }
}

/// How much of a message has a name. What is left behind it, up to the next message of its
/// frame, counts as its own.
#[must_use]
pub fn coverage(view: &MessageView<'_>) -> Coverage {
    let mut coverage = Coverage::default();
    let Some(message) = view.node() else {
        return coverage;
    };
    let start = message.node().start;
    let header = message.children().next().filter(|first| {
        std::ptr::eq(first.field(), &raw const base::NLMSGHDR)
            || std::ptr::eq(first.field(), &raw const base::QUOTED_NLMSGHDR)
    });
    let len = header.map_or(0, |header| header.node().len);
    let body = start.saturating_add(len);
    let nodes = view.mark.node..view.extent().end;
    for leaf in view.tape.leaves_of(nodes).filter(|leaf| leaf.start >= body) {
        let len = u64::from(leaf.len);
        coverage.bytes += len;
        if is_named(view.tape, leaf) {
            coverage.named += len;
        }
    }
    coverage
}

fn is_named(tape: &Tape, leaf: Leaf) -> bool {
    let nameless: [*const Field; 3] = [
        &raw const base::UNKNOWN,
        &raw const base::UNKNOWN_ATTRIBUTE,
        &raw const base::TRAILING,
    ];
    tape.nodes().get(leaf.node as usize).is_some_and(|node| {
        !node.flags.has(NodeFlags::GUESS) && !nameless.contains(&std::ptr::from_ref(node.field))
    })
}
