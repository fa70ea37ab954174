//! A recording of what a live source brings.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nlscope_dissector::capture::{Frame, Process as Program, Time};
use nlscope_dissector::context::Context;
use nlscope_dissector::schema::Schema;
use nlscope_dissector::wire::{Cooked, protocol};

use super::{Group, Packet, Process, RecordError, Recorder, Summary};
use crate::clock::now;
use crate::source::{FrameEntry, Losses, Segment, SocketKey, SourceEvent, Tally, first_port};

/// How long frames wait at most until they are in the file.
const FLUSH_AFTER: Duration = Duration::from_millis(200);
/// How long they wait for what can still be found out: who has a port.
const FOUND_OUT: Duration = Duration::from_millis(50);
/// How many bytes of them wait at most.
const MAX_HELD: usize = 8 << 20;
/// How many ports are remembered whose program is known.
const MAX_PORTS: usize = 1 << 16;

/// A recording.
pub(crate) struct Recording {
    recorder: Recorder,
    /// Names the groups of generic netlink.
    context: Context,
    programs: HashMap<SocketKey, Program>,
    /// Their ports, in the order in which they were told.
    ports: VecDeque<SocketKey>,
    tally: Tally,
    /// Where the frames lie that come next.
    segment: Option<Segment>,
    /// Frames that wait for what can still be found out, oldest first.
    held: VecDeque<Held>,
    held_bytes: usize,
    flushed: Instant,
    /// Frames that were recorded, our own questions not counted.
    taken: u64,
}

/// Frames that came together.
struct Held {
    segment: Segment,
    frames: Vec<FrameEntry>,
    /// How many of them are written.
    written: usize,
    since: Instant,
}

impl Recording {
    /// Into `recorder`.
    pub(crate) fn new(recorder: Recorder, schema: Arc<Schema>) -> Self {
        Self {
            recorder,
            context: Context::new(schema),
            programs: HashMap::new(),
            ports: VecDeque::new(),
            tally: Tally::default(),
            segment: None,
            held: VecDeque::new(),
            held_bytes: 0,
            flushed: Instant::now(),
            taken: 0,
        }
    }

    /// Takes what the source tells; of its frames at most `left`.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn take(
        &mut self,
        event: &SourceEvent,
        left: Option<u64>,
    ) -> Result<(), RecordError> {
        match event {
            SourceEvent::Interface(name) => self.recorder.interface(name, "netlink")?,
            SourceEvent::Segment(segment) => self.segment = Some(segment.clone()),
            SourceEvent::Frames(frames) => {
                self.hold(frames, left.unwrap_or(u64::MAX));
                self.write_held(false)?;
            }
            SourceEvent::Port(used) => self.program(used.key, &used.process),
            SourceEvent::Socket(change) => {
                if let Some((key, process)) = change.user() {
                    self.program(key, process);
                }
            }
            SourceEvent::Losses(losses) => {
                self.recorder.losses(*losses);
                self.tally.tell(*losses);
            }
            _ => {}
        }
        Ok(())
    }

    /// Counts what came after its end.
    pub(crate) fn lose(&mut self, losses: Losses) {
        self.tally.tell(losses);
    }

    /// Frames received and dropped so far.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Frames that were recorded, our own questions not counted.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Frames that are in the file for certain.
    pub(crate) fn written(&self) -> u64 {
        self.recorder.written()
    }

    /// What went wrong with the next file or the oldest, which does not end it.
    pub(crate) fn trouble(&mut self) -> Option<RecordError> {
        self.recorder.trouble()
    }

    /// Whether its last file has ended.
    pub(crate) fn is_full(&self) -> bool {
        self.recorder.is_full()
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        self.recorder.path()
    }

    /// What it writes to, when all that was taken is there.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(super) fn into_recorder(mut self) -> Result<Recorder, RecordError> {
        self.write_held(true)?;
        Ok(self.recorder)
    }

    /// Ends the file.
    ///
    /// # Errors
    ///
    /// It cannot be written to its end.
    pub(crate) fn finish(&mut self) -> Result<Summary, RecordError> {
        self.write_held(true)?;
        self.recorder.finish()
    }

    /// Writes what waits, if it has waited long enough.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn flush_in_time(&mut self) -> Result<(), RecordError> {
        self.write_held(false)?;
        if self.flushed.elapsed() >= FLUSH_AFTER {
            self.recorder.flush()?;
            self.flushed = Instant::now();
        }
        Ok(())
    }

    /// Ends a file whose time is over.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub(crate) fn tick(&mut self) -> Result<(), RecordError> {
        self.recorder.tick(split(Some(now())))
    }

    /// Holds the frames that came, at most `left` of them beside our own questions.
    fn hold(&mut self, frames: &[FrameEntry], mut left: u64) {
        let Some(segment) = self.segment.take() else {
            return;
        };
        let mut wanted = Vec::with_capacity(frames.len());
        for entry in frames {
            if !entry.own {
                if left == 0 {
                    break;
                }
                left -= 1;
                self.taken += 1;
            }
            wanted.push(*entry);
        }
        self.held_bytes += segment.bytes().len();
        self.held.push_back(Held {
            segment,
            frames: wanted,
            written: 0,
            since: Instant::now(),
        });
    }

    /// Writes the frames that have waited long enough, or too many; or all.
    fn write_held(&mut self, all: bool) -> Result<(), RecordError> {
        let due = |held: &Held| held.since.elapsed() >= FOUND_OUT;
        while let Some(mut first) = self.held.pop_front() {
            if !all && self.held_bytes <= MAX_HELD && !due(&first) {
                self.held.push_front(first);
                break;
            }
            while let Some(entry) = first.frames.get(first.written) {
                if let Err(error) = self.frame(entry, first.segment.bytes()) {
                    // A later call goes on with this one.
                    self.held.push_front(first);
                    return Err(error);
                }
                first.written += 1;
            }
            self.held_bytes -= first.segment.bytes().len();
        }
        Ok(())
    }

    fn program(&mut self, key: SocketKey, process: &Program) {
        if self.programs.insert(key, process.clone()).is_none() {
            self.ports.push_back(key);
        }
        if self.ports.len() > MAX_PORTS
            && let Some(oldest) = self.ports.pop_front()
        {
            self.programs.remove(&oldest);
        }
    }

    fn frame(&mut self, entry: &FrameEntry, bytes: &[u8]) -> Result<(), RecordError> {
        let Some(frame) = entry.frame_in(bytes, None) else {
            return Ok(());
        };
        if is_generic(&frame) {
            self.context.learn(&frame);
        }
        if entry.own {
            return self.recorder.preface(&packet(&frame));
        }
        let process = user(&frame).and_then(|key| self.programs.get(&key));
        let group = frame.origin.group.map(NonZeroU32::get);
        put(&mut self.recorder, &frame, group, process, &self.context)
    }
}

/// Records a frame with all that is known of it.
pub(super) fn put(
    recorder: &mut Recorder,
    frame: &Frame<'_>,
    group: Option<u32>,
    process: Option<&Program>,
    context: &Context,
) -> Result<(), RecordError> {
    // What was inferred is marked, as it is where it is shown.
    let name = process.map(|it| {
        if it.exact {
            it.name.clone()
        } else {
            format!("~{}", it.name)
        }
    });
    let protocol = Cooked::parse(frame.link, frame.bytes).map_or(0, |it| it.protocol);
    let named = process.zip(name.as_deref());
    recorder.packet(&Packet {
        process: named.map(|(process, name)| Process {
            pid: process.pid,
            name,
        }),
        group: group.map(|number| Group {
            number,
            name: context.group_name(protocol, number),
        }),
        ..packet(frame)
    })
}

/// A frame as it is recorded, with nothing known about it.
fn packet<'f>(frame: &Frame<'f>) -> Packet<'f> {
    Packet {
        interface: frame.interface,
        time: split(frame.time),
        wire_len: frame.wire_len,
        bytes: frame.bytes,
        process: None,
        group: None,
    }
}

/// Whether a frame may name families of generic netlink and their groups.
fn is_generic(frame: &Frame<'_>) -> bool {
    Cooked::parse(frame.link, frame.bytes).is_ok_and(|it| it.protocol == protocol::GENERIC)
}

/// The socket whose port a frame's first message has.
fn user(frame: &Frame<'_>) -> Option<SocketKey> {
    let cooked = Cooked::parse(frame.link, frame.bytes).ok()?;
    let content = frame.bytes.get(cooked.len as usize..)?;
    let port = first_port(cooked.protocol, content);
    (port != 0).then_some(SocketKey {
        netns: frame.origin.netns,
        protocol: cooked.protocol,
        port,
    })
}

/// Seconds and nanoseconds since 1970.
fn split(time: Option<Time>) -> (u64, u32) {
    let nanoseconds = time.map_or(0, |time| time.0.max(0).unsigned_abs());
    let fraction = u32::try_from(nanoseconds % 1_000_000_000).unwrap_or(0);
    (nanoseconds / 1_000_000_000, fraction)
}
