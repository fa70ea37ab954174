//! What says which format a sub-message has.

use super::{PROTOCOL, check, same, shown};
use crate::netlink::{BIG, LITTLE, attribute};
use crate::wire::Order;

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
