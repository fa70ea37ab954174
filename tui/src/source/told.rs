//! What a live source tells beside frames: sockets, who has them, what was lost.

use std::collections::BTreeMap;
use std::fmt;

use nlscope_dissector::capture::Process;
use nlscope_dissector::wire::{Order, nlmsghdr, protocol};
use serde::{Deserialize, Serialize};

/// A netlink socket: of a network namespace and a protocol, with a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SocketKey {
    /// Number of the network namespace.
    pub(crate) netns: u32,
    /// `NETLINK_*`.
    pub(crate) protocol: u16,
    /// Its port; 0 is the kernel's own socket.
    pub(crate) port: u32,
}

/// The header that nlmon puts before what goes over a protocol: `PACKET_OUTGOING`,
/// `ARPHRD_NETLINK`, ten bytes that mean nothing, the protocol.
#[must_use]
pub(crate) fn nlmon_header(protocol: u16) -> [u8; 16] {
    let mut header = [0; 16];
    header[..4].copy_from_slice(&[0, 4, 3, 0x38]);
    header[14..].copy_from_slice(&protocol.to_be_bytes());
    header
}

/// `nlmsg_pid` of the first message of what goes over netlink here; 0 for what has no
/// `nlmsghdr`.
#[must_use]
pub(crate) fn first_port(protocol: u16, content: &[u8]) -> u32 {
    if protocol == protocol::KOBJECT_UEVENT {
        return 0;
    }
    nlmsghdr(Order::NATIVE)(content).map_or(0, |(_, header)| header.pid)
}

/// A socket among all. Those without a port are told apart by their inodes: the kernel's own,
/// and listeners that joined a group without asking for a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct SocketId {
    /// What it is known by in messages.
    pub(crate) key: SocketKey,
    /// 0 where it has a port.
    pub(crate) inode: u32,
}

/// A socket with a port.
impl From<SocketKey> for SocketId {
    fn from(key: SocketKey) -> Self {
        Self { key, inode: 0 }
    }
}

/// What is known of a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Socket {
    /// Which.
    pub(crate) key: SocketKey,
    /// Its inode, 0 for one that no file stands for any more.
    pub(crate) inode: u32,
    /// Who has it; `None` where that cannot be known.
    pub(crate) process: Option<Process>,
    /// The multicast groups that it has joined, from 1, ascending.
    pub(crate) groups: Vec<u32>,
    /// Bytes in its receive queue, and how many it may have.
    pub(crate) received: u32,
    /// See [`Self::received`].
    pub(crate) receive_limit: u32,
    /// Bytes in its send queue.
    pub(crate) sent: u32,
    /// Datagrams that found no room.
    pub(crate) drops: u32,
}

impl Socket {
    /// Which it is.
    #[must_use]
    pub(crate) fn id(&self) -> SocketId {
        SocketId {
            key: self.key,
            inode: if self.key.port == 0 { self.inode } else { 0 },
        }
    }

    /// Whether it is the kernel's own: without a port, nobody has it, and it listens to nothing.
    #[must_use]
    pub(crate) fn is_kernel(&self) -> bool {
        self.key.port == 0 && self.process.is_none() && self.groups.is_empty()
    }
}

/// What happened to a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SocketChange {
    /// It was there at the first look.
    Present(Socket),
    /// It was not there at the look before.
    Opened(Socket),
    /// Something about it is another.
    Changed(Socket),
    /// It is gone.
    Released(SocketId),
}

impl SocketChange {
    /// Which socket it is about.
    #[must_use]
    pub(crate) fn id(&self) -> SocketId {
        match self {
            Self::Present(socket) | Self::Opened(socket) | Self::Changed(socket) => socket.id(),
            Self::Released(id) => *id,
        }
    }

    /// Whether it is about one of the kernel's own, as far as it was known `before`.
    #[must_use]
    pub(crate) fn is_kernels(&self, before: Option<&Socket>) -> bool {
        match self {
            Self::Present(socket) | Self::Opened(socket) | Self::Changed(socket) => {
                socket.is_kernel()
            }
            Self::Released(_) => before.is_some_and(Socket::is_kernel),
        }
    }

    /// Brings what is known of the sockets up to date.
    pub(crate) fn apply(self, known: &mut BTreeMap<SocketId, Socket>) {
        match self {
            Self::Present(socket) | Self::Opened(socket) | Self::Changed(socket) => {
                known.insert(socket.id(), socket);
            }
            Self::Released(id) => {
                known.remove(&id);
            }
        }
    }

    /// Who has the socket, where that is new.
    #[must_use]
    pub(crate) fn user(&self) -> Option<(SocketKey, &Process)> {
        match self {
            Self::Present(socket) | Self::Opened(socket) | Self::Changed(socket) => {
                Some((socket.key, socket.process.as_ref()?))
            }
            Self::Released(_) => None,
        }
    }
}

/// Who uses a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PortUse {
    /// Of which socket, which may be gone by now.
    pub(crate) key: SocketKey,
    /// Who.
    pub(crate) process: Process,
}

/// What one interface of a live source has counted so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Losses {
    /// Number of the interface, in the order in which they were told.
    pub(crate) interface: u32,
    /// Frames that reached it, those included that were dropped.
    pub(crate) received: u64,
    /// Frames that the kernel had no room for.
    pub(crate) dropped: u64,
    /// Frames of our own that were left out.
    pub(crate) own: u64,
}

/// What all interfaces together have counted so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally(BTreeMap<u32, Losses>);

impl Tally {
    /// Takes what an interface has counted by now.
    pub(crate) fn tell(&mut self, losses: Losses) {
        self.0.insert(losses.interface, losses);
    }

    /// Frames that the kernel had no room for.
    #[must_use]
    pub(crate) fn dropped(&self) -> u64 {
        self.sum(|it| it.dropped)
    }

    fn sum(&self, of: fn(&Losses) -> u64) -> u64 {
        self.0.values().map(of).sum()
    }
}

/// `375 received, 20 of them our own, 315 dropped by the kernel`.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} received", self.sum(|it| it.received))?;
        match self.sum(|it| it.own) {
            0 => {}
            own => write!(f, ", {own} of them nlscope's own")?,
        }
        write!(f, ", {} dropped by the kernel", self.dropped())
    }
}
