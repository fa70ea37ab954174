//! Structs one behind the other, each with its own length in its second byte: the
//! operations of a socket filter (`INET_DIAG_REQ_BYTECODE`), which say there where the
//! next one begins if their condition holds, and the options of neighbour discovery.
//! The elements of an array of a table are all as long as each other.

use super::custom::CustomField;
use super::scope::Scope;
use super::{MAX_NODES, Walker};
use crate::note::NoteKind;
use crate::tape::{NodeFlags, NodeIndex};

/// Bytes before what depends: the number and the length.
const LEAST: u32 = 2;

impl Walker<'_> {
    /// The structs between `start` and `end`, their lengths in units of `unit` bytes.
    pub(super) fn self_sized(
        &mut self,
        custom: CustomField,
        unit: u32,
        parent: NodeIndex,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        let least = custom.header.map_or(0, |header| header.size).max(LEAST);
        let mut at = start;
        while let Some(one) = custom.header
            && let [_, len, ..] = *self.bytes(at, end)
            && self.tape.index() < MAX_NODES
        {
            let says = u32::from(len) * unit;
            let left = end - at;
            if says < least || says > left {
                self.tape
                    .note(parent, NoteKind::MemberLength { says, left });
                break;
            }
            let to = at + says;
            let node = self.tape.open(&one.field, at, depth, NodeFlags::UNNAMED);
            self.whole_struct(one, node, (at, to), depth.saturating_add(1), scope);
            self.tape.close(node, to);
            at = to;
        }
        self.unknown(at, end, depth);
    }
}
