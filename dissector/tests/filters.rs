//! Filters on the captures, as people write them.

mod captures;

use std::collections::HashMap;

use nlscope_dissector::context::MessageView;
use nlscope_dissector::filter::{Filter, Verdict, complete};
use nlscope_dissector::schema::Schema;
use proptest::prelude::*;

/// How many messages of a capture pass a filter.
#[track_caller]
fn count(capture: &str, filter: &str) -> usize {
    let schema = Schema::builtin();
    let filter = match Filter::parse(filter, &schema) {
        Ok(parsed) => parsed,
        Err(error) => panic!("{}", error.render(filter)),
    };
    let mut count = 0;
    let (_, frames) = captures::all().find(|(name, _)| name == capture).unwrap();
    captures::each_message(schema, &frames, |view| {
        count += usize::from(passes(&filter, view));
    });
    count
}

/// Whether a message passes; the answer from its headers alone must not differ.
fn passes(filter: &Filter, view: &MessageView<'_>) -> bool {
    let passes = filter.matches(view);
    match filter.head(&view.head) {
        Verdict::Yes => assert!(passes),
        Verdict::No => assert!(!passes),
        Verdict::NeedsTape => {}
    }
    passes
}

#[track_caller]
fn check(capture: &str, filter: &str, expected: usize) {
    assert_eq!(count(capture, filter), expected, "{capture}: {filter}");
}

#[test]
fn what_people_ask_of_links() {
    check("rt-link-kinds", "linkinfo.kind == vlan", 5);
    check("rt-link-kinds", "linkinfo.kind in {vlan, vxlan, bond}", 28);
    check("rt-link-kinds", "rt-link.linkinfo.data.id > 1", 14);
    check(
        "rt-link-kinds",
        "rt-link.ifi-flags contains up|lower-up",
        57,
    );
    check("rt-link-kinds", "IFLA_ADDRESS == 02:00:00:00:00:01", 17);
    check("rt-link-kinds", "errno == EOPNOTSUPP", 4);
    check("rt-link-kinds", "errno == 95", 4);
    check("rt-link-kinds", "flags.dump", 4);
    check(
        "rt-link-kinds",
        "flags.request && flags.create && type == newlink",
        38,
    );
    check("rt-link-kinds", "group == RTNLGRP_LINK", 92);
    check("rt-link-kinds", "cmd == GETFAMILY && family == nlctrl", 5);
    check("rt-link-kinds", "cmd == CTRL_CMD_GETFAMILY", 5);
    check("rt-link-kinds", "protocol == generic", 12);
    check("rt-link-kinds", "protocol == NETLINK_GENERIC", 12);
    check("s390x-big-endian", "rt-link.ifname == lo", 10);
}

#[test]
fn what_people_ask_of_addresses_and_routes() {
    check("rt-addr-route", "rt-route.dst in {10.0.0.0/8}", 36);
    check("rt-addr-route", "rt-route.dst == 10.0.0.0/8", 36);
    check("rt-addr-route", "rt-route.oif == lo", 7);
    check("rt-addr-route", "rt-addr.local == 127.0.0.1", 1);
    check("rt-addr-route", "rt-addr.ifa-flags contains permanent", 44);
    check("rt-addr-route", "rt-route.rtm-type == unicast", 52);
    check("rt-addr-route", "rt-route.multipath.gateway", 4);
}

/// The name that a tree or PDML gives to a node, typed as a filter, finds the message.
#[test]
fn the_path_of_every_node_is_a_filter_that_finds_it() {
    let mut filters: HashMap<String, Filter> = HashMap::new();
    for (capture, frames) in captures::all() {
        captures::each_message(Schema::builtin(), &frames, |view| {
            let schema = view.head.context.schema();
            let message = view.node().unwrap().node();
            for at in view.mark.node + 1..message.next {
                let node = view.tape.at(view.head.frame.bytes, at).unwrap();
                let path = node.path();
                // A quoted request goes by the name of its family, and what has no
                // table at all by numbers.
                if !path.contains('.') || path.starts_with(|c: char| c.is_ascii_digit()) {
                    continue;
                }
                let filter = filters.entry(path).or_insert_with_key(|path| {
                    Filter::parse(path, schema)
                        .unwrap_or_else(|error| panic!("{capture}: {}", error.render(path)))
                });
                assert!(passes(filter, view), "{capture}: {}", node.path());
            }
        });
    }
    assert!(filters.len() > 500, "{} paths", filters.len());
}

/// Pieces that filters are made of.
const PIECES: &[&str] = &[
    "rt-link",
    ".",
    "ifname",
    "linkinfo",
    "data",
    "flags",
    "type",
    "==",
    "!=",
    "===",
    "<",
    "&",
    "&&",
    "||",
    "!",
    "(",
    ")",
    "{",
    "}",
    ",",
    "..",
    "in",
    "not",
    "contains",
    "matches",
    "\"",
    "'",
    "\\",
    "r\"",
    "lo",
    "10.0.0.0/8",
    "aa:bb",
    "0x",
    "-1",
    "1ms",
    "|",
    "=",
    " ",
    "é",
    "\u{0}",
];

/// Those pieces, and what is none.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.join(" ").replace(" . ", "."))
}

proptest! {
    #[test]
    fn any_text_is_a_filter_or_a_mistake_with_a_place(text in text(), cursor in 0_usize..80) {
        let schema = Schema::builtin();
        if let Err(error) = Filter::parse(&text, &schema) {
            prop_assert!(error.span.start <= error.span.end && error.span.end <= text.len());
            prop_assert!(text.is_char_boundary(error.span.start), "{error:?}");
            let shown = error.render(&text);
            prop_assert_eq!(shown.lines().count(), 3);
            prop_assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
        }
        let (range, offers) = complete(&text, cursor, &schema);
        prop_assert!(text.get(range).is_some());
        prop_assert!(offers.len() <= 200);
    }
}
