//! Golden transcripts: what is shown of every capture, as tree and as JSON.
//!
//! Of each capture those messages are shown that show something new: a kind of
//! message, an attribute at a place, an errno. `UPDATE=1 cargo test --test golden`
//! rewrites the files; read them before you commit them.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nlscope_dissector::capture::{Frame, Reader, Step};
use nlscope_dissector::context::{Context, MessageView, Record, RequestView};
use nlscope_dissector::export::{self, Options};
use nlscope_dissector::schema::Schema;
use nlscope_dissector::tape::{NodeRef, Tape};
use nlscope_dissector::value::Show;

/// A golden file is to be read by people.
const MAX_SIZE: usize = 300_000;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn captures() -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(root().join("captures"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|ext| ext == "pcap" || ext == "pcapng")
        })
        .collect();
    paths.sort();
    assert!(paths.len() >= 18, "the captures are there");
    paths
}

fn frames(file: &[u8]) -> Vec<Frame<'_>> {
    let mut reader = Reader::new();
    let mut frames = Vec::new();
    loop {
        let rest = &file[usize::try_from(reader.offset()).unwrap()..];
        match reader.next(rest, true).unwrap() {
            Step::Frame(at) => {
                let start = usize::try_from(at.offset).unwrap();
                frames.push(Frame {
                    number: at.number,
                    time: at.time,
                    link: at.link,
                    interface: at.interface,
                    wire_len: at.wire_len,
                    offset: at.offset,
                    bytes: &file[start..start + at.len as usize],
                });
            }
            Step::LeftOut(_) => {}
            Step::NeedMore(_) => panic!("the file is whole"),
            Step::End => return frames,
        }
    }
}

/// What a message shows that another might not.
fn shape(view: &MessageView<'_>) -> Vec<String> {
    let head = &view.head;
    let mut shape = vec![format!(
        "{:?} {:?} {:?} {:?} {:?}",
        head.protocol,
        head.type_name()
            .map_or_else(|| format!("{:?}", head.command()), str::to_owned),
        head.record.role,
        head.record.group.map(|seen| seen.group.name),
        head.errno(),
    )];
    let node = view.node().unwrap();
    let end = node.node().next;
    let below = (node.index()..end).filter_map(|index| view.tape.at(head.frame.bytes, index));
    shape.extend(below.map(|node: NodeRef<'_>| format!("{} {:?}", node.path(), node.number())));
    shape
}

struct Transcript {
    tree: String,
    json: Vec<u8>,
}

fn transcript(frames: &[Frame<'_>]) -> Transcript {
    let mut context = Context::new(Arc::new(Schema::builtin()));
    frames.iter().for_each(|frame| context.learn(frame));
    let (mut records, mut amendments): (Vec<Record>, Vec<_>) = (Vec::new(), Vec::new());
    for frame in frames {
        context.feed(frame, &mut records, &mut amendments);
    }
    for amendment in amendments {
        records[amendment.message.index()].amend(amendment);
    }
    let show = Show {
        names: &context,
        numeric: false,
        redact: false,
    };
    let first_time = frames.first().and_then(|frame| frame.time);
    let options = Options {
        show,
        first_time,
        ..Options::PLAIN
    };
    let (mut tape, mut request_tape) = (Tape::new(), Tape::new());
    let mut seen = HashSet::new();
    let mut out = Transcript {
        tree: String::new(),
        json: Vec::new(),
    };
    let mut rest = records.as_slice();
    for frame in frames {
        let (own, after) =
            rest.split_at(rest.partition_point(|record| record.frame == frame.number));
        rest = after;
        context.dissect(frame, own, &mut tape);
        for record in own {
            let head = context.head(frame, record).unwrap();
            let mark = tape.message(record.nth as usize).unwrap();
            let asked = record.request.map(|number| &records[number.index()]);
            let request = asked.and_then(|asked| {
                let at = frames
                    .binary_search_by_key(&asked.frame, |frame| frame.number)
                    .ok()?;
                let frame = &frames[at];
                context.dissect(frame, &[], &mut request_tape);
                let mark = request_tape.message(asked.nth as usize)?;
                Some(RequestView {
                    frame: frame.bytes,
                    tape: &request_tape,
                    mark,
                })
            });
            let view = MessageView {
                head,
                tape: &tape,
                mark,
                request,
            };
            // All of it is added, so that no short-circuit here.
            let new = shape(&view)
                .into_iter()
                .filter(|piece| seen.insert(piece.clone()))
                .count();
            if new == 0 {
                continue;
            }
            export::line(&view, &options).write(&mut out.tree, false);
            out.tree.push('\n');
            for line in export::tree(&view, &options) {
                out.tree.push_str("  ");
                line.write(&mut out.tree, false);
                out.tree.push('\n');
            }
            export::json(&mut out.json, &view, &options).unwrap();
        }
    }
    out
}

#[track_caller]
fn check(golden: &Path, found: &[u8]) {
    assert!(
        found.len() <= MAX_SIZE,
        "{}: {} bytes",
        golden.display(),
        found.len()
    );
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(golden.parent().unwrap()).unwrap();
        fs::write(golden, found).unwrap();
        return;
    }
    let expected = fs::read(golden).unwrap_or_default();
    let (expected, found) = (
        String::from_utf8(expected).unwrap(),
        std::str::from_utf8(found).unwrap(),
    );
    let differs = expected
        .lines()
        .zip(found.lines())
        .position(|(old, new)| old != new);
    let at = differs.unwrap_or_else(|| expected.lines().count().min(found.lines().count()));
    assert!(
        expected == found,
        "{} differs from line {}:\n-{}\n+{}\nUPDATE=1 rewrites it",
        golden.display(),
        at + 1,
        expected.lines().nth(at).unwrap_or("(end)"),
        found.lines().nth(at).unwrap_or("(end)"),
    );
}

#[test]
fn every_capture_reads_as_its_transcript() {
    for path in captures() {
        let file = fs::read(&path).unwrap();
        let transcript = transcript(&frames(&file));
        let name = path.file_stem().unwrap().to_str().unwrap();
        let golden = root().join("tests/golden").join(name);
        check(&golden.with_extension("tree"), transcript.tree.as_bytes());
        check(&golden.with_extension("json"), &transcript.json);
    }
}
