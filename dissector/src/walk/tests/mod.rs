//! Small specifications, frames by hand, and the tree that comes of them: what the tests of
//! all subjects use.

mod attributes;
mod control;
mod selectors;
mod structs;

use std::fmt::Write;

use super::{FrameShape, dissect};
use crate::netlink::{LITTLE, nlmon};
use crate::schema::{GenlIds, Schema, base, ynl};
use crate::tape::{NodeFlags, Tape};
use crate::value::Show;
use crate::wire::{LinkType, Order};

/// A protocol that nobody uses.
const PROTOCOL: u16 = 31;

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

/// The tape of messages as text: a line a node below the `nlmsghdr`, indented, with its
/// value and what is remarked on it.
pub(super) fn shown(order: Order, protocol: u16, content: &[u8]) -> String {
    let mut schema = Schema::builtin();
    schema.add(ynl::load(SPEC, "toy.yaml").unwrap());
    let ids = GenlIds::fixed(&schema);
    let frame = nlmon(protocol, content);
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
