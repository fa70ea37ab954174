//! The cost of a frame is linear in its length, whatever a hostile program puts into it:
//! eight times the bytes take about eight times as long, not sixty-four times.

mod captures;

use std::time::{Duration, Instant};

use captures::OwnedFrame;
use nlscope_dissector::export::{self, Options};
use nlscope_dissector::schema::Schema;

const SMALL: usize = 1 << 14;
const FACTOR: usize = 8;
/// Far from both 8 and 64, for the sake of busy machines.
const ALLOWED: u32 = 24;

const ROUTE: u16 = 0;

fn attribute(number: u16, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len() + 4).unwrap();
    [&len.to_le_bytes(), &number.to_le_bytes(), payload].concat()
}

fn message(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len() + 16).unwrap();
    let mut bytes = len.to_le_bytes().to_vec();
    bytes.extend(kind.to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend([0; 8]);
    bytes.extend(payload);
    bytes
}

/// A link message that holds `attributes`.
fn link(attributes: &[u8]) -> Vec<u8> {
    message(16, 0, &[&[0; 16], attributes].concat())
}

/// Feeds the frame to the context, dissects it and writes each message in each form.
fn once(protocol: u16, content: &[u8]) -> Duration {
    let frames = [OwnedFrame::nlmon(1, protocol, content)];
    let schema = Schema::builtin();
    let start = Instant::now();
    let mut written = 0;
    captures::each_message(schema, &frames, |view| {
        let mut json = Vec::new();
        export::json(&mut json, view, &Options::PLAIN).unwrap();
        let mut text = String::new();
        export::line(view, &Options::PLAIN).write(&mut text, false);
        for line in export::tree(view, &Options::PLAIN) {
            line.write(&mut text, false);
        }
        written += json.len() + text.len();
    });
    assert!(written > 0);
    start.elapsed()
}

/// `content` makes what to dissect of about so many bytes.
#[track_caller]
fn check(protocol: u16, content: impl Fn(usize) -> Vec<u8>) {
    let fastest = |len: usize| {
        let content = content(len);
        (0..2).map(|_| once(protocol, &content)).min().unwrap()
    };
    let (small, large) = (fastest(SMALL), fastest(SMALL * FACTOR));
    assert!(
        large < small * ALLOWED,
        "{small:?} for {SMALL} bytes, {large:?} for {FACTOR} times as many"
    );
}

#[test]
fn many_messages() {
    check(ROUTE, |len| message(16, 0, &[]).repeat(len / 16));
}

#[test]
fn many_messages_with_something_wrong() {
    check(ROUTE, |len| {
        let wrong = link(&[200, 0, 1, 0]);
        wrong.repeat(len / wrong.len())
    });
}

#[test]
fn many_errors_that_quote_a_request() {
    check(ROUTE, |len| {
        let error = message(2, 0, &[vec![0xff; 4], link(&[])].concat());
        error.repeat(len / error.len())
    });
}

#[test]
fn many_attributes_without_content() {
    for number in [1, 3, 18, 99] {
        check(ROUTE, |len| link(&attribute(number, &[]).repeat(len / 4)));
    }
}

#[test]
fn many_selectors_that_find_nothing() {
    // IFLA_INFO_DATA and IFLA_INFO_SLAVE_DATA, without a kind.
    let info = [attribute(2, &[]), attribute(5, &[])].concat();
    check(ROUTE, |len| {
        let info = attribute(18, &info.repeat(500));
        link(&info.repeat(len / info.len()))
    });
}

#[test]
fn nests_in_nests() {
    check(ROUTE, |len| {
        let mut nest = attribute(1, &[1; 8]);
        while nest.len() < 8000 {
            let more = [nest.as_slice(), &attribute(2, &[])].concat();
            nest = attribute(0x80c8, &more);
        }
        link(&nest.repeat(len / nest.len()))
    });
}

#[test]
fn one_wide_nest_at_the_bottom_of_many() {
    check(ROUTE, |len| {
        let mut nest = attribute(1, &[]).repeat(1500);
        for _ in 0..60 {
            nest = attribute(0x80c8, &nest);
        }
        link(&nest.repeat(len / nest.len()))
    });
}
