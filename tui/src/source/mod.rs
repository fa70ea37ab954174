//! Where frames come from: everything that opens something, each on its own thread.
//!
//! A source sends [`SourceEvent`]s over a channel; who receives them keeps the bytes
//! in a [`FrameStore`]. Bytes are shared, never copied per frame: a file is mapped, a
//! stream arrives in segments.

mod store;

pub use store::{FrameEntry, FrameStore, Segment};

/// What a source tells.
#[derive(Debug)]
pub enum SourceEvent {
    /// More bytes; the entries that follow may refer to them.
    Segment(Segment),
    /// More frames, in order.
    Frames(Vec<FrameEntry>),
    /// How far the source has read. Sent now and then.
    Progress {
        /// Bytes read, as stored (before decompression).
        read: u64,
        /// Bytes in all, where that is known.
        total: Option<u64>,
    },
    /// Something the person has to know, in one line: interfaces left out, say.
    Notice(String),
    /// The end. An error says why it is not the regular one; what was sent before stays valid.
    End(Result<(), SourceError>),
}

/// Why a source ended early.
#[derive(Debug)]
pub enum SourceError {
    /// Nothing could be read at all: exit status 1.
    Unusable(String),
    /// The input is damaged from somewhere on: exit status 2.
    Damaged(String),
}
