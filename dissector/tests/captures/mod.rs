//! The captures, for tests that look at every frame or at every message.
#![allow(dead_code, reason = "each test uses what it needs")]

use std::path::PathBuf;
use std::sync::Arc;

use nlscope_dissector::capture::{Frame, Origin, Reader, Step, Time};
use nlscope_dissector::context::{Context, MessageView, Record, RequestView};
use nlscope_dissector::schema::Schema;
use nlscope_dissector::tape::Tape;
use nlscope_dissector::wire::LinkType;

/// A frame with bytes of its own.
pub(crate) struct OwnedFrame {
    pub(crate) number: u32,
    pub(crate) time: Option<Time>,
    pub(crate) link: LinkType,
    pub(crate) wire_len: u32,
    pub(crate) bytes: Vec<u8>,
}

impl OwnedFrame {
    /// A frame of nlmon, as many microseconds after the epoch as its number says.
    pub(crate) fn new(number: u32, bytes: Vec<u8>) -> Self {
        Self {
            number,
            time: Some(Time(i64::from(number) * 1000)),
            link: LinkType::Netlink,
            wire_len: u32::try_from(bytes.len()).unwrap(),
            bytes,
        }
    }

    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame {
            number: self.number,
            time: self.time,
            link: self.link,
            interface: 0,
            wire_len: self.wire_len,
            offset: 0,
            bytes: &self.bytes,
            origin: Origin::default(),
        }
    }
}

/// The files of all captures, in the order of their names.
pub(crate) fn files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../captures");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|ext| ext == "pcap" || ext == "pcapng")
    });
    paths.sort();
    assert!(paths.len() >= 18, "the captures are there");
    paths
}

/// Name and frames of every capture.
pub(crate) fn all() -> impl Iterator<Item = (String, Vec<OwnedFrame>)> {
    files().into_iter().map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, frames(&std::fs::read(&path).unwrap()))
    })
}

fn frames(file: &[u8]) -> Vec<OwnedFrame> {
    let mut reader = Reader::new();
    let mut frames = Vec::new();
    loop {
        let rest = &file[usize::try_from(reader.offset()).unwrap()..];
        match reader.next(rest, true).unwrap() {
            Step::Frame(at) => {
                let start = usize::try_from(at.offset).unwrap();
                frames.push(OwnedFrame {
                    number: at.number,
                    time: at.time,
                    link: at.link,
                    wire_len: at.wire_len,
                    bytes: file[start..start + at.len as usize].to_vec(),
                });
            }
            Step::LeftOut(_) | Step::NeedMore(_) => {}
            Step::End => return frames,
        }
    }
}

/// Shows every message to `visit` as a person sees it who has the whole capture: names
/// from anywhere in it, what later frames tell of earlier ones, the request beside its
/// answer.
pub(crate) fn each_message(
    schema: Schema,
    frames: &[OwnedFrame],
    mut visit: impl FnMut(&MessageView<'_>),
) {
    let mut context = Context::new(Arc::new(schema));
    for frame in frames {
        context.learn(&frame.frame());
    }
    let (mut records, mut amendments): (Vec<Record>, Vec<_>) = (Vec::new(), Vec::new());
    for frame in frames {
        context.feed(&frame.frame(), &mut records, &mut amendments);
    }
    for amendment in amendments {
        records[amendment.message.index()].amend(amendment);
    }
    let (mut tape, mut request_tape) = (Tape::new(), Tape::new());
    let mut rest = records.as_slice();
    for owned in frames {
        let frame = owned.frame();
        let own = rest.partition_point(|record| record.frame == owned.number);
        let (own, after) = rest.split_at(own);
        rest = after;
        context.dissect(&frame, own, &mut tape);
        for record in own {
            let asked = record.request.map(|number| &records[number.index()]);
            let request = asked.and_then(|asked| {
                let at = frames
                    .binary_search_by_key(&asked.frame, |frame| frame.number)
                    .ok()?;
                context.dissect(&frames[at].frame(), &[], &mut request_tape);
                let mark = request_tape.message(asked.nth as usize)?;
                Some(RequestView {
                    frame: &frames[at].bytes,
                    tape: &request_tape,
                    mark,
                })
            });
            let head = context.head(&frame, record).unwrap();
            let mark = tape.message(record.nth as usize).unwrap();
            visit(&MessageView {
                head,
                tape: &tape,
                mark,
                request,
            });
        }
    }
    assert!(rest.is_empty(), "every record belongs to a frame");
}
