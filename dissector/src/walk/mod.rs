//! The one walker: it follows the schema through a frame and writes the tape.
//!
//! The walker trusts no length. What is too long, too short, too deep or unknown
//! becomes a node with a note, and every byte of the frame ends up in exactly one
//! leaf. Its cost is linear in the length of the frame: nesting is capped, and what
//! it looks back for is searched within a fixed number of attributes.

mod attributes;
mod custom;
mod guess;
mod message;
mod nft;
mod packet;
mod pairs;
mod scope;
mod self_sized;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use crate::note::NoteKind;
use crate::schema::{Direction, GenlIds, Len, Member, Schema, Struct, base};
use crate::tape::{NodeFlags, NodeIndex, Tape};
use crate::value::order_of;
use crate::wire::{Cooked, LinkType, Messages, NLMSG_HDRLEN, Order, nlmsghdr};
pub use nft::NftSets;
use scope::Scope;

/// How deep nodes may lie before their content is left as bytes.
pub const MAX_DEPTH: u8 = 40;
/// How many nodes a frame may have before what follows is left as bytes: attributes, and
/// all of a message but its header.
pub const MAX_NODES: u32 = 1 << 20;

/// What the bytes of a frame are, beside the bytes.
#[derive(Debug, Clone, Copy)]
pub struct FrameShape {
    /// What the frame begins with.
    pub link: LinkType,
    /// Length on the wire in bytes.
    pub wire_len: u32,
    /// Byte order of its netlink content.
    pub order: Order,
    /// Whether that is another one than the capture's.
    pub other_order: bool,
}

/// What a capture says elsewhere that a frame cannot be read without.
#[derive(Debug, Clone, Copy)]
pub struct Known<'k> {
    /// The generic netlink ids.
    pub ids: &'k GenlIds,
    /// The sets of `nf_tables`.
    pub nft_sets: Option<&'k NftSets>,
}

impl<'k> From<&'k GenlIds> for Known<'k> {
    fn from(ids: &'k GenlIds) -> Self {
        Self {
            ids,
            nft_sets: None,
        }
    }
}

/// Dissects `frame` onto `tape`, which is cleared first. `direction` tells the
/// direction of the frame's message number `nth` (from 0) where it is known better
/// than from the message's flags.
///
/// Never fails: what is wrong becomes notes on the tape.
pub fn dissect<'k>(
    schema: &Schema,
    known: impl Into<Known<'k>>,
    frame: &[u8],
    shape: FrameShape,
    direction: impl Fn(u32) -> Option<Direction>,
    tape: &mut Tape,
) {
    tape.clear(shape.order);
    let Known { ids, nft_sets } = known.into();
    let end = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    let mut walker = Walker {
        schema,
        ids,
        frame: &frame[..end as usize],
        order: shape.order,
        tape,
        sets: nft::Sets::default(),
        nft_sets,
        register: Cell::default(),
    };
    let root = walker.tape.open(&base::FRAME, 0, 0, NodeFlags::NONE);
    if shape.wire_len > end {
        walker.tape.note(
            root,
            NoteKind::SnapLength {
                wire: shape.wire_len,
                captured: end,
            },
        );
    }
    if shape.other_order {
        walker.tape.note(root, NoteKind::OtherOrder);
    }
    walker.frame(shape.link, end, direction);
    walker.tape.close(root, end);
}

struct Walker<'w> {
    schema: &'w Schema,
    ids: &'w GenlIds,
    frame: &'w [u8],
    order: Order,
    tape: &'w mut Tape,
    /// The `nf_tables` sets that the frame declared so far.
    sets: nft::Sets<'w>,
    /// Those of the capture.
    nft_sets: Option<&'w NftSets>,
    /// What the last `nf_tables` expression that was asked about has in its register.
    register: Cell<nft::Register>,
}

impl Walker<'_> {
    fn frame(&mut self, link: LinkType, end: u32, direction: impl Fn(u32) -> Option<Direction>) {
        let Ok(cooked) = Cooked::parse(link, self.frame) else {
            let rest = self.unknown(0, end, 1);
            let need = u32::try_from(link.header_len()).unwrap_or(0);
            if let Some(rest) = rest.filter(|_| need > end) {
                self.tape
                    .note(rest, NoteKind::HeaderCut { need, left: end });
            }
            return;
        };
        let header = if link == LinkType::Sll2 {
            &base::COOKED2
        } else {
            &base::COOKED
        };
        self.node(header, 0, cooked.len, 1, NodeFlags::NONE, None);
        let content = &self.frame[cooked.len as usize..];
        let mut messages = Messages::new(cooked.protocol, content, cooked.len, self.order);
        let mut nth = 0;
        while let Some(raw) = messages.next() {
            self.message(cooked.protocol, raw, nth, direction(nth));
            nth += 1;
            let message_end = raw.offset + u32::try_from(raw.bytes.len()).unwrap_or(0);
            self.padding(message_end, messages.rest().1, 1);
        }
        self.after_messages(messages.rest().0, messages.rest().1, end);
    }

    /// What is left of a frame after its messages: too short for another one, or with a
    /// length that ends the chain. Zeros are padding: some programs send their whole buffer.
    fn after_messages(&mut self, rest: &[u8], start: u32, end: u32) {
        if start >= end {
            return;
        }
        if rest.iter().all(|byte| *byte == 0) {
            self.padding(start, end, 1);
            return;
        }
        let len = end - start;
        let node = self
            .tape
            .leaf(&base::TRAILING, start, len, 1, NodeFlags::NONE);
        self.tape.note(
            node,
            match nlmsghdr(self.order)(rest) {
                Ok((_, header)) => NoteKind::MessageLength {
                    says: header.len,
                    left: len,
                },
                Err(_) => NoteKind::HeaderCut {
                    need: NLMSG_HDRLEN,
                    left: len,
                },
            },
        );
    }

    /// The bytes from `start` to `end`.
    fn bytes(&self, start: u32, end: u32) -> &[u8] {
        self.frame
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// A leaf for bytes that only align; none where there are none.
    fn padding(&mut self, start: u32, end: u32, depth: u8) {
        if start < end {
            self.tape
                .leaf(&base::PADDING, start, end - start, depth, NodeFlags::NONE);
        }
    }

    /// A leaf for bytes that nothing is known of; none where there are none.
    fn unknown(&mut self, start: u32, end: u32, depth: u8) -> Option<NodeIndex> {
        (start < end).then(|| {
            self.tape
                .leaf(&base::UNKNOWN, start, end - start, depth, NodeFlags::NONE)
        })
    }

    /// A leaf for bytes that belong to nothing; none where there are none.
    fn trailing(&mut self, start: u32, end: u32, depth: u8) {
        if start < end {
            let node = self
                .tape
                .leaf(&base::TRAILING, start, end - start, depth, NodeFlags::NONE);
            self.tape.note(node, NoteKind::Trailing);
        }
    }

    /// The members of a struct from `start` as far as `end` reaches, and padding where
    /// C has it. Returns where the struct ends, at most at `end`.
    fn members(
        &mut self,
        of: &'static Struct,
        parent: NodeIndex,
        (start, end): (u32, u32),
        depth: u8,
        outer: Option<&Scope<'_>>,
    ) -> u32 {
        let scope = Scope {
            outer,
            previous: Cell::new(0),
            set: None,
            start,
            end: start,
            header: Some((of, start)),
        };
        let mut at = start;
        let mut cut = false;
        // Where the struct would begin if what is counted before `at` were empty.
        let mut base = start;
        for member in of.members {
            let from = base.saturating_add(member.offset);
            let to = match member.len {
                Len::Bytes(len) => from.saturating_add(len),
                Len::Rest => end,
                Len::Counted { by, more, each } => {
                    let number = self.counted(of, by, parent);
                    let len = number.saturating_add(more).saturating_mul(each);
                    base = base.saturating_add(len);
                    from.saturating_add(len)
                }
            };
            if from > end {
                break;
            }
            if to > end && matches!(member.len, Len::Bytes(_)) {
                break;
            }
            self.padding(at, from, depth);
            let to = if to > end {
                let (says, left) = (to - from, end - from);
                self.tape
                    .note(parent, NoteKind::MemberLength { says, left });
                cut = true;
                end
            } else {
                to
            };
            self.member(member, (from, to), depth, &scope);
            at = to;
        }
        let full = base.saturating_add(of.size);
        if cut {
            return at;
        }
        if of.may_end && at == end {
            return at;
        }
        if at < full && end < full {
            self.tape.note(
                parent,
                NoteKind::ShortStruct {
                    known: of.size,
                    found: end - start,
                },
            );
            // A short dump request is padded like any other message.
            if self.bytes(at, end).iter().all(|byte| *byte == 0) {
                self.padding(at, end, depth);
            } else {
                self.unknown(at, end, depth);
            }
            return end;
        }
        if of.is_open_ended() || at >= full {
            return at;
        }
        self.padding(at, full, depth);
        full
    }

    /// What the member number `by` of the struct says.
    fn counted(&self, of: &'static Struct, by: usize, parent: NodeIndex) -> u32 {
        let Some(counter) = of.members.get(by) else {
            return 0;
        };
        let mut index = parent + 1;
        while let Some(node) = self.tape.nodes().get(index as usize) {
            if std::ptr::eq(node.field, &raw const counter.field) {
                let bytes = self.bytes(node.start, node.start + node.len);
                let number = order_of(node.field, self.order).unsigned(bytes);
                return u32::try_from(number).unwrap_or(u32::MAX);
            }
            index = node.next;
        }
        0
    }

    fn member(
        &mut self,
        member: &'static Member,
        (from, to): (u32, u32),
        depth: u8,
        scope: &Scope<'_>,
    ) {
        if from == to && !matches!(member.len, Len::Bytes(_)) {
            return;
        }
        self.node(&member.field, from, to, depth, NodeFlags::NONE, Some(scope));
    }

    /// A struct that the node `parent` consists of, up to `end` and no further: what
    /// a newer kernel added at its end is left as bytes.
    fn whole_struct(
        &mut self,
        of: &'static Struct,
        parent: NodeIndex,
        (start, end): (u32, u32),
        depth: u8,
        outer: Option<&Scope<'_>>,
    ) {
        let at = self.members(of, parent, (start, end), depth, outer);
        if at < end {
            self.tape.note(
                parent,
                NoteKind::LongStruct {
                    known: of.size,
                    found: end - start,
                },
            );
            self.unknown(at, end, depth);
        }
    }

    /// A struct with attributes behind it, as a node of its own. Returns where the
    /// attributes begin.
    fn header_struct(
        &mut self,
        of: &'static Struct,
        start: u32,
        end: u32,
        depth: u8,
        outer: Option<&Scope<'_>>,
    ) -> u32 {
        let stop = if of.is_open_ended() {
            end
        } else {
            end.min(start.saturating_add(of.size))
        };
        let node = self.tape.open(&of.field, start, depth, NodeFlags::UNNAMED);
        let at = self.members(of, node, (start, stop), depth.saturating_add(1), outer);
        self.tape.close(node, at);
        let aligned = start
            .saturating_add(crate::wire::align(at - start))
            .min(end);
        self.padding(at, aligned, depth);
        aligned
    }
}
