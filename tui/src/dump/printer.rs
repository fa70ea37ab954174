//! What of a capture is printed: looks at each frame's messages, and at the requests
//! they answer.

use std::collections::HashMap;
use std::io::{self, Write};

use nlscope_dissector::capture::{Frame, Time};
use nlscope_dissector::context::{Context, Head, MessageNo, MessageView, Record, RequestView};
use nlscope_dissector::filter::{Filter, Verdict};
use nlscope_dissector::tape::{MessageMark, Tape};
use nlscope_dissector::wire::{
    Cooked, CookedError, NLM_F_ACK_TLVS, NLMSG_DONE, NLMSG_ERROR, nlmsghdr,
};

use super::output::Output;
use crate::source::FrameStore;

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// There is room for more.
    More,
    /// As much as was asked for is printed.
    Enough,
}

/// Prints the messages that pass.
pub(super) struct Printer<W: Write> {
    output: Output<W>,
    filter: Option<Filter>,
    /// Nothing is printed but how many there are.
    only_count: bool,
    copies: HashMap<MessageNo, u32>,
    tape: Tape,
    request: Tape,
    /// Frames of other devices.
    elsewhere: u64,
    /// Messages that passed, or frames of PDML.
    passed: u64,
    begun: bool,
}

impl<W: Write> Printer<W> {
    pub(super) fn new(output: Output<W>, filter: Option<Filter>, only_count: bool) -> Self {
        Self {
            output,
            filter,
            only_count,
            copies: HashMap::new(),
            tape: Tape::new(),
            request: Tape::new(),
            elsewhere: 0,
            passed: 0,
            begun: false,
        }
    }

    /// Whether copies are left out.
    pub(super) fn folds(&self) -> bool {
        self.output.layout.fold
    }

    /// Says how many copies of which message will be left out.
    pub(super) fn count_copies(&mut self, copies: HashMap<MessageNo, u32>) {
        self.copies = copies;
    }

    /// Prints what stands before the first frame, once.
    pub(super) fn begin(&mut self, input: &str) -> io::Result<()> {
        if self.begun || self.only_count {
            return Ok(());
        }
        self.begun = true;
        self.output.begin(input)
    }

    /// Prints what stands after the last frame; says how many frames were left out.
    pub(super) fn finish(&mut self, input: &str) -> io::Result<u64> {
        if self.only_count {
            self.output.count(self.passed)?;
        } else {
            self.begin(input)?;
            self.output.end()?;
        }
        self.output.flush()?;
        Ok(self.elsewhere)
    }

    /// Writes out what is printed.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    /// Prints the messages of a frame, or the frame where it has none.
    pub(super) fn frame(
        &mut self,
        context: &Context,
        store: &FrameStore,
        frame: &Frame<'_>,
        records: &[Record],
    ) -> io::Result<Next> {
        self.output.first_time(frame.time);
        let cooked = Cooked::parse(frame.link, frame.bytes);
        if let Err(CookedError::Hardware(_)) = cooked {
            self.elsewhere += 1;
            return Ok(Next::More);
        }
        if self.enough() {
            return Ok(Next::Enough);
        }
        if records.is_empty() {
            // A filter selects messages, and a count counts them.
            if self.filter.is_none() && !self.only_count {
                context.dissect(frame, &[], &mut self.tape);
                let protocol = cooked.ok().map(|cooked| cooked.protocol);
                self.output.lone(frame, &self.tape, protocol, context)?;
                self.printed(frame.time)?;
            }
        } else {
            self.messages(context, store, frame, records)?;
        }
        Ok(if self.enough() {
            Next::Enough
        } else {
            Next::More
        })
    }

    fn enough(&self) -> bool {
        let limit = self.output.layout.limit;
        limit.is_some_and(|limit| self.passed >= limit)
    }

    fn printed(&mut self, time: Option<Time>) -> io::Result<()> {
        self.passed += 1;
        self.output.printed(time)
    }

    fn messages(
        &mut self,
        context: &Context,
        store: &FrameStore,
        frame: &Frame<'_>,
        records: &[Record],
    ) -> io::Result<()> {
        let folded = self.folds();
        let mut dissected = false;
        for record in records {
            let Some(head) = context.head(frame, record) else {
                continue;
            };
            let verdict = match &self.filter {
                Some(filter) => filter.head(&head),
                None => Verdict::Yes,
            };
            if verdict == Verdict::No || (folded && record.copy_of.is_some()) {
                continue;
            }
            if verdict == Verdict::Yes && self.only_count {
                self.passed += 1;
                continue;
            }
            if !dissected {
                context.dissect(frame, records, &mut self.tape);
                dissected = true;
            }
            if !self.message(&head, store, verdict)? {
                continue;
            }
            if self.output.by_frame() && !self.only_count {
                self.output.packet(frame, &self.tape, records, context)?;
                return self.printed(frame.time);
            }
            if self.enough() {
                break;
            }
        }
        Ok(())
    }

    /// Prints a message of the frame on the tape, or counts it; says whether it passed.
    /// Of PDML the whole frame is printed by the caller.
    fn message(
        &mut self,
        head: &Head<'_>,
        store: &FrameStore,
        verdict: Verdict,
    ) -> io::Result<bool> {
        let Some(mark) = self.tape.message(head.record.nth as usize) else {
            return Ok(false);
        };
        let asked = request(head, store);
        if let Some(frame) = &asked {
            head.context.dissect(frame, &[], &mut self.request);
        }
        let request = asked.as_ref().and_then(|frame| {
            let mark = mark_of(head, frame, &self.request)?;
            Some(RequestView {
                frame: frame.bytes,
                tape: &self.request,
                mark,
            })
        });
        let view = MessageView {
            head: *head,
            tape: &self.tape,
            mark,
            request,
        };
        if verdict == Verdict::NeedsTape
            && let Some(filter) = &self.filter
            && !filter.matches(&view)
        {
            return Ok(false);
        }
        if self.only_count {
            self.passed += 1;
        } else if !self.output.by_frame() {
            let copies = self.copies.get(&head.record.number).copied();
            self.output.message(&view, copies.unwrap_or(0))?;
            self.printed(head.frame.time)?;
        }
        Ok(true)
    }
}

/// The frame of the request that the kernel says something of: an error, or an
/// extended acknowledgement.
fn request<'s>(head: &Head<'_>, store: &'s FrameStore) -> Option<Frame<'s>> {
    let ends = matches!(head.header.kind, NLMSG_ERROR | NLMSG_DONE);
    let says = head.errno().is_some_and(|errno| errno != 0) || head.header.has(NLM_F_ACK_TLVS);
    if !ends || !says || head.record.request_frame == 0 {
        return None;
    }
    store.frame(head.record.request_frame)
}

/// The request in its frame: a batch has several messages.
fn mark_of(head: &Head<'_>, frame: &Frame<'_>, tape: &Tape) -> Option<MessageMark> {
    tape.messages()
        .iter()
        .find(|mark| {
            let header = tape
                .at(frame.bytes, mark.node)
                .and_then(|node| nlmsghdr(tape.order())(node.bytes()).ok());
            header.is_some_and(|(_, header)| {
                header.seq == head.header.seq && header.kind == head.record.request_kind
            })
        })
        .copied()
}
