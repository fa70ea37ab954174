//! Printing what arrives while it arrives, with what is known by then.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use nlscope_dissector::context::{Amendment, Context, Record};

use super::Teller;
use super::printer::{Next, Printer};
use crate::Status;
use crate::source::{FrameStore, SourceError, SourceEvent, Tally};

/// How many bytes are kept, to find requests in.
const RECENT: usize = 64 << 20;
/// Most frames that wait to be printed, however little time has passed.
const WAITING: usize = 1 << 14;

/// What arrives, on its way to be printed.
pub(super) struct Stream<W: io::Write> {
    context: Context,
    printer: Printer<W>,
    store: FrameStore,
    /// How long a frame waits for what can still be found out about it.
    delay: Duration,
    waiting: VecDeque<Waiting>,
    /// The number of the frame that came last.
    latest: u32,
    /// The index of the message that came last.
    messages: usize,
    tally: Tally,
    /// Nothing comes any more.
    ended: bool,
}

/// A frame that is to be printed.
struct Waiting {
    number: u32,
    records: Vec<Record>,
    /// Index of the last message up to its end.
    last: usize,
    since: Instant,
}

impl<W: io::Write> Stream<W> {
    /// Prints each frame `delay` after it came.
    pub(super) fn new(context: Context, printer: Printer<W>, delay: Duration) -> Self {
        Self {
            context,
            printer,
            store: FrameStore::latest(RECENT),
            delay,
            waiting: VecDeque::new(),
            latest: 0,
            messages: 0,
            tally: Tally::default(),
            ended: false,
        }
    }

    /// Prints what comes, to the end or as much as is wanted.
    ///
    /// # Errors
    ///
    /// Nothing could be read, or not be written.
    pub(super) fn print(
        &mut self,
        events: &Receiver<SourceEvent>,
        teller: &Teller,
    ) -> anyhow::Result<Status> {
        let end = loop {
            let event = match self.due() {
                None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => events.recv_timeout(due),
            };
            match event {
                Ok(SourceEvent::End(end)) => break end,
                Ok(event) => self.take(event, teller)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    break Err(SourceError::Damaged("reading broke off".to_owned()));
                }
            }
            if self.print_due(teller, false)? == Next::Enough {
                return teller.end(&mut self.printer, Ok(()));
            }
        };
        self.ended = true;
        if self.print_due(teller, true)? == Next::Enough {
            return teller.end(&mut self.printer, Ok(()));
        }
        teller.end(&mut self.printer, end)
    }

    /// Takes of what still comes, to the end, only how much it is.
    pub(super) fn count_rest(&mut self, events: &Receiver<SourceEvent>) {
        while !self.ended
            && let Ok(event) = events.recv()
        {
            match event {
                SourceEvent::Losses(losses) => self.tally.tell(losses),
                SourceEvent::End(_) => self.ended = true,
                _ => {}
            }
        }
    }

    /// How many frames came, and how many did not.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How long until the next frame is to be printed.
    fn due(&self) -> Option<Duration> {
        let first = self.waiting.front()?;
        Some(self.delay.saturating_sub(first.since.elapsed()))
    }

    fn take(&mut self, event: SourceEvent, teller: &Teller) -> anyhow::Result<()> {
        match event {
            SourceEvent::Segment(segment) => self.store.add_segment(segment),
            SourceEvent::Frames(frames) => {
                let first = self.store.len();
                self.store.add_frames(&frames);
                self.printer.begin(&teller.input)?;
                for (position, entry) in (first..).zip(frames) {
                    self.feed(position, entry.own);
                }
            }
            SourceEvent::Processes(processes) => self.store.add_processes(processes),
            SourceEvent::Netns(name) => self.context.learn_netns(name),
            SourceEvent::Port(used) => {
                let (key, since) = (used.key, self.latest);
                self.context
                    .learn_port(key.netns, key.protocol, key.port, since, &used.process);
            }
            SourceEvent::Socket(change) => {
                if let Some((key, process)) = change.user() {
                    self.context.learn_port(
                        key.netns,
                        key.protocol,
                        key.port,
                        self.latest,
                        process,
                    );
                }
            }
            SourceEvent::Losses(losses) => self.tally.tell(losses),
            SourceEvent::Notice(text) => teller.notice(&text),
            SourceEvent::Interface(_) | SourceEvent::Progress { .. } | SourceEvent::End(_) => {}
        }
        Ok(())
    }

    /// Feeds the frame at a position of the store.
    fn feed(&mut self, position: usize, own: bool) {
        let Some(frame) = self.store.nth(position) else {
            return;
        };
        if own {
            self.context.learn(&frame);
            return;
        }
        let number = frame.number;
        self.latest = number;
        let (mut records, mut amendments) = (Vec::new(), Vec::new());
        self.context.feed(&frame, &mut records, &mut amendments);
        if let Some(last) = records.last() {
            self.messages = last.number.index();
        }
        self.waiting.push_back(Waiting {
            number,
            records,
            last: self.messages,
            since: Instant::now(),
        });
        for amendment in amendments {
            self.mend(amendment);
        }
    }

    /// Mends a record that waits. What was printed cannot be mended.
    fn mend(&mut self, amendment: Amendment) {
        let message = amendment.message.index();
        let at = self.waiting.partition_point(|it| it.last < message);
        let records = self.waiting.get_mut(at).map(|it| &mut it.records);
        for record in records.into_iter().flatten() {
            if record.number == amendment.message {
                record.amend(amendment);
            }
        }
    }

    /// Prints the frames that have waited long enough, or all.
    fn print_due(&mut self, teller: &Teller, all: bool) -> anyhow::Result<Next> {
        let mut some = false;
        while let Some(first) = self.waiting.front() {
            let late = first.since.elapsed() >= self.delay;
            if !all && !late && self.waiting.len() < WAITING {
                break;
            }
            let Some(first) = self.waiting.pop_front() else {
                break;
            };
            let Some(frame) = self.store.frame(first.number) else {
                continue;
            };
            some = true;
            self.printer.begin(&teller.input)?;
            let next = self
                .printer
                .frame(&self.context, &self.store, &frame, &first.records)?;
            if next == Next::Enough {
                return Ok(next);
            }
        }
        if some {
            self.printer.flush()?;
        }
        Ok(Next::More)
    }
}
