//! What holds for every frame, whatever its bytes: dissecting comes to an end, every
//! byte lies in exactly one leaf, and the tree is a tree.

mod captures;
mod netlink;
mod shape;

use std::sync::Arc;

use netlink::{LITTLE, attribute, nlmon};
use nlscope_dissector::capture::{Frame, Origin, Time};
use nlscope_dissector::context::Context;
use nlscope_dissector::schema::Schema;
use nlscope_dissector::tape::Tape;
use nlscope_dissector::wire::LinkType;
use proptest::prelude::*;
use shape::check;

fn dissect(context: &mut Context, bytes: &[u8], link: LinkType, wire_len: u32) -> Tape {
    let frame = Frame {
        number: 1,
        time: Some(Time(0)),
        link,
        interface: 0,
        wire_len,
        offset: 0,
        bytes,
        origin: Origin::default(),
    };
    let (mut records, mut amendments, mut tape) = (Vec::new(), Vec::new(), Tape::new());
    context.feed(&frame, &mut records, &mut amendments);
    context.dissect(&frame, &records, &mut tape);
    tape
}

#[test]
fn every_frame_of_every_capture_is_tiled() {
    let schema = Arc::new(Schema::builtin());
    for (_, frames) in captures::all() {
        let mut context = Context::new(Arc::clone(&schema));
        for frame in frames {
            let tape = dissect(&mut context, &frame.bytes, frame.link, frame.wire_len);
            check(&tape, &frame.bytes);
        }
    }
}

#[test]
fn every_prefix_of_a_frame_is_tiled() {
    let schema = Arc::new(Schema::builtin());
    for (_, frames) in captures::all() {
        let mut context = Context::new(Arc::clone(&schema));
        let short = frames.iter().filter(|frame| frame.bytes.len() < 200);
        for frame in short.take(20) {
            for len in 0..frame.bytes.len() {
                let cut = &frame.bytes[..len];
                check(&dissect(&mut context, cut, frame.link, frame.wire_len), cut);
            }
        }
    }
}

#[test]
fn a_frame_of_too_many_nodes_still_has_all_its_messages() {
    // Empty attributes, four bytes each, in messages as long as they may be.
    let attributes = attribute(99, &[]).repeat(16_000);
    let message = LITTLE.message(16, 0, &[vec![0; 16], attributes].concat());
    let frame = captures::OwnedFrame::new(1, nlmon(0, &message.repeat(80)));
    let mut messages = 0;
    captures::each_message(Schema::builtin(), &[frame], |view| {
        messages += 1;
        assert_eq!(view.head.type_name(), Some("RTM_NEWLINK"));
    });
    assert_eq!(messages, 80);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_tiled(
        bytes in proptest::collection::vec(any::<u8>(), 0..600),
        link in prop_oneof![Just(LinkType::Netlink), Just(LinkType::Sll), Just(LinkType::Sll2)],
        more in 0_u32..100,
    ) {
        let mut context = Context::new(Arc::new(Schema::builtin()));
        let wire_len = u32::try_from(bytes.len()).unwrap() + more;
        check(&dissect(&mut context, &bytes, link, wire_len), &bytes);
    }

    #[test]
    fn a_real_message_with_some_bytes_changed_is_tiled(
        pick in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        thread_local! {
            static FRAMES: Vec<Vec<u8>> =
                captures::all().flat_map(|(_, frames)| frames).map(|frame| frame.bytes).collect();
        }
        let mut bytes = FRAMES.with(|frames| pick.get(frames).clone());
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let mut context = Context::new(Arc::new(Schema::builtin()));
        let wire_len = u32::try_from(bytes.len()).unwrap();
        check(&dissect(&mut context, &bytes, LinkType::Netlink, wire_len), &bytes);
    }

    #[test]
    fn attributes_nested_at_random_are_tiled(
        protocol in prop_oneof![Just(0_u16), Just(4), Just(6), Just(12), Just(16)],
        kind in 0_u16..130,
        flags in any::<u16>(),
        numbers in proptest::collection::vec(0_u16..80, 1..60),
    ) {
        // Each attribute holds the next: as deep as can be.
        let mut body = Vec::new();
        for number in numbers.iter().rev() {
            body = attribute(number | 0x8000, &body);
        }
        let message = LITTLE.message(kind, flags, &[vec![0; 16], body].concat());
        let bytes = nlmon(protocol, &message);
        let mut context = Context::new(Arc::new(Schema::builtin()));
        let wire_len = u32::try_from(bytes.len()).unwrap();
        check(&dissect(&mut context, &bytes, LinkType::Netlink, wire_len), &bytes);
    }
}
