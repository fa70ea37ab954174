//! What the context knows of one message, in few bytes, because a capture has many.

use std::num::NonZeroU32;

use crate::schema::{Direction, Group};
use crate::wire::Order;

/// Number of a message in the capture, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageNo(pub NonZeroU32);

impl MessageNo {
    /// Its index in a list of all records.
    #[must_use]
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// The port at the user's side of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Port {
    /// Said by the message, or by the answer to it.
    Known(u32),
    /// Of a notification: everyone who listens.
    Everyone,
    /// A request with `nlmsg_pid` 0 whose answer was not seen.
    Unknown,
}

/// Where a multicast went.
#[derive(Debug, Clone, Copy)]
pub enum GroupSeen {
    /// Inferred from protocol, type and header.
    Inferred(&'static Group),
    /// Told by the source.
    Exact {
        /// The number of the group, from 1.
        number: NonZeroU32,
        /// The group, where a table has it.
        group: Option<&'static Group>,
    },
}

impl GroupSeen {
    /// The group, where a table has it.
    #[must_use]
    pub fn group(self) -> Option<&'static Group> {
        match self {
            Self::Inferred(group) => Some(group),
            Self::Exact { group, .. } => group,
        }
    }

    /// Its number, unless the kernel hands it out at run time and nobody told it.
    #[must_use]
    pub fn number(self) -> Option<u32> {
        match self {
            Self::Inferred(group) => group.number,
            Self::Exact { number, .. } => Some(number.get()),
        }
    }

    /// Whether the source told it.
    #[must_use]
    pub fn is_exact(self) -> bool {
        matches!(self, Self::Exact { .. })
    }
}

/// The same group, known in the same way.
impl PartialEq for GroupSeen {
    fn eq(&self, other: &Self) -> bool {
        let name = |seen: &Self| seen.group().map(|group| group.name);
        (name(self), self.number(), self.is_exact())
            == (name(other), other.number(), other.is_exact())
    }
}

impl Eq for GroupSeen {}

/// The part a message plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Asks, and no end of the answer was seen (yet).
    OpenRequest,
    /// Asks, and the answer is complete (or none was asked for).
    Request,
    /// Answers: a reply or one part of a dump.
    Reply,
    /// Ends an answer: an acknowledgement, an error, the end of a dump.
    End,
    /// Answers a request that is not in the capture.
    Orphan,
    /// Was not asked for.
    Notification,
}

/// What the context knows of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Its own number.
    pub number: MessageNo,
    /// Number of its frame, from 1.
    pub frame: u32,
    /// Offset of the `nlmsghdr` from the start of the frame.
    pub offset: u32,
    /// How many messages of the frame come before it.
    pub nth: u32,
    /// Byte order of its frame's netlink content.
    pub order: Order,
    /// Which way it went, inferred (see [`crate::context`]).
    pub direction: Direction,
    /// Its part.
    pub role: Role,
    /// The port at the user's side.
    pub port: Port,
    /// The group, of a notification.
    pub group: Option<GroupSeen>,
    /// The request, of an answer, or the one that caused a notification.
    pub request: Option<MessageNo>,
    /// The frame of that request; 0 where there is none.
    pub request_frame: u32,
    /// `nlmsg_type` of that request; 0 where there is none.
    pub request_kind: u16,
    /// The first byte of its payload: address family, or command.
    pub request_first: u8,
    /// The message that ended the answer, of a request.
    pub end: Option<MessageNo>,
    /// Nanoseconds from the request to this answer; of a request, to the end of the
    /// answer. `None` where one of the two is not there or has no time.
    pub latency: Option<Latency>,
    /// The earlier multicast message this one is a copy of, byte for byte.
    pub copy_of: Option<MessageNo>,
    /// errno of the answer's end, of a request (0 while open or where all went well).
    pub errno: u32,
}

/// Nanoseconds, at most `u64::MAX - 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Latency(std::num::NonZeroU64);

impl Latency {
    /// From nanoseconds.
    #[must_use]
    pub fn new(nanoseconds: u64) -> Self {
        // Stored one higher, so that an `Option` of it takes no more room.
        Self(std::num::NonZeroU64::MIN.saturating_add(nanoseconds))
    }

    /// In nanoseconds.
    #[must_use]
    pub fn nanoseconds(self) -> u64 {
        self.0.get() - 1
    }
}

/// What a later frame tells of an earlier message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amendment {
    /// The earlier message.
    pub message: MessageNo,
    /// What it tells.
    pub change: Change,
}

/// See [`Amendment`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The multicast group, which a source told of a copy.
    Group(GroupSeen),
    /// The port of a request that carried none.
    Port(u32),
    /// The request is answered.
    End {
        /// By this message.
        by: MessageNo,
        /// After this long.
        latency: Option<Latency>,
        /// With this errno, or 0.
        errno: u32,
    },
}

impl Record {
    /// Mends the record of the message that `amendment` is about.
    pub fn amend(&mut self, amendment: Amendment) {
        match amendment.change {
            Change::Group(group) => self.group = Some(group),
            Change::Port(port) => self.port = Port::Known(port),
            Change::End { by, latency, errno } => {
                self.role = Role::Request;
                self.end = Some(by);
                self.latency = latency;
                self.errno = errno;
            }
        }
    }
}
