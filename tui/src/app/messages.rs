//! All messages so far: their bytes, their records, and looking at one of them.

use std::collections::HashMap;
use std::ops::Range;

use nlscope_dissector::capture::{Frame, Process, Time};
use nlscope_dissector::context::{Amendment, Context, Head, MessageView, Record, RequestView};
use nlscope_dissector::tape::Tape;
use nlscope_dissector::wire::{NLMSG_DONE, NLMSG_ERROR};

use crate::source::{FrameEntry, FrameStore, Segment};

/// Everything that was read, or the latest of it. A message is known by its number, from
/// 0.
#[derive(Debug)]
pub(crate) struct Messages {
    store: FrameStore,
    context: Context,
    records: Vec<Record>,
    /// How many records were given up, with their frames.
    gone: u32,
    /// How many frames the context has learned names from.
    learned: usize,
    /// How many frames became records.
    fed: usize,
    amendments: Vec<Amendment>,
    /// Copies of a multicast, by the first of them.
    copies: HashMap<u32, u32>,
}

/// What feeding a frame brought.
#[derive(Debug, Default)]
pub(crate) struct Fed {
    /// The messages of the frame.
    pub new: Range<u32>,
    /// Earlier messages that are known better now, with what was known before.
    pub changed: Vec<(u32, Record)>,
}

/// Tapes to dissect onto, which remember what is on them. They do not outlive a change
/// of the messages.
#[derive(Debug, Default)]
pub(crate) struct Tapes {
    own: Kept,
    request: Kept,
}

/// A tape and the frame it is of; 0 for none.
#[derive(Debug, Default)]
struct Kept {
    tape: Tape,
    frame: u32,
}

impl Messages {
    /// None so far; about `limit` bytes are kept, if there is a limit, and the oldest messages
    /// given up.
    #[must_use]
    pub(crate) fn new(context: Context, limit: Option<usize>) -> Self {
        Self {
            store: limit.map_or_else(FrameStore::default, FrameStore::latest),
            context,
            records: Vec::new(),
            gone: 0,
            learned: 0,
            fed: 0,
            amendments: Vec::new(),
            copies: HashMap::new(),
        }
    }

    /// Names, ids and tables.
    #[must_use]
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// How many messages there were, those that were given up too.
    #[must_use]
    pub(crate) fn count(&self) -> u32 {
        let kept = u32::try_from(self.records.len()).unwrap_or(u32::MAX);
        self.gone.saturating_add(kept)
    }

    /// How many of them were given up.
    #[must_use]
    pub(crate) fn gone(&self) -> u32 {
        self.gone
    }

    /// The context, to tell it what a source knows.
    pub(crate) fn context_mut(&mut self) -> &mut Context {
        &mut self.context
    }

    /// The number of the frame that came last.
    #[must_use]
    pub(crate) fn latest_frame(&self) -> u32 {
        let last = self.store.len().checked_sub(1);
        last.and_then(|at| self.store.entry(at))
            .map_or(0, |entry| entry.frame.number)
    }

    /// Gives up the records whose frames are gone; whether there were some. It is done when
    /// there are many, because what is left has to move.
    pub(crate) fn give_up(&mut self) -> bool {
        let first = self.store.first_number().unwrap_or(0);
        let gone = self.records.partition_point(|record| record.frame < first);
        if gone == 0 || gone < self.records.len() / 8 {
            return false;
        }
        self.records.drain(..gone);
        self.gone = self.gone.saturating_add(u32::try_from(gone).unwrap_or(0));
        let kept = self.gone;
        self.copies.retain(|message, _| *message >= kept);
        true
    }

    /// How many frames there are, and how many of them became messages.
    #[must_use]
    pub(crate) fn frames(&self) -> (usize, usize) {
        (self.store.len(), self.fed)
    }

    /// Keeps bytes.
    pub(crate) fn add_segment(&mut self, segment: Segment) {
        self.store.add_segment(segment);
    }

    /// Keeps frames.
    pub(crate) fn add_frames(&mut self, frames: &[FrameEntry]) {
        self.store.add_frames(frames);
    }

    /// Keeps programs that frames refer to.
    pub(crate) fn add_processes(&mut self, processes: Vec<Process>) {
        self.store.add_processes(processes);
    }

    /// Names one more network namespace.
    pub(crate) fn add_netns(&mut self, name: String) {
        self.context.learn_netns(name);
    }

    /// Learns names from the next frame; `false` when there is none.
    pub(crate) fn learn_next(&mut self) -> bool {
        // What was given up before anybody looked is lost.
        self.learned = self.learned.max(self.store.forgotten());
        let Some(frame) = self.store.nth(self.learned) else {
            return false;
        };
        self.context.learn(&frame);
        self.learned += 1;
        true
    }

    /// Makes records of the next frame.
    pub(crate) fn feed_next(&mut self) -> Option<Fed> {
        self.fed = self.fed.max(self.store.forgotten());
        let entry = self.store.entry(self.fed)?;
        let frame = self.store.nth(self.fed)?;
        let from = self.count();
        self.fed += 1;
        let mut fed = Fed {
            new: from..from,
            changed: Vec::new(),
        };
        if entry.own {
            // Our own questions and their answers are learned from, and not shown.
            return Some(fed);
        }
        let told = entry.frame.group.is_some();
        self.context
            .feed(&frame, &mut self.records, &mut self.amendments);
        fed.new = from..self.count();
        let new = self.records.get((from - self.gone) as usize..);
        for record in new.unwrap_or_default() {
            // What another source knows of a multicast is no copy more.
            if let Some(original) = record.copy_of.filter(|_| !told) {
                *self.copies.entry(index(original)).or_insert(1) += 1;
            }
        }
        for amendment in self.amendments.drain(..) {
            let message = index(amendment.message);
            let known = message.checked_sub(self.gone);
            if let Some(record) = known.and_then(|at| self.records.get_mut(at as usize)) {
                fed.changed.push((message, *record));
                record.amend(amendment);
            }
        }
        Some(fed)
    }

    /// Whether there are frames that were not fed.
    #[must_use]
    pub(crate) fn is_behind(&self) -> bool {
        self.fed < self.store.len()
    }

    /// What is known of a message.
    #[must_use]
    pub(crate) fn record(&self, message: u32) -> Option<&Record> {
        self.records.get(message.checked_sub(self.gone)? as usize)
    }

    /// The frame of a message.
    #[must_use]
    pub(crate) fn frame(&self, message: u32) -> Option<Frame<'_>> {
        self.store.frame(self.record(message)?.frame)
    }

    /// When the capture begins.
    #[must_use]
    pub(crate) fn first_time(&self) -> Option<Time> {
        self.store.first_time()
    }

    /// How often a multicast was seen; 1 of what is none.
    #[must_use]
    pub(crate) fn times_seen(&self, message: u32) -> u32 {
        self.copies.get(&message).copied().unwrap_or(1)
    }

    /// The messages of a message's frame, in order.
    #[must_use]
    pub(crate) fn siblings(&self, message: u32) -> Range<u32> {
        let Some(record) = self.record(message) else {
            return 0..0;
        };
        let first = message.saturating_sub(record.nth).max(self.gone);
        let rest = self.records.get((message - self.gone) as usize..);
        let rest = rest.unwrap_or_default();
        let more = rest.partition_point(|other| other.frame <= record.frame);
        first..message.saturating_add(u32::try_from(more).unwrap_or(u32::MAX))
    }

    /// Looks at a message's headers.
    pub(crate) fn head<R>(&self, message: u32, look: impl FnOnce(&Head<'_>) -> R) -> Option<R> {
        let record = self.record(message)?;
        let frame = self.store.frame(record.frame)?;
        let head = self.context.head(&frame, record)?;
        Some(look(&head))
    }

    /// Dissects a message's frame and looks at the message.
    pub(crate) fn view<R>(
        &self,
        message: u32,
        tapes: &mut Tapes,
        look: impl FnOnce(&MessageView<'_>) -> R,
    ) -> Option<R> {
        let record = self.record(message)?;
        let frame = self.store.frame(record.frame)?;
        let head = self.context.head(&frame, record)?;
        let answers = matches!(head.header.kind, NLMSG_ERROR | NLMSG_DONE);
        let request = record
            .request
            .map(index)
            .filter(|request| answers && *request < message);
        let asked = request.and_then(|request| {
            let asked = self.record(request)?;
            let frame = self.store.frame(asked.frame)?;
            self.dissect(request, &frame, &mut tapes.request);
            Some((asked.nth, frame.bytes))
        });
        self.dissect(message, &frame, &mut tapes.own);
        let request = asked.and_then(|(nth, frame)| {
            let tape = &tapes.request.tape;
            Some(RequestView {
                frame,
                tape,
                mark: tape.message(nth as usize)?,
            })
        });
        let view = MessageView {
            head,
            tape: &tapes.own.tape,
            mark: tapes.own.tape.message(record.nth as usize)?,
            request,
        };
        Some(look(&view))
    }

    fn dissect(&self, message: u32, frame: &Frame<'_>, kept: &mut Kept) {
        if kept.frame == frame.number {
            return;
        }
        let siblings = self.siblings(message);
        let records = self
            .records
            .get((siblings.start - self.gone) as usize..(siblings.end - self.gone) as usize)
            .unwrap_or_default();
        self.context.dissect(frame, records, &mut kept.tape);
        kept.frame = frame.number;
    }
}

impl Tapes {
    /// The tape of the message looked at last.
    #[must_use]
    pub(crate) fn into_own(self) -> Tape {
        self.own.tape
    }
}

/// The index of a message by its number.
#[must_use]
pub(super) fn index(number: nlscope_dissector::context::MessageNo) -> u32 {
    number.0.get() - 1
}
