//! What can go wrong while a capture is written, and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::source::words;

/// Why a capture could not be begun, written or ended.
#[derive(Debug, Error)]
pub(crate) enum RecordError {
    /// The file could not be created or opened for writing.
    #[error("cannot write to {}: {}; choose a place where you may create files", path.display(), words(error))]
    Create {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// There is something that is not to be overwritten.
    #[error(
        "{} is {what}, which is not overwritten; give -w the name of a file, a FIFO, /dev/null or - (standard output)",
        path.display()
    )]
    NotAFile {
        /// What was to be written to.
        path: PathBuf,
        /// What it is, with an article: `a directory`.
        what: &'static str,
    },
    /// Several files were asked for, but there is one stream.
    #[error(
        "{} cannot be rotated: give -w the name of a file, or leave out -b",
        path.display()
    )]
    NotRotated {
        /// What was to be written to.
        path: PathBuf,
    },
    /// It was said how many files to keep, but not when the next one begins.
    #[error(
        "a number of files was given, but not when the next one begins; add a size, a duration or a number of packets to -b"
    )]
    NeverRotated,
    /// write(2) failed. What is written can be read; a later call tries again with the rest.
    #[error("writing to {} failed: {}; packets written to it before: {packets}; {end}; {}", path.display(), words(error), remedy(error))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
        /// How many packets certainly are in this file.
        packets: u64,
        /// How the file ends now.
        end: FileEnd,
    },
    /// fsync(2) failed: everything was written, but may not outlive a crash of the machine.
    #[error(
        "{} may not be on the disk: {}; all {packets} of its packets were written: copy the file before a reboot",
        path.display(), words(error)
    )]
    Sync {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        error: io::Error,
        /// How many packets were written to this file.
        packets: u64,
    },
    /// The oldest file of a ring could not be deleted.
    #[error(
        "cannot delete {}, the oldest file of the ring: {}; delete it, or keep more files with -b",
        path.display(), words(error)
    )]
    Remove {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// A file is there and is not to be overwritten.
    #[error("{} is there already; take another name", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A packet of an interface that was not described.
    #[error(
        "a packet of interface {interface}, of which there are {described}; describe the interface first"
    )]
    NoInterface {
        /// The number the packet has.
        interface: u32,
        /// How many interfaces there are.
        described: usize,
    },
    /// A packet whose length does not fit into a block.
    #[error(
        "a packet of {length} bytes is too long for a capture; capture fewer bytes of each packet"
    )]
    TooLong {
        /// How many bytes it has.
        length: usize,
    },
}

/// How a file ends after a write failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileEnd {
    /// With a whole block, or before the first.
    Whole,
    /// Within a block: what had been written of it could not be taken back.
    Torn,
}

impl fmt::Display for FileEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "it ends with a whole block",
            Self::Torn => "it may end within a block",
        })
    }
}

/// What to do about a failed write.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space, or keep fewer and smaller files with -b"
        }
        io::ErrorKind::FileTooLarge => "begin further files sooner with -b",
        io::ErrorKind::BrokenPipe => "whoever read it has ended",
        _ => "write to another place with -w",
    }
}
