//! Recognising the copies of a multicast.
//!
//! nlmon shows a multicast once for every listener, byte for byte the same and one
//! right after the other. A notification that merely says the same again some time
//! later is no copy.

use std::collections::VecDeque;

use super::MessageNo;
use crate::capture::{Frame, Time};

/// How many multicast frames are remembered: copies can be interleaved with what other
/// processors send.
const REMEMBERED: usize = 32;
/// How far apart copies may be, in nanoseconds. The kernel delivers them in one loop.
const APART: i64 = 5_000_000;
/// Longer frames are not remembered; the kernel's own limit for a notification is about
/// the size of a page.
const MAX_LEN: usize = 1 << 16;

/// The multicast frames seen last.
#[derive(Debug, Default)]
pub(super) struct Copies {
    recent: VecDeque<Multicast>,
}

#[derive(Debug)]
struct Multicast {
    first: MessageNo,
    time: Option<Time>,
    bytes: Vec<u8>,
}

impl Copies {
    /// The first message of the frame that `frame` is a copy of. If it is none, it is
    /// remembered under `first`, its own first message.
    pub(super) fn original(&mut self, frame: &Frame<'_>, first: MessageNo) -> Option<MessageNo> {
        let close = |earlier: Option<Time>| match (earlier, frame.time) {
            (Some(earlier), Some(now)) => (0..=APART).contains(&now.since(earlier)),
            _ => true,
        };
        let same = |seen: &&mut Multicast| close(seen.time) && seen.bytes == frame.bytes;
        if let Some(original) = self.recent.iter_mut().rev().find(same) {
            // A slow chain of copies stays one chain.
            original.time = frame.time;
            return Some(original.first);
        }
        if frame.bytes.len() <= MAX_LEN {
            let oldest = if self.recent.len() >= REMEMBERED {
                self.recent.pop_front()
            } else {
                None
            };
            let mut bytes = oldest.map(|oldest| oldest.bytes).unwrap_or_default();
            bytes.clear();
            bytes.extend_from_slice(frame.bytes);
            self.recent.push_back(Multicast {
                first,
                time: frame.time,
                bytes,
            });
        }
        None
    }
}
