//! Whether the cost of a frame is linear in its length, whatever a hostile program puts
//! into it: then each of these has the same throughput at both of its sizes.

#[path = "../tests/captures/mod.rs"]
mod captures;

use captures::OwnedFrame;
use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use nlscope_dissector::export::{self, Options};
use nlscope_dissector::schema::Schema;

/// About how many bytes a frame has.
const SIZES: [usize; 2] = [1 << 14, 1 << 17];

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
fn once(frame: &OwnedFrame) -> usize {
    let mut written = 0;
    captures::each_message(Schema::builtin(), std::slice::from_ref(frame), |view| {
        let mut json = Vec::new();
        export::json(&mut json, view, &Options::PLAIN).unwrap();
        let mut text = String::new();
        export::line(view, &Options::PLAIN).write(&mut text, false);
        for line in export::tree(view, &Options::PLAIN) {
            line.write(&mut text, false);
        }
        written += json.len() + text.len();
    });
    written
}

type Group<'c> = BenchmarkGroup<'c, WallTime>;

/// `content` makes what to dissect, of about so many bytes.
fn measure(group: &mut Group<'_>, name: &str, content: impl Fn(usize) -> Vec<u8>) {
    for size in SIZES {
        let frame = OwnedFrame::nlmon(1, ROUTE, &content(size));
        group.throughput(Throughput::Bytes(u64::from(frame.wire_len)));
        let id = BenchmarkId::new(name, size);
        group.bench_function(id, |bencher| bencher.iter(|| once(&frame)));
    }
}

fn many_messages(group: &mut Group<'_>) {
    measure(group, "many messages", |len| {
        message(16, 0, &[]).repeat(len / 16)
    });
}

fn many_messages_with_something_wrong(group: &mut Group<'_>) {
    measure(group, "many messages with something wrong", |len| {
        let wrong = link(&[200, 0, 1, 0]);
        wrong.repeat(len / wrong.len())
    });
}

fn many_errors_that_quote_a_request(group: &mut Group<'_>) {
    measure(group, "many errors that quote a request", |len| {
        let error = message(2, 0, &[vec![0xff; 4], link(&[])].concat());
        error.repeat(len / error.len())
    });
}

fn many_attributes_without_content(group: &mut Group<'_>) {
    for number in [1, 3, 18, 99] {
        let name = format!("many attributes {number} without content");
        measure(group, &name, |len| {
            link(&attribute(number, &[]).repeat(len / 4))
        });
    }
}

fn many_selectors_that_find_nothing(group: &mut Group<'_>) {
    // IFLA_INFO_DATA and IFLA_INFO_SLAVE_DATA, without a kind.
    let info = [attribute(2, &[]), attribute(5, &[])].concat();
    measure(group, "many selectors that find nothing", |len| {
        let info = attribute(18, &info.repeat(500));
        link(&info.repeat(len / info.len()))
    });
}

fn nests_in_nests(group: &mut Group<'_>) {
    measure(group, "nests in nests", |len| {
        let mut nest = attribute(1, &[1; 8]);
        while nest.len() < 8000 {
            let more = [nest.as_slice(), &attribute(2, &[])].concat();
            nest = attribute(0x80c8, &more);
        }
        link(&nest.repeat(len / nest.len()))
    });
}

fn one_wide_nest_at_the_bottom_of_many(group: &mut Group<'_>) {
    measure(group, "one wide nest at the bottom of many", |len| {
        let mut nest = attribute(1, &[]).repeat(1500);
        for _ in 0..60 {
            nest = attribute(0x80c8, &nest);
        }
        link(&nest.repeat(len / nest.len()))
    });
}

fn cost(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cost");
    group.sample_size(10);
    many_messages(&mut group);
    many_messages_with_something_wrong(&mut group);
    many_errors_that_quote_a_request(&mut group);
    many_attributes_without_content(&mut group);
    many_selectors_that_find_nothing(&mut group);
    nests_in_nests(&mut group);
    one_wide_nest_at_the_bottom_of_many(&mut group);
    group.finish();
}

criterion_group!(benches, cost);
criterion_main!(benches);
