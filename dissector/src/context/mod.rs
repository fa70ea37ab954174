//! What needs memory across messages.
//!
//! [`Context`] is fed every frame in order. For each message it returns a
//! [`Record`]: who is at the other end, which request it answers, which group it went
//! to, whether it is a copy. What turns out later of an earlier message is an
//! [`Amendment`], so that whoever keeps records can mend them and whoever prints and
//! forgets can leave them. Its own memory is bounded.

mod record;

pub use record::{Amendment, Change, GroupSeen, Latency, MessageNo, Port, Record, Role};

use std::sync::Arc;

use crate::capture::Frame;
use crate::schema::{Family, GenlIds, Message, Schema};
use crate::tape::{MessageMark, NodeRef, Tape};
use crate::value::Names;
use crate::wire::{Nlmsghdr, Order};

/// The memory across messages.
#[derive(Debug)]
pub struct Context {
    schema: Arc<Schema>,
    ids: GenlIds,
}

impl Context {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(schema: Arc<Schema>) -> Self {
        let ids = GenlIds::fixed(&schema);
        Self { schema, ids }
    }

    /// The tables.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The generic netlink ids seen or given.
    #[must_use]
    pub fn ids(&self) -> &GenlIds {
        &self.ids
    }

    /// Says that `id` is the family registered as `name` (`--genl id=name`).
    pub fn learn_genl(&mut self, id: u16, name: &str) {
        self.ids.learn(&self.schema, id, name);
    }

    /// Takes from a frame only what helps to read others: generic netlink ids and
    /// interface names, byte order. The first pass over a file.
    pub fn learn(&mut self, frame: &Frame<'_>) {
        let _ = frame;
    }

    /// Takes a frame, the next in order: appends a record for each of its messages to
    /// `records`, and what it tells of earlier ones to `amendments`.
    pub fn feed(
        &mut self,
        frame: &Frame<'_>,
        records: &mut Vec<Record>,
        amendments: &mut Vec<Amendment>,
    ) {
        let _ = (frame, records, amendments);
    }

    /// Byte order of a frame's netlink content: its own where it shows one, else that
    /// of the frames so far.
    #[must_use]
    pub fn order(&self, frame: &Frame<'_>) -> Order {
        let _ = frame;
        Order::Little
    }

    /// Dissects a frame onto `tape`. `records` are those of its messages, in order;
    /// without them a message's direction is taken from its flags.
    pub fn dissect(&self, frame: &Frame<'_>, records: &[Record], tape: &mut Tape) {
        let _ = (frame, records, tape);
    }

    /// A message's header fields, family and meaning, without dissecting the frame.
    /// `None` where the frame holds no such message.
    #[must_use]
    pub fn head<'a>(&'a self, frame: &'a Frame<'a>, record: &'a Record) -> Option<Head<'a>> {
        let _ = (frame, record);
        None
    }
}

impl Names for Context {
    fn interface(&self, _index: u32) -> Option<&str> {
        None
    }
}

/// All that is known of a message without a walk through its attributes.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// The frame it is in.
    pub frame: &'a Frame<'a>,
    /// What the context found out.
    pub record: &'a Record,
    /// Its header.
    pub header: Nlmsghdr,
    /// What follows the header.
    pub payload: &'a [u8],
    /// `NETLINK_*` number.
    pub protocol: u16,
    /// Byte order of the frame's netlink content.
    pub order: Order,
    /// The family, where a table knows it. For a control message (`NLMSG_ERROR`,
    /// `NLMSG_DONE`) that of the request it answers, where that is known.
    pub family: Option<&'static Family>,
    /// The meaning, where a table knows it; `None` for control messages.
    pub message: Option<&'static Message>,
    /// Names and ids.
    pub context: &'a Context,
}

impl<'a> Head<'a> {
    /// The name of the family for people: `rt-link`, `nlctrl`, `nl80211`; for generic
    /// netlink without a table the name it registered with, or `None`.
    #[must_use]
    pub fn family_name(&self) -> Option<&'a str> {
        if let Some(family) = self.family {
            return Some(family.name);
        }
        (self.protocol == crate::wire::protocol::GENERIC).then(|| {
            self.context
                .ids()
                .get(self.header.kind)
                .map(|name| name.name.as_str())
        })?
    }

    /// UAPI name of the message type, a generic netlink message's command:
    /// `RTM_NEWLINK`, `CTRL_CMD_GETFAMILY`, `NLMSG_ERROR`. `None` where unknown.
    #[must_use]
    pub fn type_name(&self) -> Option<&'static str> {
        crate::schema::base::control_name(self.header.kind)
            .or_else(|| self.message.map(|message| message.uapi))
    }

    /// The command of a generic netlink message.
    #[must_use]
    pub fn command(&self) -> Option<u8> {
        let own = self.protocol == crate::wire::protocol::GENERIC
            && self.header.kind >= crate::wire::NLMSG_MIN_TYPE;
        own.then(|| self.payload.first().copied())?
    }

    /// 0 or a positive errno, of `NLMSG_ERROR` and `NLMSG_DONE`.
    #[must_use]
    pub fn errno(&self) -> Option<u32> {
        let carries = matches!(
            self.header.kind,
            crate::wire::NLMSG_ERROR | crate::wire::NLMSG_DONE
        );
        let bytes = self.payload.first_chunk::<4>().filter(|_| carries)?;
        let error = i32::from_ne_bytes(self.order.u32(*bytes).to_ne_bytes());
        Some(if error < 0 { error.unsigned_abs() } else { 0 })
    }
}

/// A message, dissected: what filters look at and exports write.
#[derive(Clone, Copy)]
pub struct MessageView<'a> {
    /// What is known without its attributes.
    pub head: Head<'a>,
    /// The tape of its frame.
    pub tape: &'a Tape,
    /// Its node there.
    pub mark: MessageMark,
    /// The request it answers, dissected too, where the caller has it; then an error
    /// that does not quote the request can still be placed.
    pub request: Option<RequestView<'a>>,
}

/// The request that a message answers.
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    /// Bytes of the request's frame.
    pub frame: &'a [u8],
    /// Tape of that frame.
    pub tape: &'a Tape,
    /// The request's node there.
    pub mark: MessageMark,
}

impl<'a> MessageView<'a> {
    /// The message's node.
    #[must_use]
    pub fn node(&self) -> Option<NodeRef<'a>> {
        self.tape.at(self.head.frame.bytes, self.mark.node)
    }
}
