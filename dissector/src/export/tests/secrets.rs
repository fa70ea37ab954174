//! Keys, and what lies in them, are left out where that is asked for.

use super::{attr, check_line, options, shown, toy};
use crate::export::{Options, hex};
use crate::value::Show;

#[test]
fn hex_masks_keys() {
    let request = toy(5, &[attr(11, b"secret"), attr(1, b"a\0")]);
    let show = |redact| {
        shown(std::slice::from_ref(&request), |view| {
            let options = Options {
                show: Show {
                    redact,
                    ..Show::PLAIN
                },
                ..options()
            };
            let lines = hex(view.tape, view.head.frame.bytes, 32..64, &options);
            lines
                .map(|line| line.to_string())
                .collect::<Vec<_>>()
                .join("\n")
        })
    };
    assert_eq!(
        show(false),
        "0020  02 00 01 00 03 00 00 00  0a 00 0b 00 73 65 63 72  ............secr\n\
         0030  65 74 00 00 06 00 01 00  61 00 00 00              et......a..."
    );
    assert_eq!(
        show(true),
        "0020  02 00 01 00 03 00 00 00  0a 00 0b 00 ** ** ** **  ................\n\
         0030  ** ** 00 00 06 00 01 00  61 00 00 00              ........a..."
    );
}

#[test]
fn what_lies_in_a_secret_is_masked() {
    let redacted = Options {
        show: Show {
            redact: true,
            ..Show::PLAIN
        },
        ..options()
    };
    let halves = toy(5, &[attr(15, b"abcde")]);
    let text = shown(std::slice::from_ref(&halves), |view| {
        let lines = hex(view.tape, view.head.frame.bytes, 40..52, &redacted);
        lines.map(|line| line.to_string()).collect()
    });
    assert_eq!(
        text,
        "0028  09 00 0f 00 ** ** ** **  ** 00 00 00              ............"
    );
    let keys = toy(5, &[attr(14, &attr(1, &[7, 0]))]);
    check_line(
        &[keys],
        redacted,
        "     1    0.001500 -> toy        RTM_NEWTOY          ack         99                   \
         [no answer] keys (redacted)",
    );
}
