//! Listening to multicast groups: needs no nlmon and, for most, no privilege, knows the
//! group of each message, and hears what nlmon never passes.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::bail;
use nlscope_dissector::schema::Schema;
use nlscope_dissector::schema::base::protocol_entry;
use nlscope_dissector::wire::protocol;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::desk::{BATCH, Batch, COOKED_LEN, Desk, OwnPorts, Place};
use super::names::{GenlGroups, announced};
use super::scan::kernel_protocols;
use super::socket::NetlinkSocket;
use crate::clock::now;
use crate::source::{Losses, SourceError, Stop, words};

/// Longest datagram that is received whole: with its header it is as long as libpcap allows.
const DATAGRAM: usize = (1 << 18) - COOKED_LEN;
/// Most groups that a protocol is asked for; none has as many.
const MAX_GROUPS: u32 = 1 << 10;
/// How often at most is told how many there were.
const COUNT_EVERY: Duration = Duration::from_millis(250);

/// Groups of daemons that have to answer: who joins them makes the kernel wait for one.
/// They are joined where they are named.
const ANSWERING: [&str; 3] = ["XFRMNLGRP_ACQUIRE", "RDMA_NL_GROUP_LS", "handshake:tlshd"];
/// The group in which nlctrl tells of families.
const NOTIFY: &str = "nlctrl:notify";

/// Which groups to listen to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All that there are.
    All,
    /// Those with these names: `RTNLGRP_LINK`, `nl80211:scan`, `link`; or all of a
    /// protocol or family, `route`, `nl80211`.
    Named(Vec<String>),
}

/// Sockets that listen, one for each protocol.
pub(super) struct Groups {
    listeners: Vec<Listener>,
    wanted: Wanted,
    /// Those of the names that were wanted which mean a group that there is.
    named: BTreeSet<String>,
    refused: Vec<Refused>,
}

/// A group that may not be joined.
struct Refused {
    protocol: u16,
    group: String,
    error: io::Error,
}

struct Listener {
    socket: NetlinkSocket,
    joined: BTreeSet<u32>,
    /// One that was joined only to hear of families that appear.
    not_wanted: Option<u32>,
    /// Datagrams that were lost, as far as was told.
    lost: u32,
}

/// `AUDIT_NLGRP_READLOG: Operation not permitted`.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.group, words(&self.error))
    }
}

/// Names of multicast groups: from the tables, and of generic netlink from the kernel.
struct GroupNames<'a> {
    schema: &'a Schema,
    genl: &'a GenlGroups,
}

impl GroupNames<'_> {
    /// The name of a group, if it has one.
    fn of(&self, protocol: u16, number: u32) -> Option<&str> {
        if protocol == protocol::GENERIC {
            return self.genl.get(&number).map(String::as_str);
        }
        self.schema.group(protocol, number).map(|group| group.name)
    }
}

impl Wanted {
    /// Whether a group is among them.
    fn has(&self, protocol: u16, name: Option<&str>) -> bool {
        match self {
            Self::All => !name.is_some_and(|name| ANSWERING.contains(&name)),
            Self::Named(wanted) => wanted.iter().any(|it| means(it, protocol, name)),
        }
    }
}

/// Whether somebody who writes `wanted` means this group.
fn means(wanted: &str, protocol: u16, name: Option<&str>) -> bool {
    let same = |name: &str| name.eq_ignore_ascii_case(wanted);
    let answering = name.is_some_and(|name| ANSWERING.contains(&name));
    if !answering && protocol_entry(protocol).is_some_and(|entry| same(entry.name)) {
        return true;
    }
    let Some(name) = name else {
        return false;
    };
    let family = name.split_once(':');
    let short = name.split_once("GRP_");
    same(name)
        || family.is_some_and(|(family, group)| !answering && same(family) || same(group))
        || short.is_some_and(|(_, short)| same(short))
}

impl Groups {
    /// Joins, with a receive buffer of so many bytes for each protocol, those of all or of
    /// these `protocols`; `all_nsid` also hears the network namespaces that have an id here.
    /// Its sockets are our `own`, in network namespace number `netns`.
    ///
    /// # Errors
    ///
    /// There is none of the groups, or none may be joined.
    pub(super) fn open(
        wanted: Wanted,
        genl: &GenlGroups,
        schema: &Schema,
        buffer: usize,
        all_nsid: bool,
        (own, netns): (&OwnPorts, u32),
        protocols: Option<&[u16]>,
    ) -> anyhow::Result<Self> {
        let names = GroupNames { schema, genl };
        let mut groups = Self {
            listeners: Vec::new(),
            wanted,
            named: BTreeSet::new(),
            refused: Vec::new(),
        };
        let passes = |it: &u16| protocols.is_none_or(|protocols| protocols.contains(it));
        for protocol in kernel_protocols()?.into_iter().filter(passes) {
            let Ok(socket) = NetlinkSocket::open(protocol) else {
                continue;
            };
            socket.set(libc::NETLINK_PKTINFO, 1)?;
            if all_nsid && let Err(error) = socket.set(libc::NETLINK_LISTEN_ALL_NSID, 1) {
                bail!("listening to other network namespaces: {}", words(&error));
            }
            socket.set_buffer(buffer)?;
            let mut listener = Listener {
                socket,
                joined: BTreeSet::new(),
                not_wanted: None,
                lost: 0,
            };
            groups.join(&mut listener, &names);
            if !listener.joined.is_empty() {
                if protocol == protocol::GENERIC {
                    listener.hear_of_families(genl)?;
                }
                own.add(listener.socket.key(netns));
                groups.listeners.push(listener);
            }
        }
        if let (Wanted::Named(wanted), names) = (&groups.wanted, &groups.named) {
            let unknown = |it: &&String| !names.contains(*it);
            if let Some(unknown) = wanted.iter().find(unknown) {
                bail!("this kernel has no multicast group, family or protocol \"{unknown}\"");
            }
        }
        match groups.refused.first() {
            Some(refused) if groups.listeners.is_empty() => {
                bail!("no group may be joined: {refused}")
            }
            _ => Ok(groups),
        }
    }

    /// Joins the groups of a protocol: those that have a name, and of the others all
    /// that the kernel knows of.
    fn join(&mut self, listener: &mut Listener, names: &GroupNames<'_>) {
        let protocol = listener.socket.protocol();
        let numbers: Vec<u32> = if protocol == protocol::GENERIC {
            names.genl.keys().copied().collect()
        } else {
            (1..=MAX_GROUPS).collect()
        };
        for number in numbers {
            let name = names.of(protocol, number);
            if !self.wanted.has(protocol, name) {
                continue;
            }
            let joined = listener.join(number);
            if matches!(&joined, Err(error) if error.raw_os_error() == Some(libc::EINVAL)) {
                break;
            }
            if let Wanted::Named(wanted) = &self.wanted {
                let meant = wanted.iter().filter(|it| means(it, protocol, name));
                self.named.extend(meant.cloned());
            }
            let Err(error) = joined else {
                continue;
            };
            // Of a protocol that is not for us the kernel does not even say what there is.
            let Some(name) = name else {
                break;
            };
            self.refused.push(Refused {
                protocol,
                group: name.to_owned(),
                error,
            });
        }
    }

    /// Which groups may not be joined, in words: how many, of which protocols, one of them.
    pub(super) fn refused(&self) -> Option<String> {
        let first = self.refused.first()?;
        let names = self.refused.iter().filter_map(|it| {
            let entry = protocol_entry(it.protocol)?;
            Some(entry.name)
        });
        let names: BTreeSet<_> = names.collect();
        let names: Vec<_> = names.into_iter().collect();
        let (count, names) = (self.refused.len(), names.join(", "));
        let more = if count > 1 { ", ..." } else { "" };
        let plural = if count > 1 { "s of" } else { " of" };
        Some(format!(
            "not joined: {count} group{plural} {names} ({first}{more})"
        ))
    }

    /// How many groups were joined, of how many protocols.
    pub(super) fn count(&self) -> (usize, usize) {
        let groups = self.listeners.iter().map(|it| it.joined.len()).sum();
        (groups, self.listeners.len())
    }

    /// Hands out what is heard until `stop` is readable or nobody listens. `elsewhere`
    /// says where a message is from that another network namespace sent, which has an id in
    /// this one.
    pub(super) fn run(
        mut self,
        place: Place,
        desk: &Desk,
        stop: &OwnedFd,
        mut elsewhere: impl FnMut(i32) -> Place,
    ) -> Result<(), Stop> {
        let mut buffer = vec![0; DATAGRAM];
        let mut batch = Batch::default();
        let mut told = Losses {
            interface: place.interface,
            ..Losses::default()
        };
        let mut counted = Instant::now();
        loop {
            let mut wait: Vec<_> = self.listeners.iter().map(|it| it.socket.as_fd()).collect();
            wait.push(stop.as_fd());
            let mut wait: Vec<_> = wait
                .into_iter()
                .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
                .collect();
            let due = desk.due().and_then(|due| Timespec::try_from(due).ok());
            match poll(&mut wait, due.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(broken(&io::Error::from(errno))),
            }
            let stopped = wait.last().is_some_and(|it| !it.revents().is_empty());
            let ready: Vec<_> = wait.iter().map(|it| !it.revents().is_empty()).collect();
            for (listener, _) in self.listeners.iter_mut().zip(ready).filter(|(_, it)| *it) {
                loop {
                    let received = match listener.socket.receive(&mut buffer) {
                        Ok(received) => received,
                        Err(error) => match error.raw_os_error() {
                            Some(libc::EAGAIN) => break,
                            // At ENOBUFS some were lost, which the socket counts.
                            Some(libc::EINTR | libc::ENOBUFS) => continue,
                            _ => {
                                desk.take(&mut batch)?;
                                return Err(broken(&error));
                            }
                        },
                    };
                    let datagram = buffer.get(..received.len.min(DATAGRAM));
                    let datagram = (datagram.unwrap_or_default(), received.len);
                    told.received += 1;
                    let place = received.nsid.map_or(place, &mut elsewhere);
                    listener.take(datagram, received.group, place, &mut batch, &self.wanted);
                    if batch.len() >= BATCH {
                        desk.take(&mut batch)?;
                    }
                }
                listener.lost = listener.socket.drops().unwrap_or(listener.lost);
            }
            desk.take(&mut batch)?;
            let lost = self.listeners.iter().map(|it| u64::from(it.lost)).sum();
            if lost != told.dropped || stopped || counted.elapsed() >= COUNT_EVERY {
                told.received += u64::saturating_sub(lost, told.dropped);
                told.dropped = lost;
                desk.tell_losses(told)?;
                counted = Instant::now();
            }
            if stopped {
                return Ok(());
            }
        }
    }
}

impl Listener {
    /// Joins the group in which nlctrl tells of families, if it is not wanted itself.
    fn hear_of_families(&mut self, genl: &GenlGroups) -> io::Result<()> {
        let notify = genl.iter().find(|(_, name)| *name == NOTIFY);
        if let Some((number, _)) = notify.filter(|(number, _)| !self.joined.contains(number)) {
            self.socket.join(*number)?;
            self.not_wanted = Some(*number);
        }
        Ok(())
    }

    fn join(&mut self, group: u32) -> io::Result<()> {
        self.socket.join(group)?;
        self.joined.insert(group);
        Ok(())
    }

    /// Takes a datagram, and how long it was before it was cut.
    fn take(
        &mut self,
        datagram: (&[u8], usize),
        group: u32,
        place: Place,
        batch: &mut Batch,
        wanted: &Wanted,
    ) {
        let protocol = self.socket.protocol();
        if protocol == protocol::GENERIC {
            self.join_announced(datagram.0, wanted);
        }
        // Not from a group: the kernel's answer to what was sent on this socket.
        let Some(group) = NonZeroU32::new(group).filter(|_| self.not_wanted != Some(group)) else {
            return;
        };
        batch.add_datagram(place, now(), datagram, protocol, Some(group));
    }

    /// A family that turns up later has its groups joined when nlctrl tells of it. So has
    /// one that comes again, since the kernel let nobody stay in the groups of one that went.
    fn join_announced(&mut self, datagram: &[u8], wanted: &Wanted) {
        let mut new = GenlGroups::new();
        announced(datagram, &mut new);
        for (number, name) in new {
            if wanted.has(protocol::GENERIC, Some(&name)) {
                // One that may not be joined is not heard.
                let _ = self.join(number);
            }
        }
    }
}

fn broken(error: &io::Error) -> Stop {
    Stop::Error(SourceError::Damaged(format!("groups: {}", words(error))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &str, protocol: u16, name: Option<&str>, expected: bool) {
        let wanted = Wanted::Named(vec![wanted.to_owned()]);
        assert_eq!(wanted.has(protocol, name), expected, "{wanted:?} {name:?}");
    }

    #[test]
    fn groups_are_named_by_group_family_or_protocol() {
        let link = Some("RTNLGRP_LINK");
        check("RTNLGRP_LINK", 0, link, true);
        check("link", 0, link, true);
        check("Route", 0, link, true);
        check("neigh", 0, link, false);
        check("route", 0, None, true);
        check("link", 0, None, false);
        let scan = Some("nl80211:scan");
        check("nl80211:scan", 16, scan, true);
        check("nl80211", 16, scan, true);
        check("scan", 16, scan, true);
        check("generic", 16, scan, true);
        check("mlme", 16, scan, false);
        assert!(Wanted::All.has(7, None));
        let acquire = Some("XFRMNLGRP_ACQUIRE");
        assert!(!Wanted::All.has(6, acquire));
        check("acquire", 6, acquire, true);
        check("xfrm", 6, acquire, false);
    }
}
