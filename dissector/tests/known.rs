//! What the tables claim to know, they know: no byte of these families' messages in the
//! captures is left without a name.

mod captures;

use std::sync::Arc;

use nlscope_dissector::capture::Frame;
use nlscope_dissector::context::Context;
use nlscope_dissector::schema::{Schema, base};
use nlscope_dissector::tape::Tape;

/// Families that are complete.
const COMPLETE: &[&str] = &[
    "nlctrl",
    "rt-link",
    "rt-addr",
    "rt-route",
    "rt-neigh",
    "rt-rule",
    "rt-nexthop",
];

#[test]
fn every_byte_of_a_complete_family_has_a_name() {
    let schema = Arc::new(Schema::builtin());
    let mut unnamed = Vec::new();
    for (name, link, frames) in captures::all().filter(|(name, ..)| name != "malformed") {
        let mut context = Context::new(Arc::clone(&schema));
        let mut tape = Tape::new();
        for (number, bytes) in (1..).zip(&frames) {
            let frame = Frame {
                number,
                time: None,
                link,
                interface: 0,
                wire_len: u32::try_from(bytes.len()).unwrap(),
                offset: 0,
                bytes,
            };
            let mut records = Vec::new();
            context.feed(&frame, &mut records, &mut Vec::new());
            context.dissect(&frame, &records, &mut tape);
            for leaf in tape.leaves() {
                let node = tape.at(bytes, leaf.node).unwrap();
                let family = tape.message_of(leaf.node).and_then(|mark| mark.family);
                let complete = family.is_some_and(|family| COMPLETE.contains(&family.name));
                let nameless = [&raw const base::UNKNOWN, &raw const base::UNKNOWN_ATTRIBUTE]
                    .contains(&std::ptr::from_ref(node.field()));
                if complete && nameless {
                    let parent = node.parent().unwrap().path();
                    unnamed.push(format!(
                        "{name}, frame {number}: {parent}: {:?}",
                        node.number()
                    ));
                }
            }
        }
    }
    assert!(
        unnamed.is_empty(),
        "{} leaves:\n{}",
        unnamed.len(),
        unnamed.join("\n")
    );
}
