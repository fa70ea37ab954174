//! How much of a message has a name.

use std::cell::Cell;

use super::shown_of;
use crate::export::{Coverage, coverage};
use crate::wire::protocol;

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
