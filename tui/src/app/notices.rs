//! What the person has to know beside messages: warnings, and what was lost.

use std::collections::BTreeMap;

use nlscope_dissector::capture::Time;

use crate::source::SocketId;

/// How many are kept: the first say what began it.
const MAX: usize = 1000;
/// Losses of one that follow each other within so many nanoseconds are told in one notice.
const BURST: i64 = 10_000_000_000;

/// A line, and when it was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// `None` of a capture that is read.
    pub time: Option<Time>,
    /// Fit for a terminal.
    pub text: String,
}

/// Who lost something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Loser {
    /// The capture.
    Capture,
    /// A socket of another program.
    Socket(SocketId),
}

/// Losses that are told in one notice.
#[derive(Debug)]
struct Burst {
    notice: usize,
    /// How many were lost before.
    from: u64,
    latest: Option<Time>,
}

/// All notices, the latest last.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    told: Vec<Notice>,
    bursts: BTreeMap<Loser, Burst>,
}

impl Notices {
    /// From the first to the latest.
    #[must_use]
    pub(crate) fn all(&self) -> &[Notice] {
        &self.told
    }

    /// Adds one.
    pub(super) fn add(&mut self, time: Option<Time>, text: String) {
        if self.told.len() < MAX {
            self.told.push(Notice { time, text });
        }
    }

    /// More was lost: `from` so many in all to so many. Returns what is told of it where it
    /// is no part of what was told before.
    pub(super) fn lost(
        &mut self,
        loser: Loser,
        time: Option<Time>,
        (from, to): (u64, u64),
        words: impl FnOnce(u64, u64) -> String,
    ) -> Option<String> {
        let goes_on = |burst: &Burst| match (time, burst.latest) {
            (Some(time), Some(latest)) => time.since(latest) < BURST,
            _ => true,
        };
        let burst = self.bursts.get_mut(&loser).filter(|it| goes_on(it));
        if let Some(burst) = burst {
            burst.latest = time;
            if let Some(notice) = self.told.get_mut(burst.notice) {
                notice.text = words(burst.from, to);
            }
            return None;
        }
        let burst = Burst {
            notice: self.told.len(),
            from,
            latest: time,
        };
        self.bursts.insert(loser, burst);
        let text = words(from, to);
        self.add(time, text.clone());
        Some(text)
    }

    /// A socket is gone.
    pub(super) fn forget(&mut self, id: SocketId) {
        self.bursts.remove(&Loser::Socket(id));
    }
}
