//! Messages as a tree, with the attribute that was refused.

use super::{attr, error, options, shown, toy};
use crate::export::{Options, tree};

#[track_caller]
fn check_tree(messages: &[Vec<u8>], options: Options<'static>, expected: &str) {
    let tree = shown(messages, |view| {
        let mut text = String::new();
        for line in tree(view, &options) {
            line.write(&mut text, options.color);
            text.push('\n');
        }
        text
    });
    assert_eq!(tree, expected);
}

#[test]
fn a_tree_shows_every_field_once() {
    let request = toy(
        5,
        &[
            attr(1, b"a\0"),
            attr(6, &attr(4, &attr(1, &[5]))),
            attr(7, &attr(3, &attr(4, &attr(1, &[6, 0])))),
            attr(300, &[1, 2]),
        ],
    );
    check_tree(&[request], options(), include_str!("tree.txt"));
}

#[test]
fn the_refused_attribute_is_marked() {
    let request = toy(5, &[attr(1, b"a\0")]);
    let answer = error(
        19,
        &request,
        &[attr(1, b"no\0"), attr(2, &24_u32.to_le_bytes())],
    );
    let ranges = Options {
        ranges: true,
        ..options()
    };
    check_tree(&[request, answer], ranges, include_str!("refused.txt"));
}
