//! The frames of a capture, and the bytes they lie in.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use nlscope_dissector::capture::{Frame, FrameAt, Origin, Process, Time};

/// A run of bytes that frames lie in: a mapped file, or a piece of a stream.
#[derive(Clone)]
pub(crate) struct Segment(Arc<dyn Deref<Target = [u8]> + Send + Sync>);

impl Segment {
    /// Shares `bytes`.
    pub(crate) fn new(bytes: impl Deref<Target = [u8]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(bytes))
    }

    /// The bytes.
    #[must_use]
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segment({} bytes)", self.bytes().len())
    }
}

/// A frame, and where its bytes lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameEntry {
    /// What the capture says of it.
    pub(crate) frame: FrameAt,
    /// Number of the segment, from 0 in the order in which they were sent.
    pub(crate) segment: u32,
    /// Where its bytes begin in the segment.
    pub(crate) start: usize,
    /// It belongs to what nlscope itself asks the kernel.
    pub(crate) own: bool,
}

/// The frames so far: all of them, or the latest.
#[derive(Debug, Default)]
pub(crate) struct FrameStore {
    segments: VecDeque<Segment>,
    frames: VecDeque<FrameEntry>,
    processes: Vec<Process>,
    /// How many segments were given up, and how many frames.
    forgotten: u32,
    forgotten_frames: usize,
    /// How many bytes are kept, and about how many more are needed to keep them.
    bytes: usize,
    limit: Option<usize>,
    first_time: Option<Time>,
}

/// About how many bytes it takes to keep a segment, and a frame: allocations, entries,
/// and what is found out about the message.
pub(super) const SEGMENT_COST: usize = 128;
pub(super) const FRAME_COST: usize = size_of::<FrameEntry>() + 256;

impl FrameStore {
    /// A store that takes about `limit` bytes and forgets the oldest frames.
    #[must_use]
    pub(crate) fn latest(limit: usize) -> Self {
        Self {
            limit: Some(limit),
            ..Self::default()
        }
    }

    /// Keeps a segment.
    pub(crate) fn add_segment(&mut self, segment: Segment) {
        self.bytes += segment.bytes().len() + SEGMENT_COST;
        self.segments.push_back(segment);
        while self.limit.is_some_and(|limit| self.bytes > limit) && self.segments.len() > 1 {
            self.forget();
        }
    }

    /// Gives up the oldest segment and the frames in it.
    fn forget(&mut self) {
        let Some(segment) = self.segments.pop_front() else {
            return;
        };
        self.bytes -= segment.bytes().len() + SEGMENT_COST;
        self.forgotten += 1;
        while let Some(frame) = self.frames.front()
            && frame.segment < self.forgotten
        {
            self.frames.pop_front();
            self.forgotten_frames += 1;
            self.bytes -= FRAME_COST;
        }
    }

    /// Keeps frames.
    pub(crate) fn add_frames(&mut self, frames: &[FrameEntry]) {
        let mut shown = frames.iter().filter(|entry| !entry.own);
        self.first_time = self.first_time.or_else(|| shown.next()?.frame.time);
        self.frames.extend(frames);
        self.bytes += frames.len() * FRAME_COST;
    }

    /// Keeps programs that frames refer to.
    pub(crate) fn add_processes(&mut self, processes: Vec<Process>) {
        self.processes.extend(processes);
    }

    /// How many frames there were, those that were given up too.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.forgotten_frames + self.frames.len()
    }

    /// How many of them were given up.
    #[must_use]
    pub(crate) fn forgotten(&self) -> usize {
        self.forgotten_frames
    }

    /// The number of the first frame that is kept.
    #[must_use]
    pub(crate) fn first_number(&self) -> Option<u32> {
        self.frames.front().map(|entry| entry.frame.number)
    }

    /// When the first frame was captured, although it may have been given up.
    #[must_use]
    pub(crate) fn first_time(&self) -> Option<Time> {
        self.first_time
    }

    /// The frame at this position, from 0; where some were left out, its number is
    /// another.
    #[must_use]
    pub(crate) fn nth(&self, position: usize) -> Option<Frame<'_>> {
        self.of(self.entry(position)?)
    }

    /// The entry at this position.
    #[must_use]
    pub(crate) fn entry(&self, position: usize) -> Option<&FrameEntry> {
        self.frames
            .get(position.checked_sub(self.forgotten_frames)?)
    }

    /// Frame number `number`, as captures count.
    #[must_use]
    pub(crate) fn frame(&self, number: u32) -> Option<Frame<'_>> {
        // Where none was left out, the first guess is right.
        let first = self.frames.front()?.frame.number;
        let guess = number.checked_sub(first)? as usize;
        let entry = match self.frames.get(guess) {
            Some(entry) if entry.frame.number == number => entry,
            _ => {
                let at = self
                    .frames
                    .binary_search_by_key(&number, |it| it.frame.number);
                self.frames.get(at.ok()?)?
            }
        };
        self.of(entry)
    }

    fn of(&self, entry: &FrameEntry) -> Option<Frame<'_>> {
        let segment = entry.segment.checked_sub(self.forgotten)?;
        let bytes = self.segments.get(segment as usize)?.bytes();
        let process = entry.frame.process;
        let process = process.and_then(|number| self.processes.get(number as usize));
        entry.frame_in(bytes, process)
    }
}

impl FrameEntry {
    /// The frame itself: `bytes` are those of its segment.
    #[must_use]
    pub(crate) fn frame_in<'a>(
        &self,
        bytes: &'a [u8],
        process: Option<&'a Process>,
    ) -> Option<Frame<'a>> {
        let frame = &self.frame;
        let bytes = bytes.get(self.start..self.start.checked_add(frame.len as usize)?)?;
        Some(Frame {
            number: frame.number,
            time: frame.time,
            link: frame.link,
            interface: frame.interface,
            wire_len: frame.wire_len,
            offset: frame.offset,
            bytes,
            origin: Origin {
                netns: frame.netns,
                group: frame.group,
                process,
            },
        })
    }
}
