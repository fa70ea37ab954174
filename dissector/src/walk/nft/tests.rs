//! Rules and sets by hand, and what their values are taken for.

use super::NftSets;
use crate::netlink::{LITTLE, attribute, nlmon};
use crate::schema::{GenlIds, Schema};
use crate::tape::Tape;
use crate::value::Show;
use crate::walk::{FrameShape, Known, dissect};
use crate::wire::{LinkType, Order, protocol};

const NEWRULE: u16 = 0xa06;
const NEWSET: u16 = 0xa09;
const NEWSETELEM: u16 = 0xa0c;
const INET: u8 = 1;
const IPV4: u8 = 2;
const ARP: u8 = 3;

fn number(number: u16, value: u32) -> Vec<u8> {
    attribute(number, &value.to_be_bytes())
}

fn message(kind: u16, family: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
    let payload = [vec![family, 0, 0, 0], attributes.concat()].concat();
    LITTLE.message(kind, 0, &payload)
}

/// An expression with these numbers as its parameters, by attribute.
fn expression(name: &str, parameters: &[(u16, u32)]) -> Vec<u8> {
    let parameters = parameters.iter().map(|(of, value)| number(*of, *value));
    with(name, &parameters.collect::<Vec<_>>())
}

fn with(name: &str, parameters: &[Vec<u8>]) -> Vec<u8> {
    let data = attribute(2, &parameters.concat());
    attribute(1, &[attribute(1, name.as_bytes()), data].concat())
}

/// A comparison of register 1 with a value.
fn equal(value: &[u8]) -> Vec<u8> {
    let data = attribute(3, &attribute(1, value));
    with("cmp", &[number(1, 1), number(2, 0), data])
}

fn load(base: u32, offset: u32, len: u32) -> Vec<u8> {
    expression("payload", &[(1, 1), (2, base), (3, offset), (4, len)])
}

fn put(value: &[u8]) -> Vec<u8> {
    let data = attribute(2, &attribute(1, value));
    with("immediate", &[number(1, 1), data])
}

/// The values in messages of nfnetlink, as they are shown.
#[track_caller]
fn values(content: &[u8], sets: Option<&NftSets>) -> Vec<String> {
    let schema = Schema::builtin();
    let ids = GenlIds::fixed(&schema);
    let frame = nlmon(protocol::NETFILTER, content);
    let shape = FrameShape {
        link: LinkType::Netlink,
        wire_len: u32::try_from(frame.len()).unwrap(),
        order: Order::Little,
        other_order: false,
    };
    let known = Known {
        ids: &ids,
        nft_sets: sets,
    };
    let mut tape = Tape::new();
    dissect(&schema, known, &frame, shape, |_| None, &mut tape);
    let mut values = Vec::new();
    for index in 0..tape.index() {
        let node = tape.at(&frame, index).unwrap();
        if node.field().uapi == "NFTA_DATA_VALUE" && !node.has_children() {
            values.push(node.show(Show::PLAIN).to_string());
            assert_eq!(node.notes().count(), 0);
        }
    }
    values
}

#[track_caller]
fn rule(family: u8, expressions: &[Vec<u8>], expected: &[&str]) {
    let content = message(NEWRULE, family, &[attribute(4, &expressions.concat())]);
    assert_eq!(values(&content, None), expected);
}

#[test]
fn a_value_is_what_was_loaded() {
    let address = equal(&[10, 0, 0, 1]);
    rule(IPV4, &[load(1, 12, 4), address.clone()], &["10.0.0.1"]);
    rule(IPV4, &[load(1, 4, 4), address.clone()], &["167772161"]);
    rule(ARP, &[load(1, 14, 4), address], &["10.0.0.1"]);
    rule(INET, &[load(2, 2, 2), equal(&[0, 22])], &["22"]);
    rule(
        INET,
        &[load(0, 6, 6), equal(&[2, 0, 0, 0, 0, 1])],
        &["02:00:00:00:00:01"],
    );
    let meta = |key| expression("meta", &[(1, 1), (2, key)]);
    rule(INET, &[meta(6), equal(b"eth0\0\0\0\0")], &["eth0"]);
    rule(INET, &[meta(3), equal(&[0x10, 0, 0, 0])], &["0x10"]);
    rule(INET, &[meta(16), equal(&[6])], &["tcp"]);
    let state = expression("ct", &[(1, 1), (2, 0)]);
    rule(
        INET,
        &[state.clone(), equal(&[6, 0, 0, 0])],
        &["established|related"],
    );
    rule(INET, &[state, equal(&[0, 0, 0, 0])], &["0"]);
}

#[test]
fn what_is_not_known_or_does_not_fit_stays_bytes() {
    rule(IPV4, &[equal(&[10, 0, 0, 1])], &["0a000001"]);
    rule(IPV4, &[load(1, 12, 4), equal(&[10, 0, 0])], &["0a0000"]);
    let lookup = expression("lookup", &[(2, 1), (3, 1)]);
    rule(
        IPV4,
        &[load(1, 12, 4), lookup, equal(&[10, 0, 0, 1])],
        &["0a000001"],
    );
}

#[test]
fn masks_keep_what_a_value_is_and_shifts_do_not() {
    let mask = |op| {
        let mask = attribute(4, &attribute(1, &[255, 255, 128, 0]));
        with(
            "bitwise",
            &[number(1, 1), number(2, 1), number(6, op), mask],
        )
    };
    let address = equal(&[10, 0, 0, 0]);
    rule(
        IPV4,
        &[load(1, 12, 4), mask(0), address.clone()],
        &["255.255.128.0", "10.0.0.0"],
    );
    rule(
        IPV4,
        &[load(1, 12, 4), mask(2), address],
        &["255.255.128.0", "10"],
    );
}

#[test]
fn the_protocol_says_what_its_header_holds() {
    let protocol = expression("meta", &[(1, 1), (2, 16)]);
    let kind = [load(2, 0, 1), equal(&[8])].concat();
    rule(
        INET,
        &[protocol.clone(), equal(&[1]), kind.clone()],
        &["icmp", "echo-request"],
    );
    rule(INET, &[protocol.clone(), equal(&[6]), kind], &["tcp", "8"]);
    let kind = [load(2, 0, 1), equal(&[135])].concat();
    rule(
        INET,
        &[protocol, equal(&[58]), kind],
        &["icmpv6", "nd-neighbor-solicit"],
    );
}

#[test]
fn what_is_put_into_a_register_is_what_it_is_used_for() {
    let nat = |address| expression("nat", &[(1, 1), (2, 2), (address, 1)]);
    rule(IPV4, &[put(&[10, 0, 0, 5]), nat(3)], &["10.0.0.5"]);
    rule(IPV4, &[put(&[0x1f, 0x90]), nat(5)], &["8080"]);
    let mark = expression("meta", &[(2, 3), (3, 1)]);
    rule(IPV4, &[put(&[5, 0, 0, 0]), mark.clone()], &["0x5"]);
    rule(
        IPV4,
        &[put(&[5, 0, 0, 0]), put(&[6, 0, 0, 0]), mark],
        &["05000000", "0x6"],
    );
}

#[test]
fn what_is_loaded_inside_a_tunnel() {
    let payload = [number(1, 1), number(2, 1), number(3, 12), number(4, 4)];
    let inside = [attribute(1, b"payload"), attribute(2, &payload.concat())];
    let inner = with("inner", &[number(2, 1), attribute(5, &inside.concat())]);
    rule(IPV4, &[inner, equal(&[10, 0, 0, 1])], &["10.0.0.1"]);
}

#[test]
fn expressions_past_the_bound_are_left_alone() {
    let mut expressions = vec![load(1, 12, 4); super::MAX_EXPRESSIONS + 1];
    expressions.push(equal(&[10, 0, 0, 1]));
    rule(IPV4, &expressions, &["0a000001"]);
}

#[test]
fn all_values_of_an_expression_are_of_one_kind() {
    let mut list = load(2, 2, 2).repeat(super::MAX_EXPRESSIONS - 1);
    list.extend(load(1, 12, 4));
    let data = attribute(3, &attribute(1, &[10, 0, 0, 1])).repeat(3);
    list.extend(with("cmp", &[number(1, 1), number(2, 0), data]));
    let addresses = message(NEWRULE, IPV4, &[attribute(4, &list)]);
    // The expression of the next rule is none of them, and has a kind of its own.
    let ports = [load(2, 2, 2), equal(&[0, 22])].concat();
    let ports = message(NEWRULE, IPV4, &[attribute(4, &ports)]);
    assert_eq!(
        values(&[addresses, ports].concat(), None),
        ["10.0.0.1", "10.0.0.1", "10.0.0.1", "22"]
    );
}

fn set(name: &str, id: u32, key: u32) -> Vec<u8> {
    let attributes = [
        attribute(1, b"t\0"),
        attribute(2, name.as_bytes()),
        number(4, key),
        number(10, id),
    ];
    message(NEWSET, IPV4, &attributes)
}

fn elements(name: &str, id: Option<u32>, keys: &[&[u8]]) -> Vec<u8> {
    let keys = keys.iter().zip(1..).map(|(key, nth)| {
        let key = attribute(1, &attribute(1, key));
        attribute(nth, &key)
    });
    let keys: Vec<_> = keys.collect();
    let mut attributes = vec![attribute(1, b"t\0"), attribute(2, name.as_bytes())];
    attributes.extend(id.map(|id| number(4, id)));
    attributes.push(attribute(3, &keys.concat()));
    message(NEWSETELEM, IPV4, &attributes)
}

#[test]
fn names_are_told_apart_as_far_as_they_may_reach() {
    let found = |declared: &str, listed: &str| {
        let key: &[u8] = &[10, 0, 0, 1];
        let content = [set(declared, 1, 7), elements(listed, None, &[key, key])];
        values(&content.concat(), None)
    };
    let longest = "x".repeat(super::MAX_NAME - 1);
    let (one, other) = (format!("{longest}y"), format!("{longest}z"));
    assert_eq!(found(&one, &one), ["10.0.0.1", "10.0.0.1"]);
    assert_eq!(found(&one, &other), ["0a000001", "0a000001"]);
    // The kernel takes no such names.
    let endless = "x".repeat(65_000);
    assert_eq!(found(&endless, &endless), ["10.0.0.1", "10.0.0.1"]);
}

#[test]
fn keys_are_what_the_set_before_them_says() {
    let content = [
        set("a", 1, 7),
        set("__set%d", 2, 13),
        set("__set%d", 3, 19),
        elements("a", None, &[&[10, 0, 0, 1], &[10, 0, 0, 2]]),
        elements("__set%d", Some(2), &[&[0, 22]]),
        elements("__set%d", Some(3), &[&[1, 0, 0, 0]]),
        elements("b", None, &[&[10, 0, 0, 1]]),
    ];
    assert_eq!(
        values(&content.concat(), None),
        ["10.0.0.1", "10.0.0.2", "22", "0x1", "0a000001"]
    );
}

#[test]
fn a_key_may_be_several_values() {
    let key = [10, 0, 0, 1, 0, 80, 0, 0];
    let of = |key_type| [set("a", 1, key_type), elements("a", None, &[&key])].concat();
    assert_eq!(values(&of(7 << 6 | 0xd), None), ["10.0.0.1", "80"]);
    assert_eq!(values(&of(7 << 6 | 0x8), None), ["0a00000100500000"]);
    // What has no format of its own keeps its place: a packet type of DCCP.
    let key = [10, 0, 0, 1, 5, 0, 0, 0, 0, 80, 0, 0];
    let of = |key_type| [set("a", 1, key_type), elements("a", None, &[&key])].concat();
    assert_eq!(
        values(&of((7 << 6 | 16) << 6 | 0xd), None),
        ["10.0.0.1", "05", "80"]
    );
}

#[test]
fn sets_are_known_across_frames() {
    let mut sets = NftSets::default();
    let learn = |sets: &mut NftSets, message: Vec<u8>| {
        sets.learn(NEWSET, &message[16..], Order::Little);
    };
    learn(&mut sets, set("a\0", 0, 7));
    learn(&mut sets, set("__set%d", 0, 7));
    let key: &[u8] = &[10, 0, 0, 1];
    let shown = |name| values(&elements(name, None, &[key]), Some(&sets));
    assert_eq!(shown("a\0"), ["10.0.0.1"]);
    assert_eq!(shown("b\0"), ["0a000001"]);
    assert_eq!(shown("__set%d"), ["0a000001"]);
}
