//! How fast messages are dissected, filtered and written, over all captures at once.
//!
//! Each measure is given twice: in messages a second (`elements`) and in bytes of
//! frames a second. Before them stands how much dissecting allocates.

mod corpus;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nlscope_dissector::context::{Head, MessageView};
use nlscope_dissector::export::{self, Options};
use nlscope_dissector::filter::{Filter, Verdict};
use nlscope_dissector::tape::Tape;

use corpus::Fed;

/// Decided without looking at attributes.
const HEADER_FILTER: &str = "protocol == route && type == RTM_NEWLINK && !flags.request";
/// Decided by an attribute.
const ATTRIBUTE_FILTER: &str = "rt-link.ifname == \"veth0\"";

/// Dissects every message of `captures` and hands it out.
fn views(captures: &[Fed], tape: &mut Tape, mut each: impl FnMut(&MessageView<'_>)) {
    for capture in captures {
        for (frame, records) in capture.frames() {
            capture.context.dissect(&frame, records, tape);
            for record in records {
                let head = capture.context.head(&frame, record);
                let mark = tape.message(record.nth as usize);
                if let (Some(head), Some(mark)) = (head, mark) {
                    each(&MessageView {
                        head,
                        tape,
                        mark,
                        request: None,
                    });
                }
            }
        }
    }
}

fn heads(captures: &[Fed], mut each: impl FnMut(&Head<'_>)) {
    for capture in captures {
        for (frame, records) in capture.frames() {
            for record in records {
                if let Some(head) = capture.context.head(&frame, record) {
                    each(&head);
                }
            }
        }
    }
}

fn dissect(captures: &[Fed], tape: &mut Tape) {
    for capture in captures {
        for (frame, records) in capture.frames() {
            capture.context.dissect(&frame, records, tape);
            black_box(&*tape);
        }
    }
}

fn json(captures: &[Fed], tape: &mut Tape, out: &mut Vec<u8>) {
    views(captures, tape, |view| {
        out.clear();
        export::json(out, view, &Options::PLAIN).expect("a vector takes everything");
        black_box(&*out);
    });
}

fn filter_headers(captures: &[Fed], filter: &Filter) -> usize {
    let mut passed = 0;
    heads(captures, |head| match filter.head(head) {
        Verdict::Yes => passed += 1,
        Verdict::No => (),
        Verdict::NeedsTape => unreachable!("the header decides {HEADER_FILTER}"),
    });
    passed
}

fn filter_attributes(captures: &[Fed], filter: &Filter, tape: &mut Tape) -> usize {
    let mut passed = 0;
    for capture in captures {
        for (frame, records) in capture.frames() {
            let mut dissected = false;
            for record in records {
                let Some(head) = capture.context.head(&frame, record) else {
                    continue;
                };
                let yes = match filter.head(&head) {
                    Verdict::Yes => true,
                    Verdict::No => false,
                    Verdict::NeedsTape => {
                        if !dissected {
                            capture.context.dissect(&frame, records, tape);
                            dissected = true;
                        }
                        tape.message(record.nth as usize).is_some_and(|mark| {
                            filter.matches(&MessageView {
                                head,
                                tape,
                                mark,
                                request: None,
                            })
                        })
                    }
                };
                passed += usize::from(yes);
            }
        }
    }
    passed
}

fn messages(criterion: &mut Criterion) {
    let captures = corpus::all();
    let messages: usize = captures.iter().map(|capture| capture.records.len()).sum();
    let bytes: usize = captures
        .iter()
        .flat_map(Fed::frames)
        .map(|(frame, _)| frame.bytes.len())
        .sum();
    let mut tape = Tape::new();
    let mut out = Vec::new();
    let schema = captures.first().expect("captures").context.schema();
    let header = Filter::parse(HEADER_FILTER, schema).expect("a filter");
    let attribute = Filter::parse(ATTRIBUTE_FILTER, schema).expect("a filter");

    dissect(&captures, &mut tape);
    let counted = allocation_counter::measure(|| dissect(&captures, &mut tape));
    println!(
        "{messages} messages in {bytes} bytes; dissecting them allocates {} times",
        counted.count_total
    );
    assert!(filter_headers(&captures, &header) > 0);
    assert!(filter_attributes(&captures, &attribute, &mut tape) > 0);

    for (unit, throughput) in [
        ("messages", Throughput::Elements(messages as u64)),
        ("bytes", Throughput::Bytes(bytes as u64)),
    ] {
        let mut group = criterion.benchmark_group(unit);
        group.throughput(throughput);
        group.bench_function("dissect", |b| b.iter(|| dissect(&captures, &mut tape)));
        group.bench_function("json", |b| {
            b.iter(|| json(&captures, &mut tape, &mut out));
        });
        group.bench_function("filter by header", |b| {
            b.iter(|| filter_headers(&captures, &header));
        });
        group.bench_function("filter by attribute", |b| {
            b.iter(|| filter_attributes(&captures, &attribute, &mut tape));
        });
        group.finish();
    }
}

criterion_group!(benches, messages);
criterion_main!(benches);
