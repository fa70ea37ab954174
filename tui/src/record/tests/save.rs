//! Saving what is shown.

use std::sync::Arc;

use nlscope_dissector::capture::{FrameAt, Time};
use nlscope_dissector::context::Context;
use nlscope_dissector::schema::Schema;
use nlscope_dissector::wire::LinkType;

use super::*;
use crate::app::Messages;
use crate::netlink::NATIVE;
use crate::source::{FrameEntry, Segment};

/// One frame after the other, each of an interface of its own: link type, network namespace,
/// bytes.
fn messages(namespaces: &[&str], frames: &[(LinkType, u32, Vec<u8>)]) -> Messages {
    let context = Context::new(Arc::new(Schema::builtin()));
    let mut messages = Messages::new(context, None);
    for name in namespaces {
        messages.add_netns((*name).to_owned());
    }
    for (number, (link, netns, bytes)) in (0..).zip(frames) {
        let len = u32::try_from(bytes.len()).unwrap();
        let frame = FrameAt {
            number: number + 1,
            time: Some(Time(i64::from(number))),
            link: *link,
            interface: number,
            wire_len: len + 7,
            offset: 0,
            len,
            netns: *netns,
            group: None,
            process: None,
        };
        messages.add_segment(Segment::new(bytes.clone()));
        messages.add_frames(&[FrameEntry {
            frame,
            segment: number,
            start: 0,
            own: false,
        }]);
    }
    while messages.feed_next().is_some() {}
    messages
}

#[test]
fn what_was_captured_on_any_device_is_saved_as_of_nlmon() {
    let message = NATIVE.message(18, 0x301, &[0; 16]);
    // SLL2: protocol, reserved, interface, ARPHRD_NETLINK, type, length, address.
    let mut sll2 = vec![0, 0, 0, 0, 0, 0, 0, 5, 3, 0x38, 4, 0];
    sll2.extend([0; 8]);
    sll2.extend(&message);
    let nlmon = crate::netlink::nlmon(0, &message);
    let messages = messages(
        &["blue"],
        &[
            (LinkType::Sll2, 0, sll2),
            (LinkType::Netlink, 1, nlmon.clone()),
        ],
    );
    let folder = Folder::new();
    let path = folder.file("a.pcapng");
    assert_eq!(save(&messages, &[0, 1], &[], &path, None).unwrap(), 2);
    let capture = read(&path);
    for packet in &capture.packets {
        assert_eq!(packet.bytes, nlmon);
        assert_eq!(packet.wire_len as usize, nlmon.len() + 7);
    }
    let names = capture
        .interfaces
        .iter()
        .map(|(_, _, options)| &options[0].1);
    let names: Vec<_> = names.collect();
    assert_eq!(names, [b"interface 0".as_slice(), b"interface 1@blue"]);
}
