//! Every capture in memory, fed to a context: what the benchmarks work on.

use std::path::Path;
use std::sync::Arc;

use nlscope_dissector::capture::{Frame, Time};
use nlscope_dissector::context::{Context, Record};
use nlscope_dissector::schema::Schema;
use nlscope_dissector::wire::LinkType;

/// A capture with everything that its own second reading would know.
pub(crate) struct Capture {
    file: Vec<u8>,
    /// Where each frame begins in the file, and its length.
    places: Vec<(usize, u32)>,
    /// Knows all of the capture.
    pub(crate) context: Context,
    /// Of all messages.
    pub(crate) records: Vec<Record>,
    /// Which of the records are each frame's.
    spans: Vec<std::ops::Range<usize>>,
}

impl Capture {
    /// Reads a capture and feeds it.
    fn read(path: &Path, schema: &Arc<Schema>) -> Self {
        let file = std::fs::read(path).expect("a capture of this repository");
        let mut capture = Self {
            places: places(&file),
            file,
            context: Context::new(Arc::clone(schema)),
            records: Vec::new(),
            spans: Vec::new(),
        };
        let mut context = Context::new(Arc::clone(schema));
        for at in 0..capture.places.len() {
            context.learn(&capture.frame(at));
        }
        let mut amendments = Vec::new();
        for at in 0..capture.places.len() {
            let from = capture.records.len();
            let mut records = std::mem::take(&mut capture.records);
            context.feed(&capture.frame(at), &mut records, &mut amendments);
            capture.records = records;
            capture.spans.push(from..capture.records.len());
        }
        capture.context = context;
        capture
    }

    /// Every frame with its records.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (Frame<'_>, &[Record])> {
        self.spans
            .iter()
            .enumerate()
            .map(|(at, span)| (self.frame(at), &self.records[span.clone()]))
    }

    fn frame(&self, at: usize) -> Frame<'_> {
        let (start, len) = self.places[at];
        Frame {
            number: u32::try_from(at + 1).expect("few frames"),
            time: Some(Time(i64::try_from(at).expect("few frames"))),
            link: LinkType::Netlink,
            interface: 0,
            wire_len: len,
            offset: start as u64,
            bytes: &self.file[start..start + len as usize],
        }
    }
}

/// Every pcap file among the captures, in the order of their names.
pub(crate) fn captures() -> Vec<Capture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../captures");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the captures of this repository")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "pcap"))
        .collect();
    paths.sort();
    let schema = Arc::new(Schema::builtin());
    paths
        .iter()
        .map(|path| Capture::read(path, &schema))
        .collect()
}

/// Where the frames of a pcap file are.
fn places(file: &[u8]) -> Vec<(usize, u32)> {
    let little = file[0] == 0xd4;
    let mut places = Vec::new();
    let mut at = 24;
    while let Some(header) = file.get(at..at + 16) {
        let len: [u8; 4] = header[8..12].try_into().expect("four bytes");
        let len = if little {
            u32::from_le_bytes(len)
        } else {
            u32::from_be_bytes(len)
        };
        places.push((at + 16, len));
        at += 16 + len as usize;
    }
    places
}
