//! All messages so far: their bytes, their records, and looking at one of them.

use std::collections::HashMap;
use std::ops::Range;

use nlscope_dissector::capture::{Frame, Process, Time};
use nlscope_dissector::context::{Amendment, Context, Head, MessageView, Record, RequestView};
use nlscope_dissector::tape::Tape;
use nlscope_dissector::wire::{NLMSG_DONE, NLMSG_ERROR};

use crate::source::{FrameEntry, FrameStore, Segment};

/// Everything that was read. A message is known by its index in the records, from 0.
#[derive(Debug)]
pub(crate) struct Messages {
    store: FrameStore,
    context: Context,
    records: Vec<Record>,
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
    /// None so far.
    #[must_use]
    pub(crate) fn new(context: Context) -> Self {
        Self {
            store: FrameStore::default(),
            context,
            records: Vec::new(),
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

    /// How many messages there are.
    #[must_use]
    pub(crate) fn count(&self) -> u32 {
        u32::try_from(self.records.len()).unwrap_or(u32::MAX)
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
        let Some(frame) = self.store.nth(self.learned) else {
            return false;
        };
        self.context.learn(&frame);
        self.learned += 1;
        true
    }

    /// Makes records of the next frame.
    pub(crate) fn feed_next(&mut self) -> Option<Fed> {
        let frame = self.store.nth(self.fed)?;
        let from = self.count();
        self.context
            .feed(&frame, &mut self.records, &mut self.amendments);
        self.fed += 1;
        let mut fed = Fed {
            new: from..self.count(),
            changed: Vec::new(),
        };
        for record in self.records.get(from as usize..).unwrap_or_default() {
            if let Some(original) = record.copy_of {
                *self.copies.entry(index(original)).or_insert(1) += 1;
            }
        }
        for amendment in self.amendments.drain(..) {
            let message = index(amendment.message);
            if let Some(record) = self.records.get_mut(message as usize) {
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
        self.records.get(message as usize)
    }

    /// The frame of a message.
    #[must_use]
    pub(crate) fn frame(&self, message: u32) -> Option<Frame<'_>> {
        self.store.frame(self.record(message)?.frame)
    }

    /// When the capture begins.
    #[must_use]
    pub(crate) fn first_time(&self) -> Option<Time> {
        self.store.nth(0)?.time
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
        let first = message.saturating_sub(record.nth);
        let rest = self.records.get(message as usize..).unwrap_or_default();
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
            .get(siblings.start as usize..siblings.end as usize)
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
