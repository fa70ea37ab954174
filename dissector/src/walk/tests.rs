//! Small specifications, frames by hand, and the tree that comes of them.

use std::fmt::Write;

use super::{FrameShape, dissect};
use crate::schema::{GenlIds, Schema, base, ynl};
use crate::tape::{NodeFlags, Tape};
use crate::value::Show;
use crate::wire::{LinkType, Order};

/// A protocol that nobody uses.
const PROTOCOL: u16 = 31;
const MULTI: u16 = 2;
const CAPPED: u16 = 0x100;
const ACK_TLVS: u16 = 0x200;

/// Every kind of content, a number each.
const SPEC: &str = "
name: toy
protocol: netlink-raw
protonum: 31
definitions:
  - {name: color, type: enum, entries: [red, {name: blue, value: 4}]}
  - {name: caps, type: flags, entries: [send, receive, own]}
  - name: head
    type: struct
    members:
      - {name: family, type: u8}
      - {name: index, type: u32}
      - {name: color, type: u16, enum: color}
  - name: point
    type: struct
    members:
      - {name: x, type: u16}
      - {name: y, type: u16}
  - name: bits
    type: struct
    members:
      - {name: low, type: u8, bits: 3}
      - {name: high, type: u8, bits: 5}
  - name: words
    type: struct
    may-end: true
    members:
      - {name: few, type: u16, bits: 4, byte-order: little-endian}
      - {name: many, type: u16, bits: 12, byte-order: little-endian}
      - {name: more, type: u16, byte-order: little-endian}
  - name: masks
    type: struct
    lowest-bit-first: true
    members:
      - {name: masked, type: u16, bits: 4}
      - {name: above, type: u16, bits: 12}
  - name: halves
    type: struct
    members:
      - {name: lower, type: u8, bits: 4, byte-order: little-endian}
      - {name: upper, type: u8, bits: 4, byte-order: little-endian}
      - {name: after, type: sub-message, sub-message: halves, selector: upper, count: rest}
  - name: orders
    type: struct
    members:
      - {name: first, type: u8, bits: 4, when-order: little}
      - {name: second, type: u8, bits: 4, when-order: big}
  - name: hop
    type: struct
    members:
      - {name: len, type: u16}
      - {name: weight, type: u16}
  - name: tale
    type: struct
    members:
      - {name: words, type: u8}
      - {name: word, type: u8, count: words}
      - {name: after, type: u8}
  - name: tale-and-choice
    type: struct
    members:
      - {name: words, type: u8}
      - {name: word, type: u8, count: words}
      - {name: choice, type: u8}
      - {name: chosen, type: sub-message, sub-message: halves, selector: choice, count: rest}
attribute-sets:
  - name: main
    attributes:
      - {name: kind, type: string}
      - {name: by-kind, type: sub-message, sub-message: kinds, selector: kind}
      - {name: color, type: u8, enum: color}
      - {name: inner, type: nest, nested-attributes: inner}
      - {name: by-color, type: sub-message, sub-message: colors, selector: color}
      - {name: by-index, type: sub-message, sub-message: indices, selector: index}
      - {name: list, type: indexed-array, sub-type: nest, nested-attributes: inner}
      - {name: numbers, type: indexed-array, sub-type: u16}
      - {name: policy, type: nest-type-value, type-value: [set-id, attr-id], nested-attributes: inner}
      - {name: points, type: binary, struct: point, array-of-struct: true}
      - {name: point, type: binary, struct: point}
      - {name: bits, type: binary, struct: bits}
      - {name: orders, type: binary, struct: orders}
      - {name: hops, type: binary, decoder: rtnexthop, struct: hop, nested-attributes: inner}
      - {name: headed, type: nest, fixed-header: point, nested-attributes: inner}
      - {name: number, type: u32}
      - {name: typed, type: indexed-array, sub-type: sub-message, sub-message: indices, selector: attribute-type}
      - {name: by-both, type: sub-message, sub-message: both, selector: kind/color}
      - {name: numbered, type: nest, nested-attributes: numbered}
      - {name: words, type: binary, struct: words}
      - {name: masks, type: binary, struct: masks}
      - {name: halves, type: binary, struct: halves}
      - {name: by-absence, type: sub-message, sub-message: absence, selector: kind}
      - {name: told, type: nest, fixed-header: tale, nested-attributes: inner}
      - {name: choosing, type: binary, struct: tale-and-choice}
  - name: numbered
    any-number: true
    attributes:
      - {name: one, type: u16, multi-attr: true}
  - name: inner
    attributes:
      - {name: id, type: u16}
      - {name: by-kind, type: sub-message, sub-message: kinds, selector: kind}
sub-messages:
  - name: kinds
    formats:
      - {value: pt, fixed-header: point}
      - {value: in, attribute-set: inner}
      - {value: absent, attribute-set: inner}
  - name: absence
    formats:
      - {value: absent, fixed-header: point}
      - {value: default, type: binary}
  - name: halves
    formats:
      - {value: 3, type: u16, byte-order: big-endian}
      - {value: default, type: binary}
  - name: both
    formats:
      - {value: pt/7, fixed-header: point}
      - {value: pt/blue, type: u32}
      - {value: in, attribute-set: inner}
      - {value: default, type: binary}
  - name: colors
    formats:
      - {value: blue, attribute-set: inner}
      - {value: 7, fixed-header: point}
      - {value: default, attribute-set: inner}
  - name: indices
    formats:
      - {value: [1, 2], attribute-set: inner}
      - {value: 3, fixed-header: point}
operations:
  list:
    - {name: plain, value: 16, attribute-set: main}
    - {name: headed, value: 17, attribute-set: main, fixed-header: head}
    - {name: empty, value: 18, fixed-header: head}
";

/// Integers and attributes in one byte order.
#[derive(Clone, Copy)]
pub(in crate::walk) struct Writer(Order);

pub(in crate::walk) const LITTLE: Writer = Writer(Order::Little);
const BIG: Writer = Writer(Order::Big);

impl Writer {
    fn u16(self, number: u16) -> Vec<u8> {
        match self.0 {
            Order::Little => number.to_le_bytes().to_vec(),
            Order::Big => number.to_be_bytes().to_vec(),
        }
    }

    fn u32(self, number: u32) -> Vec<u8> {
        match self.0 {
            Order::Little => number.to_le_bytes().to_vec(),
            Order::Big => number.to_be_bytes().to_vec(),
        }
    }

    pub(in crate::walk) fn attribute(self, number: u16, payload: &[u8]) -> Vec<u8> {
        let len = u16::try_from(payload.len() + 4).unwrap();
        let mut bytes = [self.u16(len), self.u16(number), payload.to_vec()].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    pub(in crate::walk) fn message(self, kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
        let len = u32::try_from(payload.len() + 16).unwrap();
        let header = [self.u32(len), self.u16(kind), self.u16(flags)].concat();
        [header, vec![0; 8], payload.to_vec()].concat()
    }
}

fn attribute(number: u16, payload: &[u8]) -> Vec<u8> {
    LITTLE.attribute(number, payload)
}

/// The tape of messages as text: a line a node below the `nlmsghdr`, indented, with its
/// value and what is remarked on it.
pub(super) fn shown(order: Order, protocol: u16, content: &[u8]) -> String {
    let mut schema = Schema::builtin();
    schema.add(ynl::load(SPEC, "toy.yaml").unwrap());
    let ids = GenlIds::fixed(&schema);
    let mut frame = vec![0, 4, 3, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    frame.extend(protocol.to_be_bytes());
    frame.extend(content);
    let shape = FrameShape {
        link: LinkType::Netlink,
        wire_len: u32::try_from(frame.len()).unwrap(),
        order,
        other_order: false,
    };
    let mut tape = Tape::new();
    dissect(&schema, &ids, &frame, shape, |_| None, &mut tape);
    let mut text = String::new();
    let mut index = 1;
    while let Some(node) = tape.nodes().get(index as usize) {
        let node_ref = tape.at(&frame, index).unwrap();
        if std::ptr::eq(node.field, &raw const base::COOKED)
            || std::ptr::eq(node.field, &raw const base::NLMSGHDR)
        {
            index = node.next;
            continue;
        }
        index += 1;
        let unknown = std::ptr::eq(node.field, &raw const base::UNKNOWN_ATTRIBUTE);
        let indent = "  ".repeat(usize::from(node.depth) - 1);
        text.push_str(&indent);
        match node_ref.number() {
            Some(number) if unknown || node.flags.has(NodeFlags::UNNAMED) => {
                write!(
                    text,
                    "{} #{number}",
                    node.field.name.replace("nlscope.", "")
                )
                .unwrap();
            }
            _ => text.push_str(&node.field.name.replace("nlscope.", "")),
        }
        if !node_ref.has_children() || node.field.names.is_some() {
            write!(text, " {}", node_ref.show(Show::PLAIN)).unwrap();
        }
        for note in node_ref.notes() {
            write!(text, " ! {}", note.kind).unwrap();
        }
        text.push('\n');
    }
    text
}

#[track_caller]
pub(super) fn same(found: &str, expected: &str) {
    let trimmed = |text: &str| {
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let lines: Vec<_> = lines.collect();
        let margin = |line: &&str| line.len() - line.trim_start().len();
        let margin = lines.iter().map(margin).min().unwrap_or(0);
        let lines = lines
            .iter()
            .map(|line| line[margin..].trim_end().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(trimmed(found), trimmed(expected), "\n{found}");
}

/// A message of the protocol with these attributes; `expected` is what stands below it.
#[track_caller]
fn check(attributes: &[Vec<u8>], expected: &str) {
    let content = LITTLE.message(16, 0, &attributes.concat());
    let found = shown(Order::Little, PROTOCOL, &content);
    let (message, below) = found.split_once('\n').unwrap();
    assert_eq!(message, "message");
    same(below, expected);
}

/// A payload of type `kind`; `expected` begins with the message's own line.
#[track_caller]
fn check_payload(kind: u16, flags: u16, payload: &[u8], expected: &str) {
    let content = LITTLE.message(kind, flags, payload);
    same(&shown(Order::Little, PROTOCOL, &content), expected);
}

#[test]
fn structs_are_padded_as_c_does() {
    check_payload(
        18,
        0,
        &[2, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0, 0],
        "
        message
          head
            family 2
            padding 000000
            index 9
            color blue
            padding 0000
        ",
    );
}

#[test]
fn a_short_header_is_decoded_as_far_as_it_goes() {
    check_payload(
        17,
        0,
        &[2],
        "
        message
          head ! 1 bytes of a struct known with 12
            family 2
        ",
    );
    check_payload(
        17,
        0,
        &[2, 0, 0, 0],
        "
        message
          head ! 4 bytes of a struct known with 12
            family 2
            padding 000000
        ",
    );
    check_payload(
        17,
        0,
        &[2, 0, 0, 0, 9, 0],
        "
        message
          head ! 6 bytes of a struct known with 12
            family 2
            unknown 0000000900
        ",
    );
    check_payload(17, 0, &[], "message");
}

#[test]
fn what_is_counted_pushes_back_all_that_follows() {
    let inside = [vec![2, 10, 11, 9], attribute(1, &[5, 0])].concat();
    check(
        &[attribute(24, &inside)],
        "
        told
          tale
            words 2
            word [10, 11]
            after 9
          id 5
          padding 0000
        ",
    );
    // What would be the selector if the words were none is one of them.
    check(
        &[attribute(25, &[1, 3, 4, 0xaa, 0xbb])],
        "
        choosing
          words 1
          word [3]
          choice 4
          chosen aabb
        padding 000000
        ",
    );
}

#[test]
fn what_a_newer_kernel_added_to_a_struct_is_left() {
    check(
        &[attribute(11, &[1, 0, 2, 0, 0xaa, 0xbb, 0xcc, 0xdd])],
        "
        point ! 8 bytes, the struct is known with 4
          x 1
          y 2
          unknown aabbccdd
        ",
    );
    check(
        &[attribute(11, &[1, 0, 2])],
        "
        point ! 3 bytes of a struct known with 4
          x 1
          unknown 02
        padding 00
        ",
    );
}

#[test]
fn a_selector_may_stand_before_and_behind_and_around() {
    let point = attribute(2, &[1, 0, 2, 0]);
    let pt = attribute(1, b"pt\0");
    let by_kind = "
        by-kind
          x 1
          y 2
    ";
    check(
        &[pt.clone(), point.clone()],
        &format!("kind pt\npadding 00{by_kind}").replace("\n        ", "\n"),
    );
    check(
        &[point.clone(), pt.clone()],
        "
        by-kind
          x 1
          y 2
        kind pt
        padding 00
        ",
    );
    check(
        &[attribute(4, &point), pt],
        "
        inner
          by-kind
            x 1
            y 2
        kind pt
        padding 00
        ",
    );
}

#[test]
fn a_selector_that_is_absent_or_says_nothing_known() {
    let inner = attribute(2, &attribute(1, &[5, 0]));
    check(
        std::slice::from_ref(&inner),
        "
        by-kind
          id 5
          padding 0000
        ",
    );
    check(
        &[attribute(1, b"else\0"), inner],
        "
        kind else
        padding 000000
        by-kind ! nothing says what is inside
          unknown.attribute #1 0500
          padding 0000
        ",
    );
    check(
        &[attribute(1, b"else\0"), attribute(2, &[1, 2, 3])],
        "
        kind else
        padding 000000
        by-kind ! nothing says what is inside
          unknown 010203
        padding 00
        ",
    );
}

#[test]
fn a_name_that_selects_ends_with_its_nul_however_much_follows() {
    let depending = attribute(2, &[1, 0, 2, 0]).repeat(3);
    let found = |name: &[u8]| {
        let kind = attribute(1, &[name, &[b'x'; 1000]].concat());
        let content = LITTLE.message(16, 0, &[kind, depending.clone()].concat());
        shown(Order::Little, PROTOCOL, &content)
    };
    assert_eq!(found(b"pt\0").matches("y 2\n").count(), 3);
    let unknown = found(b"pt");
    assert_eq!(unknown.matches("nothing says what is inside").count(), 3);
}

#[test]
fn several_fields_select_together() {
    let choose = |kind: &[u8], color| [attribute(1, kind), attribute(3, &[color])].concat();
    let inner = attribute(1, &[5, 0]);
    check(
        &[choose(b"pt\0\0", 7), attribute(18, &[1, 0, 2, 0])],
        "
        kind pt
        color 7
        padding 000000
        by-both
          x 1
          y 2
        ",
    );
    check(
        &[choose(b"pt\0\0", 4), attribute(18, &[1, 0, 2, 0])],
        "
        kind pt
        color blue
        padding 000000
        by-both 131073
        ",
    );
    check(
        &[choose(b"in\0\0", 9), attribute(18, &inner)],
        "
        kind in
        color 9
        padding 000000
        by-both
          id 5
          padding 0000
        ",
    );
    check(
        &[choose(b"pt\0\0", 9), attribute(18, &[1, 0, 2, 0])],
        "
        kind pt
        color 9
        padding 000000
        by-both 01000200
        ",
    );
}

#[test]
fn a_list_whose_elements_have_any_number() {
    let list = [attribute(1, &[5, 0]), attribute(2, &[6, 0])].concat();
    check(
        &[attribute(19, &list)],
        "
        numbered
          one 5
          padding 0000
          one 6
          padding 0000
        ",
    );
}

#[test]
fn a_numeric_selector_goes_by_name_or_number_or_default() {
    let inner = attribute(1, &[5, 0]);
    check(
        &[attribute(3, &[4]), attribute(5, &inner)],
        "
        color blue
        padding 000000
        by-color
          id 5
          padding 0000
        ",
    );
    check(
        &[attribute(3, &[7]), attribute(5, &[1, 0, 2, 0])],
        "
        color 7
        padding 000000
        by-color
          x 1
          y 2
        ",
    );
    check(
        &[attribute(3, &[0]), attribute(5, &inner)],
        "
        color red
        padding 000000
        by-color
          id 5
          padding 0000
        ",
    );
    check(
        &[attribute(5, &inner)],
        "
        by-color
          id 5
          padding 0000
        ",
    );
}

#[test]
fn a_member_of_the_header_selects_in_the_byte_order_of_the_frame() {
    for writer in [LITTLE, BIG] {
        let mut payload = vec![2, 0, 0, 0];
        payload.extend(writer.u32(3));
        payload.extend([0; 4]);
        payload.extend(writer.attribute(6, &[writer.u16(1), writer.u16(2)].concat()));
        let content = writer.message(17, 0, &payload);
        same(
            &shown(writer.0, PROTOCOL, &content),
            "
            message
              head
                family 2
                padding 000000
                index 3
                color red
                padding 0000
              by-index
                x 1
                y 2
            ",
        );
    }
}

#[test]
fn elements_of_arrays_keep_their_numbers() {
    let inner = |id: u8| attribute(1, &[id, 0]);
    check(
        &[attribute(
            7,
            &[attribute(1, &inner(5)), attribute(9, &inner(6))].concat(),
        )],
        "
        list
          nest #1
            id 5
            padding 0000
          nest #9
            id 6
            padding 0000
        "
        .replace("nest", "list")
        .as_str(),
    );
    check(
        &[attribute(
            8,
            &[attribute(1, &[5, 0]), attribute(2, &[6, 0])].concat(),
        )],
        "
        numbers
          numbers #1 5
          padding 0000
          numbers #2 6
          padding 0000
        ",
    );
    check(
        &[attribute(
            17,
            &[attribute(2, &inner(5)), attribute(3, &[1, 0, 2, 0])].concat(),
        )],
        "
        typed
          typed #2
            id 5
            padding 0000
          typed #3
            x 1
            y 2
        ",
    );
}

#[test]
fn levels_of_a_nest_type_value_are_numbers() {
    let id = attribute(1, &[5, 0]);
    check(
        &[attribute(9, &attribute(7, &attribute(8, &id)))],
        "
        policy
          set-id #7
            attr-id #8
              id 5
              padding 0000
        ",
    );
}

#[test]
fn structs_repeat_to_the_end() {
    check(
        &[attribute(10, &[1, 0, 2, 0, 3, 0, 4, 0, 9, 9])],
        "
        points ! 2 bytes where the type has 4
          points
            x 1
            y 2
          points
            x 3
            y 4
          unknown 0909
        padding 0000
        ",
    );
}

#[test]
fn bit_fields_lie_where_the_byte_order_puts_them() {
    for (writer, low, high) in [(LITTLE, 0b001, 0b10110), (BIG, 0b101, 0b10001)] {
        let content = writer.message(16, 0, &writer.attribute(12, &[0b1011_0001]));
        let found = shown(writer.0, PROTOCOL, &content);
        assert!(found.contains(&format!("low {low}\n")), "{found}");
        assert!(found.contains(&format!("high {high}\n")), "{found}");
    }
}

#[test]
fn little_endian_bit_fields_begin_at_the_lowest_bit_on_any_host() {
    for writer in [LITTLE, BIG] {
        let content = writer.message(16, 0, &writer.attribute(20, &[0x21, 0x43, 5, 1]));
        let found = shown(writer.0, PROTOCOL, &content);
        for part in ["few 1\n", "many 1074\n", "more 261\n"] {
            assert!(found.contains(part), "{found}");
        }
    }
}

#[test]
fn bit_fields_of_a_mask_begin_at_its_lowest_bit() {
    for (writer, bytes) in [(LITTLE, [0x21, 0x43]), (BIG, [0x43, 0x21])] {
        let content = writer.message(16, 0, &writer.attribute(21, &bytes));
        let found = shown(writer.0, PROTOCOL, &content);
        assert!(
            found.contains("masked 1\n") && found.contains("above 1074\n"),
            "{found}"
        );
    }
}

#[test]
fn a_bit_field_selects() {
    for writer in [LITTLE, BIG] {
        for (first, after) in [(0x35, "after 260\n"), (0x53, "after 0104\n")] {
            let content = writer.message(16, 0, &writer.attribute(22, &[first, 1, 4]));
            let found = shown(writer.0, PROTOCOL, &content);
            assert!(found.contains(after), "{found}");
        }
    }
}

#[test]
fn without_a_selector_the_format_of_its_absence_is_taken_before_any_value() {
    let found = |before: &[u8]| {
        let content = LITTLE.message(16, 0, &[before, &attribute(23, &[1, 0, 2, 0])].concat());
        shown(Order::Little, PROTOCOL, &content)
    };
    assert!(found(&[]).contains("y 2\n"), "{}", found(&[]));
    assert!(found(&attribute(1, b"pt\0")).contains("by-absence 01000200"));
}

#[test]
fn a_struct_that_may_end_ends_after_a_member() {
    let content = |bytes: &[u8]| LITTLE.message(16, 0, &attribute(20, bytes));
    let early = shown(Order::Little, PROTOCOL, &content(&[1, 0]));
    assert!(
        !early.contains('!') && early.contains("many 0\n"),
        "{early}"
    );
    let within = shown(Order::Little, PROTOCOL, &content(&[1, 0, 7]));
    assert!(
        within.contains('!') && within.contains("unknown 07"),
        "{within}"
    );
}

#[test]
fn a_bit_field_of_one_byte_order_is_not_there_in_the_other() {
    for (writer, there, absent) in [(LITTLE, "first", "second"), (BIG, "second", "first")] {
        let content = writer.message(16, 0, &writer.attribute(13, &[0x35]));
        let found = shown(writer.0, PROTOCOL, &content);
        assert!(found.contains(there) && !found.contains(absent), "{found}");
    }
}

#[test]
fn next_hops_say_their_own_length() {
    let hop = |attributes: &[u8]| {
        let len = u8::try_from(4 + attributes.len()).unwrap();
        [&[len, 0, 9, 0], attributes].concat()
    };
    check(
        &[attribute(
            14,
            &[hop(&attribute(1, &[5, 0])), hop(&[])].concat(),
        )],
        "
        hops
          hop
            len 12
            weight 9
            id 5
            padding 0000
          hop
            len 4
            weight 9
        ",
    );
    check(
        &[attribute(14, &[0, 0, 9, 0])],
        "
        hops ! nla_len is 0, less than its own header; 4 bytes are left
          unknown 00000900
        ",
    );
}

#[test]
fn a_struct_may_stand_before_nested_attributes() {
    check(
        &[attribute(
            15,
            &[vec![1, 0, 2, 0], attribute(1, &[5, 0])].concat(),
        )],
        "
        headed
          point
            x 1
            y 2
          id 5
          padding 0000
        ",
    );
}

#[test]
fn what_no_table_knows_is_looked_into_where_it_is_attributes_beyond_doubt() {
    let inner = [attribute(1, b"eth0\0"), attribute(2, &[5, 0, 0, 0])].concat();
    check(
        &[attribute(99, &inner)],
        "
        unknown.attribute #99 ! attributes recognised by their shape, not known
          unknown.attribute #1 6574683000
          padding 000000
          unknown.attribute #2 05000000
        ",
    );
    check(
        &[attribute(99, &[5, 0, 1, 0])],
        "unknown.attribute #99 05000100",
    );
    // The sender says that it is one.
    check(
        &[attribute(0x63 | 0x8000, &attribute(1, &[5]))],
        "
        unknown.attribute #99 ! attributes recognised by their shape, not known
          unknown.attribute #1 05
          padding 000000
        ",
    );
}

#[test]
fn an_attribute_in_network_byte_order_says_so() {
    check(
        &[
            attribute(16, &[0, 0, 0, 5]),
            attribute(16 | 0x4000, &[0, 0, 0, 5]),
        ],
        "
        number 83886080
        number 5
        ",
    );
}

#[test]
fn a_wrong_length_is_remarked_on() {
    check(
        &[attribute(16, &[5, 0])],
        "
        number 5 ! 2 bytes where the type has 4
        padding 0000
        ",
    );
    check(
        &[vec![200, 0, 16, 0, 1, 2, 3, 4]],
        "unknown c800100001020304 ! nla_len is 200, 8 bytes are left here",
    );
    check(
        &[attribute(16, &[5, 0, 0, 0]), vec![3, 0, 16, 0]],
        "
        number 5
        unknown 03001000 ! nla_len is 3, less than its own header; 4 bytes are left
        ",
    );
    check(
        &[attribute(16, &[5, 0, 0, 0]), vec![1, 2]],
        "
        number 5
        trailing 0102 ! bytes that belong to nothing
        ",
    );
}

#[test]
fn nesting_ends_at_the_deepest_level_that_is_followed() {
    let mut nested = attribute(1, &[5]);
    for _ in 0..100 {
        nested = attribute(0x63 | 0x8000, &nested);
    }
    let content = LITTLE.message(16, 0, &nested);
    let found = shown(Order::Little, PROTOCOL, &content);
    assert!(
        found.lines().count() <= usize::from(super::MAX_DEPTH),
        "{found}"
    );
}

#[test]
fn an_error_quotes_the_request_or_its_header() {
    let request = LITTLE.message(16, 5, &attribute(16, &[5, 0, 0, 0]));
    let tlvs = attribute(1, b"no\0");
    let errno = (-19_i32).to_le_bytes();
    let error = |flags, parts: &[&[u8]]| {
        let content = LITTLE.message(2, flags, &[&[&errno[..]], parts].concat().concat());
        // The header of the quoted request is looked at elsewhere.
        let found = shown(Order::Little, PROTOCOL, &content);
        found
            .lines()
            .filter(|line| !line.contains("nlmsg"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    same(&error(0, &[&request]), "message\n  request\n    number 5");
    same(&error(CAPPED, &[&request[..16]]), "message\n  request");
    // Kernels before 4.3 quote the header of what they acknowledge and do not say so.
    same(&error(0, &[&request[..16]]), "message\n  request");
    same(
        &error(CAPPED | ACK_TLVS, &[&request[..16], &tlvs]),
        "message\n  request\n  msg no\n  padding 00",
    );
    same(
        &error(ACK_TLVS, &[&request, &tlvs]),
        "message\n  request\n    number 5\n  msg no\n  padding 00",
    );
    // What is left belongs to nothing where no attributes are announced.
    same(
        &error(CAPPED, &[&request]),
        "message\n  request\n  trailing 0800100005000000 ! bytes that belong to nothing",
    );
}

#[test]
fn a_quoted_request_that_was_cut_is_no_extended_acknowledgement() {
    let request = LITTLE.message(16, 5, &[attribute(16, &[5, 0, 0, 0]), vec![0; 40]].concat());
    let content = LITTLE.message(2, 0, &[&[0xed, 0xff, 0xff, 0xff], &request[..24]].concat());
    let found = shown(Order::Little, PROTOCOL, &content);
    assert!(
        found.contains("request ! nlmsg_len is 64, the frame has 24 bytes left"),
        "{found}"
    );
    assert!(found.contains("    number 5"), "{found}");
}

#[test]
fn the_end_of_a_dump_has_an_errno_and_perhaps_attributes() {
    check_payload(3, MULTI, &[0; 4], "message\n  nlmsgerr.error 0");
    check_payload(3, MULTI, &[], "message");
    check_payload(
        3,
        MULTI,
        &[0xff],
        "message\n  unknown ff ! the header needs 4 bytes, 1 are left",
    );
    check_payload(
        3,
        MULTI | ACK_TLVS,
        &[vec![0xed, 0xff, 0xff, 0xff], attribute(1, b"no\0")].concat(),
        "message\n  nlmsgerr.error ENODEV\n  msg no\n  padding 00",
    );
}

#[test]
fn nflog_ends_a_batch_with_the_header_of_its_subsystem() {
    let content = LITTLE.message(3, 0, &[2, 0, 0, 7]);
    same(
        &shown(Order::Little, 12, &content),
        "
        message
          nfgenmsg
            nfgen-family ipv4
            version 0
            res-id 7
        ",
    );
}

#[test]
fn the_connectors_one_type_is_no_end() {
    let mut payload = vec![1, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0];
    payload.extend([1, 2, 3, 4]);
    let found = shown(Order::Little, 11, &LITTLE.message(3, 0, &payload));
    assert!(
        found.contains("cn-msg") && !found.contains("nlmsgerr"),
        "{found}"
    );
}
