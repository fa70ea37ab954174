//! A capture that is read to its end before anything is made of it, so that what a later
//! message tells of an earlier one is known.

use nlscope_dissector::capture::Frame;
use nlscope_dissector::context::{Context, Record};

use crate::source::{self, FrameStore, Input, KEPT_LIMIT, SourceError, SourceEvent};

/// The frames of a capture, and what the context found out of their messages.
pub(crate) struct WholeCapture {
    store: FrameStore,
    records: Vec<Record>,
}

impl WholeCapture {
    /// Reads `input` and feeds it to `context`. Beside the capture, how it ended; of one that
    /// ended early there is what could be read.
    ///
    /// # Errors
    ///
    /// It cannot be opened.
    pub(crate) fn read(
        input: Input,
        context: &mut Context,
        notice: impl Fn(&str),
    ) -> anyhow::Result<(Self, Result<(), SourceError>)> {
        let mut store = FrameStore::default();
        let mut end = Err(SourceError::Damaged("reading broke off".to_owned()));
        for event in source::open(input, Some(KEPT_LIMIT))? {
            match event {
                SourceEvent::Segment(segment) => store.add_segment(segment),
                SourceEvent::Frames(frames) => store.add_frames(&frames),
                SourceEvent::Processes(processes) => store.add_processes(processes),
                SourceEvent::Netns(name) => context.learn_netns(name),
                // Only what is live tells these.
                SourceEvent::Interface(_)
                | SourceEvent::Port(_)
                | SourceEvent::Socket(_)
                | SourceEvent::Losses(_)
                | SourceEvent::Progress { .. } => {}
                SourceEvent::Notice(text) => notice(&text),
                SourceEvent::End(how) => end = how,
            }
        }
        let records = feed(&store, context);
        Ok((Self { store, records }, end))
    }

    /// Its frames.
    pub(crate) fn store(&self) -> &FrameStore {
        &self.store
    }

    /// Its messages, in order.
    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Each frame with the messages in it.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (Frame<'_>, &[Record])> {
        let mut rest = self.records.as_slice();
        (0..self.store.len()).filter_map(move |position| {
            let frame = self.store.nth(position)?;
            let own = rest.partition_point(|record| record.frame <= frame.number);
            let (of_frame, later) = rest.split_at(own);
            rest = later;
            Some((frame, of_frame))
        })
    }
}

/// All records of a capture, mended by what came later.
fn feed(store: &FrameStore, context: &mut Context) -> Vec<Record> {
    let frames = || (0..store.len()).filter_map(|position| store.nth(position));
    for frame in frames() {
        context.learn(&frame);
    }
    let mut records: Vec<Record> = Vec::new();
    let mut amendments = Vec::new();
    for frame in frames() {
        context.feed(&frame, &mut records, &mut amendments);
        for amendment in amendments.drain(..) {
            if let Some(record) = records.get_mut(amendment.message.index()) {
                record.amend(amendment);
            }
        }
    }
    records
}
