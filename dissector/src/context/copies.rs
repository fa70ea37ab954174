//! Recognising the copies of a multicast.
//!
//! nlmon shows a multicast once for every listener, byte for byte the same and one
//! right after the other; a source that listens itself has it once more, and knows the
//! group. A notification that merely says the same again some time later is no copy.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU32;

use super::MessageNo;
use crate::capture::{Frame, Time};

/// How many multicast frames are remembered: copies can be interleaved with what other
/// processors send, and two sources are not in step.
const REMEMBERED: usize = 1024;
/// How many bytes of them.
const REMEMBERED_BYTES: usize = 4 << 20;
/// How far apart copies may be, in nanoseconds. The kernel delivers them in one loop.
const APART: i64 = 5_000_000;
/// How far apart the copy of another source may be, which looks at its own clock.
const SOURCES_APART: i64 = 1_000_000_000;
/// Longer frames are not remembered; the kernel's own limit for a notification is about
/// the size of a page.
const MAX_LEN: usize = 1 << 16;

/// The multicast frames seen last.
#[derive(Debug, Default)]
pub(super) struct Copies {
    recent: VecDeque<Multicast>,
    bytes: usize,
    /// How many were forgotten: the number of the first of `recent`.
    forgotten: u64,
    /// The newest with such bytes, by their hash.
    newest: HashMap<u64, u64>,
}

#[derive(Debug)]
struct Multicast {
    first: MessageNo,
    time: Option<Time>,
    hash: u64,
    netns: u32,
    /// What a source said; each says it of a multicast once.
    group: Option<NonZeroU32>,
    bytes: Vec<u8>,
}

/// What a frame is a copy of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Original {
    /// Its first message.
    pub(super) first: MessageNo,
    /// The group that one of the copies is known to have gone to.
    pub(super) group: Option<NonZeroU32>,
}

impl Copies {
    /// What `frame` is a copy of. If of none, it is remembered under `first`, its own
    /// first message.
    pub(super) fn original(&mut self, frame: &Frame<'_>, first: MessageNo) -> Option<Original> {
        let mut hasher = DefaultHasher::new();
        (frame.origin.netns, frame.bytes).hash(&mut hasher);
        let hash = hasher.finish();
        let known = self.newest.get(&hash);
        let known = known.and_then(|number| number.checked_sub(self.forgotten));
        let known = known.and_then(|at| self.recent.get_mut(usize::try_from(at).ok()?));
        if let Some(known) = known.filter(|known| known.has_copy(frame)) {
            if known.group.is_none() && frame.origin.group.is_none() {
                // A slow chain of copies stays one chain.
                known.time = frame.time;
            }
            known.group = known.group.or(frame.origin.group);
            return Some(Original {
                first: known.first,
                group: known.group,
            });
        }
        if frame.bytes.len() <= MAX_LEN {
            self.remember(frame, first, hash);
        }
        None
    }

    fn remember(&mut self, frame: &Frame<'_>, first: MessageNo, hash: u64) {
        let mut bytes = Vec::new();
        while self.recent.len() >= REMEMBERED || self.bytes > REMEMBERED_BYTES {
            let Some(oldest) = self.recent.pop_front() else {
                break;
            };
            if self.newest.get(&oldest.hash) == Some(&self.forgotten) {
                self.newest.remove(&oldest.hash);
            }
            self.forgotten += 1;
            self.bytes -= oldest.bytes.len();
            bytes = oldest.bytes;
        }
        bytes.clear();
        bytes.extend_from_slice(frame.bytes);
        self.bytes += bytes.len();
        self.newest
            .insert(hash, self.forgotten + self.recent.len() as u64);
        self.recent.push_back(Multicast {
            first,
            time: frame.time,
            hash,
            netns: frame.origin.netns,
            group: frame.origin.group,
            bytes,
        });
    }
}

impl Multicast {
    fn has_copy(&self, frame: &Frame<'_>) -> bool {
        let (told, tells) = (self.group.is_some(), frame.origin.group.is_some());
        let close = match (self.time, frame.time) {
            (Some(earlier), Some(now)) if told || tells => {
                now.since(earlier).saturating_abs() <= SOURCES_APART
            }
            (Some(earlier), Some(now)) => (0..=APART).contains(&now.since(earlier)),
            _ => true,
        };
        close && !(told && tells) && self.netns == frame.origin.netns && self.bytes == frame.bytes
    }
}
