//! Records of the audit subsystem and events of kernel objects, and texts that only begin
//! like one.

use super::super::tests::{same, shown};
use crate::netlink::LITTLE;
use crate::wire::{Order, protocol};

const NETLINK_AUDIT: u16 = 9;
const AUDIT_SYSCALL: u16 = 1300;
const AUDIT_EXECVE: u16 = 1309;
const AUDIT_USER_LOGIN: u16 = 1112;

/// What the text of an audit message reads as, without what only separates.
#[track_caller]
fn check_record(kind: u16, text: &str, expected: &str) {
    let message = LITTLE.message(kind, 0, text.as_bytes());
    let found = shown(Order::Little, NETLINK_AUDIT, &message);
    let below = found
        .lines()
        .skip_while(|line| line.trim() != "record")
        .skip(1);
    let below = below.filter(|line| !line.trim_start().starts_with("separator"));
    same(&below.collect::<Vec<_>>().join("\n"), expected);
}

#[test]
fn a_record_is_its_stamp_and_pairs() {
    check_record(
        AUDIT_SYSCALL,
        "audit(1700000000.123:42): arch=c000003e success=no exit=-13 comm=\"cat\" key=(null)\0",
        "
        time 1700000000.123
        serial 42
        arch c000003e
        success no
        exit -13
        comm cat
        key (null)
        padding 00",
    );
}

#[test]
fn what_is_quoted_has_pairs_inside_and_spaces_and_signs() {
    check_record(
        AUDIT_USER_LOGIN,
        "audit(1.000:7): pid=1 msg='op=login acct=\"a b=c\" res=success'",
        "
        time 1.000
        serial 7
        pid 1
        msg
          op login
          acct a b=c
          res success",
    );
}

#[test]
fn text_in_hexadecimal_digits_is_decoded_and_numbers_are_not() {
    check_record(
        AUDIT_SYSCALL,
        "pid=4142 exe=2F62696E2F6120 saddr=020000500A000001 name=deadbeef",
        "
        pid 4142
        exe /bin/a\x20
        saddr 10.0.0.1:80
        name deadbeef",
    );
}

#[test]
fn arguments_are_fields_of_one_name_and_unknown_keys_stay() {
    check_record(
        AUDIT_EXECVE,
        "argc=2 a0=\"ls\" a1[0]=2D6C odd_key=1 and words here=2",
        "
        argc 2
        argument ls
        argument -l
        other odd_key=1
        words and words
        other here=2",
    );
}

#[test]
fn what_only_begins_like_a_record_is_words() {
    check_record(
        AUDIT_SYSCALL,
        "audit(1.2 = no msg='pid=1",
        "
        words audit(1.2 = no
        msg
          pid 1",
    );
    check_record(AUDIT_SYSCALL, "=", "words =");
}

#[test]
fn an_event_has_no_header() {
    let event = b"add@/devices/x\0ACTION=add\0SUBSYSTEM=net\0PCI_ID=8086:1\0WHAT=EVER\0loose\0";
    let text = shown(Order::Little, protocol::KOBJECT_UEVENT, event);
    same(
        &text.replace("\n      separator 00", ""),
        "
        message
          uevent
            event
              header add@/devices/x
              action add
              subsystem net
              pci-id 8086:1
              other WHAT=EVER
              other loose",
    );
}

#[test]
fn what_only_separates_is_no_field() {
    same(
        &shown(Order::Little, protocol::KOBJECT_UEVENT, b"\0\0ACTION=add"),
        "
        message
          uevent
            event
              separator 0000
              action add",
    );
}

#[test]
fn an_event_from_udev_begins_with_its_own_header() {
    let mut event = b"libudev\0".to_vec();
    event.extend(0xfeed_cafe_u32.to_be_bytes());
    event.extend([40, 0, 0, 0, 40, 0, 0, 0, 11, 0, 0, 0]);
    event.extend([0; 16]);
    event.extend(b"ACTION=add\0");
    let text = shown(Order::Little, protocol::KOBJECT_UEVENT, &event);
    assert!(text.contains("magic 0xfeedcafe"), "{text}");
    assert!(text.contains("action add"), "{text}");
}
