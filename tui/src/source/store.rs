//! The frames of a capture, and the bytes they lie in.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use nlscope_dissector::capture::{Frame, FrameAt, Origin, Process};

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
    /// How many segments were given up.
    forgotten: u32,
    /// How many bytes are kept.
    bytes: usize,
    limit: Option<usize>,
}

impl FrameStore {
    /// A store that keeps about `limit` bytes and forgets the oldest frames.
    #[must_use]
    pub(crate) fn latest(limit: usize) -> Self {
        Self {
            limit: Some(limit),
            ..Self::default()
        }
    }

    /// Keeps a segment.
    pub(crate) fn add_segment(&mut self, segment: Segment) {
        self.bytes += segment.bytes().len();
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
        self.bytes -= segment.bytes().len();
        self.forgotten += 1;
        while let Some(frame) = self.frames.front()
            && frame.segment < self.forgotten
        {
            self.frames.pop_front();
        }
    }

    /// Keeps frames.
    pub(crate) fn add_frames(&mut self, frames: &[FrameEntry]) {
        self.frames.extend(frames);
    }

    /// Keeps programs that frames refer to.
    pub(crate) fn add_processes(&mut self, processes: Vec<Process>) {
        self.processes.extend(processes);
    }

    /// How many frames there are.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    /// The frame at this position, from 0; where some were left out, its number is
    /// another.
    #[must_use]
    pub(crate) fn nth(&self, position: usize) -> Option<Frame<'_>> {
        self.of(self.frames.get(position)?)
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
        let frame = &entry.frame;
        let bytes = bytes.get(entry.start..entry.start.checked_add(frame.len as usize)?)?;
        let process = frame
            .process
            .and_then(|number| self.processes.get(number as usize));
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
