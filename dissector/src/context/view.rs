//! A message as filters and exports see it.

use std::borrow::Cow;
use std::ops::Range;

use super::{Context, PortKey, Record};
use crate::capture::{Frame, Process};
use crate::context::Port;
use crate::schema::{Direction, Family, FlagsAs, Message, base};
use crate::tape::{MessageMark, NodeIndex, NodeRef, Tape};
use crate::text::Escaped;
use crate::wire::{Cooked, Messages, Nlmsghdr, Order, errno, is_control, protocol};

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
    /// Of a control message, the meaning of the request it answers, where that is known.
    pub asked: Option<&'static Message>,
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
        let control = is_control(self.protocol, self.header.kind);
        let id = if control {
            self.record.request_kind
        } else {
            self.header.kind
        };
        let name = (self.protocol == protocol::GENERIC).then(|| self.context.ids().get(id))?;
        name.map(|name| name.name.as_str())
    }

    /// The multicast group, of a notification: its name, or its number where nobody knows
    /// the name. It is escaped where it comes from the capture.
    #[must_use]
    pub fn group_name(&self) -> Option<Cow<'static, str>> {
        let seen = self.record.group?;
        if let Some(group) = seen.group() {
            return Some(group.name.into());
        }
        let number = seen.number()?;
        Some(match self.context.group_name(self.protocol, number) {
            Some(name) => Escaped(name.as_bytes()).to_string().into(),
            None => number.to_string().into(),
        })
    }

    /// The program at the user's side, of a notification the one that caused it: whose
    /// port the message has.
    #[must_use]
    pub fn process(&self) -> Option<&'a Process> {
        let port = match self.record.port {
            Port::Known(port) => port,
            Port::Everyone => self.header.pid,
            Port::Unknown => return self.frame.origin.process,
        };
        let key = PortKey {
            netns: self.frame.origin.netns,
            protocol: self.protocol,
            port,
        };
        let known = (port != 0).then(|| self.context.ports.at(key, self.frame.number));
        known.flatten()
    }

    /// The name of the network namespace, where it is not the first one.
    #[must_use]
    pub fn netns(&self) -> Option<&'a str> {
        self.context.netns(self.frame.origin.netns)
    }

    /// What the flags from 0x100 to 0x800 mean; `None` where nobody knows.
    #[must_use]
    pub fn flags_as(&self) -> Option<FlagsAs> {
        base::flags_as(self.protocol, self.header, self.message)
    }

    /// UAPI name of the message type, a generic netlink message's command:
    /// `RTM_NEWLINK`, `CTRL_CMD_GETFAMILY`, `NLMSG_ERROR`. `None` where unknown.
    #[must_use]
    pub fn type_name(&self) -> Option<&'static str> {
        self.message
            .map(|message| message.uapi)
            .or_else(|| base::control_name(self.header.kind))
    }

    /// The command of a generic netlink message.
    #[must_use]
    pub fn command(&self) -> Option<u8> {
        let own =
            self.protocol == protocol::GENERIC && !is_control(self.protocol, self.header.kind);
        own.then(|| self.payload.first().copied())?
    }

    /// 0 or a positive errno, of `NLMSG_ERROR` and `NLMSG_DONE` from the kernel.
    #[must_use]
    pub fn errno(&self) -> Option<u32> {
        if self.record.direction == Direction::ToKernel {
            return None;
        }
        errno(self.header, self.protocol, self.payload, self.order)
    }
}

impl Context {
    /// A message's header fields, family and meaning, without dissecting the frame.
    /// `None` where the frame holds no such message.
    #[must_use]
    pub fn head<'a>(&'a self, frame: &'a Frame<'a>, record: &'a Record) -> Option<Head<'a>> {
        let protocol = Cooked::parse(frame.link, frame.bytes).ok()?.protocol;
        let rest = frame.bytes.get(record.offset as usize..)?;
        let raw = Messages::new(protocol, rest, record.offset, record.order).next()?;
        let resolve = |kind, direction, payload: &[u8]| {
            self.ids.resolve(
                &self.schema,
                protocol,
                kind,
                raw.header.pid,
                direction,
                payload,
            )
        };
        let (family, message, asked) = if !is_control(protocol, raw.header.kind) {
            let (family, message) = resolve(raw.header.kind, record.direction, raw.payload());
            (family, message, None)
        } else if record.request_kind != 0 {
            let (family, asked) = resolve(
                record.request_kind,
                Direction::ToKernel,
                &[record.request_first],
            );
            (family, None, asked)
        } else {
            (None, None, None)
        };
        let header = raw.header;
        Some(Head {
            frame,
            record,
            header,
            payload: raw.payload(),
            protocol,
            order: record.order,
            family,
            message,
            asked,
            context: self,
        })
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
    /// The nodes that belong to the message when each of the frame's is shown by itself:
    /// its own, what is left behind it up to the next one, and with the first message
    /// what stands before it.
    #[must_use]
    pub fn extent(&self) -> Range<NodeIndex> {
        let marks = self.tape.messages();
        let after = marks.partition_point(|mark| mark.node <= self.mark.node);
        let next = marks.iter().skip(after).find(|mark| !mark.quoted);
        let first = marks.first().map(|mark| mark.node) == Some(self.mark.node);
        let frame_end = self.tape.nodes().first().map_or(0, |frame| frame.next);
        let start = if first { 1 } else { self.mark.node };
        start..next.map_or(frame_end, |mark| mark.node)
    }

    /// The message's node.
    #[must_use]
    pub fn node(&self) -> Option<NodeRef<'a>> {
        self.tape.at(self.head.frame.bytes, self.mark.node)
    }
}
