//! The frames of a capture, and the bytes they lie in.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use nlscope_dissector::capture::{Frame, Time};
use nlscope_dissector::wire::LinkType;

/// A run of bytes that frames lie in: a mapped file, or a piece of a stream.
#[derive(Clone)]
pub struct Segment(Arc<dyn Deref<Target = [u8]> + Send + Sync>);

impl Segment {
    /// Shares `bytes`.
    pub fn new(bytes: impl Deref<Target = [u8]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Segment({} bytes)", self.bytes().len())
    }
}

/// Where a frame lies, and what the capture says of it.
#[derive(Debug, Clone, Copy)]
pub struct FrameEntry {
    /// Number of the segment, from 0 in the order in which they were sent.
    pub segment: u32,
    /// Where its bytes begin in the segment.
    pub start: usize,
    /// How many bytes were captured.
    pub len: u32,
    /// Length on the wire.
    pub wire_len: u32,
    /// When.
    pub time: Option<Time>,
    /// What it begins with.
    pub link: LinkType,
    /// Number of the interface in its section.
    pub interface: u32,
    /// Where its bytes begin in the uncompressed capture.
    pub offset: u64,
}

/// All frames so far.
#[derive(Debug, Default)]
pub struct FrameStore {
    segments: Vec<Segment>,
    frames: Vec<FrameEntry>,
}

impl FrameStore {
    /// Keeps a segment.
    pub fn add_segment(&mut self, segment: Segment) {
        self.segments.push(segment);
    }

    /// Keeps frames.
    pub fn add_frames(&mut self, frames: &[FrameEntry]) {
        self.frames.extend_from_slice(frames);
    }

    /// How many frames there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Frame number `number`, from 1.
    #[must_use]
    pub fn frame(&self, number: u32) -> Option<Frame<'_>> {
        let entry = self.frames.get((number as usize).checked_sub(1)?)?;
        let bytes = self.segments.get(entry.segment as usize)?.bytes();
        let bytes = bytes.get(entry.start..entry.start.checked_add(entry.len as usize)?)?;
        Some(Frame {
            number,
            time: entry.time,
            link: entry.link,
            interface: entry.interface,
            wire_len: entry.wire_len,
            offset: entry.offset,
            bytes,
        })
    }
}
