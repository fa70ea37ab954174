//! Frames out of bytes in memory, a batch at a time.

use nlscope_dissector::capture::{CaptureError, FrameAt, Process, Reader, Step};

use super::{FrameEntry, Outlet, SourceEvent, Stop};

/// How many frames are sent together, so that a list fills while a file is read.
const BATCH: usize = 8192;

/// Some frames, and how it goes on.
pub(super) struct Batch {
    pub(super) frames: Vec<FrameEntry>,
    /// Programs and network namespaces that were named since the batch before.
    processes: Vec<Process>,
    namespaces: Vec<String>,
    pub(super) notices: Vec<String>,
    pub(super) then: Then,
}

/// What follows a batch.
pub(super) enum Then {
    /// The next one.
    More,
    /// More bytes are needed: so many after those that were consumed.
    NeedMore(usize),
    /// Nothing.
    End,
    /// Nothing, because the capture is not right.
    Failed(CaptureError),
}

impl Batch {
    /// Reads on in `bytes`, of which the first is at `base` of the capture and which
    /// are to be segment number `segment`.
    pub(super) fn read(
        reader: &mut Reader,
        bytes: &[u8],
        base: u64,
        segment: u32,
        at_end: bool,
    ) -> Self {
        let (processes, namespaces) = (reader.processes().len(), reader.namespaces().len());
        let mut batch = Self {
            frames: Vec::new(),
            processes: Vec::new(),
            namespaces: Vec::new(),
            notices: Vec::new(),
            then: Then::More,
        };
        while batch.frames.len() < BATCH {
            let consumed = usize::try_from(reader.offset() - base).unwrap_or(usize::MAX);
            let rest = bytes.get(consumed..).unwrap_or_default();
            batch.then = match reader.next(rest, at_end) {
                Ok(Step::Frame(frame)) => {
                    batch.frames.push(entry(frame, base, segment));
                    continue;
                }
                Ok(Step::LeftOut(left_out)) => {
                    batch.notices.push(left_out.to_string());
                    continue;
                }
                Ok(Step::NeedMore(need)) => Then::NeedMore(need),
                Ok(Step::End) => Then::End,
                Err(error) => Then::Failed(error),
            };
            break;
        }
        let new = reader.processes().get(processes..).unwrap_or_default();
        batch.processes.extend_from_slice(new);
        let new = reader.namespaces().get(namespaces..).unwrap_or_default();
        batch.namespaces.extend_from_slice(new);
        batch
    }

    /// Tells the names that the frames refer to.
    pub(super) fn tell_names(&mut self, outlet: &Outlet) -> Result<(), Stop> {
        for name in self.namespaces.drain(..) {
            outlet.send(SourceEvent::Netns(name))?;
        }
        if !self.processes.is_empty() {
            let processes = std::mem::take(&mut self.processes);
            outlet.send(SourceEvent::Processes(processes))?;
        }
        Ok(())
    }
}

fn entry(frame: FrameAt, base: u64, segment: u32) -> FrameEntry {
    FrameEntry {
        frame,
        segment,
        start: usize::try_from(frame.offset - base).unwrap_or(usize::MAX),
        own: false,
    }
}
