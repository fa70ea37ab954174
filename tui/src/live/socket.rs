//! A netlink socket of our own: asking the kernel, and listening to groups.

use std::io;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nlscope_dissector::wire::{
    Attributes, Messages, NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR, NLMSG_HDRLEN, Order, RawMessage,
    align, ends, errno,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, Protocol, SendFlags, SocketFlags, SocketType, bind, connect, getsockname, send,
    socket_with, sockopt,
};
use thiserror::Error;

use super::sys::{self, Received};
use crate::source::{SocketKey, words};

/// How long the kernel has for an answer. It has it at once, but for a lock.
const PATIENCE: Timespec = Timespec {
    tv_sec: 5,
    tv_nsec: 0,
};
/// Longest datagram that is looked at: more than the kernel puts into one.
const DATAGRAM: usize = 1 << 18;
/// `NLMSGERR_ATTR_MSG`: the kernel's words (linux/netlink.h).
const NLMSGERR_ATTR_MSG: u16 = 1;

/// A bound netlink socket.
#[derive(Debug)]
pub(super) struct NetlinkSocket {
    fd: OwnedFd,
    protocol: u16,
    port: u32,
}

/// Why the kernel does not do what it was asked.
#[derive(Debug, Error)]
pub(super) enum AskError {
    /// It refused.
    #[error("{}{}", words(error), text.as_ref().map(|text| format!(" ({text})")).unwrap_or_default())]
    Refused {
        /// The errno.
        error: io::Error,
        /// Its own words.
        text: Option<String>,
    },
    /// The socket does not work.
    #[error("{}", words(.0))]
    Socket(#[from] io::Error),
    /// There is no answer.
    #[error("no answer")]
    Silence,
}

impl AskError {
    /// The errno, if there is one.
    pub(super) fn errno(&self) -> Option<i32> {
        match self {
            Self::Refused { error, .. } | Self::Socket(error) => error.raw_os_error(),
            Self::Silence => None,
        }
    }
}

impl NetlinkSocket {
    /// Opens a socket of a protocol, with a port that the kernel chooses.
    ///
    /// # Errors
    ///
    /// Those of the system: a kernel without the protocol.
    pub(super) fn open(protocol: u16) -> io::Result<Self> {
        let number = NonZeroU32::new(u32::from(protocol)).map(Protocol::from_raw);
        let flags = SocketFlags::CLOEXEC;
        let fd = socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, number)?;
        let kernel = SocketAddrNetlink::new(0, 0);
        bind(&fd, &kernel)?;
        // Later nothing can be sent to an address.
        connect(&fd, &kernel)?;
        let address = SocketAddrNetlink::try_from(getsockname(&fd)?)?;
        Ok(Self {
            fd,
            protocol,
            port: address.pid(),
        })
    }

    /// The protocol, `NETLINK_*`.
    pub(super) fn protocol(&self) -> u16 {
        self.protocol
    }

    /// What it is known by, in network namespace number `netns`.
    pub(super) fn key(&self, netns: u32) -> SocketKey {
        SocketKey {
            netns,
            protocol: self.protocol,
            port: self.port,
        }
    }

    /// Sets an option of `SOL_NETLINK` (netlink(7)).
    pub(super) fn set(&self, option: i32, value: i32) -> io::Result<()> {
        sys::set_option(self.fd.as_fd(), libc::SOL_NETLINK, option, value)
    }

    /// Joins a multicast group.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a group that the protocol has not, `EPERM` for one that is not for us.
    pub(super) fn join(&self, group: u32) -> io::Result<()> {
        self.set(libc::NETLINK_ADD_MEMBERSHIP, group.cast_signed())
    }

    /// Wants a receive buffer of so many bytes; how many it got is the system's secret.
    pub(super) fn set_buffer(&self, bytes: usize) -> io::Result<()> {
        // Beyond the system's limit only with CAP_NET_ADMIN.
        sockopt::set_socket_recv_buffer_size_force(&self.fd, bytes)
            .or_else(|_| sockopt::set_socket_recv_buffer_size(&self.fd, bytes))?;
        Ok(())
    }

    /// Receives a datagram into `buffer` without waiting.
    ///
    /// # Errors
    ///
    /// Those of [`sys::receive`].
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        sys::receive(self.fd.as_fd(), buffer)
    }

    /// How many datagrams found no room.
    pub(super) fn drops(&self) -> io::Result<u32> {
        sys::drops(self.fd.as_fd())
    }

    /// A message of our own.
    pub(super) fn message(&self, kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let len = NLMSG_HDRLEN as usize + payload.len();
        let mut message = Vec::with_capacity(len);
        message.extend(u32::try_from(len).unwrap_or(u32::MAX).to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(flags.to_ne_bytes());
        message.extend(1_u32.to_ne_bytes());
        // So that nlmon's copy of it can be told from those of others.
        message.extend(self.port.to_ne_bytes());
        message.extend(payload);
        message
    }

    /// Sends a message to the kernel.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub(super) fn send(&self, message: &[u8]) -> io::Result<()> {
        send(&self.fd, message, SendFlags::empty())?;
        Ok(())
    }

    /// A request that wants an acknowledgement, or the end of a dump.
    pub(super) fn request(&self, kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        self.message(kind, NLM_F_REQUEST | NLM_F_ACK | flags, payload)
    }

    /// Asks the kernel and hands each datagram of the answer to `take`, up to its end.
    ///
    /// # Errors
    ///
    /// What the kernel refused, and that there is no answer.
    pub(super) fn ask(&self, request: &[u8], mut take: impl FnMut(&[u8])) -> Result<(), AskError> {
        // Older kernels have no words.
        let _ = self.set(libc::NETLINK_EXT_ACK, 1);
        self.send(request)?;
        let mut buffer = vec![0; DATAGRAM];
        loop {
            let mut wait = [PollFd::new(&self.fd, PollFlags::IN)];
            if poll(&mut wait, Some(&PATIENCE)).map_err(io::Error::from)? == 0 {
                return Err(AskError::Silence);
            }
            let len = self.receive(&mut buffer)?.len;
            let datagram = buffer.get(..len).unwrap_or_default();
            take(datagram);
            for message in self.messages(datagram) {
                if ends(message.header, self.protocol) {
                    return self.outcome(&message);
                }
            }
        }
    }

    /// The messages of a datagram.
    pub(super) fn messages<'a>(&self, datagram: &'a [u8]) -> Messages<'a> {
        Messages::new(self.protocol, datagram, 0, Order::NATIVE)
    }

    fn outcome(&self, end: &RawMessage<'_>) -> Result<(), AskError> {
        let payload = end.payload();
        match errno(end.header, self.protocol, payload, Order::NATIVE) {
            None | Some(0) => Ok(()),
            Some(number) => Err(AskError::Refused {
                error: io::Error::from_raw_os_error(number.cast_signed()),
                text: refusal(end),
            }),
        }
    }
}

impl AsFd for NetlinkSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The kernel's words, behind the request that an error quotes.
fn refusal(error: &RawMessage<'_>) -> Option<String> {
    let payload = error.payload();
    let quoted = (error.header.kind == NLMSG_ERROR).then(|| payload.get(4..8))??;
    let quoted = align(Order::NATIVE.u32(*quoted.first_chunk()?)) as usize;
    let capped = error.header.has(nlscope_dissector::wire::NLM_F_CAPPED);
    let quoted = if capped {
        NLMSG_HDRLEN as usize
    } else {
        quoted
    };
    let attributes = payload.get(4 + quoted..)?;
    let (_, text) = Attributes::new(attributes, Order::NATIVE)
        .find(|(number, _)| *number == NLMSGERR_ATTR_MSG)?;
    let text = String::from_utf8_lossy(text);
    Some(text.trim_end_matches('\0').to_owned())
}

/// Builds the attributes of a request.
#[derive(Debug, Default)]
pub(super) struct Payload(Vec<u8>);

impl Payload {
    /// Begins with a fixed header.
    pub(super) fn new(header: &[u8]) -> Self {
        Self(header.to_vec())
    }

    /// Appends an attribute, aligned.
    pub(super) fn attribute(mut self, number: u16, payload: &[u8]) -> Self {
        let len = u16::try_from(payload.len() + 4).unwrap_or(u16::MAX);
        self.0.extend(len.to_ne_bytes());
        self.0.extend(number.to_ne_bytes());
        self.0.extend(payload);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// What was built.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
