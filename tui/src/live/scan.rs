//! Which netlink sockets there are, and whose they are: from `NETLINK_SOCK_DIAG` and
//! `/proc`.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;

use nlscope_dissector::capture::Process;
use nlscope_dissector::wire::{Attributes, NLM_F_DUMP, Order, RawMessage, protocol};

use super::socket::{AskError, NetlinkSocket};
use crate::source::{Socket, SocketKey};

// linux/sock_diag.h, linux/netlink_diag.h
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NDIAG_PROTO_ALL: u8 = 0xff;
const NDIAG_SHOW_MEMINFO: u32 = 1;
const NDIAG_SHOW_GROUPS: u32 = 2;
const NETLINK_DIAG_MEMINFO: u16 = 0;
const NETLINK_DIAG_GROUPS: u16 = 1;
/// Length of `struct netlink_diag_msg`.
const DIAG_MSG_LEN: usize = 28;

/// The protocols of which the kernel has a socket in this thread's network namespace,
/// ascending: what it offers, without loading a module by asking.
///
/// # Errors
///
/// `/proc/net/netlink` (proc(5)) cannot be read.
pub(super) fn kernel_protocols() -> io::Result<Vec<u16>> {
    let text = fs::read_to_string("/proc/thread-self/net/netlink")?;
    let of_kernel = |line: &str| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let protocol = columns.next()?.parse().ok()?;
        (columns.next()? == "0").then_some(protocol)
    };
    let mut protocols: Vec<u16> = text.lines().skip(1).filter_map(of_kernel).collect();
    protocols.sort_unstable();
    protocols.dedup();
    Ok(protocols)
}

/// Looks at the sockets of one network namespace, that in which it was opened.
pub(super) struct Scanner {
    socket: NetlinkSocket,
    netns: u32,
    namespace: Namespace,
}

impl Scanner {
    /// In the network namespace of the calling thread, which is number `netns`.
    ///
    /// # Errors
    ///
    /// The kernel has no `NETLINK_SOCK_DIAG`.
    pub(super) fn open(netns: u32) -> io::Result<Self> {
        let socket = NetlinkSocket::open(protocol::SOCK_DIAG)?;
        let namespace = own_namespace("net");
        Ok(Self {
            socket,
            netns,
            namespace,
        })
    }

    /// The number of the network namespace.
    pub(super) fn netns(&self) -> u32 {
        self.netns
    }

    /// The network namespace itself.
    pub(super) fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// Its own socket.
    pub(super) fn key(&self) -> SocketKey {
        self.socket.key(self.netns)
    }

    /// All netlink sockets, without their processes.
    ///
    /// # Errors
    ///
    /// The kernel does not tell: it lacks the module `netlink_diag`.
    pub(super) fn sockets(&self) -> Result<Vec<Socket>, AskError> {
        // `struct netlink_diag_req`.
        let family = u8::try_from(libc::AF_NETLINK).unwrap_or(16);
        let mut request = vec![family, NDIAG_PROTO_ALL, 0, 0, 0, 0, 0, 0];
        request.extend((NDIAG_SHOW_MEMINFO | NDIAG_SHOW_GROUPS).to_ne_bytes());
        request.extend([0; 8]);
        let mut sockets = Vec::new();
        let take = |datagram: &[u8]| {
            let messages = self.socket.messages(datagram);
            sockets.extend(messages.filter_map(|message| self.described(&message)));
        };
        let request = (self.socket).request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request);
        self.socket.ask(&request, take)?;
        Ok(sockets)
    }

    fn described(&self, message: &RawMessage<'_>) -> Option<Socket> {
        let payload = message.payload();
        if message.header.kind != SOCK_DIAG_BY_FAMILY {
            return None;
        }
        let word = |at: usize| Some(Order::NATIVE.u32(*payload.get(at..)?.first_chunk()?));
        let mut socket = Socket {
            key: SocketKey {
                netns: self.netns,
                protocol: u16::from(*payload.get(2)?),
                port: word(4)?,
            },
            inode: word(16)?,
            process: None,
            groups: Vec::new(),
            received: 0,
            receive_limit: 0,
            sent: 0,
            drops: 0,
        };
        for (number, value) in Attributes::new(payload.get(DIAG_MSG_LEN..)?, Order::NATIVE) {
            match number {
                NETLINK_DIAG_GROUPS => socket.groups = groups(value),
                NETLINK_DIAG_MEMINFO => {
                    let words = value.chunks_exact(4);
                    let words =
                        words.map(|word| word.first_chunk().map(|it| Order::NATIVE.u32(*it)));
                    let words: Vec<u32> = words.map(Option::unwrap_or_default).collect();
                    // SK_MEMINFO_RMEM_ALLOC, _RCVBUF, _WMEM_ALLOC, _DROPS
                    let word = |at: usize| words.get(at).copied().unwrap_or(0);
                    socket.received = word(0);
                    socket.receive_limit = word(1);
                    socket.sent = word(2);
                    socket.drops = word(8);
                }
                _ => {}
            }
        }
        Some(socket)
    }
}

/// The groups of a bitmap of `long`s: the first bit is group 1.
fn groups(bitmap: &[u8]) -> Vec<u32> {
    let bytes_in_long = size_of::<libc::c_ulong>();
    let mut groups = Vec::new();
    for (index, long) in bitmap.chunks_exact(bytes_in_long).enumerate() {
        let bits = Order::NATIVE.unsigned(long);
        let first = index * bytes_in_long * 8 + 1;
        let set = (0..bytes_in_long * 8).filter(|bit| bits >> bit & 1 == 1);
        groups.extend(set.filter_map(|bit| u32::try_from(first + bit).ok()));
    }
    groups
}

/// Finds the process that has a socket open.
#[derive(Debug, Default)]
pub(super) struct Owners {
    /// Process ids by inode.
    known: HashMap<u32, u32>,
}

impl Owners {
    /// The process that has the socket with this inode. Of programs most have their
    /// first socket under their process id as port, so `likely` is looked at first.
    pub(super) fn of(&mut self, inode: u32, likely: u32) -> Option<Process> {
        if inode == 0 {
            return None;
        }
        if let Some(pid) = self.known.get(&inode) {
            // It may be called otherwise by now, or have left the socket to a child.
            if let Some(process) = named(*pid, true) {
                return Some(process);
            }
            self.known.remove(&inode);
        }
        if likely == 0 {
            return None;
        }
        let process = named(likely, true).filter(|_| inodes(likely).contains(&inode))?;
        self.known.insert(inode, likely);
        Some(process)
    }

    /// Looks at every process once, for all these inodes.
    pub(super) fn find_all(&mut self, wanted: &HashSet<u32>) {
        if wanted.iter().all(|inode| self.known.contains_key(inode)) {
            return;
        }
        for pid in processes() {
            for inode in inodes(pid) {
                if wanted.contains(&inode) {
                    self.known.entry(inode).or_insert(pid);
                }
            }
        }
    }

    /// Forgets the sockets that are no more: their numbers are given out again.
    pub(super) fn keep(&mut self, inodes: &HashSet<u32>) {
        self.known.retain(|inode, _| inodes.contains(inode));
    }
}

/// The process with this id, by its name.
pub(super) fn named(pid: u32, exact: bool) -> Option<Process> {
    let name = fs::read(format!("/proc/{pid}/comm")).ok()?;
    let name = String::from_utf8_lossy(&name);
    Some(Process {
        pid,
        name: name.trim_end_matches('\n').to_owned(),
        exact,
    })
}

/// A namespace: device and inode of the file that stands for it, namespaces(7).
pub(super) type Namespace = (u64, u64);

/// The namespace of this kind (`net`, `pid`) that the calling thread is in; one that no
/// process is in where the kernel does not say.
fn own_namespace(kind: &str) -> Namespace {
    namespace(&format!("/proc/thread-self/ns/{kind}")).unwrap_or_default()
}

fn namespace(path: &str) -> io::Result<Namespace> {
    let file = fs::metadata(path)?;
    Ok((file.dev(), file.ino()))
}

/// The program whose process id is this port, as the kernel chooses it for the first socket of
/// most. It counts process ids as the program does: one in another process namespace may
/// have any. So the process has to be in that of the calling thread, and in the network
/// namespace `net`, as far as we may see that; and no thread of the kernel.
pub(super) fn likely(port: u32, net: Namespace) -> Option<Process> {
    let process = named(port, false)?;
    let is_in = |kind: &str, wanted| match namespace(&format!("/proc/{port}/ns/{kind}")) {
        Ok(its) => its == wanted,
        Err(error) => error.kind() == io::ErrorKind::PermissionDenied,
    };
    let program = fs::read(format!("/proc/{port}/cmdline")).is_ok_and(|words| !words.is_empty());
    (program && is_in("pid", own_namespace("pid")) && is_in("net", net)).then_some(process)
}

/// All process ids.
fn processes() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pid = |entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().to_str()?.parse().ok();
    entries.filter_map(pid).collect()
}

/// The inodes of the sockets that a process has open, as far as we may see them.
fn inodes(pid: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return Vec::new();
    };
    let inode = |entry: io::Result<fs::DirEntry>| {
        let target = fs::read_link(entry.ok()?.path()).ok()?;
        let inode = target
            .to_str()?
            .strip_prefix("socket:[")?
            .strip_suffix(']')?;
        inode.parse().ok()
    };
    entries.filter_map(inode).collect()
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use super::*;

    #[test]
    fn the_first_bit_is_group_1() {
        let longs: [libc::c_ulong; 2] = [0b1001, 1];
        let bitmap: Vec<u8> = longs.iter().flat_map(|long| long.to_ne_bytes()).collect();
        let second = libc::c_ulong::BITS + 1;
        assert_eq!(groups(&bitmap), [1, 4, second]);
        assert!(groups(&bitmap[..3]).is_empty());
    }

    #[test]
    fn a_process_has_its_own_sockets() {
        let scanner = Scanner::open(0).unwrap();
        let sockets = scanner.sockets().unwrap();
        let own = sockets.iter().find(|socket| socket.key == scanner.key());
        let own = own.unwrap();
        let mut owners = Owners::default();
        owners.find_all(&HashSet::from([own.inode]));
        let process = owners.of(own.inode, 0).unwrap();
        assert_eq!(process.pid, std::process::id());
        assert!(process.exact);
        owners.keep(&HashSet::new());
        assert_eq!(
            owners.of(own.inode, 0),
            None,
            "a number that is given out again"
        );
        assert!(kernel_protocols().unwrap().contains(&protocol::ROUTE));
    }

    #[test]
    fn listeners_without_a_port_are_told_apart_and_from_the_kernels_own() {
        use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
        let listener = || {
            let (family, kind) = (AddressFamily::NETLINK, SocketType::RAW);
            let socket = socket_with(family, kind, SocketFlags::CLOEXEC, None).unwrap();
            let join = libc::NETLINK_ADD_MEMBERSHIP;
            super::super::sys::set_option(socket.as_fd(), libc::SOL_NETLINK, join, 1).unwrap();
            socket
        };
        let _listeners = [listener(), listener()];
        let mut sockets = Scanner::open(0).unwrap().sockets().unwrap();
        sockets.retain(|socket| (socket.key.protocol, socket.key.port) == (protocol::ROUTE, 0));
        let ids: HashSet<_> = sockets.iter().map(Socket::id).collect();
        assert_eq!(ids.len(), sockets.len());
        let listening = sockets.iter().filter(|socket| socket.groups == [1]);
        assert!(listening.clone().count() >= 2);
        assert!(listening.into_iter().all(|socket| !socket.is_kernel()));
        assert!(sockets.iter().any(Socket::is_kernel));
    }

    #[test]
    fn a_port_is_that_of_a_program_in_the_same_namespaces() {
        let own = std::process::id();
        let net = own_namespace("net");
        assert_eq!(
            likely(own, net).map(|it| (it.pid, it.exact)),
            Some((own, false))
        );
        assert_eq!(likely(own, (0, 0)), None);
        // A thread of the kernel, where we see them.
        if named(2, false).is_some_and(|it| it.name == "kthreadd") {
            assert_eq!(likely(2, net), None);
        }
    }
}
