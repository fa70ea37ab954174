//! A capture in a file: mapped where it is a plain one, else read as a stream.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use nlscope_dissector::capture::Reader;

use super::batch::{Batch, Then};
use super::stream::{self, Packing, Stream};
use super::{Outlet, Segment, SourceError, SourceEvent, Stop, map};

/// Reads the file at `path`.
pub(super) fn read(path: &Path, limit: Option<u64>, outlet: &Outlet) -> Result<(), Stop> {
    let unusable = |error| Stop::unusable(&error);
    let mut file = File::open(path).map_err(unusable)?;
    let about = file.metadata().map_err(unusable)?;
    if about.is_dir() {
        let error = SourceError::Unusable("is a directory".to_owned());
        return Err(Stop::Error(error));
    }
    if !about.is_file() {
        return Stream::new(limit, None).read(file, outlet);
    }
    let mut magic = Vec::new();
    let mut head = file.by_ref().take(stream::MAGIC_LEN);
    head.read_to_end(&mut magic).map_err(unusable)?;
    if Packing::of(&magic) == Packing::None
        && let Ok(bytes) = map::map(&file)
    {
        return mapped(&Segment::new(bytes), outlet);
    }
    file.rewind().map_err(unusable)?;
    Stream::new(limit, Some(about.len())).read(file, outlet)
}

/// Reads a capture that is in memory as a whole.
fn mapped(bytes: &Segment, outlet: &Outlet) -> Result<(), Stop> {
    outlet.send(SourceEvent::Segment(bytes.clone()))?;
    let mut reader = Reader::new();
    loop {
        let mut batch = Batch::read(&mut reader, bytes.bytes(), 0, 0, true);
        batch.tell_names(outlet)?;
        outlet.send(SourceEvent::Frames(batch.frames))?;
        outlet.send(SourceEvent::Progress {
            read: reader.offset(),
            total: Some(bytes.bytes().len() as u64),
        })?;
        for notice in batch.notices {
            outlet.send(SourceEvent::Notice(notice))?;
        }
        match batch.then {
            Then::More => {}
            // There is nothing more than all.
            Then::End | Then::NeedMore(_) => return Ok(()),
            Then::Failed(error) => return Err(stream::failed(&error, Packing::None)),
        }
    }
}
