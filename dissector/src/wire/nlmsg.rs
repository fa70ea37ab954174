//! `struct nlmsghdr` (`linux/netlink.h`), `struct genlmsghdr` (`linux/genetlink.h`),
//! and the chain of messages in a frame.

use nom::Parser;
use nom::number::complete::{u8, u16, u32};

use super::{Order, align};

/// Length of `struct nlmsghdr`.
pub const NLMSG_HDRLEN: u32 = 16;
/// Length of `struct genlmsghdr`.
pub const GENL_HDRLEN: u32 = 4;
/// First type that is a protocol's own.
pub const NLMSG_MIN_TYPE: u16 = 0x10;
/// What stands for the type of an event that the kernel sends of one of its objects,
/// which has no header.
const KERNEL_EVENT: u16 = 0x10;
/// The same of an event that udev sends on.
const UDEV_EVENT: u16 = 0x11;
/// What an event from udev begins with.
const UDEV_PREFIX: &[u8] = b"libudev\0";
/// Nothing.
pub const NLMSG_NOOP: u16 = 1;
/// An error, or an acknowledgement where the error is 0.
pub const NLMSG_ERROR: u16 = 2;
/// End of a dump.
pub const NLMSG_DONE: u16 = 3;
/// Data lost.
pub const NLMSG_OVERRUN: u16 = 4;
/// A request.
pub const NLM_F_REQUEST: u16 = 0x01;
/// One of several parts, up to `NLMSG_DONE`.
pub const NLM_F_MULTI: u16 = 0x02;
/// An acknowledgement is wanted.
pub const NLM_F_ACK: u16 = 0x04;
/// The notification is wanted back.
pub const NLM_F_ECHO: u16 = 0x08;
/// The dump is inconsistent: something changed meanwhile.
pub const NLM_F_DUMP_INTR: u16 = 0x10;
/// `NLM_F_ROOT | NLM_F_MATCH`, on a request that gets.
pub const NLM_F_DUMP: u16 = 0x300;
/// On an error: the request was not quoted beyond its header.
pub const NLM_F_CAPPED: u16 = 0x100;
/// On an error or the end of a dump: attributes follow.
pub const NLM_F_ACK_TLVS: u16 = 0x200;

/// Whether a type of this protocol is one of netlink's own. The types below 16 are, but
/// not everywhere: the connector sends all it has as type 3, route look-ups go as type 0,
/// and iSCSI counts from 11.
#[must_use]
pub fn is_control(protocol: u16, kind: u16) -> bool {
    match protocol {
        super::protocol::CONNECTOR | super::protocol::FIB_LOOKUP => false,
        super::protocol::ISCSI => (NLMSG_NOOP..=NLMSG_OVERRUN).contains(&kind),
        _ => kind < NLMSG_MIN_TYPE,
    }
}

/// Whether `NLMSG_DONE` of this protocol and these flags begins with an error number.
/// The one that ends a batch of NFLOG packets does not: it carries `struct nfgenmsg`,
/// and no `NLM_F_MULTI`.
#[must_use]
pub fn done_has_errno(protocol: u16, flags: u16) -> bool {
    protocol != super::protocol::NETFILTER || flags & NLM_F_MULTI != 0
}

/// Whether a message ends an answer: an acknowledgement, an error, the end of a dump.
#[must_use]
pub fn ends(header: Nlmsghdr, protocol: u16) -> bool {
    is_control(protocol, header.kind)
        && match header.kind {
            NLMSG_ERROR => true,
            NLMSG_DONE => done_has_errno(protocol, header.flags),
            _ => false,
        }
}

/// The errno that a message carries: 0 or a positive number from `NLMSG_ERROR` and
/// `NLMSG_DONE`, `None` from the others, and from an end that some families of generic
/// netlink send empty.
#[must_use]
pub fn errno(header: Nlmsghdr, protocol: u16, payload: &[u8], order: Order) -> Option<u32> {
    let carries = ends(header, protocol);
    let error = order
        .u32(*payload.first_chunk().filter(|_| carries)?)
        .cast_signed();
    Some(if error < 0 { error.unsigned_abs() } else { 0 })
}

/// A message's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Nlmsghdr {
    /// `nlmsg_len`: length with this header, without padding.
    pub len: u32,
    /// `nlmsg_type`.
    pub kind: u16,
    /// `nlmsg_flags`.
    pub flags: u16,
    /// `nlmsg_seq`.
    pub seq: u32,
    /// `nlmsg_pid`: a port id, or 0.
    pub pid: u32,
}

impl Nlmsghdr {
    /// Whether all of these flags are set.
    #[must_use]
    pub fn has(self, flags: u16) -> bool {
        self.flags & flags == flags
    }
}

/// The header of a generic netlink message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Genlmsghdr {
    /// The family's command.
    pub cmd: u8,
    /// The family's version.
    pub version: u8,
    /// 0.
    pub reserved: u16,
}

/// Reads a message's header.
pub fn nlmsghdr<'a>(order: Order) -> impl FnMut(&'a [u8]) -> nom::IResult<&'a [u8], Nlmsghdr> {
    let e = order.endianness();
    move |input| {
        (u32(e), u16(e), u16(e), u32(e), u32(e))
            .map(|(len, kind, flags, seq, pid)| Nlmsghdr {
                len,
                kind,
                flags,
                seq,
                pid,
            })
            .parse(input)
    }
}

/// Reads a generic netlink header.
pub fn genlmsghdr<'a>(order: Order) -> impl FnMut(&'a [u8]) -> nom::IResult<&'a [u8], Genlmsghdr> {
    let e = order.endianness();
    move |input| {
        (u8, u8, u16(e))
            .map(|(cmd, version, reserved)| Genlmsghdr {
                cmd,
                version,
                reserved,
            })
            .parse(input)
    }
}

/// A message where it stands in a frame.
#[derive(Debug, Clone, Copy)]
pub struct RawMessage<'a> {
    /// Offset of the header from the start of the frame.
    pub offset: u32,
    /// The header.
    pub header: Nlmsghdr,
    /// The message with its header, without padding; shorter than `header.len` where
    /// the frame ends first or the length is wrong.
    pub bytes: &'a [u8],
    /// Length of the header: [`NLMSG_HDRLEN`], and 0 where the protocol sends none and
    /// `header` says only what is told by other means.
    pub header_len: u32,
}

impl<'a> RawMessage<'a> {
    /// What follows the header.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.bytes
            .get(self.header_len as usize..)
            .unwrap_or_default()
    }
}

/// The messages of a frame. What does not begin with a whole header ends the chain, and
/// so does a length below that of a header, as it does for the kernel; a message longer
/// than the frame takes the rest of it.
#[derive(Debug, Clone)]
pub struct Messages<'a> {
    content: &'a [u8],
    /// Offset of `content` from the start of the frame.
    offset: u32,
    order: Order,
    /// The protocol sends one message a frame, without a header.
    bare: bool,
}

impl<'a> Messages<'a> {
    /// The messages in `content`, which begins at `offset` of its frame.
    #[must_use]
    pub fn new(protocol: u16, content: &'a [u8], offset: u32, order: Order) -> Self {
        Self {
            content,
            offset,
            order,
            bare: protocol == super::protocol::KOBJECT_UEVENT,
        }
    }

    /// All there is, as one message.
    fn whole(&mut self) -> Option<RawMessage<'a>> {
        let bytes = std::mem::take(&mut self.content);
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let kind = if bytes.starts_with(UDEV_PREFIX) {
            UDEV_EVENT
        } else {
            KERNEL_EVENT
        };
        let message = RawMessage {
            offset: self.offset,
            header: Nlmsghdr {
                len,
                kind,
                ..Nlmsghdr::default()
            },
            bytes,
            header_len: 0,
        };
        self.offset = self.offset.saturating_add(len);
        (len > 0).then_some(message)
    }

    /// What is left after the messages that were taken.
    #[must_use]
    pub fn rest(&self) -> (&'a [u8], u32) {
        (self.content, self.offset)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = RawMessage<'a>;

    fn next(&mut self) -> Option<RawMessage<'a>> {
        if self.bare {
            return self.whole();
        }
        let (_, header) = nlmsghdr(self.order)(self.content).ok()?;
        if header.len < NLMSG_HDRLEN {
            return None;
        }
        let left = u32::try_from(self.content.len()).unwrap_or(u32::MAX);
        let len = header.len.min(left);
        let message = RawMessage {
            offset: self.offset,
            header,
            bytes: &self.content[..len as usize],
            header_len: NLMSG_HDRLEN,
        };
        let step = align(len).min(left);
        self.content = &self.content[step as usize..];
        self.offset += step;
        Some(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lens: &[u32], total: usize, expected: &[(u32, usize)], rest: u32) {
        let mut content = vec![0; total];
        let mut at = 0;
        for len in lens {
            content[at..at + 4].copy_from_slice(&len.to_le_bytes());
            at += align(*len) as usize;
        }
        let mut messages = Messages::new(0, &content, 16, Order::Little);
        let found: Vec<_> = messages
            .by_ref()
            .map(|message| (message.offset, message.bytes.len()))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(messages.rest().1, rest);
    }

    #[test]
    fn messages_are_aligned_and_the_last_may_lack_its_padding() {
        check(&[17, 18], 38, &[(16, 17), (36, 18)], 54);
        check(&[17], 20, &[(16, 17)], 36);
    }

    #[test]
    fn what_is_no_whole_header_is_left() {
        check(&[16], 31, &[(16, 16)], 32);
        check(&[], 7, &[], 16);
    }

    #[test]
    fn a_length_below_a_header_ends_the_chain() {
        check(&[3], 40, &[], 16);
        check(&[20, 0], 60, &[(16, 20)], 36);
    }

    #[test]
    fn a_length_beyond_the_frame_takes_the_rest() {
        check(&[16, 100], 48, &[(16, 16), (32, 32)], 64);
    }

    #[test]
    fn an_errno_is_where_the_kernel_puts_one() {
        let header = |kind, flags| Nlmsghdr {
            kind,
            flags,
            ..Nlmsghdr::default()
        };
        let minus_19 = (-19_i32).to_be_bytes();
        let read =
            |kind, flags, protocol| errno(header(kind, flags), protocol, &minus_19, Order::Big);
        assert_eq!(read(NLMSG_ERROR, 0, 0), Some(19));
        assert_eq!(read(NLMSG_DONE, NLM_F_MULTI, 12), Some(19));
        assert_eq!(
            read(NLMSG_DONE, 0, 12),
            None,
            "NFLOG ends its batches without one"
        );
        assert_eq!(read(16, 0, 0), None);
        let connector = crate::wire::protocol::CONNECTOR;
        assert_eq!(read(NLMSG_DONE, NLM_F_MULTI, connector), None);
    }

    #[test]
    fn small_types_are_netlinks_own_where_the_protocol_has_no_other_use_for_them() {
        use crate::wire::protocol::{CONNECTOR, FIB_LOOKUP, ISCSI, NETFILTER, ROUTE};
        let control = |protocol, kind| is_control(protocol, kind);
        assert!(control(ROUTE, NLMSG_DONE) && control(ROUTE, 15) && !control(ROUTE, 16));
        assert!(control(NETFILTER, NLMSG_ERROR));
        assert!(control(ISCSI, NLMSG_ERROR) && !control(ISCSI, 11));
        assert!(!control(CONNECTOR, NLMSG_DONE) && !control(FIB_LOOKUP, 0));
    }
}
