use std::fmt::Write as _;

use super::super::{
    AttributeSet, Direction, Family, Field, FieldOrder, FlagsAs, FormatKey, Hint, Selector, Struct,
    Type,
};
use super::{Reason, load};

fn loaded(spec: &str) -> &'static Family {
    load(spec, "spec.yaml").unwrap()
}

fn set(family: &'static Family, name: &str) -> &'static AttributeSet {
    family.sets.iter().find(|set| set.name == name).unwrap()
}

fn attribute(family: &'static Family, name: &str) -> &'static Field {
    let mut fields = family.sets.iter().flat_map(|set| set.attributes.iter());
    fields.find(|field| field.name == name).unwrap()
}

fn layout(family: &'static Family, name: &str) -> &'static Struct {
    let mut structs = family.structs.iter();
    structs.find(|layout| layout.name == name).unwrap()
}

/// A specification is refused with exactly these words.
fn refused(spec: &str, expected: &str) {
    assert_eq!(load(spec, "spec.yaml").unwrap_err().to_string(), expected);
}

/// A specification whose one set has this attribute.
fn with_attribute(attribute: &str) -> String {
    format!(
        "name: x
definitions:
  - {{name: color, type: enum, entries: [red, {{name: blue, value: 4}}, green]}}
  - {{name: bits, type: flags, name-prefix: b-, entries: [one, {{name: nine, value: 8}}]}}
  - {{name: point, type: struct, members: [{{name: x, type: u32}}, {{name: y, type: u16}}]}}
attribute-sets:
  - name: x
    attributes:
      - {{name: kind, type: string}}
      - {attribute}
sub-messages:
  - name: kinds
    formats:
      - {{value: [a, b], fixed-header: point, attribute-set: x}}
      - {{value: 7, attribute-set: x}}
      - {{value: default}}
operations:
  list:
    - {{name: get, attribute-set: x, do: {{request: {{attributes: [kind]}}}}}}
"
    )
}

const DBUS: &str = "
name: dbus
protocol: genetlink
version: 1
doc: Buses and who is on them.

definitions:
  - {name: role, type: enum, value-start: 1, entries: [listener, talker]}

attribute-sets:
  - name: bus
    name-prefix: dbus-attr-
    attributes:
      - {name: name, type: string}
      - {name: index, type: u32}
      - {name: address, type: binary, display-hint: mac}
      - {name: role, type: u8, enum: role}
      - {name: mtu, type: u16, byte-order: big-endian}
      - {name: cookie, type: u64}
      - {name: persistent, type: flag}
      - {name: peer, type: nest, nested-attributes: bus, multi-attr: true}

operations:
  name-prefix: dbus-c-
  list:
    - {name: addbus, doc: Adds one., attribute-set: bus, do: {request: {attributes: [name]}, reply: {attributes: [index]}}}
    - {name: delbus, doc: Removes one., attribute-set: bus, do: {request: {attributes: [index]}}}
    - {name: conbus, doc: Connects., attribute-set: bus, do: {request: {attributes: [index, peer]}}}
    - {name: disbus, doc: Disconnects., attribute-set: bus, do: {request: {attributes: [index, peer]}}}

mcast-groups:
  list:
    - {name: buses}
";

#[test]
fn a_family_from_outside_the_kernel_reads_as_written() {
    let dbus = loaded(DBUS);
    assert_eq!(
        (dbus.name, dbus.protocol, dbus.genl),
        ("dbus", 16, Some("dbus"))
    );
    let messages: Vec<_> = dbus
        .messages
        .iter()
        .map(|message| (message.uapi, message.number, message.direction))
        .collect();
    assert_eq!(
        messages,
        [
            ("DBUS_C_ADDBUS", 1, None),
            ("DBUS_C_DELBUS", 2, None),
            ("DBUS_C_CONBUS", 3, None),
            ("DBUS_C_DISBUS", 4, None),
        ]
    );
    assert!(dbus.messages.iter().all(|message| message.header.is_none()));
    assert_eq!(dbus.messages[1].flags_as, FlagsAs::Delete);
    assert_eq!(
        (dbus.groups[0].name, dbus.groups[0].number),
        ("dbus:buses", None)
    );
    let bus = dbus.messages[0].attributes.unwrap();
    let names: Vec<_> = bus
        .attributes
        .iter()
        .map(|field| (field.number, field.uapi))
        .collect();
    assert_eq!(names[0], (1, "DBUS_ATTR_NAME"));
    assert_eq!(names[7], (8, "DBUS_ATTR_PEER"));
    assert_eq!(bus.attribute(3).unwrap().hint, Hint::Mac);
    assert_eq!(bus.attribute(5).unwrap().order, FieldOrder::Big);
    let role = bus.attribute(4).unwrap().names.unwrap();
    assert!(role.in_json && !role.as_flags);
    assert_eq!(role.of.entry(2).unwrap().uapi, "DBUS_ROLE_TALKER");
    // The set nests itself.
    let peer = bus.attribute(8).unwrap();
    assert!(peer.multi);
    assert!(matches!(peer.ty, Type::Nest { set, header: None } if std::ptr::eq(set, bus)));
}

#[test]
fn every_type_of_attribute_is_understood() {
    let ty = |written: &str| attribute(loaded(&with_attribute(written)), "a").ty;
    let check = |written: &str, expected: fn(Type) -> bool| {
        let ty = ty(&format!("{{name: a, {written}}}"));
        assert!(expected(ty), "{written}: {ty:?}");
    };
    check("type: s64", |ty| {
        matches!(
            ty,
            Type::Int {
                bytes: 8,
                signed: true
            }
        )
    });
    check("type: uint", |ty| {
        matches!(ty, Type::VarInt { signed: false })
    });
    check("type: sint", |ty| {
        matches!(ty, Type::VarInt { signed: true })
    });
    check("type: string", |ty| matches!(ty, Type::String));
    check("type: flag", |ty| matches!(ty, Type::Flag));
    check("type: pad", |ty| matches!(ty, Type::Pad));
    check("type: unused", |ty| matches!(ty, Type::Unused));
    check("type: bitfield32", |ty| matches!(ty, Type::Bitfield32));
    check("type: binary", |ty| matches!(ty, Type::Binary));
    check(
        "type: binary, struct: point",
        |ty| matches!(ty, Type::Struct(point) if point.size == 8),
    );
    check(
        "type: binary, struct: point, array-of-struct: true",
        |ty| matches!(ty, Type::Array { element, stride: 8, .. } if matches!(element.ty, Type::Struct(_))),
    );
    check("type: binary, sub-type: s16", |ty| {
        matches!(ty, Type::Array { element, stride: 2, .. }
            if element.name == "a" && matches!(element.ty, Type::Int { bytes: 2, signed: true }))
    });
    check(
        "type: nest, nested-attributes: x, fixed-header: point",
        |ty| matches!(ty, Type::Nest { header: Some(point), set } if point.size == 8 && set.name == "x"),
    );
    check(
        "type: indexed-array, sub-type: nest, nested-attributes: x",
        |ty| matches!(ty, Type::Indexed { element } if matches!(element.ty, Type::Nest { .. })),
    );
    check(
        "type: indexed-array, sub-type: u32, byte-order: big-endian, display-hint: ipv4",
        |ty| {
            matches!(ty, Type::Indexed { element }
            if element.order == FieldOrder::Big && element.hint == Hint::Ipv4)
        },
    );
    check(
        "type: nest-type-value, type-value: [first, second], nested-attributes: x",
        |ty| {
            matches!(ty, Type::TypeValue { levels: [first, second], .. }
            if first.name == "first" && second.name == "second")
        },
    );
    check("type: binary, decoder: rtnexthop", |ty| {
        matches!(
            ty,
            Type::Custom {
                header: None,
                set: None,
                ..
            }
        )
    });
    check(
        "type: indexed-array, sub-type: sub-message, sub-message: kinds, selector: attribute-type",
        |ty| {
            matches!(ty, Type::Indexed { element }
            if matches!(element.ty, Type::SubMessage { selector: Selector::AttributeType, .. }))
        },
    );
}

#[test]
fn a_sub_message_has_a_format_for_each_value() {
    let sub = "{name: a, type: sub-message, sub-message: kinds, selector: kind|x}";
    let family = loaded(&with_attribute(sub));
    let Type::SubMessage {
        formats, selector, ..
    } = attribute(family, "a").ty
    else {
        panic!("no sub-message");
    };
    assert!(matches!(selector, Selector::Fields(["kind", "x"])));
    let keys: Vec<_> = formats.iter().map(|format| format.when).collect();
    assert_eq!(
        keys,
        [
            FormatKey::Name("a"),
            FormatKey::Name("b"),
            FormatKey::Number(7),
            FormatKey::Default
        ]
    );
    assert_eq!(formats[1].header.unwrap().name, "point");
    assert!(formats[3].header.is_none() && formats[3].set.is_none());
}

#[test]
fn names_of_values_are_flags_and_in_json_as_the_kernel_has_them() {
    let names = |keys: &str| {
        let spec = with_attribute(&format!("{{name: a, type: u32, {keys}}}"));
        let names = attribute(loaded(&spec), "a").names.unwrap();
        (names.of.name, names.as_flags, names.in_json)
    };
    assert_eq!(names("enum: color"), ("color", false, true));
    assert_eq!(
        names("enum: color, enum-as-flags: true"),
        ("color", true, true)
    );
    assert_eq!(names("enum: bits"), ("bits", true, true));
    assert_eq!(names("display-enum: color"), ("color", false, false));
    assert_eq!(
        names("display-enum: color, display-enum-as-flags: true"),
        ("color", true, false)
    );
    let family = loaded(&with_attribute("{name: a, type: u32, enum: color}"));
    let color = attribute(family, "a").names.unwrap().of;
    assert_eq!(color.entry(5).unwrap().uapi, "X_COLOR_GREEN");
    assert_eq!(family.enums[1].entry(8).unwrap().uapi, "B_NINE");
}

#[test]
fn structs_are_laid_out_as_in_c() {
    let family = loaded(
        "name: x
definitions:
  - {name: four, type: const, value: 4}
  - name: inner
    type: struct
    members: [{name: a, type: u8}, {name: b, type: u64}, {name: c, type: u8}]
  - name: outer
    type: struct
    members:
      - {name: kind, type: u16}
      - {name: pad, type: pad, len: 2}
      - {name: in, type: binary, struct: inner}
      - {name: list, type: u16, count: four}
      - {name: mac, type: u8, count: 6, display-hint: mac}
      - {name: name, type: string, len: four}
      - {name: rest, type: u32, count: rest}
  - name: header
    type: struct
    members:
      - {name: ihl, type: u8, bits: 4, when-order: little}
      - {name: version, type: u8, bits: 4}
      - {name: ihl, type: u8, bits: 4, when-order: big}
      - {name: only, type: u8, bits: 3}
      - {name: tos, type: u8}
attribute-sets: []
operations: {list: []}
",
    );
    assert_eq!(layout(family, "inner").size, 24);
    let outer = layout(family, "outer");
    let places: Vec<_> = outer
        .members
        .iter()
        .map(|member| (member.field.name, member.offset, member.len.bytes()))
        .collect();
    assert_eq!(
        places,
        [
            ("kind", 0, Some(2)),
            ("pad", 2, Some(2)),
            ("in", 8, Some(24)),
            ("list", 32, Some(8)),
            ("mac", 40, Some(6)),
            ("name", 46, Some(4)),
            ("rest", 52, None),
        ]
    );
    assert_eq!(outer.size, 52);
    assert!(matches!(outer.members[4].field.ty, Type::Binary));
    let header = layout(family, "header");
    assert_eq!(header.size, 3);
    let Type::BitUnit { bytes: 1, parts } = header.members[0].field.ty else {
        panic!("no bit-fields");
    };
    let shifts: Vec<_> = parts.iter().map(|part| (part.name, part.ty)).collect();
    assert!(
        matches!(
            shifts[..],
            [
                (
                    "ihl",
                    Type::Bits {
                        little: Some(0),
                        big: Some(0),
                        width: 4
                    }
                ),
                (
                    "version",
                    Type::Bits {
                        little: Some(4),
                        big: Some(4),
                        width: 4
                    }
                ),
            ]
        ),
        "{shifts:?}"
    );
    let Type::BitUnit { parts, .. } = header.members[1].field.ty else {
        panic!("no bit-fields");
    };
    assert!(matches!(
        parts[0].ty,
        Type::Bits {
            little: Some(0),
            big: Some(5),
            width: 3
        }
    ));
}

#[test]
fn a_subset_takes_what_it_does_not_say_from_the_superset() {
    let family = loaded(
        "name: x
attribute-sets:
  - {name: part, subset-of: whole, attributes: [{name: c, multi-attr: true}, {name: a, type: nest, nested-attributes: part}]}
  - {name: whole, name-prefix: w-, attributes: [{name: a, type: u8, value: 3}, {name: b, type: u8}, {name: c, type: string}]}
operations: {list: [{name: get, attribute-set: part}]}
",
    );
    let part = set(family, "part");
    let fields: Vec<_> = part
        .attributes
        .iter()
        .map(|field| (field.number, field.uapi, field.multi))
        .collect();
    assert_eq!(fields, [(3, "W_A", false), (5, "W_C", true)]);
    assert!(matches!(part.attributes[0].ty, Type::Nest { .. }));
    assert!(matches!(part.attributes[1].ty, Type::String));
}

#[test]
fn directional_operations_count_both_ways() {
    let family = loaded(
        "name: x
attribute-sets: [{name: x, attributes: [{name: a, type: u8}]}]
operations:
  enum-model: directional
  name-prefix: x-msg-
  list:
    - {name: get, attribute-set: x, do: {request: {}, reply: {}}}
    - {name: set, attribute-set: x, do: {request: {}}}
    - {name: ntf, notify: get}
    - {name: info-get, attribute-set: x, do: {request: {}, reply: {value: 9}}}
",
    );
    let messages: Vec<_> = family
        .messages
        .iter()
        .map(|message| (message.uapi, message.number, message.direction.unwrap()))
        .collect();
    let (to, from) = (Direction::ToKernel, Direction::FromKernel);
    assert_eq!(
        messages,
        [
            ("X_MSG_GET", 1, to),
            ("X_MSG_GET_REPLY", 1, from),
            ("X_MSG_SET", 2, to),
            ("X_MSG_NTF", 2, from),
            ("X_MSG_INFO_GET", 3, to),
            ("X_MSG_INFO_GET", 9, from),
        ]
    );
    assert_eq!(family.messages[3].attributes.unwrap().name, "x");
}

#[test]
fn operations_of_rtnetlink_are_told_apart_by_number_group_and_family() {
    let family = loaded(
        "name: rt
protocol: netlink-raw
protonum: 0
definitions:
  - {name: hdr, type: struct, members: [{name: family, type: u8}, {name: len, type: u8}]}
attribute-sets:
  - {name: x, name-prefix: xa-, attributes: [{name: dst, type: binary}, {name: info, type: nest, nested-attributes: x}]}
operations:
  name-prefix: rtm-
  fixed-header: hdr
  summary: [dst|family, / len, via the info.info.dst]
  list:
    - {name: newx, value: 20, attribute-set: x, groups: [{group: rtnlgrp-x, family: [2], flags: 0x600}]}
    - {name: delx, value: 21, attribute-set: x, mcgrp: rtnlgrp-x, summary: [dst], echoes-request: true}
    - {name: getx, c-name: RTM_FETCH, value: 22, attribute-set: x, when-family: [2]}
    - {name: getx6, value: 22, fixed-header: hdr, when-family: [10]}
    - {name: newx-reply, do: {reply: {value: 24}}, flags-as: get}
mcast-groups: {list: [{name: rtnlgrp-x, value: 5}]}
",
    );
    let [new, delete, get, get6, reply] = family.messages else {
        panic!("{:?}", family.messages);
    };
    assert_eq!((family.protocol, family.genl), (0, None));
    assert_eq!((new.uapi, new.flags_as), ("RTM_NEWX", FlagsAs::New));
    let rule = &new.groups[0];
    assert_eq!((rule.group.name, rule.group.number), ("RTNLGRP_X", Some(5)));
    assert_eq!((rule.families, rule.flags), (&[2][..], Some(0x600)));
    assert_eq!(delete.flags_as, FlagsAs::Delete);
    assert!(delete.echoes_request && !new.echoes_request);
    assert_eq!((get.uapi, get.flags_as), ("RTM_FETCH", FlagsAs::Get));
    assert_eq!(get6.when_family, [10]);
    assert_eq!(reply.direction, Some(Direction::FromKernel));
    assert_eq!(reply.flags_as, FlagsAs::Get);
    let shown: Vec<_> = new
        .summary
        .iter()
        .map(|entry| (entry.label, entry.joined, entry.paths))
        .collect();
    assert_eq!(
        shown,
        [
            ("", false, &[&["dst"][..], &["family"]][..]),
            ("/", true, &[&["len"][..]]),
            ("via the", false, &[&["info", "info", "dst"][..]]),
        ]
    );
    assert_eq!(delete.summary.len(), 1);
    // Without attributes only what the header has is left.
    assert_eq!(get6.summary.len(), 2);
}

#[test]
fn a_mistake_is_told_with_its_place() {
    let attribute = |keys: &str| with_attribute(&format!("{{name: a, {keys}}}"));
    refused(
        &attribute("type: u33"),
        "spec.yaml:10:25: unknown type \"u33\"; did you mean \"u32\"?",
    );
    refused(
        &attribute("type: nest, nested-attributes: y"),
        "spec.yaml:10:50: unknown attribute-set \"y\"; did you mean \"x\"?",
    );
    refused(
        &attribute("type: nest"),
        "spec.yaml:10:16: attribute \"a\" needs \"nested-attributes\"",
    );
    refused(
        &attribute("type: u8, enum: colour"),
        "spec.yaml:10:35: unknown enum \"colour\"; did you mean \"color\"?",
    );
    refused(
        &attribute("type: u8, value: 1"),
        "spec.yaml:10:16: attribute number \"1\" is there twice, first on line 9",
    );
    refused(
        &attribute("type: u8, value: 16384"),
        "spec.yaml:10:16: attribute number 16384 is out of range, at most 16383",
    );
    refused(
        &attribute("type: sub-message, sub-message: kinds, selector: knd"),
        "spec.yaml:10:68: unknown selector \"knd\"; did you mean \"kind\"?",
    );
    refused(
        &attribute("type: u8, display-hint: macs"),
        "spec.yaml:10:43: unknown display-hint \"macs\"; did you mean \"mac\"?",
    );
    refused(
        "name: x\noperations: {list: [{name: a, mcgrp: g}]}",
        "spec.yaml:2:38: unknown multicast group \"g\"",
    );
    refused(
        "name: x\noperations:\n  list:\n    - {name: a}\n    - {name: b, value: 1}",
        "spec.yaml:5:14: message number \"1\" is there twice, first on line 4",
    );
    refused(
        "name: x\noperations:\n  list:\n    - {name: a, summary: [b.c]}",
        "spec.yaml:4:27: unknown summary path \"b.c\"",
    );
    refused(
        "name: x\nprotocol: netlink-raw\noperations: {list: []}",
        "spec.yaml:1:7: netlink-raw family \"x\" needs \"protonum\"",
    );
    refused(
        "name: x\nimport: [types]\noperations: {list: []}",
        "spec.yaml:2:10: unknown file to import \"types\"",
    );
    refused(
        "name: x",
        "spec.yaml: no operations and no multicast groups: there is no family",
    );
}

#[test]
fn what_is_part_of_itself_is_refused() {
    refused(
        "name: x
attribute-sets:
  - {name: a, subset-of: b, attributes: []}
  - {name: b, subset-of: a, attributes: []}
",
        "spec.yaml:3:12: subset \"a\" is part of itself",
    );
    refused(
        "name: x
definitions:
  - {name: a, type: struct, members: [{name: b, type: binary, struct: b}]}
  - {name: b, type: struct, members: [{name: a, type: binary, struct: a}]}
",
        "spec.yaml:4:12: struct \"b\" is part of itself",
    );
}

/// The line on which a text is refused as YAML.
fn yaml_error(spec: &str) -> u64 {
    let error = load(spec, "spec.yaml").unwrap_err();
    let told = error.to_string();
    assert!(!told.contains(char::is_control), "{told:?}");
    assert!(matches!(error.reason, Reason::Yaml(_)), "{told}");
    error.line
}

#[test]
fn what_is_no_specification_is_refused() {
    assert_eq!(yaml_error("name: [x"), 1);
    assert_eq!(yaml_error("name: x\ncolor: red\n"), 2);
    assert_eq!(yaml_error("name: x\nprotonum: ten\n"), 2);
    assert_eq!(yaml_error("name: x\nname: y\n"), 2);
    yaml_error("");
    yaml_error("\u{1b}[31mred");
    yaml_error("- name: x");
}

#[test]
fn a_short_text_cannot_become_a_long_one() {
    let deep = format!("name: x\ndoc: {}", "[".repeat(100_000));
    assert_eq!(yaml_error(&deep), 2);
    let mut deep = String::from("name: x\ndoc:\n");
    for level in 1..2000 {
        deep.push_str(&" ".repeat(level));
        deep.push_str("a:\n");
    }
    yaml_error(&deep);
    let mut bomb = String::from("name: x\ndoc:\n  - &l0 [a, a, a, a, a, a, a, a, a, a]\n");
    for level in 1..12 {
        let alias = format!("*l{}", level - 1);
        let aliases = [alias.as_str(); 10].join(", ");
        writeln!(bomb, "  - &l{level} [{aliases}]").unwrap();
    }
    yaml_error(&bomb);
    let long = format!("name: {}", "x".repeat(9 << 20));
    let error = load(&long, "spec.yaml").unwrap_err();
    assert_eq!(error.reason, Reason::TooLarge(8 << 20));
    let mut doubling = String::from(
        "name: x\ndefinitions:\n  - {name: s0, type: struct, members: [{name: a, type: u64, count: 100000}]}\n",
    );
    for level in 1..8 {
        let before = level - 1;
        writeln!(doubling, "  - {{name: s{level}, type: struct, members: [{{name: a, type: binary, struct: s{before}}}, {{name: b, type: binary, struct: s{before}}}]}}").unwrap();
    }
    refused(
        &doubling,
        "spec.yaml:4:84: the struct would be larger than 1 MB",
    );
}
