//! The one place that needs `unsafe`: a file as memory.

#![expect(unsafe_code, reason = "a mapping cannot be made without it")]

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// Maps a file to memory, to be read only.
///
/// # Errors
///
/// Those of the system: some files cannot be mapped.
pub(super) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: Rust wants mapped bytes not to change while they are borrowed, and nobody
    // can promise that of a file. A writer that changes bytes in place makes frames
    // read as something else, which they may be anyway: every byte is taken as hostile
    // and every length is checked where it is used, none is kept as proven. A writer
    // that truncates the file makes the next access to what is gone end the program
    // with SIGBUS; nothing is damaged but the view. tcpdump and dumpcap, which write
    // captures, do neither: they append, and start new files.
    unsafe { Mmap::map(file) }
}
