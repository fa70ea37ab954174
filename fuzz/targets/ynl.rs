//! Text to a specification: refused with its place, or a table that any frame can be
//! dissected with.

#![no_main]

#[path = "../../dissector/tests/shape/mod.rs"]
mod shape;

use libfuzzer_sys::fuzz_target;
use nlscope_dissector::schema::{GenlIds, Schema, ynl};
use nlscope_dissector::tape::Tape;
use nlscope_dissector::walk::{FrameShape, dissect};
use nlscope_dissector::wire::{LinkType, Order};

/// Id of the family in the frames made here.
const ID: u16 = 0x20;

fuzz_target!(|text: &str| {
    let family = match ynl::load(text, "spec.yaml") {
        Ok(family) => family,
        Err(error) => {
            // In YAML a lone carriage return ends a line too.
            let breaks = text.matches(['\n', '\r']).count();
            let lines = u64::try_from(breaks).expect("short text");
            assert!(error.line <= lines + 1, "{error}");
            assert!(!error.to_string().contains(char::is_control), "{error:?}");
            return;
        }
    };
    let mut schema = Schema::builtin();
    schema.add(family);
    let mut ids = GenlIds::fixed(&schema);
    if let Some(name) = family.genl {
        ids.learn(&schema, ID, name);
    }
    let mut tape = Tape::new();
    for message in family.messages.iter().take(32) {
        let frame = frame(family.protocol, family.genl.is_some(), message.number);
        let shape = FrameShape {
            link: LinkType::Netlink,
            wire_len: u32::try_from(frame.len()).expect("a short frame"),
            order: Order::Little,
            other_order: false,
        };
        dissect(
            &schema,
            &ids,
            &frame,
            shape,
            |_| message.direction,
            &mut tape,
        );
        shape::check(&tape, &frame);
    }
});

/// A frame with one message: attributes 1 to 8, each with the next ones inside.
fn frame(protocol: u16, generic: bool, number: u16) -> Vec<u8> {
    let mut body = Vec::new();
    for _ in 0..3 {
        let inner = body.clone();
        body.clear();
        for kind in 1..=8_u16 {
            let len = u16::try_from(inner.len()).expect("short") + 8;
            body.extend(len.to_le_bytes());
            body.extend(kind.to_le_bytes());
            body.extend([1, 0, 0, 0]);
            body.extend(&inner);
        }
    }
    let mut frame = vec![0, 4, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    frame.extend(protocol.to_be_bytes());
    frame.extend((u32::try_from(body.len()).expect("short") + 20).to_le_bytes());
    frame.extend((if generic { ID } else { number }).to_le_bytes());
    frame.extend([0; 10]);
    frame.extend([number.to_le_bytes()[0], 1, 0, 0]);
    frame.extend(body);
    frame
}
