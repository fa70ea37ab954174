//! Messages in a line.

use super::{attr, check_line, error, options, toy};
use crate::export::Options;
use crate::value::Show;

#[test]
fn a_line_shows_what_the_schema_names() {
    let request = toy(
        0x405,
        &[
            attr(1, b"veth0\0"),
            attr(3, &attr(1, b"vlan\0")),
            attr(5, &[80, 0]),
            attr(5, &[81, 0]),
            attr(
                6,
                &[attr(1, &attr(1, &[4, 0])), attr(2, &attr(1, &[5, 0]))].concat(),
            ),
            attr(10, &[]),
            attr(11, b"abc"),
        ],
    );
    let redacted = Options {
        show: Show {
            redact: true,
            ..Show::PLAIN
        },
        ..options()
    };
    check_line(
        &[request],
        redacted,
        "     1    0.001500 -> toy        RTM_NEWTOY          ack,create  99                   \
         [no answer] veth0#3 kind vlan port 80 +1 list 4 +1 on key (redacted)",
    );
}

#[test]
fn an_error_shows_its_words_and_place() {
    let request = toy(5, &[attr(1, b"a\x1b[31m\0"), attr(3, &attr(1, b"x\0"))]);
    // Header 16, struct 8, name 4 + 7 + 1, info 4.
    let words = attr(1, b"no \x1b[31msuch\0");
    let answer = error(19, &request, &[words, attr(2, &40_u32.to_le_bytes())]);
    check_line(
        &[request, answer],
        options(),
        "     2    0.003000 <- toy        NLMSG_ERROR                     99                   \
         ENODEV \"no \\x1b[31msuch\" at toy.info.kind: RTM_NEWTOY #1 after 1.50 ms",
    );
}
