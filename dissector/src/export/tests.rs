//! The exports on one small family, through the walker and the context.

use std::cell::Cell;
use std::sync::Arc;

use super::*;
use crate::capture::{Frame, Origin};
use crate::context::{Context, MessageView, RequestView};
use crate::schema::{
    AttributeSet, Attributes, Enum, EnumEntry, Family, Field, FieldOrder, FlagsAs, Format,
    FormatKey, Formats, Hint, Len, Member, Message, Schema, Selector, Struct, SummaryEntry, Type,
    ValueNames,
};
use crate::tape::Tape;
use crate::wire::{LinkType, protocol};

const fn field(name: &'static str, uapi: &'static str, number: u16, ty: Type) -> Field {
    Field {
        name,
        uapi,
        number,
        ty,
        order: FieldOrder::Host,
        hint: Hint::None,
        names: None,
        multi: false,
        secret: false,
    }
}

const fn hinted(mut field: Field, hint: Hint) -> Field {
    field.hint = hint;
    field
}

const fn named(mut field: Field, of: &'static Enum) -> Field {
    field.names = Some(ValueNames {
        of,
        as_flags: of.flags,
        in_json: true,
    });
    field
}

const fn multi(mut field: Field) -> Field {
    field.multi = true;
    field
}

const fn secret(mut field: Field) -> Field {
    field.secret = true;
    field
}

const fn int(bytes: u8) -> Type {
    Type::Int {
        bytes,
        signed: false,
    }
}

const fn entry(name: &'static str, uapi: &'static str, value: u64) -> EnumEntry {
    EnumEntry { name, uapi, value }
}

static KIND: Enum = Enum {
    name: "toy-kind",
    flags: false,
    entries: &[entry("ether", "TOY_ETHER", 1)],
};
static FLAGS: Enum = Enum {
    name: "toy-flags",
    flags: true,
    entries: &[entry("up", "TOY_UP", 0), entry("loud", "TOY_LOUD", 1)],
};
static HEADER: Struct = Struct {
    name: "toymsg",
    summary: &[],
    size: 8,
    may_end: false,
    members: &[
        Member {
            field: field("family", "toy_family", 0, int(1)),
            offset: 0,
            len: Len::Bytes(1),
        },
        Member {
            field: named(field("kind", "toy_kind", 0, int(2)), &KIND),
            offset: 2,
            len: Len::Bytes(2),
        },
        Member {
            field: hinted(field("index", "toy_index", 0, int(4)), Hint::Ifindex),
            offset: 4,
            len: Len::Bytes(4),
        },
    ],
    field: Field::of_struct("toymsg"),
};
static ID: Field = field("id", "TOY_DATA_ID", 1, int(2));
static DATA: AttributeSet = AttributeSet {
    name: "data-attrs",
    any_number: false,
    own_flags: 0,
    summary: &[],
    attributes: Attributes::new(&[field("id", "TOY_DATA_ID", 1, int(2))]),
};
static FORMATS: Formats = Formats::new(&[Format {
    when: FormatKey::Name("vlan"),
    header: None,
    set: Some(&DATA),
}]);
static INFO: AttributeSet = AttributeSet {
    name: "info-attrs",
    any_number: false,
    own_flags: 0,
    summary: &[],
    attributes: Attributes::new(&[
        field("kind", "TOY_INFO_KIND", 1, Type::String),
        field(
            "data",
            "TOY_INFO_DATA",
            2,
            Type::SubMessage {
                formats: &FORMATS,
                variants: &[],
                selector: Selector::Fields(&["kind"]),
            },
        ),
    ]),
};
static ENTRY: Field = field("entry", "entry", 0, NEST_DATA);
const NEST_DATA: Type = Type::Nest {
    header: None,
    set: &DATA,
};
static LABEL: Struct = Struct {
    name: "toylabel",
    summary: &[],
    size: 4,
    may_end: false,
    members: &[Member {
        field: field(
            "word",
            "word",
            0,
            Type::BitUnit {
                bytes: 4,
                parts: &[bits("low", 0), bits("high", 16)],
            },
        ),
        offset: 0,
        len: Len::Bytes(4),
    }],
    field: Field::of_struct("toylabel"),
};
const fn bits(name: &'static str, shift: u8) -> Field {
    let ty = Type::Bits {
        little: Some(shift),
        big: Some(shift),
        width: 16,
    };
    field(name, name, 0, ty)
}
const HALF: Field = secret(field("half", "TOY_HALF", 0, int(2)));
static HALF_KEY: Field = HALF;
static TOY: AttributeSet = AttributeSet {
    name: "toy-attrs",
    any_number: false,
    own_flags: 0,
    summary: &[],
    attributes: Attributes::new(&[
        field("name", "TOY_NAME", 1, Type::String),
        hinted(field("address", "TOY_ADDRESS", 2, Type::Binary), Hint::Mac),
        field(
            "info",
            "TOY_INFO",
            3,
            Type::Nest {
                header: None,
                set: &INFO,
            },
        ),
        named(field("flags", "TOY_FLAGS", 4, int(4)), &FLAGS),
        multi(field("port", "TOY_PORT", 5, int(2))),
        field("list", "TOY_LIST", 6, Type::Indexed { element: &ENTRY }),
        field(
            "policy",
            "TOY_POLICY",
            7,
            Type::TypeValue {
                levels: &[
                    field("policy-id", "policy-id", 0, int(2)),
                    field("attr-id", "attr-id", 0, int(2)),
                ],
                set: &DATA,
            },
        ),
        field(
            "ids",
            "TOY_IDS",
            8,
            Type::Array {
                element: &ID,
                stride: 2,
                named: &[],
            },
        ),
        named(field("bits", "TOY_BITS", 9, Type::Bitfield32), &FLAGS),
        field("on", "TOY_ON", 10, Type::Flag),
        secret(field("key", "TOY_KEY", 11, Type::Binary)),
        field("big", "TOY_BIG", 12, int(8)),
        field("label", "TOY_LABEL", 13, Type::Struct(&LABEL)),
        secret(field("keys", "TOY_KEYS", 14, NEST_DATA)),
        secret(field(
            "halves",
            "TOY_HALVES",
            15,
            Type::Array {
                element: &HALF_KEY,
                stride: 2,
                named: &[HALF, HALF],
            },
        )),
    ]),
};
static SUMMARY: &[SummaryEntry] = &[
    SummaryEntry {
        label: "",
        joined: false,
        paths: &[&["label"], &["name"]],
    },
    SummaryEntry {
        label: "#",
        joined: true,
        paths: &[&["index"]],
    },
    SummaryEntry {
        label: "kind",
        joined: false,
        paths: &[&["info", "kind"]],
    },
    SummaryEntry {
        label: "port",
        joined: false,
        paths: &[&["port"]],
    },
    SummaryEntry {
        label: "list",
        joined: false,
        paths: &[&["list", "id"]],
    },
    SummaryEntry {
        label: "",
        joined: false,
        paths: &[&["on"]],
    },
    SummaryEntry {
        label: "key",
        joined: false,
        paths: &[&["key"]],
    },
    SummaryEntry {
        label: "keys",
        joined: false,
        paths: &[&["keys", "id"]],
    },
];
const fn message(uapi: &'static str, number: u16, flags_as: FlagsAs) -> Message {
    Message {
        uapi,
        name: uapi,
        number,
        direction: None,
        when_family: &[],
        flags_as,
        echoes_request: false,
        bare_dump: false,
        header: Some(&HEADER),
        attributes: Some(&TOY),
        groups: &[],
        summary: SUMMARY,
    }
}
static FAMILY: Family = Family {
    name: "toy",
    protocol: PROTOCOL,
    genl: None,
    messages: &[
        message("RTM_NEWTOY", NEW, FlagsAs::New),
        message("RTM_GETTOY", NEW + 2, FlagsAs::Get),
    ],
    sets: &[&TOY, &INFO, &DATA],
    structs: &[&HEADER],
    enums: &[&KIND, &FLAGS],
    groups: &[],
};
/// One that no built-in table has.
const PROTOCOL: u16 = 30;
const NEW: u16 = 16;

/// An attribute with its padding.
fn attr(number: u16, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len() + 4).unwrap();
    let mut bytes = [len.to_le_bytes(), number.to_le_bytes()].concat();
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn nlmsg(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len() + 16).unwrap();
    let mut bytes = len.to_le_bytes().to_vec();
    bytes.extend([kind.to_le_bytes(), flags.to_le_bytes()].concat());
    bytes.extend([7_u32.to_le_bytes(), 99_u32.to_le_bytes()].concat());
    bytes.extend(payload);
    bytes
}

/// A message with the header 2, 1, 3 and these attributes.
fn toy(flags: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut payload = vec![2, 0, 1, 0, 3, 0, 0, 0];
    payload.extend(attributes.concat());
    nlmsg(NEW, flags, &payload)
}

/// An error that carries the whole request, and these attributes.
fn error(errno: i32, request: &[u8], attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut payload = (-errno).to_le_bytes().to_vec();
    payload.extend(request);
    payload.extend(attributes.concat());
    nlmsg(2, 0x200, &payload)
}

/// What `show` makes of the last message, where each of `messages` is a frame.
fn shown(messages: &[Vec<u8>], show: impl Fn(&MessageView<'_>) -> String) -> String {
    shown_of(PROTOCOL, messages, show)
}

fn shown_of(
    protocol: u16,
    messages: &[Vec<u8>],
    show: impl Fn(&MessageView<'_>) -> String,
) -> String {
    let mut schema = Schema::builtin();
    schema.add(&FAMILY);
    let mut context = Context::new(Arc::new(schema));
    let bytes: Vec<Vec<u8>> = messages
        .iter()
        .map(|message| {
            let mut frame = vec![0, 4, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            frame.extend(protocol.to_be_bytes());
            frame.extend(message);
            frame
        })
        .collect();
    let frames: Vec<_> = (1_u32..)
        .zip(&bytes)
        .map(|(number, bytes)| Frame {
            number,
            time: Some(Time(
                1_700_000_000_000_000_000 + i64::from(number) * 1_500_000,
            )),
            link: LinkType::Netlink,
            interface: 0,
            wire_len: u32::try_from(bytes.len()).unwrap(),
            offset: 0,
            bytes,
            origin: Origin::default(),
        })
        .collect();
    let mut views = Vec::new();
    for frame in &frames {
        let mut records = Vec::new();
        context.feed(frame, &mut records, &mut Vec::new());
        let mut tape = Tape::new();
        context.dissect(frame, &records, &mut tape);
        views.push((records, tape));
    }
    let request = views
        .first()
        .filter(|_| views.len() > 1)
        .map(|(_, tape)| RequestView {
            frame: &bytes[0],
            tape,
            mark: tape.message(0).unwrap(),
        });
    let (records, tape) = views.last().unwrap();
    let view = MessageView {
        head: context.head(frames.last().unwrap(), &records[0]).unwrap(),
        tape,
        mark: tape.message(0).unwrap(),
        request,
    };
    show(&view)
}

fn options() -> Options<'static> {
    Options {
        first_time: Some(Time(1_700_000_000_000_000_000)),
        ..Options::PLAIN
    }
}

#[track_caller]
fn check_line(messages: &[Vec<u8>], options: Options<'static>, expected: &str) {
    let line = shown(messages, |view| {
        let mut text = String::new();
        line(view, &options).write(&mut text, options.color);
        text
    });
    assert_eq!(line, expected);
}

#[track_caller]
fn check_tree(messages: &[Vec<u8>], options: Options<'static>, expected: &str) {
    let tree = shown(messages, |view| {
        let mut text = String::new();
        for line in tree(view, &options) {
            line.write(&mut text, options.color);
            text.push('\n');
        }
        text
    });
    assert_eq!(tree, expected);
}

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
fn a_line_shows_what_the_schema_names() {
    let request = toy(
        0x405,
        &[
            attr(1, b"veth0\0"),
            attr(3, &attr(1, b"vlan\0")),
            attr(5, &[80, 0]),
            attr(5, &[81, 0]),
            attr(
                6,
                &[attr(1, &attr(1, &[4, 0])), attr(2, &attr(1, &[5, 0]))].concat(),
            ),
            attr(10, &[]),
            attr(11, b"abc"),
        ],
    );
    let redacted = Options {
        show: Show {
            redact: true,
            ..Show::PLAIN
        },
        ..options()
    };
    check_line(
        &[request],
        redacted,
        "     1    0.001500 -> toy        RTM_NEWTOY          ack,create  99                   \
         [no answer] veth0#3 kind vlan port 80 +1 list 4 +1 on key (redacted)",
    );
}

#[test]
fn an_error_shows_its_words_and_place() {
    let request = toy(5, &[attr(1, b"a\x1b[31m\0"), attr(3, &attr(1, b"x\0"))]);
    // Header 16, struct 8, name 4 + 7 + 1, info 4.
    let words = attr(1, b"no \x1b[31msuch\0");
    let answer = error(19, &request, &[words, attr(2, &40_u32.to_le_bytes())]);
    check_line(
        &[request, answer],
        options(),
        "     2    0.003000 <- toy        NLMSG_ERROR                     99                   \
         ENODEV \"no \\x1b[31msuch\" at toy.info.kind RTM_NEWTOY #1 after 1.50 ms",
    );
}

#[test]
fn a_capped_error_is_placed_in_the_request() {
    let request = toy(5, &[attr(3, &attr(1, b"x\0"))]);
    let mut answer = error(22, &request[..16], &[attr(2, &28_u32.to_le_bytes())]);
    answer[7] |= 1;
    let messages = [request, answer];
    let place = |view: &MessageView<'_>| refused(view).unwrap().path().unwrap();
    assert_eq!(shown(&messages, place), "toy.info.kind");
    assert_eq!(
        shown(&messages[1..], |view| format!(
            "{:?}",
            refused(view).unwrap().at.is_none()
        )),
        "true"
    );
}

#[test]
fn a_missing_attribute_is_named() {
    let request = toy(5, &[attr(3, &attr(1, b"x\0"))]);
    let missing = |number: u32| attr(5, &number.to_le_bytes());
    let name = |view: &MessageView<'_>| refused(view).unwrap().missing.unwrap().path();
    let at_top = error(22, &request, &[missing(1)]);
    assert_eq!(shown(&[request.clone(), at_top], name), "toy.name");
    let nest = attr(6, &24_u32.to_le_bytes());
    let in_nest = error(22, &request, &[missing(2), nest]);
    assert_eq!(shown(&[request.clone(), in_nest], name), "toy.info.data");
    let unknown = error(22, &request, &[missing(70_000)]);
    assert_eq!(shown(&[request, unknown], name), "toy.70000");
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
fn a_tree_shows_every_field_once() {
    let request = toy(
        5,
        &[
            attr(1, b"a\0"),
            attr(6, &attr(4, &attr(1, &[5]))),
            attr(7, &attr(3, &attr(4, &attr(1, &[6, 0])))),
            attr(300, &[1, 2]),
        ],
    );
    check_tree(&[request], options(), include_str!("tests/tree.txt"));
}

#[test]
fn the_refused_attribute_is_marked() {
    let request = toy(5, &[attr(1, b"a\0")]);
    let answer = error(
        19,
        &request,
        &[attr(1, b"no\0"), attr(2, &24_u32.to_le_bytes())],
    );
    let ranges = Options {
        ranges: true,
        ..options()
    };
    check_tree(
        &[request, answer],
        ranges,
        include_str!("tests/refused.txt"),
    );
}

#[test]
fn hex_masks_keys() {
    let request = toy(5, &[attr(11, b"secret"), attr(1, b"a\0")]);
    let show = |redact| {
        shown(std::slice::from_ref(&request), |view| {
            let options = Options {
                show: Show {
                    redact,
                    ..Show::PLAIN
                },
                ..options()
            };
            let lines = hex(view.tape, view.head.frame.bytes, 32..64, &options);
            lines
                .map(|line| line.to_string())
                .collect::<Vec<_>>()
                .join("\n")
        })
    };
    assert_eq!(
        show(false),
        "0020  02 00 01 00 03 00 00 00  0a 00 0b 00 73 65 63 72  ............secr\n\
         0030  65 74 00 00 06 00 01 00  61 00 00 00              et......a..."
    );
    assert_eq!(
        show(true),
        "0020  02 00 01 00 03 00 00 00  0a 00 0b 00 ** ** ** **  ................\n\
         0030  ** ** 00 00 06 00 01 00  61 00 00 00              ........a..."
    );
}

#[test]
fn what_lies_in_a_secret_is_masked() {
    let redacted = Options {
        show: Show {
            redact: true,
            ..Show::PLAIN
        },
        ..options()
    };
    let halves = toy(5, &[attr(15, b"abcde")]);
    let text = shown(std::slice::from_ref(&halves), |view| {
        let lines = hex(view.tape, view.head.frame.bytes, 40..52, &redacted);
        lines.map(|line| line.to_string()).collect()
    });
    assert_eq!(
        text,
        "0028  09 00 0f 00 ** ** ** **  ** 00 00 00              ............"
    );
    let keys = toy(5, &[attr(14, &attr(1, &[7, 0]))]);
    check_line(
        &[keys],
        redacted,
        "     1    0.001500 -> toy        RTM_NEWTOY          ack         99                   \
         [no answer] keys (redacted)",
    );
}

#[test]
fn the_header_of_a_tlv_is_big_endian_on_any_host() {
    let mut family = vec![1, 2, 0, 0, 6, 0, 1, 0, 40, 0, 0, 0, 9, 0, 2, 0];
    family.extend(b"TIPC\0\0\0\0");
    let mut asked = vec![1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
    asked.extend([0, 8, 0, 17, 1, 0, 0x10, 1]);
    let messages = [nlmsg(16, 0, &family), nlmsg(40, 1, &asked)];
    let text = shown_of(protocol::GENERIC, &messages, pdml_of);
    for header in ["tlv.len: 8", "tlv.type: 17"] {
        assert!(text.contains(header), "{text}");
    }
}

#[test]
fn what_has_no_header_is_covered_from_its_first_byte() {
    let event = b"add@/devices/x\0ACTION=add\0".to_vec();
    let len = u64::try_from(event.len()).unwrap();
    let found = Cell::new(Coverage::default());
    shown_of(protocol::KOBJECT_UEVENT, &[event], |view| {
        found.set(coverage(view));
        String::new()
    });
    let whole = Coverage {
        bytes: len,
        named: len,
    };
    assert_eq!(found.get(), whole);
}

/// Where the leaves of a PDML document lie, in the order of the document.
fn pdml_leaves(text: &str) -> Vec<(u32, u32)> {
    let number = |line: &str, name: &str| -> u32 {
        let (_, value) = line.split_once(&format!(" {name}=\"")).unwrap();
        value.split_once('"').unwrap().0.parse().unwrap()
    };
    let leaves = text
        .lines()
        .filter(|line| line.contains("<field") && line.ends_with("/>"));
    leaves
        .map(|line| (number(line, "pos"), number(line, "size")))
        .filter(|(_, size)| *size > 0)
        .collect()
}

/// The PDML of the last frame.
fn pdml(messages: &[Vec<u8>]) -> String {
    shown(messages, pdml_of)
}

fn pdml_of(view: &MessageView<'_>) -> String {
    let mut out = Vec::new();
    let head = &view.head;
    let records = [*head.record];
    pdml_packet(
        &mut out,
        head.frame,
        view.tape,
        &records,
        head.context,
        &options(),
    )
    .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn pdml_leaves_cover_the_frame_once() {
    let request = toy(
        5,
        &[
            attr(1, b"a\0"),
            attr(
                3,
                &[attr(1, b"vlan\0"), attr(2, &attr(1, &[5, 0]))].concat(),
            ),
            attr(7, &attr(3, &attr(4, &attr(1, &[6, 0])))),
            attr(10, &[]),
            attr(13, &[7, 0, 9, 0]),
            attr(300, &[1, 2]),
        ],
    );
    let mut answer = error(19, &request, &[attr(1, b"no\0"), attr(9, &[])]);
    answer.extend([1, 2, 3]);
    for messages in [vec![request.clone()], vec![request, answer]] {
        let text = pdml(&messages);
        let mut end = 0;
        for (pos, size) in pdml_leaves(&text) {
            assert_eq!(pos, end, "{text}");
            end = pos + size;
        }
        assert_eq!(end as usize, messages.last().unwrap().len() + 16, "{text}");
    }
}

#[test]
fn pdml_escapes_what_xml_cannot_say() {
    let request = toy(5, &[attr(1, "<&\"'>\u{1}\u{ffff}\\\0".as_bytes())]);
    let text = pdml(&[request]);
    let field = "    <field name=\"toy.name\" \
        showname=\"TOY_NAME: &lt;&amp;&quot;'&gt;\\x01\\u{ffff}\\\\\" size=\"11\" pos=\"44\" \
        show=\"&lt;&amp;&quot;'&gt;\\x01\\u{ffff}\\\\\" \
        value=\"3c2622273e01efbfbf5c00\"/>";
    assert!(text.contains(field.trim_start()), "{text}");
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
