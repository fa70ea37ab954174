//! Capture files as bytes in memory -> frames.
//!
//! [`Reader`] reads pcap and pcapng. It keeps no bytes: it is shown those that it has
//! not consumed yet, a whole mapped file or as much of a stream as has come, and tells
//! where in them the next frame lies.

mod classic;
mod link;
mod ng;
mod origin;
mod reader;
#[cfg(test)]
mod tests;
mod time;

pub use link::link_name;
pub use origin::{Origin, Process};
pub use reader::{CaptureError, FrameAt, LeftOut, MAX_RECORD, Reader, Step};
pub use time::Time;
pub(crate) use time::Utc;

use crate::wire::LinkType;

/// One frame of a capture.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Its number in the capture, from 1; frames of other kinds of device count too.
    pub number: u32,
    /// When it was captured; `None` where the file does not say (a simple packet block).
    pub time: Option<Time>,
    /// What it begins with.
    pub link: LinkType,
    /// Number of the interface in its section, from 0; 0 in a pcap file.
    pub interface: u32,
    /// Length on the wire in bytes.
    pub wire_len: u32,
    /// Where `bytes` begin in the uncompressed capture.
    pub offset: u64,
    /// What was captured.
    pub bytes: &'a [u8],
    /// What the source knows beside the bytes.
    pub origin: Origin<'a>,
}
