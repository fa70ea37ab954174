//! What the tables can say beyond attributes: structs whose members count and choose, and
//! elements, in one toy message; whole, and cut or lied about.

mod captures;
mod netlink;

use std::sync::LazyLock;

use captures::OwnedFrame;
use netlink::{LITTLE, nlmon};
use nlscope_dissector::export::{self, Options};
use nlscope_dissector::filter::Filter;
use nlscope_dissector::schema::{Family, Schema, ynl};

/// Type 100 of the protocol that is left to users.
const SPEC: &str = "
name: toy
protocol: netlink-raw
protonum: 2
definitions:
  - name: toymsg
    type: struct
    packed: true
    summary: [at address, via ports, / words]
    members:
      - {name: family, type: u8}
      - {name: address, type: sub-message, len: 16, sub-message: address, selector: family}
      - {name: port-count, type: u16}
      - {name: ports, type: u16, count: port-count, byte-order: big-endian}
      - {name: word-len, type: u8}
      - {name: word, type: string, len: word-len}
      - {name: stats, type: u8, count: 3, index-enum: stats}
      - {name: extra, type: elements, nested-attributes: extra, count: rest}
  - {name: stats, type: enum, entries: [sent, lost]}
  - {name: abilities, type: enum, entries: [walk, swim, {name: fly, value: 9}]}
attribute-sets:
  - name: extra
    summary: [called ssid]
    attributes:
      - {name: ssid, type: string, value: 0}
      - {name: rate, type: u8, display-hint: bytes}
      - {name: can, type: binary, enum: abilities, enum-as-flags: true}
sub-messages:
  - name: address
    formats:
      - {value: 2, type: binary, display-hint: ipv4, len: 4}
      - {value: 10, type: binary, display-hint: ipv6}
      - {value: default, type: binary}
operations:
  list:
    - {name: say, value: 100, fixed-header: toymsg, summary: [address, extra]}
";

fn frame(body: &[u8]) -> Vec<OwnedFrame> {
    let message = LITTLE.message_of((1, 1), 100, 1, body);
    vec![OwnedFrame::new(1, nlmon(2, &message))]
}

/// An IPv4 address, two ports, a word, three numbers, two elements.
fn body() -> Vec<u8> {
    let mut body = vec![2, 10, 0, 0, 1];
    body.extend([0; 12]);
    body.extend([2, 0, 0, 80, 1, 187]);
    body.extend([3, b'a', b'b', b'c']);
    body.extend([7, 8, 9]);
    body.extend([0, 2, b'h', b'i', 1, 1, 54]);
    body
}

/// Loaded once: fields of one table are compared by address.
static TOY: LazyLock<&Family> =
    LazyLock::new(|| ynl::load(&SPEC.replace(", / words", ""), "toy.yaml").unwrap());

fn schema() -> Schema {
    let mut schema = Schema::builtin();
    schema.add(&TOY);
    schema
}

#[track_caller]
fn check(body: &[u8], expected: &str) {
    let mut tree = String::new();
    captures::each_message(schema(), &frame(body), |view| {
        for line in export::tree(view, &Options::PLAIN).skip(8) {
            line.write(&mut tree, false);
            tree.push('\n');
        }
    });
    assert_eq!(tree, expected);
}

#[test]
fn members_count_and_choose() {
    check(
        &body(),
        "    toymsg
        family: 2
        address: 10.0.0.1
        port-count: 2
        ports: [80, 443]
        word-len: 3
        word: abc
        stats
            sent: 7  TOY_STATS_SENT
            lost: 8  TOY_STATS_LOST
            [2]: 9
        extra: called hi
            ssid: hi  TOY_A_EXTRA_SSID
            rate: 54 B  TOY_A_EXTRA_RATE
",
    );
}

#[test]
fn another_family_is_another_address() {
    let mut body = body();
    body[0] = 10;
    let mut json = Vec::new();
    captures::each_message(schema(), &frame(&body), |view| {
        export::json(&mut json, view, &Options::PLAIN).unwrap();
    });
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["attrs"]["address"], "a00:1::");
    assert_eq!(json["attrs"]["ports"], serde_json::json!([80, 443]));
    assert_eq!(json["attrs"]["extra"]["rate"], 54);
}

#[test]
fn a_bitmap_is_the_names_of_what_is_set() {
    let mut body = body();
    body.truncate(body.len() - 7);
    body.extend([2, 2, 0b1000_0010, 0b10, 2, 1, 0]);
    let mut json = Vec::new();
    let mut shown = Vec::new();
    captures::each_message(schema(), &frame(&body), |view| {
        export::json(&mut json, view, &Options::PLAIN).unwrap();
        for line in export::tree(view, &Options::PLAIN) {
            let mut text = String::new();
            line.write(&mut text, false);
            shown.extend(text.trim().strip_prefix("can: ").map(ToOwned::to_owned));
        }
    });
    assert_eq!(
        shown,
        ["swim|bit 7|fly  TOY_A_EXTRA_CAN", "0  TOY_A_EXTRA_CAN"]
    );
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let both = serde_json::json!([["swim", 7, "fly"], []]);
    assert_eq!(json["attrs"]["extra"]["can"], both);
}

#[test]
fn a_number_that_lies_takes_what_is_there() {
    let mut body = body();
    body[17] = 0xff;
    body[18] = 0xff;
    check(
        &body,
        "    toymsg
        ! 131070 bytes are announced for a member, 18 are left
        family: 2
        address: 10.0.0.1
        port-count: 65535
        ports: [80, 443, 865, 25187, 1800, 2304, 616, 26881, 310]
",
    );
}

#[test]
fn an_element_longer_than_the_rest_is_bytes() {
    let mut body = body();
    let at = body.len() - 2;
    body[at] = 200;
    let mut notes = Vec::new();
    captures::each_message(schema(), &frame(&body), |view| {
        notes.extend(view.tape.notes().iter().map(|note| note.kind.to_string()));
    });
    assert_eq!(notes, ["nla_len is 202, 3 bytes are left here"]);
}

#[test]
fn a_path_of_a_part_that_leads_nowhere_is_refused() {
    let error = ynl::load(SPEC, "toy.yaml").unwrap_err().to_string();
    assert!(
        error.starts_with("toy.yaml:") && error.contains("unknown summary path \"words\""),
        "{error}"
    );
}

#[test]
fn a_filter_finds_the_value_that_was_chosen() {
    let known = schema();
    for (filter, expected) in [
        ("toy.address == 10.0.0.1", true),
        ("toy.address in {10.0.0.0/8}", true),
        ("toy.address == 10.0.0.2", false),
        ("toy.stats.lost == 8", true),
        ("toy.extra.ssid == \"hi\"", true),
        ("toy.word == \"abc\"", true),
    ] {
        let parsed = Filter::parse(filter, &known).unwrap();
        captures::each_message(schema(), &frame(&body()), |view| {
            assert_eq!(parsed.matches(view), expected, "{filter}");
        });
    }
}
