//! What a line says of an interface that is made, moved or refused.

mod captures;
mod netlink;

use captures::OwnedFrame;
use netlink::{NATIVE, nlmon};
use nlscope_dissector::export::{self, Options};
use nlscope_dissector::schema::Schema;

const ROUTE: u16 = 0;
const NEWLINK: u16 = 16;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 1;

/// An `ifinfomsg` of nothing, and attributes.
fn link(attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 16];
    bytes.extend(attributes.concat());
    bytes
}

fn linkinfo(kind: &[u8], data: &[u8]) -> Vec<u8> {
    NATIVE.attribute(
        18,
        &[NATIVE.attribute(1, kind), NATIVE.attribute(2, data)].concat(),
    )
}

/// The summary of a message.
#[track_caller]
fn check(message: &[u8], expected: &str) {
    let frames = [OwnedFrame::new(1, nlmon(ROUTE, message))];
    let mut told = String::new();
    captures::each_message(Schema::builtin(), &frames, |view| {
        let line = export::line(view, &Options::PLAIN);
        told = line.summary.iter().map(|span| span.text.as_ref()).collect();
    });
    assert_eq!(told, expected);
}

#[track_caller]
fn check_request(attributes: &[Vec<u8>], expected: &str) {
    let request = NATIVE.message_of((7, 907), NEWLINK, REQUEST, &link(attributes));
    check(&request, expected);
}

#[test]
fn where_an_interface_goes_is_in_its_line() {
    let name = NATIVE.attribute(3, b"veB1\0");
    let number = 5_u32.to_ne_bytes();
    check_request(
        &[name.clone(), NATIVE.attribute(28, &number)],
        "veB1 to netns fd 5",
    );
    check_request(
        &[name.clone(), NATIVE.attribute(19, &number)],
        "veB1 to netns of pid 5",
    );
    check_request(&[name, NATIVE.attribute(46, &number)], "veB1 netns 5");
}

#[test]
fn what_an_interface_is_made_of_is_in_its_line() {
    let name = NATIVE.attribute(3, b"a0\0");
    let peer = NATIVE.attribute(1, &link(&[NATIVE.attribute(3, b"veB1\0")]));
    check_request(
        &[name.clone(), linkinfo(b"veth\0", &peer)],
        "a0 kind veth peer veB1",
    );
    let below = NATIVE.attribute(5, &3_u32.to_ne_bytes());
    let id = NATIVE.attribute(1, &10_u16.to_ne_bytes());
    check_request(
        &[name.clone(), below.clone(), linkinfo(b"vlan\0", &id)],
        "a0 kind vlan id 10 link 3",
    );
    let mode = NATIVE.attribute(1, &4_u32.to_ne_bytes());
    check_request(
        &[name.clone(), below, linkinfo(b"macvlan\0", &mode)],
        "a0 kind macvlan mode bridge link 3",
    );
    let vni = NATIVE.attribute(1, &42_u32.to_ne_bytes());
    check_request(&[name, linkinfo(b"vxlan\0", &vni)], "a0 kind vxlan id 42");
}

/// Also where no program is known for its port.
#[test]
fn who_caused_a_notification_comes_first() {
    let notification =
        NATIVE.message_of((7, 907), NEWLINK, 0, &link(&[NATIVE.attribute(3, b"a0\0")]));
    check(&notification, "by 907: a0");
}
