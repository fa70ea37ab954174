//! Where a capture goes: a file, a FIFO, `/dev/null` or standard output, and what is
//! not overwritten.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::RecordError;
use crate::caller;

/// `makedev(1, 3)`, the device number of `/dev/null` (Documentation/admin-guide/devices.txt).
const NULL_DEVICE: u64 = 0x0103;

/// How long a full pipe is left alone.
const PAUSE: Duration = Duration::from_millis(5);

/// Takes bytes, and gives the last of them back where it can.
pub(super) trait Sink: Send {
    /// As write(2): how many of `bytes` were taken, and the error if none was.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Removes the last `count` of the bytes that were written.
    fn take_back(&mut self, count: u64) -> io::Result<()>;
    /// As fsync(2), where it means something.
    fn sync(&mut self) -> io::Result<()>;
}

/// Opens what a capture is written to.
pub(super) type Open = fn(&Path) -> Result<Box<dyn Sink>, RecordError>;

/// An open file of any type.
pub(super) struct FileSink {
    file: File,
    /// Only a regular file can be cut off and synchronised.
    regular: bool,
}

impl FileSink {
    /// Creates the file at `path`, or empties the one that is there. Only its owner may
    /// read a new one, because keys go over netlink: the person who called sudo.
    pub(super) fn create(path: &Path) -> Result<Self, RecordError> {
        let failed = |error| RecordError::Create {
            path: path.into(),
            error,
        };
        // Before it is opened, because opening is an action on some devices.
        match fs::metadata(path) {
            Ok(found) => admit(path, &found)?,
            Err(_) => match Self::create_new(path) {
                // A link to nowhere, or somebody was faster.
                Err(RecordError::Exists { .. }) => {}
                made => return made,
            },
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        admit(path, &found)?;
        if found.is_file() {
            file.set_len(0).map_err(failed)?;
        }
        Ok(Self {
            file,
            regular: found.is_file(),
        })
    }

    /// Creates the file at `path`, where there is none.
    pub(super) fn create_new(path: &Path) -> Result<Self, RecordError> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => RecordError::Exists { path: path.into() },
                _ => RecordError::Create {
                    path: path.into(),
                    error,
                },
            })?;
        if let Some((uid, gid)) = caller::of_sudo() {
            // Only root can give it away, and need not.
            let _ = fchown(&file, Some(uid), Some(gid));
        }
        Ok(Self {
            file,
            regular: true,
        })
    }

    /// Standard output, without the buffer that the standard library puts before it.
    pub(super) fn stdout() -> io::Result<Self> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let regular = file.metadata()?.is_file();
        Ok(Self { file, regular })
    }
}

impl Sink for FileSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.file.write(bytes) {
                // Somebody else has set a pipe so that it does not wait.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(PAUSE),
                written => return written,
            }
        }
    }

    fn take_back(&mut self, count: u64) -> io::Result<()> {
        if count == 0 {
            return Ok(());
        }
        if !self.regular {
            return Err(io::ErrorKind::Unsupported.into());
        }
        // From the position: what is appended to need not have begun at 0.
        let end = self.file.stream_position()?.saturating_sub(count);
        self.file.set_len(end)?;
        self.file.seek(SeekFrom::Start(end)).map(drop)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.regular {
            self.file.sync_all()
        } else {
            Ok(())
        }
    }
}

/// An opener for files.
pub(super) fn open_file(path: &Path) -> Result<Box<dyn Sink>, RecordError> {
    Ok(Box::new(FileSink::create(path)?))
}

/// An opener for files that are new.
pub(super) fn open_new_file(path: &Path) -> Result<Box<dyn Sink>, RecordError> {
    Ok(Box::new(FileSink::create_new(path)?))
}

/// An opener for standard output, which `path` names in messages.
pub(super) fn open_stdout(path: &Path) -> Result<Box<dyn Sink>, RecordError> {
    let sink = FileSink::stdout().map_err(|error| RecordError::Create {
        path: path.into(),
        error,
    })?;
    Ok(Box::new(sink))
}

/// Whether several files can be named after `path`: not if something else is there.
pub(super) fn names_files(path: &Path) -> bool {
    path.file_name().is_some() && fs::metadata(path).map_or(true, |found| found.is_file())
}

/// Refuses what is neither a regular file nor meant to be written to as one.
fn admit(path: &Path, found: &Metadata) -> Result<(), RecordError> {
    let kind = found.file_type();
    let what = if kind.is_dir() {
        "a directory"
    } else if kind.is_block_device() {
        "a block device"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_char_device() && found.rdev() != NULL_DEVICE {
        "a character device"
    } else {
        return Ok(());
    };
    Err(RecordError::NotAFile {
        path: path.into(),
        what,
    })
}
