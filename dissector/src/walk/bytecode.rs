//! The filter of a request for sockets: a program of conditional jumps
//! (`INET_DIAG_REQ_BYTECODE`).
//!
//! Each operation says with its second byte where the next one begins, if its condition
//! holds; the kernel takes that for its length. No struct of a table can be that long.

use super::Walker;
use super::custom::CustomField;
use super::scope::Scope;
use crate::note::NoteKind;
use crate::tape::{NodeFlags, NodeIndex};

/// `sizeof(struct inet_diag_bc_op)`, and what lengths are a multiple of.
const OPERATION: u32 = 4;

impl Walker<'_> {
    /// One struct after the other, each with the length that it says.
    pub(super) fn bytecode(
        &mut self,
        custom: CustomField,
        parent: NodeIndex,
        (start, end): (u32, u32),
        depth: u8,
        scope: Option<&Scope<'_>>,
    ) {
        let mut at = start;
        while let (Some(operation), Some(says)) = (custom.header, self.length(at, end)) {
            let left = end - at;
            if says < OPERATION || says > left {
                self.tape
                    .note(parent, NoteKind::MemberLength { says, left });
                break;
            }
            let to = at + says;
            let node = self
                .tape
                .open(&operation.field, at, depth, NodeFlags::UNNAMED);
            self.whole_struct(operation, node, (at, to), depth.saturating_add(1), scope);
            self.tape.close(node, to);
            at = to;
        }
        self.unknown(at, end, depth);
    }

    /// The length of the operation at `at`, if one begins there.
    fn length(&self, at: u32, end: u32) -> Option<u32> {
        match self.bytes(at, end) {
            [_, yes, _, _, ..] if self.tape.index() < super::MAX_NODES => Some(u32::from(*yes)),
            _ => None,
        }
    }
}
