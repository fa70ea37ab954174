//! A capture that arrives piece by piece, packed or not.
//!
//! What has arrived becomes a segment as soon as it holds a whole frame: those who
//! watch a capture being made see each frame at once.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;
use nlscope_dissector::capture::{CaptureError, Reader};

use super::batch::{Batch, Then};
use super::{Outlet, Segment, SourceError, SourceEvent, Stop, words};

/// How many bytes tell how a capture is packed.
pub(super) const MAGIC_LEN: u64 = 4;
/// How much is asked for at once.
const PIECE: usize = 64 << 10;
/// Usual length of a segment of a packed file, whose bytes nobody waits for.
const SEGMENT: usize = 4 << 20;

/// How a capture is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Packing {
    /// Told by the first bytes.
    pub(super) fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => Self::Zstd,
            _ => Self::None,
        }
    }

    fn unpack<R: Read + 'static>(self, input: R) -> io::Result<Box<dyn Read>> {
        Ok(match self {
            Self::None => Box::new(input),
            Self::Gzip => Box::new(MultiGzDecoder::new(input)),
            Self::Zstd => Box::new(zstd::Decoder::new(input)?),
        })
    }

    /// In front of what is wrong with what was unpacked.
    fn prefix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => "unpacked with gzip: ",
            Self::Zstd => "unpacked with zstd: ",
        }
    }

    /// In front of what is wrong with unpacking.
    fn unpacking(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => "gzip: ",
            Self::Zstd => "zstd: ",
        }
    }
}

/// What the person is told of a capture that is not right.
pub(super) fn failed(error: &CaptureError, packing: Packing) -> Stop {
    let text = format!("{}{error}", packing.prefix());
    Stop::Error(if error.is_total() {
        SourceError::Unusable(text)
    } else {
        SourceError::Damaged(text)
    })
}

/// The state of a stream.
pub(super) struct Stream {
    reader: Reader,
    /// Bytes not yet consumed, but for those that the last batch did.
    pending: Vec<u8>,
    /// Where they begin in the unpacked capture.
    base: u64,
    segments: u32,
    packing: Packing,
    limit: Option<u64>,
    /// Bytes read, as they are stored.
    stored: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Stream {
    /// Reads `limit` unpacked bytes at most; `total` bytes are stored, if that is known.
    pub(super) fn new(limit: Option<u64>, total: Option<u64>) -> Self {
        Self {
            reader: Reader::new(),
            pending: Vec::new(),
            base: 0,
            segments: 0,
            packing: Packing::None,
            limit,
            stored: Arc::default(),
            total,
        }
    }

    /// Reads `input` to its end.
    pub(super) fn read(mut self, input: impl Read + 'static, outlet: &Outlet) -> Result<(), Stop> {
        let unusable = |error| Stop::unusable(&error);
        let mut input = Counted {
            input,
            count: Arc::clone(&self.stored),
        };
        let mut magic = Vec::new();
        let mut head = input.by_ref().take(MAGIC_LEN);
        head.read_to_end(&mut magic).map_err(unusable)?;
        self.packing = Packing::of(&magic);
        let input = Cursor::new(magic).chain(input);
        let mut input = self.packing.unpack(input).map_err(unusable)?;

        let usual = if self.total.is_some() { SEGMENT } else { 0 };
        let mut piece = vec![0; PIECE];
        let mut need = 0;
        loop {
            let stop = self.fill(&mut *input, &mut piece, need.max(usual));
            let at_end = stop.is_some();
            loop {
                match (self.batch(at_end, outlet)?, &stop) {
                    (Then::More, _) => {}
                    (Then::NeedMore(more), _) => {
                        need = more;
                        break;
                    }
                    // What keeps from reading on says more than that something is missing.
                    (Then::End | Then::Failed(_), Some(Err(text))) => {
                        return Err(self.broken(text));
                    }
                    (Then::Failed(error), _) => return Err(failed(&error, self.packing)),
                    (Then::End, _) => return Ok(()),
                }
            }
        }
    }

    /// Reads until `need` bytes are pending, and what more there is at once. `Some` at
    /// the end, with what keeps from reading on if it is not the regular one.
    fn fill(
        &mut self,
        input: &mut dyn Read,
        piece: &mut [u8],
        need: usize,
    ) -> Option<Result<(), String>> {
        loop {
            let read = self.base.saturating_add(self.pending.len() as u64);
            if let Some(limit) = self.limit.filter(|limit| read >= *limit) {
                let limit = limit >> 20;
                return Some(Err(format!("more than {limit} MiB, the rest is not read")));
            }
            match input.read(piece) {
                Ok(0) => return Some(Ok(())),
                Ok(read) => {
                    let read = piece.get(..read).unwrap_or_default();
                    self.pending.extend_from_slice(read);
                    if self.pending.len() >= need {
                        return None;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let text = format!("{}{}", self.packing.unpacking(), words(&error));
                    return Some(Err(text));
                }
            }
        }
    }

    /// Sends what is there, the bytes in front of the frames in them.
    fn batch(&mut self, at_end: bool, outlet: &Outlet) -> Result<Then, Stop> {
        let mut batch = Batch::read(
            &mut self.reader,
            &self.pending,
            self.base,
            self.segments,
            at_end,
        );
        let consumed = usize::try_from(self.reader.offset() - self.base).unwrap_or(usize::MAX);
        let bytes: Box<[u8]> = self.pending.drain(..consumed).collect();
        self.base = self.reader.offset();
        batch.tell_names(outlet)?;
        if !batch.frames.is_empty() {
            outlet.send(SourceEvent::Segment(Segment::new(bytes)))?;
            self.segments = self.segments.saturating_add(1);
            outlet.send(SourceEvent::Frames(batch.frames))?;
        }
        outlet.send(SourceEvent::Progress {
            read: self.stored.load(Ordering::Relaxed),
            total: self.total,
        })?;
        for notice in batch.notices {
            outlet.send(SourceEvent::Notice(notice))?;
        }
        Ok(batch.then)
    }

    /// The stream broke off.
    fn broken(&self, text: &str) -> Stop {
        Stop::Error(if self.base == 0 {
            SourceError::Unusable(text.to_owned())
        } else {
            SourceError::Damaged(format!("{text}, after {} bytes", self.base))
        })
    }
}

/// Counts what is read.
struct Counted<R> {
    input: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
