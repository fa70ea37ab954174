//! What a source knows of a frame that its bytes do not say: who sent it, which multicast
//! group it went to, in which network namespace.

use std::fmt;
use std::num::NonZeroU32;

use crate::text::Escaped;

/// What is known of a frame beside its bytes. A plain capture of one nlmon device knows
/// nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// Number of the network namespace, 0 for the first one. Ports, interfaces and sequence
    /// numbers of different ones have nothing to do with each other.
    pub netns: u32,
    /// The multicast group that the frame went to, where the source was told by the kernel
    /// (`NETLINK_PKTINFO`): its number, which is never 0.
    pub group: Option<NonZeroU32>,
    /// The program at the user's side.
    pub process: Option<&'a Process>,
}

/// A program that uses a port.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Process {
    /// Its process id.
    pub pid: u32,
    /// Its name, as the kernel has it (`/proc/PID/comm`); not escaped.
    pub name: String,
    /// The socket with that port was seen to be its. Else there only was a process whose id
    /// is the port, as the kernel chooses it for the first socket of most programs.
    pub exact: bool,
}

/// `ip[1234]`, after `~` where it is inferred.
impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.exact { "" } else { "~" };
        write!(f, "{mark}{}[{}]", Escaped(self.name.as_bytes()), self.pid)
    }
}
