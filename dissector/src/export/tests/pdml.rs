//! Messages as PDML: every byte once, in what XML can say.

use super::{attr, error, nlmsg, options, shown, shown_of, toy};
use crate::context::MessageView;
use crate::export::pdml_packet;
use crate::wire::protocol;

/// Where the leaves of a PDML document lie, in the order of the document.
fn pdml_leaves(text: &str) -> Vec<(u32, u32)> {
    let number = |line: &str, name: &str| -> u32 {
        let (_, value) = line.split_once(&format!(" {name}=\"")).unwrap();
        value.split_once('"').unwrap().0.parse().unwrap()
    };
    let leaves = text
        .lines()
        .filter(|line| line.contains("<field") && line.ends_with("/>"));
    leaves
        .map(|line| (number(line, "pos"), number(line, "size")))
        .filter(|(_, size)| *size > 0)
        .collect()
}

/// The PDML of the last frame.
fn pdml(messages: &[Vec<u8>]) -> String {
    shown(messages, pdml_of)
}

fn pdml_of(view: &MessageView<'_>) -> String {
    let mut out = Vec::new();
    let head = &view.head;
    let records = [*head.record];
    pdml_packet(
        &mut out,
        head.frame,
        view.tape,
        &records,
        head.context,
        &options(),
    )
    .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_header_of_a_tlv_is_big_endian_on_any_host() {
    let mut family = vec![1, 2, 0, 0, 6, 0, 1, 0, 40, 0, 0, 0, 9, 0, 2, 0];
    family.extend(b"TIPC\0\0\0\0");
    let mut asked = vec![1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
    asked.extend([0, 8, 0, 17, 1, 0, 0x10, 1]);
    let messages = [nlmsg(16, 0, &family), nlmsg(40, 1, &asked)];
    let text = shown_of(protocol::GENERIC, &messages, pdml_of);
    for header in ["tlv.len: 8", "tlv.type: 17"] {
        assert!(text.contains(header), "{text}");
    }
}

#[test]
fn pdml_leaves_cover_the_frame_once() {
    let request = toy(
        5,
        &[
            attr(1, b"a\0"),
            attr(
                3,
                &[attr(1, b"vlan\0"), attr(2, &attr(1, &[5, 0]))].concat(),
            ),
            attr(7, &attr(3, &attr(4, &attr(1, &[6, 0])))),
            attr(10, &[]),
            attr(13, &[7, 0, 9, 0]),
            attr(300, &[1, 2]),
        ],
    );
    let mut answer = error(19, &request, &[attr(1, b"no\0"), attr(9, &[])]);
    answer.extend([1, 2, 3]);
    for messages in [vec![request.clone()], vec![request, answer]] {
        let text = pdml(&messages);
        let mut end = 0;
        for (pos, size) in pdml_leaves(&text) {
            assert_eq!(pos, end, "{text}");
            end = pos + size;
        }
        assert_eq!(end as usize, messages.last().unwrap().len() + 16, "{text}");
    }
}

#[test]
fn pdml_escapes_what_xml_cannot_say() {
    let request = toy(5, &[attr(1, "<&\"'>\u{1}\u{ffff}\\\0".as_bytes())]);
    let text = pdml(&[request]);
    let field = "    <field name=\"toy.name\" \
        showname=\"TOY_NAME: &lt;&amp;&quot;'&gt;\\x01\\u{ffff}\\\\\" size=\"11\" pos=\"44\" \
        show=\"&lt;&amp;&quot;'&gt;\\x01\\u{ffff}\\\\\" \
        value=\"3c2622273e01efbfbf5c00\"/>";
    assert!(text.contains(field.trim_start()), "{text}");
}
