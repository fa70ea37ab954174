//! The exports on one small family, through the walker and the context. The family and its
//! messages are what all subjects use.

mod coverage;
mod json;
mod line;
mod pdml;
mod refused;
mod secrets;
mod tree;

use std::sync::Arc;

use super::*;
use crate::capture::{Frame, Origin};
use crate::context::{Context, MessageView, RequestView};
use crate::netlink::{LITTLE, attribute as attr, nlmon};
use crate::schema::{
    AttributeSet, Attributes, Enum, EnumEntry, Family, Field, FieldOrder, FlagsAs, Format,
    FormatKey, Formats, Hint, Len, Member, Message, Schema, Selector, Struct, SummaryEntry, Type,
    ValueNames,
};
use crate::tape::Tape;
use crate::wire::LinkType;

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

fn nlmsg(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    LITTLE.message_of((7, 99), kind, flags, payload)
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
        .map(|message| nlmon(protocol, message))
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
