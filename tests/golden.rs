//! Golden transcripts: what is shown of every capture, as tree and as JSON.
//!
//! Of each capture those messages are shown that show something new, also over the captures
//! before it: a kind of message, an attribute at a place, an errno, a note. `UPDATE=1 cargo test --test golden`
//! rewrites the files; read them before you commit them.

#[path = "../dissector/tests/captures/mod.rs"]
mod captures;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use captures::OwnedFrame;
use nlscope_dissector::context::MessageView;
use nlscope_dissector::export::{self, Options};
use nlscope_dissector::schema::Schema;
use nlscope_dissector::tape::NodeRef;
use nlscope_dissector::value::Show;
use nlscope_dissector::wire::Order;

/// A golden file is to be read by people.
const MAX_SIZE: usize = 500_000;
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden");

/// What a message shows that another might not.
fn shape(view: &MessageView<'_>) -> Vec<String> {
    let head = &view.head;
    let mut shape = vec![format!(
        "{:?} {:?} {:?} {:?} {:?}",
        head.protocol,
        head.type_name()
            .map_or_else(|| format!("{:?}", head.command()), str::to_owned),
        head.record.role,
        head.record.group.map(|seen| seen.group().unwrap().name),
        head.errno(),
    )];
    let node = view.node().unwrap();
    let end = node.node().next;
    let below = (node.index()..end).filter_map(|index| view.tape.at(head.frame.bytes, index));
    for node in below {
        shape.push(named(node));
        let notes = node
            .notes()
            .map(|note| format!("{} {:?}", named(node), note.kind));
        shape.extend(notes);
    }
    shape
}

/// The path of a node; all numbers are alike, or what has no table and long lists would
/// fill the transcripts.
fn named(node: NodeRef<'_>) -> String {
    let path = node.path();
    let alike = |name| {
        if str::parse::<u16>(name).is_ok() {
            "#"
        } else {
            name
        }
    };
    path.split('.').map(alike).collect::<Vec<_>>().join(".")
}

#[derive(Default)]
struct Transcript {
    tree: String,
    json: Vec<u8>,
}

fn transcript(frames: &[OwnedFrame], seen: &mut HashSet<(Order, String)>) -> Transcript {
    let first_time = frames.first().and_then(|frame| frame.time);
    let mut out = Transcript::default();
    captures::each_message(Schema::builtin(), frames, |view| {
        // All of it is added, so no short-circuit here.
        let new = shape(view)
            .into_iter()
            .filter(|piece| seen.insert((view.tape.order(), piece.clone())))
            .count();
        if new == 0 {
            return;
        }
        let show = Show {
            names: &view.head.context.names_at(view.head.frame),
            numeric: false,
            redact: false,
        };
        let options = Options {
            show,
            first_time,
            ..Options::PLAIN
        };
        export::line(view, &options).write(&mut out.tree, false);
        out.tree.push('\n');
        for line in export::tree(view, &options) {
            out.tree.push_str("  ");
            line.write(&mut out.tree, false);
            out.tree.push('\n');
        }
        export::json(&mut out.json, view, &options).unwrap();
    });
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
    let mut seen = HashSet::new();
    for (name, frames) in captures::all() {
        let transcript = transcript(&frames, &mut seen);
        let golden = Path::new(GOLDEN).join(name);
        check(&golden.with_extension("tree"), transcript.tree.as_bytes());
        check(&golden.with_extension("json"), &transcript.json);
    }
}
