//! What an error says of the request: which attribute is refused, which is missing.

use super::{attr, error, shown, toy};
use crate::context::MessageView;
use crate::export::refused;

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
