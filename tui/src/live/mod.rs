//! What this machine says over netlink now: nlmon devices, multicast groups, and what
//! belongs to both. Only on Linux.
//!
//! Everything that needs a privilege is opened first ([`open`]); then the program gives
//! its privileges up and closes the system behind itself, and only then the threads
//! start that see captured bytes ([`opened::Opened::start`]).

mod companion;
mod desk;
mod device;
mod groups;
mod names;
mod netns;
mod nlmon;
mod opened;
mod privilege;
mod running;
mod sandbox;
mod scan;
mod socket;
mod sys;

pub(crate) use companion::{run as companion, watch_sockets};
pub(crate) use groups::Wanted;
pub(crate) use names::groups as genl_groups;
pub(crate) use netns::Netns;
pub(crate) use opened::open;
pub(crate) use sandbox::Writes;

/// What to capture, and how.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Capture on nlmon.
    pub(crate) nlmon: Option<NlmonDevice>,
    /// Listen to multicast groups.
    pub(crate) groups: Option<Wanted>,
    /// In these network namespaces; none is the own one.
    pub(crate) netns: Vec<Netns>,
    /// Also hear groups of the network namespaces that have an id here.
    pub(crate) all_nsid: bool,
    /// Our own questions are shown like those of others.
    pub(crate) show_own: bool,
    /// Size of kernel buffers in MiB.
    pub(crate) buffer: u16,
    /// After how many milliseconds frames are handed over at the latest: the more, the
    /// fuller the buffer can get.
    pub(crate) delay: i32,
    /// Only these protocols, `NETLINK_*`; `None` for all.
    pub(crate) protocols: Option<Vec<u16>>,
    /// Give up privileges and close the system behind us.
    pub(crate) sandbox: bool,
}

/// Which nlmon device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NlmonDevice {
    /// The one with this name.
    Named(String),
    /// One that is found, or else made.
    Any,
}

/// The network namespaces that were asked for. One alone is number 0 and needs no name;
/// several have numbers from 1.
#[derive(Clone, Copy)]
struct Namespaces<'a>(&'a [Netns]);

impl<'a> Namespaces<'a> {
    /// Each with its number.
    fn numbered(self) -> impl Iterator<Item = (u32, Option<&'a Netns>)> {
        let own = self.0.is_empty().then_some((0, None));
        let first = u32::from(self.0.len() > 1);
        own.into_iter()
            .chain((first..).zip(self.0.iter().map(Some)))
    }

    /// Does something in the one with this number.
    fn inside<T: Send>(
        self,
        number: u32,
        work: impl FnOnce() -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        let found = self.numbered().find(|(it, _)| *it == number);
        netns::inside(found.and_then(|(_, netns)| netns), work)
    }
}
