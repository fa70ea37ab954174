//! Bytes to everything that is made of them: messages, tape, filter, lines, tree, hex,
//! JSON, PDML, the interface.
//!
//! The input is a series of frames (see `frames`), fed to one context in order.

#![no_main]

#[path = "../../dissector/tests/shape/mod.rs"]
mod shape;

use std::num::NonZeroU32;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use nlscope_dissector::capture::{Frame, Origin, Time};
use nlscope_dissector::context::{Context, MessageView, Record, RequestView};
use nlscope_dissector::export::{self, Options};
use nlscope_dissector::filter::{Filter, Verdict};
use nlscope_dissector::schema::Schema;
use nlscope_dissector::tape::Tape;
use nlscope_dissector::value::Show;
use nlscope_dissector::wire::LinkType;

static SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| Arc::new(Schema::builtin()));

/// One for each way to decide: by header, by context, by attribute, by anything.
static FILTERS: LazyLock<Vec<Filter>> = LazyLock::new(|| {
    [
        "protocol == route && flags.dump",
        "latency > 0.001 || errno != 0 || group == RTNLGRP_LINK",
        "rt-link.linkinfo.kind == \"vlan\" && !(rt-link.mtu < 1500)",
        "ifname matches \"^[a-z]+[0-9]$\" || rt-route.dst in {10.0.0.0/8}",
    ]
    .iter()
    .map(|text| Filter::parse(text, &SCHEMA).expect(text))
    .collect()
});

fuzz_target!(|input: &[u8]| {
    let Some((first, input)) = input.split_first() else {
        return;
    };
    let options = Options {
        show: Show {
            numeric: first & 1 != 0,
            redact: first & 2 != 0,
            ..Show::PLAIN
        },
        ranges: first & 4 != 0,
        ..Options::PLAIN
    };
    let frames = frames(input);
    let mut context = Context::new(Arc::clone(&SCHEMA));
    if first & 8 != 0 {
        frames.iter().for_each(|frame| context.learn(frame));
    }
    let (mut records, mut amendments) = (Vec::new(), Vec::new());
    for frame in &frames {
        context.feed(frame, &mut records, &mut amendments);
    }
    for amendment in amendments {
        if let Some(record) = records.get_mut(amendment.message.index()) {
            record.amend(amendment);
        }
    }
    for frame in &frames {
        screen(&context, &frames, frame, &records, &options);
    }
    interface(&frames);
});

/// Looks at every message, opens every node, and goes through the bytes.
fn interface(frames: &[Frame<'_>]) {
    let keys = "jjj\tjjjj jj\tllljjGg";
    for screen in nlscope::headless::screens(&SCHEMA, frames, keys, (100, 30)) {
        screen.lines().for_each(printable);
    }
}

/// Each frame is a byte of shape, two bytes of length (little-endian), and its bytes.
/// The last may be shorter than its length says.
fn frames(mut input: &[u8]) -> Vec<Frame<'_>> {
    let mut frames = Vec::new();
    while let [shape, low, high, rest @ ..] = input {
        let len = usize::from(u16::from_le_bytes([*low, *high]));
        let (bytes, rest) = rest.split_at(len.min(rest.len()));
        let number = u32::try_from(frames.len() + 1).expect("few frames");
        let captured = u32::try_from(bytes.len()).expect("short frames");
        frames.push(Frame {
            number,
            time: (shape & 4 == 0).then_some(Time(i64::from(number) * 1_000_000)),
            link: match shape & 3 {
                0 | 3 => LinkType::Netlink,
                1 => LinkType::Sll,
                _ => LinkType::Sll2,
            },
            interface: 0,
            wire_len: captured + u32::from(shape >> 3),
            offset: 0,
            bytes,
            origin: Origin {
                netns: u32::from(shape >> 7),
                group: NonZeroU32::new(u32::from(shape >> 5 & 3)),
                process: None,
            },
        });
        input = rest;
    }
    frames
}

fn screen(
    context: &Context,
    frames: &[Frame<'_>],
    frame: &Frame<'_>,
    records: &[Record],
    options: &Options<'_>,
) {
    let from = records.partition_point(|record| record.frame < frame.number);
    let to = records.partition_point(|record| record.frame <= frame.number);
    let own = &records[from..to];
    let mut tape = Tape::new();
    context.dissect(frame, own, &mut tape);
    shape::check(&tape, frame.bytes);
    for record in own {
        let head = context.head(frame, record).expect("a record has a message");
        let Some(mark) = tape.message(record.nth as usize) else {
            continue;
        };
        let mut asked = Tape::new();
        let request = record.request.and_then(|request| {
            let request = &records[request.index()];
            let frame = &frames[request.frame as usize - 1];
            let from = records.partition_point(|record| record.frame < frame.number);
            context.dissect(frame, &records[from..], &mut asked);
            let mark = asked.message(request.nth as usize)?;
            Some(RequestView {
                frame: frame.bytes,
                tape: &asked,
                mark,
            })
        });
        message(
            &MessageView {
                head,
                tape: &tape,
                mark,
                request,
            },
            options,
        );
    }
    for line in export::hex(&tape, frame.bytes, 0..frame.wire_len, options) {
        printable(&line.to_string());
    }
    let mut pdml = Vec::new();
    export::pdml_begin(&mut pdml, "a \"capture\" <&>").expect("a vector takes everything");
    export::pdml_packet(&mut pdml, frame, &tape, own, context, options)
        .expect("a vector takes everything");
    export::pdml_end(&mut pdml).expect("a vector takes everything");
    let pdml = String::from_utf8(pdml).expect("PDML is UTF-8");
    if let Err(error) = roxmltree::Document::parse(&pdml) {
        panic!("{error}: {pdml}");
    }
}

fn message(view: &MessageView<'_>, options: &Options<'_>) {
    for filter in &*FILTERS {
        let passes = filter.matches(view);
        match filter.head(&view.head) {
            Verdict::Yes => assert!(passes, "the headers said yes"),
            Verdict::No => assert!(!passes, "the headers said no"),
            Verdict::NeedsTape => (),
        }
    }
    let mut text = String::new();
    export::line(view, options).write(&mut text, false);
    printable(&text);
    for line in export::tree(view, options) {
        text.clear();
        line.write(&mut text, false);
        printable(&text);
    }
    let mut json = Vec::new();
    export::json(&mut json, view, options).expect("a vector takes everything");
    let json = String::from_utf8(json).expect("JSON is UTF-8");
    printable(json.strip_suffix('\n').expect("a line"));
    if let Err(error) = serde_json::from_str::<serde_json::Value>(&json) {
        panic!("{error}: {json}");
    }
}

/// One line, and nothing in it that a terminal would act on.
#[track_caller]
fn printable(text: &str) {
    assert!(
        !text.chars().any(nlscope_dissector::text::is_unprintable),
        "{text:?}"
    );
}
