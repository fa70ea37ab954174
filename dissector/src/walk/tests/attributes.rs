//! Attributes: what lies in them, whose numbers say something, that no table knows, that are
//! too short or too deep.

use super::{PROTOCOL, check, shown};
use crate::netlink::{LITTLE, attribute};
use crate::walk::MAX_DEPTH;
use crate::wire::Order;

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
    assert!(found.lines().count() <= usize::from(MAX_DEPTH), "{found}");
}
