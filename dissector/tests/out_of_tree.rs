//! A family that the kernel does not have, described by a specification at run time:
//! its traffic reads like that of a built-in one.

mod captures;
mod netlink;

use captures::OwnedFrame;
use netlink::{LITTLE, attribute, nlmon};
use nlscope_dissector::export::{self, Options};
use nlscope_dissector::schema::{Schema, ynl};

/// Adds, deletes, connects and disconnects buses; version 1, no user header.
const DBUS: &str = "
name: dbus
protocol: genetlink
version: 1
definitions:
  - {name: policy, type: enum, entries: [deny, allow, ask]}
  - {name: caps, type: flags, entries: [send, receive, own]}
  - name: limits
    type: struct
    members:
      - {name: connections, type: u16}
      - {name: bytes, type: u64}
attribute-sets:
  - name: bus
    attributes:
      - {name: path, type: string}
      - {name: id, type: u32}
      - {name: policy, type: u8, enum: policy}
      - {name: caps, type: u32, enum: caps}
      - {name: peer, type: nest, nested-attributes: peer, multi-attr: true}
      - {name: limits, type: binary, struct: limits}
      - {name: address, type: binary, display-hint: ipv4-or-v6}
      - {name: private, type: flag}
      - {name: serial, type: uint}
      - {name: cookie, type: binary}
  - name: peer
    attributes:
      - {name: name, type: string}
      - {name: uid, type: s32}
operations:
  list:
    - {name: addbus, attribute-set: bus, do: {request: {attributes: [path]}}}
    - {name: delbus, attribute-set: bus, do: {request: {attributes: [id]}}}
    - {name: conbus, attribute-set: bus, do: {request: {attributes: [id, peer]}}}
    - {name: disbus, attribute-set: bus, do: {request: {attributes: [id]}}}
";

/// What the kernel gave the family as its id.
const ID: u16 = 42;

fn message(kind: u16, flags: u16, command: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
    let payload = [vec![command, 1, 0, 0], attributes.concat()].concat();
    LITTLE.message(kind, flags, &payload)
}

/// nlctrl's word that the family has its id, after the message itself.
fn capture(of: &[u8]) -> Vec<OwnedFrame> {
    let name = attribute(2, b"dbus\0");
    let told = message(16, 0, 1, &[name, attribute(1, &ID.to_le_bytes())]);
    vec![
        OwnedFrame::new(1, nlmon(16, of)),
        OwnedFrame::new(2, nlmon(16, &told)),
    ]
}

#[track_caller]
fn check(command: u8, attributes: &[Vec<u8>], name: &str, expected: &str) {
    let mut schema = Schema::builtin();
    schema.add(ynl::load(DBUS, "dbus.yaml").unwrap());
    let mut found = Vec::new();
    let frames = capture(&message(ID, 1, command, attributes));
    captures::each_message(schema, &frames, |view| {
        let mut json = Vec::new();
        export::json(&mut json, view, &Options::PLAIN).unwrap();
        found.push(serde_json::from_slice::<serde_json::Value>(&json).unwrap());
    });
    assert_eq!(found[0]["family"], "dbus");
    assert_eq!(found[0]["message"], name);
    let expected: serde_json::Value = serde_json::from_str(expected).unwrap();
    assert_eq!(found[0]["attrs"], expected);
}

#[test]
fn commands_and_values_are_read_by_name() {
    check(
        1,
        &[
            attribute(1, b"/run/bus\0"),
            attribute(3, &[1]),
            attribute(4, &5_u32.to_le_bytes()),
            attribute(7, &[10, 0, 0, 1]),
            attribute(8, &[]),
            attribute(9, &7_u64.to_le_bytes()),
            attribute(10, &[0xde, 0xad]),
        ],
        "DBUS_CMD_ADDBUS",
        r#"{"path": "/run/bus", "policy": "allow", "caps": ["own", "send"],
            "address": "10.0.0.1", "private": true, "serial": 7, "cookie": "dead"}"#,
    );
    check(
        2,
        &[attribute(2, &9_u32.to_le_bytes())],
        "DBUS_CMD_DELBUS",
        r#"{"id": 9}"#,
    );
    check(
        4,
        &[attribute(99, &[1, 2])],
        "DBUS_CMD_DISBUS",
        r#"{"99": "0102"}"#,
    );
}

#[test]
fn nests_and_structs_are_read_by_name() {
    let peer = |name: &[u8], uid: i32| {
        attribute(
            5,
            &[attribute(1, name), attribute(2, &uid.to_le_bytes())].concat(),
        )
    };
    let mut limits = vec![3, 0, 0, 0, 0, 0, 0, 0];
    limits.extend(4096_u64.to_le_bytes());
    check(
        3,
        &[peer(b"one\0", 0), peer(b"two\0", -1), attribute(6, &limits)],
        "DBUS_CMD_CONBUS",
        r#"{"peer": [{"name": "one", "uid": 0}, {"name": "two", "uid": -1}],
            "limits": {"connections": 3, "bytes": 4096}}"#,
    );
}

#[test]
fn a_table_reads_the_same_whether_built_in_or_loaded() {
    let transcript = |schema: fn() -> Schema| {
        let mut lines = Vec::new();
        for (_, frames) in captures::all().filter(|(name, _)| name.starts_with("genl-")) {
            captures::each_message(schema(), &frames, |view| {
                if view.head.family_name() == Some("nlctrl") {
                    export::json(&mut lines, view, &Options::PLAIN).unwrap();
                }
            });
        }
        lines
    };
    let loaded = transcript(|| {
        let mut schema = Schema::builtin();
        let text = include_str!("../schema/nlctrl.yaml");
        schema.add(ynl::load(text, "nlctrl.yaml").unwrap());
        schema
    });
    let built_in = transcript(Schema::builtin);
    assert!(built_in.len() > 10_000);
    assert!(loaded == built_in);
}
