//! Messages of netlink itself, errors and ends, and what has their numbers and is none.

use super::{PROTOCOL, check_payload, same, shown};
use crate::netlink::{LITTLE, attribute};
use crate::wire::Order;

const MULTI: u16 = 2;
const CAPPED: u16 = 0x100;
const ACK_TLVS: u16 = 0x200;

#[test]
fn an_error_quotes_the_request_or_its_header() {
    let request = LITTLE.message(16, 5, &attribute(16, &[5, 0, 0, 0]));
    let tlvs = attribute(1, b"no\0");
    let errno = (-19_i32).to_le_bytes();
    let error = |flags, parts: &[&[u8]]| {
        let content = LITTLE.message(2, flags, &[&[&errno[..]], parts].concat().concat());
        // The header of the quoted request is looked at elsewhere.
        let found = shown(Order::Little, PROTOCOL, &content);
        found
            .lines()
            .filter(|line| !line.contains("nlmsg"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    same(&error(0, &[&request]), "message\n  request\n    number 5");
    same(&error(CAPPED, &[&request[..16]]), "message\n  request");
    // Kernels before 4.3 quote the header of what they acknowledge and do not say so.
    same(&error(0, &[&request[..16]]), "message\n  request");
    same(
        &error(CAPPED | ACK_TLVS, &[&request[..16], &tlvs]),
        "message\n  request\n  msg no\n  padding 00",
    );
    same(
        &error(ACK_TLVS, &[&request, &tlvs]),
        "message\n  request\n    number 5\n  msg no\n  padding 00",
    );
    // What is left belongs to nothing where no attributes are announced.
    same(
        &error(CAPPED, &[&request]),
        "message\n  request\n  trailing 0800100005000000 ! bytes that belong to nothing",
    );
}

#[test]
fn a_quoted_request_that_was_cut_is_no_extended_acknowledgement() {
    let request = LITTLE.message(16, 5, &[attribute(16, &[5, 0, 0, 0]), vec![0; 40]].concat());
    let content = LITTLE.message(2, 0, &[&[0xed, 0xff, 0xff, 0xff], &request[..24]].concat());
    let found = shown(Order::Little, PROTOCOL, &content);
    assert!(
        found.contains("request ! nlmsg_len is 64, the frame has 24 bytes left"),
        "{found}"
    );
    assert!(found.contains("    number 5"), "{found}");
}

#[test]
fn the_end_of_a_dump_has_an_errno_and_perhaps_attributes() {
    check_payload(3, MULTI, &[0; 4], "message\n  nlmsgerr.error 0");
    check_payload(3, MULTI, &[], "message");
    check_payload(
        3,
        MULTI,
        &[0xff],
        "message\n  unknown ff ! the header needs 4 bytes, 1 are left",
    );
    check_payload(
        3,
        MULTI | ACK_TLVS,
        &[vec![0xed, 0xff, 0xff, 0xff], attribute(1, b"no\0")].concat(),
        "message\n  nlmsgerr.error ENODEV\n  msg no\n  padding 00",
    );
}

#[test]
fn nflog_ends_a_batch_with_the_header_of_its_subsystem() {
    let content = LITTLE.message(3, 0, &[2, 0, 0, 7]);
    same(
        &shown(Order::Little, 12, &content),
        "
        message
          nfgenmsg
            nfgen-family ipv4
            version 0
            res-id 7
        ",
    );
}

#[test]
fn the_connectors_one_type_is_no_end() {
    let mut payload = vec![1, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0];
    payload.extend([1, 2, 3, 4]);
    let found = shown(Order::Little, 11, &LITTLE.message(3, 0, &payload));
    assert!(
        found.contains("cn-msg") && !found.contains("nlmsgerr"),
        "{found}"
    );
}
