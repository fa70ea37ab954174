//! What a frame turned out to be: a flat tree of small nodes in pre-order.
//!
//! A tape holds no values. A node says which field its bytes are; the value is
//! decoded from the frame when somebody looks ([`crate::value`]). One tape is
//! reused from frame to frame, so that dissecting allocates nothing once its
//! buffers have grown.
//!
//! A node that is an attribute spans its `struct nlattr` header and its payload;
//! [`NodeFlags::ATTRIBUTE`] says so, and the header has no node of its own. With
//! that, every byte of a frame lies in exactly one leaf ([`Tape::leaves`]).

use std::borrow::Cow;
use std::ops::Range;

use crate::note::{Note, NoteKind};
use crate::schema::{Family, Field, FieldOrder, Message, base};
use crate::wire::{NLA_HDRLEN, Order};

/// Index of a node in its tape.
pub type NodeIndex = u32;

/// What is known of a node beside its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeFlags(u16);

impl NodeFlags {
    /// None of the below.
    pub const NONE: Self = Self(0);
    /// The node begins with a `struct nlattr`.
    pub const ATTRIBUTE: Self = Self(1);
    /// The attribute says that its payload is in network byte order.
    pub const NET_ORDER: Self = Self(2);
    /// Not known but guessed: attributes that nobody told to be there.
    pub const GUESS: Self = Self(4);
    /// A layer that has no name in a path: the fixed header, an element of an
    /// array, an index.
    pub const UNNAMED: Self = Self(8);
    /// Some bits of the parent's integer; spans the same bytes as its siblings.
    pub const BITS: Self = Self(16);
    /// The payload was cut off: by the capture's snap length or by a wrong length.
    pub const CUT: Self = Self(32);

    /// The node begins with a byte that is its number and one that is the length of the
    /// rest ([`crate::schema::Type::Elements`]).
    pub const ELEMENT: Self = Self(64);
    /// The node is text that begins with its key and `=`.
    pub const PAIR: Self = Self(128);
    /// The node begins with its length and its number, both in network byte order
    /// ([`crate::schema::Decoder::TipcTlv`]).
    pub const TLV: Self = Self(256);

    /// Length of what stands before the payload of such a node, in bytes.
    #[must_use]
    pub const fn header_len(self) -> u32 {
        if self.has(Self::ATTRIBUTE) || self.has(Self::TLV) {
            NLA_HDRLEN
        } else if self.has(Self::ELEMENT) {
            2
        } else {
            0
        }
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// One node.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    /// What it is.
    pub field: &'static Field,
    /// First byte, from the start of the frame.
    pub start: u32,
    /// Length in bytes.
    pub len: u32,
    /// Index of the first node after this one and all below it.
    pub next: NodeIndex,
    /// Depth in the tree; the frame's own node has 0.
    pub depth: u8,
    /// See [`NodeFlags`].
    pub flags: NodeFlags,
}

/// A message of the tape: its node, and what the schema made of it.
#[derive(Debug, Clone, Copy)]
pub struct MessageMark {
    /// The message's node.
    pub node: NodeIndex,
    /// The family it belongs to, where one is known.
    pub family: Option<&'static Family>,
    /// Its meaning, where one is known.
    pub message: Option<&'static Message>,
    /// How many of the frame's own messages come before it, or before the one that
    /// quotes it.
    pub nth: u32,
    /// It is the request that an error message carries, not one of the frame's own.
    pub quoted: bool,
}

/// The nodes of one frame.
#[derive(Debug, Default)]
pub struct Tape {
    nodes: Vec<Node>,
    notes: Vec<Note>,
    messages: Vec<MessageMark>,
    order: Order,
}

/// A piece of a frame that belongs to one node alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// The node.
    pub node: NodeIndex,
    /// First byte, from the start of the frame.
    pub start: u32,
    /// Length in bytes; not 0.
    pub len: u32,
    /// The piece is the header of an attribute, element or TLV that has others below it.
    pub header: bool,
}

impl Tape {
    /// An empty tape.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the last frame, keeps the buffers.
    pub fn clear(&mut self, order: Order) {
        self.nodes.clear();
        self.notes.clear();
        self.messages.clear();
        self.order = order;
    }

    /// Byte order of the frame's netlink content.
    #[must_use]
    pub fn order(&self) -> Order {
        self.order
    }

    /// All nodes in pre-order; the first is the frame.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All notes, in the order of their nodes.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The notes on these nodes.
    #[must_use]
    pub fn notes_on(&self, nodes: Range<NodeIndex>) -> &[Note] {
        let before = |index| self.notes.partition_point(|note| note.node < index);
        let range = before(nodes.start)..before(nodes.end);
        self.notes.get(range).unwrap_or_default()
    }

    /// The messages of the frame in order, each followed by the one it quotes, if any.
    #[must_use]
    pub fn messages(&self) -> &[MessageMark] {
        &self.messages
    }

    /// The frame's own message number `nth` (from 0), quoted ones not counted.
    #[must_use]
    pub fn message(&self, nth: usize) -> Option<MessageMark> {
        let nth = u32::try_from(nth).ok()?;
        let from = self.messages.partition_point(|mark| mark.nth < nth);
        self.messages.get(from).filter(|m| m.nth == nth).copied()
    }

    /// The innermost message that `node` lies in.
    #[must_use]
    pub fn message_of(&self, node: NodeIndex) -> Option<MessageMark> {
        let after = self.messages.partition_point(|mark| mark.node <= node);
        // A message holds none but the one it quotes.
        self.messages[..after]
            .iter()
            .rev()
            .take(2)
            .find(|mark| {
                self.nodes
                    .get(mark.node as usize)
                    .is_some_and(|m| m.next > node)
            })
            .copied()
    }

    /// Starts a node that ends where [`Tape::close`] says.
    pub(crate) fn open(
        &mut self,
        field: &'static Field,
        start: u32,
        depth: u8,
        flags: NodeFlags,
    ) -> NodeIndex {
        let index = self.index();
        self.nodes.push(Node {
            field,
            start,
            len: 0,
            next: index + 1,
            depth,
            flags,
        });
        index
    }

    /// Ends the node at byte `end`, with all nodes since below it.
    pub(crate) fn close(&mut self, node: NodeIndex, end: u32) {
        let next = self.index();
        if let Some(node) = self.nodes.get_mut(node as usize) {
            node.len = end.saturating_sub(node.start);
            node.next = next;
        }
    }

    /// A node without children.
    pub(crate) fn leaf(
        &mut self,
        field: &'static Field,
        start: u32,
        len: u32,
        depth: u8,
        flags: NodeFlags,
    ) -> NodeIndex {
        let index = self.open(field, start, depth, flags);
        self.close(index, start + len);
        index
    }

    /// Remarks on a node.
    pub(crate) fn note(&mut self, node: NodeIndex, kind: NoteKind) {
        // Nearly always the last: what is said of a node after all below it passes over
        // the notes of these, once a level.
        let at = self.notes_until(node);
        self.notes.insert(at, Note { node, kind });
    }

    /// How many notes there are on `node` and those before it.
    fn notes_until(&self, node: NodeIndex) -> usize {
        match self.notes.last() {
            Some(last) if last.node > node => self.notes.partition_point(|note| note.node <= node),
            _ => self.notes.len(),
        }
    }

    /// Registers the message that begins at `mark.node`.
    pub(crate) fn mark(&mut self, mark: MessageMark) {
        self.messages.push(mark);
    }

    /// Index the next node will have.
    pub(crate) fn index(&self) -> NodeIndex {
        NodeIndex::try_from(self.nodes.len()).unwrap_or(NodeIndex::MAX)
    }

    /// A node together with the bytes it is about. `frame` are the bytes that were
    /// dissected; an index past the end gives the frame's own node.
    ///
    /// `None` on an empty tape.
    #[must_use]
    pub fn at<'t>(&'t self, frame: &'t [u8], index: NodeIndex) -> Option<NodeRef<'t>> {
        let index = if (index as usize) < self.nodes.len() {
            index
        } else {
            0
        };
        self.nodes.get(index as usize)?;
        Some(NodeRef {
            tape: self,
            frame,
            index,
        })
    }

    /// The deepest node that holds the byte at `offset` of the frame.
    #[must_use]
    pub fn node_at(&self, offset: u32) -> Option<NodeIndex> {
        let mut found = None;
        let mut index = 0;
        let mut end = self.index();
        while index < end {
            let node = &self.nodes[index as usize];
            if offset >= node.start
                && offset - node.start < node.len
                && !node.flags.has(NodeFlags::BITS)
            {
                found = Some(index);
                end = node.next;
                index += 1;
            } else {
                index = node.next;
            }
        }
        found
    }

    /// The pieces that tile the frame, in order: leaves, and the attribute headers of
    /// nodes that have others below them. Bit-fields count as part of their integer.
    pub fn leaves(&self) -> impl Iterator<Item = Leaf> + '_ {
        self.leaves_of(0..self.index())
    }

    /// Those of these nodes.
    pub fn leaves_of(&self, nodes: Range<NodeIndex>) -> impl Iterator<Item = Leaf> + '_ {
        let mut index = nodes.start;
        std::iter::from_fn(move || {
            while let Some(node) = self.nodes.get(index as usize)
                && index < nodes.end
            {
                let this = index;
                let holds_bits = self
                    .nodes
                    .get(this as usize + 1)
                    .is_some_and(|child| child.flags.has(NodeFlags::BITS) && this + 1 < node.next);
                let is_leaf = node.next == this + 1 || holds_bits;
                index = if holds_bits { node.next } else { this + 1 };
                if is_leaf && node.len > 0 {
                    return Some(Leaf {
                        node: this,
                        start: node.start,
                        len: node.len,
                        header: false,
                    });
                }
                let header = node.flags.header_len();
                if !is_leaf && header > 0 {
                    let len = node.len.min(header);
                    return Some(Leaf {
                        node: this,
                        start: node.start,
                        len,
                        header: true,
                    });
                }
            }
            None
        })
    }
}

/// A node, its tape and its frame.
#[derive(Debug, Clone, Copy)]
pub struct NodeRef<'t> {
    tape: &'t Tape,
    frame: &'t [u8],
    index: NodeIndex,
}

impl<'t> NodeRef<'t> {
    /// The node itself.
    #[must_use]
    pub fn node(&self) -> &'t Node {
        &self.tape.nodes[self.index as usize]
    }

    /// What it is.
    #[must_use]
    pub fn field(&self) -> &'static Field {
        self.node().field
    }

    /// Its index in the tape.
    #[must_use]
    pub fn index(&self) -> NodeIndex {
        self.index
    }

    /// Its tape.
    #[must_use]
    pub fn tape(&self) -> &'t Tape {
        self.tape
    }

    /// The frame it is in.
    #[must_use]
    pub fn frame(&self) -> &'t [u8] {
        self.frame
    }

    /// Whether all of `flags` are set.
    #[must_use]
    pub fn has(&self, flags: NodeFlags) -> bool {
        self.node().flags.has(flags)
    }

    /// All its bytes, an attribute's header included.
    #[must_use]
    pub fn bytes(&self) -> &'t [u8] {
        let node = self.node();
        let start = (node.start as usize).min(self.frame.len());
        let end = (start + node.len as usize).min(self.frame.len());
        &self.frame[start..end]
    }

    /// Its bytes without the header of an attribute, element or TLV, or a pair's key.
    #[must_use]
    pub fn payload(&self) -> &'t [u8] {
        let bytes = self.bytes();
        let header = if self.has(NodeFlags::PAIR) {
            let key = bytes.iter().position(|byte| *byte == b'=');
            key.map_or(0, |key| key + 1)
        } else {
            self.node().flags.header_len() as usize
        };
        bytes.get(header..).unwrap_or_default()
    }

    /// Byte order of its integers.
    #[must_use]
    pub fn order(&self) -> Order {
        match self.field().order {
            FieldOrder::Big => Order::Big,
            FieldOrder::Little => Order::Little,
            FieldOrder::Host if self.has(NodeFlags::NET_ORDER) => Order::Big,
            FieldOrder::Host => self.tape.order,
        }
    }

    /// The number in an attribute's or element's header, without flags; `None` where the
    /// node is neither.
    #[must_use]
    pub fn number(&self) -> Option<u16> {
        let bytes = self.bytes();
        if self.has(NodeFlags::ELEMENT) {
            return bytes.first().copied().map(u16::from);
        }
        (self.has(NodeFlags::ATTRIBUTE) && bytes.len() >= NLA_HDRLEN as usize)
            .then(|| self.tape.order.u16([bytes[2], bytes[3]]) & crate::wire::NLA_TYPE_MASK)
    }

    /// The nodes directly below, in order.
    pub fn children(&self) -> impl Iterator<Item = NodeRef<'t>> + use<'t> {
        let NodeRef { tape, frame, index } = *self;
        let end = tape.nodes[index as usize].next;
        let mut next = index + 1;
        std::iter::from_fn(move || {
            (next < end).then(|| {
                let child = NodeRef {
                    tape,
                    frame,
                    index: next,
                };
                next = child.node().next;
                child
            })
        })
    }

    /// Whether there are nodes below.
    #[must_use]
    pub fn has_children(&self) -> bool {
        self.node().next > self.index + 1
    }

    /// The node directly above; costs a walk back over its earlier siblings.
    #[must_use]
    pub fn parent(&self) -> Option<NodeRef<'t>> {
        let depth = self.node().depth.checked_sub(1)?;
        let above = &self.tape.nodes[..self.index as usize];
        let at = above.iter().rposition(|node| node.depth == depth)?;
        let index = NodeIndex::try_from(at).ok()?;
        Some(NodeRef { index, ..*self })
    }

    /// The notes on this very node.
    pub fn notes(&self) -> impl Iterator<Item = &'t Note> + use<'t> {
        let NodeRef { tape, index, .. } = *self;
        tape.notes_on(index..index.saturating_add(1)).iter()
    }

    /// The name a filter knows it by: `rt-link.linkinfo.data.id`. An attribute that no
    /// table knows goes by its number, and what every frame has by its own name alone.
    #[must_use]
    pub fn path(&self) -> String {
        let mut names: Vec<Cow<'static, str>> = Vec::new();
        let message = self.tape.message_of(self.index);
        let top = message.map_or(0, |mark| mark.node);
        let mut family = message.and_then(|mark| mark.family);
        let mut at = Some(*self);
        while let Some(node) = at.filter(|node| node.index != top) {
            let field = node.field();
            let unknown = std::ptr::eq(field, &raw const base::UNKNOWN_ATTRIBUTE);
            if let Some(number) = node.number().filter(|_| unknown) {
                names.push(number.to_string().into());
            } else if field.is_base() {
                names.push(field.name.into());
                if node.has(NodeFlags::ATTRIBUTE) && !unknown {
                    names.push(base::EXT_ACK_NAME.into());
                }
                family = None;
                break;
            } else if !node.has(NodeFlags::UNNAMED) || node.index == self.index {
                names.push(field.name.into());
            }
            at = node.parent();
        }
        if let Some(family) = family {
            names.push(family.name.into());
        }
        names.reverse();
        names.join(".")
    }
}
