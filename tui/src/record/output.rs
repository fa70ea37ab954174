//! Blocks on their way into one file: a buffer that knows where each of them ends, so
//! that a file never keeps a part of one.

use std::io;
use std::path::{Path, PathBuf};

use super::error::{FileEnd, RecordError};
use super::sink::Sink;

/// One file and what is to be written to it.
pub(super) struct Output {
    path: PathBuf,
    sink: Box<dyn Sink>,
    buffer: Vec<u8>,
    ends: Vec<BlockEnd>,
    /// Bytes that are in the file.
    bytes: u64,
    /// Packets that are in the file.
    packets: u64,
    /// A part of the first block of the buffer is in the file already.
    torn: bool,
}

/// Where a block in the buffer ends.
#[derive(Clone, Copy)]
struct BlockEnd {
    at: usize,
    packet: bool,
}

impl Output {
    /// Writes to `sink`, which `path` names in messages.
    pub(super) fn new(path: PathBuf, sink: Box<dyn Sink>) -> Self {
        Self {
            path,
            sink,
            buffer: Vec::new(),
            ends: Vec::new(),
            bytes: 0,
            packets: 0,
            torn: false,
        }
    }

    /// Goes on with another file, in the same memory. Nothing may be buffered.
    pub(super) fn switch(&mut self, path: PathBuf, sink: Box<dyn Sink>) {
        self.path = path;
        self.sink = sink;
        self.bytes = 0;
        self.packets = 0;
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes that are in the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Packets that are in the file.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    /// How many bytes are buffered.
    pub(super) fn pending(&self) -> usize {
        self.buffer.len()
    }

    /// How long the file will be when all of the buffer is in it.
    pub(super) fn size(&self) -> u64 {
        self.bytes.saturating_add(self.buffer.len() as u64)
    }

    /// Buffers the block that `encode` appends.
    pub(super) fn block(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        self.append(false, encode);
    }

    /// Buffers the packet that `encode` appends.
    pub(super) fn packet(&mut self, encode: impl FnOnce(&mut Vec<u8>)) {
        self.append(true, encode);
    }

    fn append(&mut self, packet: bool, encode: impl FnOnce(&mut Vec<u8>)) {
        encode(&mut self.buffer);
        let at = self.buffer.len();
        self.ends.push(BlockEnd { at, packet });
    }

    /// Forgets the blocks that were buffered when there were more than `pending` bytes.
    pub(super) fn withdraw(&mut self, pending: usize) {
        self.buffer.truncate(pending);
        let kept = self.ends.partition_point(|end| end.at <= pending);
        self.ends.truncate(kept);
    }

    /// Hands everything that is buffered to write(2). If it fails, the file ends with a
    /// whole block where it can be cut off, and the rest stays buffered.
    pub(super) fn flush(&mut self) -> Result<(), RecordError> {
        let mut sent = 0;
        while let Some(rest) = self.buffer.get(sent..).filter(|rest| !rest.is_empty()) {
            match self.sink.write(rest) {
                Ok(0) => return Err(self.interrupted(sent, io::ErrorKind::WriteZero.into())),
                Ok(count) => sent += count.min(rest.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.interrupted(sent, error)),
            }
        }
        self.settle(sent);
        self.torn = false;
        Ok(())
    }

    /// As fsync(2).
    pub(super) fn sync(&mut self) -> Result<(), RecordError> {
        self.sink.sync().map_err(|error| RecordError::Sync {
            path: self.path.clone(),
            error,
            packets: self.packets,
        })
    }

    /// Takes the part of a block at the end of the `sent` bytes back out of the file.
    fn interrupted(&mut self, sent: usize, error: io::Error) -> RecordError {
        let blocks = self.ends.partition_point(|end| end.at <= sent);
        let whole = self
            .ends
            .get(..blocks)
            .and_then(<[_]>::last)
            .map_or(0, |end| end.at);
        // What cannot be taken back has to be followed by the rest of its block.
        let taken_back = self.sink.take_back((sent - whole) as u64).is_ok();
        self.torn = !taken_back || (self.torn && whole == 0);
        self.settle(if taken_back { whole } else { sent });
        RecordError::Write {
            path: self.path.clone(),
            error,
            packets: self.packets,
            end: if self.torn {
                FileEnd::Torn
            } else {
                FileEnd::Whole
            },
        }
    }

    /// Counts the first `sent` bytes of the buffer as written and removes them from it.
    fn settle(&mut self, sent: usize) {
        let blocks = self.ends.partition_point(|end| end.at <= sent);
        let packets = self.ends.drain(..blocks).filter(|end| end.packet).count();
        for end in &mut self.ends {
            end.at -= sent;
        }
        self.buffer.drain(..sent);
        self.packets += packets as u64;
        self.bytes += sent as u64;
    }
}
