//! What the tables claim to know, they know: how much of the captures has a name.

mod captures;

use std::collections::BTreeMap;

use nlscope_dissector::export::{Coverage, coverage};
use nlscope_dissector::schema::{Schema, base};

/// Captures made of bytes that mean nothing.
const HOSTILE: &[&str] = &["malformed"];

/// What has no name in a capture, and why that is right.
const NAMELESS: &[(&str, &str)] = &[
    // Nothing in this capture says which family has the id 24.
    ("genl-ethtool", "generic 24"),
];

/// By family, what was counted and the places of what has no name.
#[derive(Default)]
struct Found {
    coverage: Coverage,
    nameless: Vec<String>,
}

fn found_in(frames: &[captures::OwnedFrame]) -> BTreeMap<String, Found> {
    let mut families: BTreeMap<String, Found> = BTreeMap::new();
    captures::each_message(Schema::builtin(), frames, |view| {
        let head = &view.head;
        let name = head.family_name().map_or_else(
            || format!("generic {}", head.header.kind),
            ToOwned::to_owned,
        );
        let found = families.entry(name).or_default();
        found.coverage += coverage(view);
        for index in view.extent() {
            let node = view.tape.at(head.frame.bytes, index).unwrap();
            let nameless = [&raw const base::UNKNOWN, &raw const base::UNKNOWN_ATTRIBUTE]
                .contains(&std::ptr::from_ref(node.field()));
            if nameless {
                let place = node.parent().map(|parent| parent.path());
                let (frame, number) = (head.record.frame, node.number());
                found
                    .nameless
                    .push(format!("frame {frame}: {place:?} {number:?}"));
            }
        }
    });
    families
}

#[test]
fn every_byte_of_the_captures_has_a_name() {
    let mut wrong = Vec::new();
    let mut all = Coverage::default();
    for (capture, frames) in captures::all() {
        if HOSTILE.contains(&capture.as_str()) {
            continue;
        }
        for (family, found) in found_in(&frames) {
            all += found.coverage;
            let full = found.coverage.named == found.coverage.bytes;
            if full == NAMELESS.contains(&(capture.as_str(), family.as_str())) {
                let (coverage, places) = (found.coverage, found.nameless);
                wrong.push(format!("{capture}, {family}: {coverage:?} {places:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(all.named * 1000 >= all.bytes * 995, "{all:?}");
}
