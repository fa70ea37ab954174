//! Structs: their padding, members that are counted, lengths that are not as known, bit fields.

use super::{PROTOCOL, check, check_payload, shown};
use crate::netlink::{BIG, LITTLE, attribute};
use crate::wire::Order;

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
fn a_bit_field_of_one_byte_order_is_not_there_in_the_other() {
    for (writer, there, absent) in [(LITTLE, "first", "second"), (BIG, "second", "first")] {
        let content = writer.message(16, 0, &writer.attribute(13, &[0x35]));
        let found = shown(writer.0, PROTOCOL, &content);
        assert!(found.contains(there) && !found.contains(absent), "{found}");
    }
}
