//! A message: its headers, and what follows by type.

use std::cell::Cell;

use super::scope::Scope;
use super::{MAX_NODES, Walker, guess};
use crate::note::NoteKind;
use crate::schema::{Direction, Family, Message, base};
use crate::tape::{MessageMark, NodeFlags, NodeIndex};
use crate::wire::{
    NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NLMSG_HDRLEN,
    Nlmsghdr, RawMessage, align, done_has_errno, is_control, nlmsghdr, protocol,
};

/// Where the body of a message lies and how it is to be read.
#[derive(Debug, Clone, Copy)]
struct Body {
    node: NodeIndex,
    protocol: u16,
    header: Nlmsghdr,
    start: u32,
    end: u32,
    depth: u8,
    direction: Direction,
    nth: u32,
    quoted: bool,
}

impl Walker<'_> {
    pub(super) fn message(
        &mut self,
        protocol: u16,
        raw: RawMessage<'_>,
        nth: u32,
        direction: Option<Direction>,
    ) {
        let len = u32::try_from(raw.bytes.len()).unwrap_or(0);
        let end = raw.offset + len;
        let cut = raw.header.len != len;
        let flags = if cut { NodeFlags::CUT } else { NodeFlags::NONE };
        let node = self.tape.open(&base::MESSAGE, raw.offset, 1, flags);
        if cut {
            self.tape.note(
                node,
                NoteKind::MessageLength {
                    says: raw.header.len,
                    left: len,
                },
            );
        }
        let start = raw.offset + raw.header_len;
        if raw.header_len > 0 {
            self.node(&base::NLMSGHDR, raw.offset, start, 2, NodeFlags::NONE, None);
        }
        let by_flags = if raw.header.has(NLM_F_REQUEST) {
            Direction::ToKernel
        } else {
            Direction::FromKernel
        };
        self.body(Body {
            node,
            protocol,
            header: raw.header,
            start,
            end,
            depth: 2,
            direction: direction.unwrap_or(by_flags),
            nth,
            quoted: false,
        });
        self.tape.close(node, end);
    }

    /// Registers the message, with what is known of it.
    fn mark(
        &mut self,
        body: Body,
        family: Option<&'static Family>,
        message: Option<&'static Message>,
    ) {
        self.tape.mark(MessageMark {
            node: body.node,
            family,
            message,
            nth: body.nth,
            quoted: body.quoted,
        });
    }

    fn body(&mut self, body: Body) {
        if self.tape.index() >= MAX_NODES {
            self.mark(body, None, None);
            if let Some(rest) = self.unknown(body.start, body.end, body.depth) {
                self.tape.note(rest, NoteKind::TooMany);
            }
            return;
        }
        if !is_control(body.protocol, body.header.kind) {
            self.payload(body);
            return;
        }
        self.mark(body, None, None);
        match body.header.kind {
            NLMSG_ERROR if !body.quoted => self.error(body),
            NLMSG_DONE => self.done(body),
            _ => {
                self.unknown(body.start, body.end, body.depth);
            }
        }
    }

    /// What is the protocol's own.
    fn payload(&mut self, body: Body) {
        let Body {
            protocol,
            header,
            start,
            end,
            depth,
            ..
        } = body;
        let (family, message) = self.ids.resolve(
            self.schema,
            protocol,
            header.kind,
            header.pid,
            body.direction,
            self.bytes(start, end),
        );
        self.mark(body, family, message);
        self.declares(protocol, header.kind, (start, end));
        let mut at = start;
        if protocol == protocol::GENERIC && start < end {
            at = self.header_struct(&base::GENLMSGHDR_STRUCT, start, end, depth, None);
        }
        if let Some(message) = message {
            let asks = body.direction == Direction::ToKernel;
            let bare = message.bare_dump && asks && header.flags & NLM_F_DUMP == NLM_F_DUMP;
            self.known(message, bare, (at, end), depth);
        } else if protocol == protocol::USERSOCK {
            if at < end {
                self.tape
                    .leaf(&base::USER_DATA, at, end - at, depth, NodeFlags::NONE);
            }
        } else {
            self.tape.note(body.node, NoteKind::UnknownMessage);
            self.unknown_payload(at, end, depth);
        }
    }

    fn known(
        &mut self,
        message: &'static Message,
        bare: bool,
        (start, end): (u32, u32),
        depth: u8,
    ) {
        let header = message.header.filter(|_| !bare);
        let inside = match header {
            Some(header) if start < end => self.header_struct(header, start, end, depth, None),
            _ => start,
        };
        let header = header.map(|header| (header, start));
        match message.attributes {
            Some(set) => {
                let scope = Scope {
                    outer: None,
                    previous: Cell::new(0),
                    set: Some(set),
                    start: inside,
                    end,
                    header,
                };
                self.attributes(Some(set), inside, end, depth, Some(&scope), false);
            }
            None => self.unknown_payload(inside, end, depth),
        }
    }

    /// Attributes by number where the bytes are attributes, else bytes.
    fn unknown_payload(&mut self, start: u32, end: u32, depth: u8) {
        if guess::is_chain(self.bytes(start, end), self.order) {
            self.attributes(None, start, end, depth, None, false);
        } else {
            self.unknown(start, end, depth);
        }
    }

    /// `NLMSG_ERROR`: the error, the request or its header alone, attributes.
    fn error(&mut self, body: Body) {
        let Some(at) = self.errno(body) else { return };
        let Ok((_, quoted)) = nlmsghdr(self.order)(self.bytes(at, body.end)) else {
            self.trailing(at, body.end, body.depth);
            return;
        };
        let left = body.end - at;
        let whole = if body.header.has(NLM_F_CAPPED) {
            NLMSG_HDRLEN
        } else {
            // An acknowledgement of old kernels quotes the header alone without saying
            // so, and nothing follows it.
            quoted.len.clamp(NLMSG_HDRLEN, left)
        };
        let to = at + whole;
        let cut = !body.header.has(NLM_F_CAPPED) && left > NLMSG_HDRLEN && quoted.len > left;
        let flags = if cut { NodeFlags::CUT } else { NodeFlags::NONE };
        let node = self.tape.open(&base::QUOTED, at, body.depth, flags);
        if cut {
            let says = quoted.len;
            self.tape.note(node, NoteKind::MessageLength { says, left });
        }
        self.node(
            &base::QUOTED_NLMSGHDR,
            at,
            at + NLMSG_HDRLEN,
            body.depth + 1,
            NodeFlags::NONE,
            None,
        );
        let inner = Body {
            node,
            header: quoted,
            start: at + NLMSG_HDRLEN,
            end: to,
            depth: body.depth + 1,
            direction: Direction::ToKernel,
            quoted: true,
            ..body
        };
        if whole > NLMSG_HDRLEN {
            self.body(inner);
        } else {
            self.quoted_header(inner);
        }
        self.tape.close(node, to);
        let aligned = at.saturating_add(align(whole)).min(body.end);
        self.padding(to, aligned, body.depth);
        self.ext_ack(aligned, body);
    }

    /// A request of which only the header was quoted: its type still says the family,
    /// except where the meaning depends on a command that is not there.
    fn quoted_header(&mut self, body: Body) {
        let (family, message) = self.ids.resolve(
            self.schema,
            body.protocol,
            body.header.kind,
            body.header.pid,
            body.direction,
            &[],
        );
        self.mark(body, family, message);
    }

    /// `NLMSG_DONE`: an errno or a count, attributes. That of NFLOG carries the header
    /// of its subsystem instead.
    fn done(&mut self, body: Body) {
        if !done_has_errno(body.protocol, body.header.flags) {
            let lookup = self
                .schema
                .meanings(body.protocol, NFULNL_MSG_PACKET)
                .first();
            let at = match lookup.and_then(|lookup| lookup.message.header) {
                Some(header) if body.start < body.end => {
                    self.header_struct(header, body.start, body.end, body.depth, None)
                }
                _ => body.start,
            };
            self.unknown(at, body.end, body.depth);
            return;
        }
        if let Some(at) = self.errno(body) {
            self.ext_ack(at, body);
        }
    }

    /// The error number at the start of the body; returns where it ends.
    fn errno(&mut self, body: Body) -> Option<u32> {
        let at = body.start.saturating_add(4);
        if at > body.end {
            if body.start < body.end {
                let left = body.end - body.start;
                if let Some(rest) = self.unknown(body.start, body.end, body.depth) {
                    self.tape.note(rest, NoteKind::HeaderCut { need: 4, left });
                }
            }
            return None;
        }
        self.tape
            .leaf(&base::ERROR, body.start, 4, body.depth, NodeFlags::NONE);
        Some(at)
    }

    fn ext_ack(&mut self, start: u32, body: Body) {
        if body.header.has(NLM_F_ACK_TLVS) {
            let set = Some(base::EXT_ACK);
            self.attributes(set, start, body.end, body.depth, None, false);
        } else {
            self.trailing(start, body.end, body.depth);
        }
    }
}

/// `NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET` (`linux/netfilter/nfnetlink_log.h`).
const NFULNL_MSG_PACKET: u16 = 4 << 8;
