//! Where frames come from: everything that opens something, each on its own thread.
//!
//! A source sends [`SourceEvent`]s over a channel; who receives them keeps the bytes
//! in a [`FrameStore`]. Bytes are shared, never copied per frame: a file is mapped, a
//! stream arrives in segments.

mod batch;
mod file;
mod map;
mod stdin;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod told;

pub(crate) use store::{FrameEntry, FrameStore, Segment};
pub(crate) use told::{
    Losses, PortUse, Socket, SocketChange, SocketId, SocketKey, Tally, first_port, nlmon_header,
};

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::Context as _;
use nlscope_dissector::capture::Process;

/// How many events wait at most until somebody takes them.
const QUEUE: usize = 16;
/// How many bytes of a stream, or of a compressed file, whoever keeps all of it reads:
/// what is a bomb decompresses to more.
pub(crate) const KEPT_LIMIT: u64 = 2 << 30;

/// What to read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// A file, or something else with a path that can be read.
    File(PathBuf),
    /// Standard input.
    Stdin,
}

impl Input {
    /// `-` is standard input.
    #[must_use]
    pub(crate) fn named(path: PathBuf) -> Self {
        if path.as_os_str() == "-" {
            Self::Stdin
        } else {
            Self::File(path)
        }
    }
}

/// As messages name it.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

/// What a source tells.
#[derive(Debug, Clone)]
pub(crate) enum SourceEvent {
    /// More bytes; the entries that follow may refer to them.
    Segment(Segment),
    /// More frames, in order.
    Frames(Vec<FrameEntry>),
    /// More programs that frames may refer to.
    Processes(Vec<Process>),
    /// The name of one more network namespace: the first such is number 1.
    Netns(String),
    /// The name of one more interface of a live source: the first is number 0.
    Interface(String),
    /// Who uses a port, now or a moment ago.
    Port(PortUse),
    /// Something happened to a socket.
    Socket(SocketChange),
    /// What an interface has lost.
    Losses(Losses),
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceError {
    /// Nothing could be read at all: exit status 1.
    Unusable(String),
    /// The input is damaged from somewhere on: exit status 2.
    Damaged(String),
}

/// Begins to read `input` on a thread of its own, which ends when the receiver is
/// gone. Of what is not mapped it reads `limit` bytes at most, if there is one.
///
/// # Errors
///
/// No thread could be started. What is wrong with the input is told by
/// [`SourceEvent::End`].
pub(crate) fn open(input: Input, limit: Option<u64>) -> anyhow::Result<Receiver<SourceEvent>> {
    let (outlet, receiver) = Outlet::new(QUEUE);
    let read = move || {
        let read = match input {
            Input::File(path) => file::read(&path, limit, &outlet),
            Input::Stdin => stdin::read(limit, &outlet),
        };
        let end = match read {
            Ok(()) => Ok(()),
            Err(Stop::Error(error)) => Err(error),
            Err(Stop::Gone) => return,
        };
        // If nobody listens any more, nobody needs to know.
        let _ = outlet.send(SourceEvent::End(end));
    };
    thread::Builder::new()
        .name("source".to_owned())
        .spawn(read)
        .context("cannot start a thread")?;
    Ok(receiver)
}

/// Why reading stops.
pub(crate) enum Stop {
    /// Nobody listens any more.
    Gone,
    /// It cannot go on.
    Error(SourceError),
}

impl Stop {
    /// Not even the first byte can be had.
    fn unusable(error: &io::Error) -> Self {
        Self::Error(SourceError::Unusable(words(error)))
    }
}

/// Where a source sends its events.
#[derive(Clone)]
pub(crate) struct Outlet(SyncSender<SourceEvent>);

impl Outlet {
    /// One that so many events can wait in, and where they arrive.
    pub(crate) fn new(queue: usize) -> (Self, Receiver<SourceEvent>) {
        let (sender, receiver) = sync_channel(queue);
        (Self(sender), receiver)
    }

    /// Waits until there is room.
    pub(crate) fn send(&self, event: SourceEvent) -> Result<(), Stop> {
        self.0.send(event).map_err(|_| Stop::Gone)
    }
}

/// An error of the system without its number.
#[must_use]
pub(crate) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
