//! Filters against messages of a small family, from bytes to the answer.

use std::sync::Arc;

use super::*;
use crate::capture::{Frame, Origin, Time};
use crate::context::Context;
use crate::netlink::{LITTLE, attribute as attr, nlmon};
use crate::schema::{
    AttributeSet, Attributes, Enum, EnumEntry, Family, Field, FieldOrder, FlagsAs, Format,
    FormatKey, Formats, Group, Hint, Len, Member, Message, Selector, Struct, Type, ValueNames,
};
use crate::tape::Tape;
use crate::wire::LinkType;

const fn field(number: u16, name: &'static str, uapi: &'static str, ty: Type, hint: Hint) -> Field {
    Field {
        name,
        uapi,
        number,
        ty,
        order: FieldOrder::Host,
        hint,
        names: None,
        multi: false,
        secret: false,
    }
}

const fn int(bytes: u8, signed: bool) -> Type {
    Type::Int { bytes, signed }
}

const fn named(mut field: Field, of: &'static Enum) -> Field {
    field.names = Some(ValueNames {
        of,
        as_flags: of.flags,
        in_json: true,
    });
    field
}

const fn entry(name: &'static str, uapi: &'static str, value: u64) -> EnumEntry {
    EnumEntry { name, uapi, value }
}

static FLAGS: Enum = Enum {
    name: "pet-flags",
    flags: true,
    entries: &[
        entry("up", "PET_F_UP", 0),
        entry("running", "PET_F_RUNNING", 6),
        entry("no-arp", "PET_F_NOARP", 7),
    ],
};
static COLOURS: Enum = Enum {
    name: "colour",
    flags: false,
    entries: &[
        entry("black", "PET_BLACK", 1),
        entry("white", "PET_WHITE", 2),
    ],
};
static HEADER: Struct = Struct {
    name: "petmsg",
    summary: &[],
    size: 8,
    may_end: false,
    members: &[
        Member {
            field: field(0, "pet-index", "pet_index", int(4, true), Hint::Ifindex),
            offset: 0,
            len: Len::Bytes(4),
        },
        Member {
            field: named(
                field(0, "pet-flags", "pet_flags", int(4, false), Hint::None),
                &FLAGS,
            ),
            offset: 4,
            len: Len::Bytes(4),
        },
    ],
    field: Field::of_struct("petmsg"),
};
static NUMBER: Field = field(0, "number", "number", int(2, false), Hint::None);
static TOY: Field = field(0, "toy", "toy", Type::String, Hint::None);
static CAT: AttributeSet = AttributeSet {
    name: "cat-attrs",
    any_number: false,
    own_flags: 0,
    summary: &[],
    attributes: Attributes::new(&[field(1, "id", "PETA_CAT_ID", int(2, false), Hint::None)]),
};
static DOG: AttributeSet = AttributeSet {
    name: "dog-attrs",
    any_number: false,
    own_flags: 0,
    summary: &[],
    attributes: Attributes::new(&[field(1, "id", "PETA_DOG_ID", int(4, false), Hint::None)]),
};
static FORMATS: Formats = Formats::new(&[
    Format {
        when: FormatKey::Name("cat"),
        header: None,
        set: Some(&CAT),
    },
    Format {
        when: FormatKey::Name("dog"),
        header: None,
        set: Some(&DOG),
    },
]);
static KIND: AttributeSet = AttributeSet {
    name: "kind-attrs",
    any_number: false,
    own_flags: 0,
    summary: &[],
    attributes: Attributes::new(&[
        field(1, "kind", "PETA_KIND", Type::String, Hint::None),
        field(
            2,
            "details",
            "PETA_DETAILS",
            Type::SubMessage {
                formats: &FORMATS,
                variants: &[],
                selector: Selector::Fields(&["kind"]),
            },
            Hint::None,
        ),
    ]),
};
static PET: AttributeSet = AttributeSet {
    name: "pet-attrs",
    any_number: false,
    own_flags: 0,
    summary: &[],
    attributes: Attributes::new(&[
        field(1, "petname", "PETA_NAME", Type::String, Hint::None),
        field(2, "home", "PETA_HOME", Type::Binary, Hint::Ip),
        field(3, "chip", "PETA_CHIP", Type::Binary, Hint::Mac),
        field(
            4,
            "petinfo",
            "PETA_INFO",
            Type::Nest {
                header: None,
                set: &KIND,
            },
            Hint::None,
        ),
        named(
            field(5, "colour", "PETA_COLOUR", int(1, false), Hint::None),
            &COLOURS,
        ),
        field(
            6,
            "numbers",
            "PETA_NUMBERS",
            Type::Array {
                element: &NUMBER,
                stride: 2,
                named: &[],
            },
            Hint::None,
        ),
        field(
            7,
            "toys",
            "PETA_TOYS",
            Type::Indexed { element: &TOY },
            Hint::None,
        ),
        field(8, "fed", "PETA_FED", Type::Flag, Hint::None),
        field(9, "age", "PETA_AGE", int(4, false), Hint::Milliseconds),
        // Recursive, as the kernel's nests can be.
        field(
            10,
            "child",
            "PETA_CHILD",
            Type::Nest {
                header: None,
                set: &PET,
            },
            Hint::None,
        ),
        field(11, "scent", "PETA_SCENT", Type::Binary, Hint::None),
    ]),
};
static PETS: Family = Family {
    name: "pets",
    protocol: PROTOCOL,
    genl: None,
    messages: &[
        message("PETM_NEWPET", "newpet", 32, FlagsAs::New),
        message("PETM_GETPET", "getpet", 34, FlagsAs::Get),
    ],
    sets: &[&PET, &KIND, &CAT, &DOG],
    structs: &[&HEADER],
    enums: &[&FLAGS, &COLOURS],
    groups: &[Group {
        name: "PETNLGRP_PET",
        number: Some(3),
    }],
};

/// `NETLINK_USERSOCK`: no built-in table is for it.
const PROTOCOL: u16 = 2;

const fn message(uapi: &'static str, name: &'static str, number: u16, flags: FlagsAs) -> Message {
    Message {
        uapi,
        name,
        number,
        direction: None,
        when_family: &[],
        flags_as: flags,
        echoes_request: false,
        bare_dump: false,
        header: Some(&HEADER),
        attributes: Some(&PET),
        groups: &[],
        summary: &[],
    }
}

fn schema() -> Schema {
    let mut schema = Schema::builtin();
    schema.add(&PETS);
    schema
}

fn body(index: i32, flags: u32, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = index.to_le_bytes().to_vec();
    bytes.extend(flags.to_le_bytes());
    bytes.extend(attributes.concat());
    bytes
}

/// 1: a notification of a cat. 2: a dump of cats and dogs is asked for. 3: a dog is
/// made. 4: that is refused, and the error quotes the request.
fn capture() -> Vec<Vec<u8>> {
    let cat = [
        attr(1, b"Mitzi\0"),
        attr(2, &[10, 1, 2, 3]),
        attr(3, &[0xaa, 0xbb, 0xcc, 0, 0, 1]),
        attr(
            4,
            &[attr(1, b"cat\0"), attr(2, &attr(1, &7_u16.to_le_bytes()))].concat(),
        ),
        attr(5, &[1]),
        attr(6, &[1, 0, 9, 0]),
        attr(7, &[attr(1, b"ball"), attr(2, b"mouse")].concat()),
        attr(8, &[]),
        attr(9, &1500_u32.to_le_bytes()),
        attr(10, &attr(1, b"Kitty\0")),
        attr(11, b"fish\xff"),
    ];
    let dog = [
        attr(1, "Größe\0".as_bytes()),
        attr(
            4,
            &[
                attr(1, b"dog\0"),
                attr(2, &attr(1, &70_000_u32.to_le_bytes())),
            ]
            .concat(),
        ),
        attr(5, &[2]),
    ];
    let make = LITTLE.message_of((9, 77), 32, 0x605, &body(5, 0, &dog));
    let mut refused = (-19_i32).to_le_bytes().to_vec();
    refused.extend(&make);
    vec![
        LITTLE.message_of((0, 0), 32, 0, &body(4, 0x41, &cat)),
        LITTLE.message_of((8, 77), 34, 0x301, &body(0, 0, &[])),
        make,
        LITTLE.message_of((9, 77), 2, 0, &refused),
    ]
}

/// Checks that a filter passes exactly these messages of [`capture`], that its answer
/// from the headers alone never says otherwise, and that its negation passes the rest.
#[track_caller]
fn check(filter: &str, expected: &[u32]) {
    assert_eq!(passed(filter).0, expected, "{filter}");
    let rest: Vec<u32> = (1..=4).filter(|n| !expected.contains(n)).collect();
    assert_eq!(passed(&format!("!({filter})")).0, rest, "!({filter})");
}

/// What passes, and whether no message needed its tape.
#[track_caller]
fn passed(filter: &str) -> (Vec<u32>, bool) {
    let schema = Arc::new(schema());
    let filter = match Filter::parse(filter, &schema) {
        Ok(parsed) => parsed,
        Err(error) => panic!("{}", error.render(filter)),
    };
    let mut context = Context::new(Arc::clone(&schema));
    let (mut tape, mut passed, mut by_head) = (Tape::new(), Vec::new(), true);
    for (at, message) in capture().into_iter().enumerate() {
        let bytes = nlmon(PROTOCOL, &message);
        let len = u32::try_from(bytes.len()).unwrap();
        let number = u32::try_from(at).unwrap() + 1;
        let frame = Frame {
            number,
            time: Some(Time(
                1_763_655_600_000_000_000 + i64::from(number) * 2_000_000,
            )),
            link: LinkType::Netlink,
            interface: 0,
            wire_len: len,
            offset: 0,
            bytes: &bytes,
            origin: Origin::default(),
        };
        let (mut records, mut amendments) = (Vec::new(), Vec::new());
        context.learn(&frame);
        context.feed(&frame, &mut records, &mut amendments);
        context.dissect(&frame, &records, &mut tape);
        let head = context.head(&frame, &records[0]).unwrap();
        let view = MessageView {
            head,
            tape: &tape,
            mark: tape.message(0).unwrap(),
            request: None,
        };
        let matches = filter.matches(&view);
        match filter.head(&head) {
            Verdict::Yes => assert!(matches, "message {number}"),
            Verdict::No => assert!(!matches, "message {number}"),
            Verdict::NeedsTape => by_head = false,
        }
        if matches {
            passed.push(number);
        }
    }
    (passed, by_head)
}

/// Checks the message, the place and the suggestion of a mistake. The place is marked
/// by `«»` in the filter.
#[track_caller]
fn refused(marked: &str, message: &str, suggestion: Option<&str>) {
    let text = marked.replace(['«', '»'], "");
    let error = match Filter::parse(&text, &schema()) {
        Ok(parsed) => panic!("{text} was taken: {parsed:?}"),
        Err(error) => error,
    };
    let (before, rest) = marked.split_once('«').unwrap();
    let place = before.len()..before.len() + rest.split_once('»').unwrap().0.len();
    assert_eq!(error.message, message, "{text}");
    assert_eq!(error.span, place, "{text}");
    assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
}

#[test]
fn an_empty_filter_passes_all() {
    assert_eq!(passed("").0, [1, 2, 3, 4]);
    assert_eq!(passed("  \n").0, [1, 2, 3, 4]);
}

#[test]
fn names_of_every_message() {
    check("type == PETM_NEWPET", &[1, 3]);
    check("type == newpet && flags.request", &[3]);
    check("type == 34", &[2]);
    check("type >= 32", &[1, 2, 3]);
    check("type in {34, PETM_NEWPET}", &[1, 2, 3]);
    check("type == 2", &[4]);
    check("type matches \"^petm_\"", &[1, 2, 3]);
    check("protocol == 2", &[1, 2, 3, 4]);
    check("protocol != 2", &[]);
    check("seq in {1..8}", &[2]);
    check("flags == 0x301", &[2]);
    check("flags & 4", &[3]);
    check("flags & 0x300 == 0x300", &[2]);
    check("direction == to-kernel", &[2, 3]);
    check("port == 77", &[2, 3, 4]);
    check("errno", &[4]);
    check("errno == 19", &[4]);
    check("errno > 0 and errno < 20", &[4]);
    check("family == pets", &[1, 2, 3, 4]);
    check("pets", &[1, 2, 3, 4]);
    check("frame < 3", &[1, 2]);
    check("time >= 2025-11-20T16:20:00.004Z", &[2, 3, 4]);
    check("time < 1763655600.004", &[1]);
    check("latency == 2ms", &[4]);
    check("latency > 1.9ms", &[4]);
    check("cmd", &[]);
    check("process == ip", &[]);
    check("role == end", &[4]);
    check("copy", &[]);
    check("copy == false", &[1, 2, 3, 4]);
    check("group == PETNLGRP_PET", &[]);
    check("notes", &[]);
}

#[test]
fn names_of_the_schema() {
    check("pets.petname", &[1, 3, 4]);
    check("petname", &[1, 3, 4]);
    check("PETA_NAME", &[1, 3, 4]);
    check("pets.petinfo.details.id == 7", &[1]);
    check("pets.petinfo.details.id == 70000", &[3, 4]);
    check("petinfo.details.id", &[1, 3, 4]);
    check("details.id >= 7", &[1, 3, 4]);
    check("id == 7", &[1]);
    check("pets.pet-index == 5", &[3, 4]);
    check("pets.petmsg.pet-index == 5", &[3, 4]);
    check("pet-index > 0", &[1, 3, 4]);
    check("nlmsghdr.seq == 9", &[3, 4]);
    check("nlscope.unknown", &[]);
}

#[test]
fn a_path_is_verified_level_by_level() {
    check("pets.petname == Mitzi", &[1]);
    check("pets.petname == Kitty", &[]);
    check("pets.child.petname == Kitty", &[1]);
    check("child.petname == Mitzi", &[]);
    check("petname == Kitty", &[1]);
    check("pets.child.child.petname", &[]);
}

#[test]
fn every_kind_of_value() {
    check("petname == \"Gr\u{f6}\u{df}e\"", &[3, 4]);
    check("petname == Größe", &[3, 4]);
    check("petname contains itz", &[1]);
    check("petname contains ITZ", &[]);
    check("petname matches mit", &[1]);
    check("petname matches \"(?-i)mit\"", &[]);
    check(r#"petname matches "^\w{5}$""#, &[1, 3, 4]);
    check("petname in {Mitzi, \"x y\"}", &[1]);
    check("home == 10.1.2.3", &[1]);
    check("home == 10.0.0.0/8", &[1]);
    check("home in {10.1.2.0..10.1.2.4}", &[1]);
    check("home in {fe80::/10, 11.0.0.0/8}", &[]);
    check("home < 10.1.2.4", &[1]);
    check("chip == aa:bb:cc:00:00:01", &[1]);
    check("chip == AABB.CC00.0001", &[1]);
    check("chip contains bb:cc", &[1]);
    check("scent == \"fish\\xff\"", &[1]);
    check("scent == 66697368ff", &[1]);
    check("scent contains \"ish\"", &[1]);
    check("scent matches r\"(?-u)\\xff$\"", &[1]);
    check("colour == black", &[1]);
    check("colour == PET_WHITE", &[3, 4]);
    check("colour == 2", &[3, 4]);
    check("colour in {0..1}", &[1]);
    check("fed", &[1]);
    check("fed == true", &[1]);
    check("age > 1s", &[1]);
    check("age == 1500", &[1]);
    check("pet-index == -1", &[]);
    check("pet-index == eth0", &[]);
}

#[test]
fn flags_of_a_field() {
    check("pet-flags == up", &[]);
    check("pet-flags == up|running", &[1]);
    check("pet-flags contains up", &[1]);
    check("pet-flags contains up|no-arp", &[]);
    check("pet-flags & up|no-arp", &[1]);
    check("pet-flags & PET_F_UP == 1", &[1]);
    check("pet-flags & 0x80 == 0", &[1, 2, 3, 4]);
}

#[test]
fn several_occurrences() {
    check("numbers == 9", &[1]);
    check("numbers != 9", &[]);
    check("numbers != 3", &[1]);
    check("numbers === 9", &[]);
    check("numbers !== 9", &[1]);
    check("toys == mouse", &[1]);
    check("pets.toys contains all", &[1]);
    check("toys != mouse", &[]);
    check("!(toys == mouse)", &[2, 3, 4]);
    check("toys not in {mouse}", &[2, 3, 4]);
    // A field that is not there differs from nothing.
    check("colour != black", &[3, 4]);
}

#[test]
fn logic() {
    check("frame == 1 || frame == 2 && frame == 3", &[1]);
    check("(frame == 1 || frame == 2) && frame == 2", &[2]);
    check("not frame == 1 and not (frame == 2)", &[3, 4]);
    check("!!fed", &[1]);
    check("frame eq 1 or frame gt 3", &[1, 4]);
}

#[test]
fn headers_alone_are_enough_where_they_are() {
    for filter in [
        "type == newpet && frame < 3",
        "frame == 9 && petname == Mitzi",
        "frame > 0 || petname",
        "!(frame > 0 || petname)",
    ] {
        assert!(passed(filter).1, "{filter}");
    }
    assert!(!passed("frame == 1 && petname").1);
}

#[test]
fn mistakes_are_placed_and_mended() {
    refused(
        "pets.«petnme» == x",
        "`pets` has no field `petnme`",
        Some("pets.petname"),
    );
    refused("pets«.»", "a name is missing beside this dot", None);
    refused(
        "«petifno».kind",
        "no field is called `petifno`",
        Some("petinfo.kind"),
    );
    refused(
        "frame == 1 && «petnmae»",
        "no field is called `petnmae`",
        Some("petname"),
    );
    refused(
        "«protcol» == 2",
        "no field is called `protcol`",
        Some("protocol"),
    );
    refused(
        "home == «eth0»",
        "`home` is an IP address or prefix, not `eth0`",
        None,
    );
    refused(
        "home == «\"x\"»",
        "`home` is an IP address or prefix, not `x`",
        None,
    );
    refused(
        "petname == «10.0.0.1»",
        "`petname` is text, not an address",
        Some("\"10.0.0.1\""),
    );
    refused(
        "colour == «blck»",
        "no value of `colour` is called `blck`",
        Some("black"),
    );
    refused(
        "colour == «256»",
        "`256` lies outside 0..255, what `colour` can be",
        None,
    );
    refused(
        "petname «>» x",
        "only numbers, times and addresses have an order; `petname` is text",
        None,
    );
    refused(
        "home > «10.0.0.0/8»",
        "a prefix has no order; compare with an address, or with `==`",
        None,
    );
    refused(
        "«petinfo» == 1",
        "`petinfo` has fields of its own and no value",
        Some("petinfo.kind"),
    );
    refused(
        "«pets» == 1",
        "`pets` is a family, and has no value",
        Some("family == pets"),
    );
    refused(
        "fed == «false»",
        "`fed` is there or not; it is never false",
        Some("!fed"),
    );
    refused(
        "type == «PETM_NEWPE»",
        "no value of `type` is called `PETM_NEWPE`",
        Some("PETM_NEWPET"),
    );
    refused(
        "group == «pte»",
        "no value of `group` is called `pte`",
        Some("PET"),
    );
    refused("seq in {«9..1»}", "the range ends before it begins", None);
    refused(
        "latency > «soon»",
        "`latency` is a duration: 1.5ms, 20us, 2s, not `soon`",
        None,
    );
    refused(
        "pet-index «contains» 1",
        "`contains` needs text, bytes or flags; `pet-index` is a number",
        None,
    );
    refused("petname == «a|b»", "`|` joins flags only", None);
}

#[test]
fn grammar_mistakes() {
    refused("«(»frame == 1", "this parenthesis is not closed", None);
    refused("frame == 1«)»", "this parenthesis was never opened", None);
    refused(
        "frame ==«»",
        "expected a value, but the filter ends here",
        None,
    );
    refused(
        "frame == 1 &&«»",
        "expected the name of a field, but the filter ends here",
        None,
    );
    refused(
        "frame == 1 «x»",
        "expected `&&`, `||` or the end, not `x`",
        None,
    );
    refused(
        "frame «=» 1",
        "expected `&&`, `||` or the end, not `=`",
        Some("=="),
    );
    refused(
        "frame in «1»",
        "expected a set, `{a, b, 1..9}`, not `1`",
        None,
    );
    refused("frame in «{»1", "this brace is not closed", None);
    refused("frame in {1 «2»}", "expected `,` or `}`, not `2`", None);
    refused("petname == «\"x»", "this quote is not closed", None);
    refused(
        "petname == «\"\\d\"»",
        "`\\d` is no escape; write \\\\ for a backslash, or r\"...\"",
        None,
    );
    refused(
        "petname matches «\"(\"»",
        "bad regular expression: unclosed group",
        None,
    );
    refused("«==» 1", "expected the name of a field, not `==`", None);
}

#[test]
fn what_is_too_large_is_refused() {
    let parse = |text: &str| Filter::parse(text, &schema()).unwrap_err().message;
    assert_eq!(parse(&"(".repeat(70)), "nested deeper than 64 levels");
    assert_eq!(parse(&"!".repeat(60_000)), "nested deeper than 64 levels");
    assert_eq!(parse(&"fed||".repeat(5_000)), "more than 1000 comparisons");
    assert_eq!(
        parse(&" ".repeat(70_000)),
        "the filter has 70000 bytes, 65536 are the limit"
    );
    let regexes = vec!["petname matches x"; 33].join("||");
    assert_eq!(parse(&regexes), "more than 32 regular expressions");
    assert!(parse("petname matches \"(a{999}){999}\"").starts_with("bad regular expression"));
}

/// What is offered after a text, up to a few.
#[track_caller]
fn offered(text: &str, replaced: &str, expected: &[&str]) {
    let (range, offers) = complete(text, text.len(), &schema());
    assert_eq!(&text[range], replaced, "{text}");
    let found: Vec<&str> = offers.iter().map(|offer| offer.text.as_str()).collect();
    for name in expected {
        assert!(found.contains(name), "{text}: no {name} in {found:?}");
    }
    assert_eq!(found.first(), expected.first(), "{text}");
}

#[test]
fn completion() {
    offered("", "", &["protocol", "errno", "pets"]);
    offered("frame == 1 && petn", "petn", &["petname"]);
    offered("PETA_NA", "PETA_NA", &["PETA_NAME"]);
    offered(
        "pets.",
        "pets.",
        &["pets.pet-index", "pets.petname", "pets.petinfo"],
    );
    offered(
        "pets.petinfo.d",
        "pets.petinfo.d",
        &["pets.petinfo.details"],
    );
    offered(
        "pets.petinfo.details.",
        "pets.petinfo.details.",
        &["pets.petinfo.details.id"],
    );
    offered("flags.re", "flags.re", &["flags.request", "flags.replace"]);
    offered("petname ", "", &["==", "in", "matches"]);
    offered("petname ma", "ma", &["matches"]);
    offered("colour == ", "", &["black", "white"]);
    offered("colour == PET_W", "PET_W", &["PET_WHITE"]);
    offered("colour in {black, ", "", &["black", "white"]);
    offered("colour in {black ", "", &[",", "}"]);
    offered("type == PETM", "PETM", &["PETM_NEWPET", "PETM_GETPET"]);
    offered("group == PET", "PET", &["PETNLGRP_PET"]);
    offered("direction == ", "", &["to-kernel", "from-kernel"]);
    offered("fed ", "", &["&&", "||"]);
    offered("petname == x ", "", &["&&", "||"]);
    offered("petname == \"open", "", &[]);
}

#[test]
fn what_protocols_can_pass_is_known_beforehand() {
    let schema = Schema::builtin();
    for (filter, protocols) in [
        ("protocol == route", &[0][..]),
        ("protocol in {route, netfilter} && errno", &[0, 12]),
        ("rt-link.ifname == \"eth0\"", &[0]),
        ("!(protocol == route) && !(protocol == generic)", &[4, 12]),
        ("nlctrl || protocol == 4", &[4, 16]),
        ("errno || protocol == route", &[0, 4, 12, 16]),
        ("", &[0, 4, 12, 16]),
    ] {
        let parsed = Filter::parse(filter, &schema).unwrap();
        let passing: Vec<_> = [0, 4, 12, 16]
            .into_iter()
            .filter(|it| parsed.may_pass(*it))
            .collect();
        assert_eq!(passing, protocols, "{filter}");
    }
}

#[test]
fn a_filter_of_protocols_needs_no_message() {
    let schema = Schema::builtin();
    for (filter, all) in [
        ("", true),
        ("protocol == route || protocol == generic", true),
        ("!(protocol in {route, xfrm})", true),
        ("protocol == route && errno == ENODEV", false),
        ("rt-link.ifname == \"eth0\"", false),
        ("protocol == route || group == RTNLGRP_LINK", false),
    ] {
        let parsed = Filter::parse(filter, &schema).unwrap();
        assert_eq!(parsed.is_of_protocols(), all, "{filter}");
    }
}
