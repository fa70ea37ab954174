//! Messages as JSON: the shapes of values, errors, notes, ranges.

use super::{attr, error, options, shown, toy};
use crate::export::{Options, json};
use crate::value::Show;

/// The text of `part` of the JSON object, after checking that each name occurs once.
#[track_caller]
fn check_json(messages: &[Vec<u8>], options: Options<'static>, part: &str, expected: &str) {
    let text = shown(messages, |view| {
        let mut out = Vec::new();
        json(&mut out, view, &options).unwrap();
        String::from_utf8(out).unwrap()
    });
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        serde_json::to_string(&value[part]).unwrap(),
        expected,
        "{text}"
    );
}

#[test]
fn values_have_the_shapes_of_ynl() {
    let request = toy(
        5,
        &[
            attr(1, b"\xffa\xe2\x80\xae\0"),
            attr(2, &[2, 0, 0, 0, 0, 1]),
            attr(4, &7_u32.to_le_bytes()),
            attr(5, &[80, 0]),
            attr(
                6,
                &[attr(1, &attr(1, &[4, 0])), attr(9, &attr(1, &[5, 0]))].concat(),
            ),
            attr(7, &attr(3, &attr(4, &attr(1, &[6, 0])))),
            attr(8, &[1, 0, 2, 0]),
            attr(9, &[1, 0, 0, 0, 3, 0, 0, 0]),
            attr(10, &[]),
            attr(12, &u64::MAX.to_le_bytes()),
            attr(13, &[7, 0, 9, 0]),
            attr(77, &[0xab]),
            attr(1, b"twice\0"),
        ],
    );
    check_json(
        &[request],
        options(),
        "attrs",
        "{\"77\":\"ab\",\"address\":\"02:00:00:00:00:01\",\"big\":18446744073709551615,\
         \"bits\":{\"selector\":[\"loud\",\"up\"],\"value\":[\"up\"]},\"family\":2,\
         \"flags\":[\"loud\",\"up\",4],\"ids\":[1,2],\"index\":3,\"kind\":\"ether\",\
         \"label\":{\"high\":9,\"low\":7},\
         \"list\":[{\"1\":{\"id\":4}},{\"9\":{\"id\":5}}],\"name\":[\"\\\\xffa\u{202e}\",\"twice\"],\
         \"on\":true,\"policy\":{\"attr-id\":4,\"id\":6,\"policy-id\":3},\"port\":[80]}",
    );
}

#[test]
fn json_is_safe_to_print() {
    let request = toy(5, &[attr(1, "a\u{202e}\u{9b}\u{e0001}\x7f\n\"".as_bytes())]);
    let text = shown(&[request], |view| {
        let mut out = Vec::new();
        json(&mut out, view, &options()).unwrap();
        String::from_utf8(out).unwrap()
    });
    let (_, name) = text.split_once("\"name\":").unwrap();
    let (name, _) = name.split_once('}').unwrap();
    assert_eq!(name, "\"a\\u202e\\u009b\\udb40\\udc01\\u007f\\n\\\"\"");
}

#[test]
fn json_numbers_instead_of_names() {
    let request = toy(5, &[attr(4, &3_u32.to_le_bytes())]);
    let numeric = Options {
        show: Show {
            numeric: true,
            ..Show::PLAIN
        },
        ..options()
    };
    let messages = [request];
    check_json(
        &messages,
        numeric,
        "attrs",
        "{\"family\":2,\"flags\":3,\"index\":3,\"kind\":1}",
    );
    check_json(&messages, numeric, "flags", "5");
}

#[test]
fn an_error_in_json_says_all_of_it() {
    let request = toy(5, &[attr(3, &attr(1, b"x\0"))]);
    let answer = error(
        19,
        &request,
        &[attr(1, b"no\0"), attr(2, &28_u32.to_le_bytes())],
    );
    let messages = [request, answer];
    check_json(&messages, options(), "errno", "\"ENODEV\"");
    check_json(&messages, options(), "request", "1");
    check_json(&messages, options(), "attrs", "{}");
    check_json(
        &messages,
        options(),
        "ext-ack",
        "{\"at\":\"toy.info.kind\",\"msg\":\"no\",\"offs\":28}",
    );
    check_json(
        &messages,
        options(),
        "quoted",
        "{\"attrs\":{\"family\":2,\"index\":3,\"info\":{\"kind\":\"x\"},\"kind\":\"ether\"},\
         \"flags\":[\"request\",\"ack\"],\"len\":36,\"message\":\"RTM_NEWTOY\",\"pid\":99,\
         \"seq\":7,\"type\":16}",
    );
}

#[test]
fn ranges_name_every_node() {
    let request = toy(5, &[attr(3, &attr(1, b"x\0")), attr(77, &[1])]);
    let ranges = Options {
        ranges: true,
        ..options()
    };
    let text = shown(&[request], |view| {
        let mut out = Vec::new();
        json(&mut out, view, &ranges).unwrap();
        String::from_utf8(out).unwrap()
    });
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let ranges = value["ranges"].as_array().unwrap();
    let lines: Vec<_> = ranges
        .iter()
        .map(|it| format!("{} {}", it["at"].as_str().unwrap(), it["range"]))
        .collect();
    assert_eq!(
        lines.join("\n"),
        "toy [16,60]\n\
         nlmsghdr [16,32]\n\
         nlmsghdr.len [16,20]\n\
         nlmsghdr.type [20,22]\n\
         nlmsghdr.flags [22,24]\n\
         nlmsghdr.seq [24,28]\n\
         nlmsghdr.pid [28,32]\n\
         toy [32,40]\n\
         toy.family [32,33]\n\
         nlscope.padding [33,34]\n\
         toy.kind [34,36]\n\
         toy.index [36,40]\n\
         toy.info [40,52]\n\
         toy.info.kind [44,50]\n\
         nlscope.padding [50,52]\n\
         toy.77 [52,57]\n\
         nlscope.padding [57,60]"
    );
}

#[test]
fn notes_name_their_node() {
    let request = toy(5, &[attr(3, &[attr(1, b"x\0"), vec![9, 0, 1, 0]].concat())]);
    check_json(
        &[request],
        options(),
        "notes",
        "[{\"at\":\"nlscope.unknown\",\"severity\":\"error\",\
         \"text\":\"nla_len is 9, 4 bytes are left here\"}]",
    );
}
