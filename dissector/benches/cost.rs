//! Whether the cost of a frame is linear in its length, whatever a hostile program puts
//! into it: then each of these has the same throughput at both of its sizes.

#[path = "../tests/captures/mod.rs"]
mod captures;
#[path = "../tests/netlink/mod.rs"]
mod netlink;

use captures::OwnedFrame;
use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use netlink::{LITTLE, attribute, nlmon};
use nlscope_dissector::export::{self, Options};
use nlscope_dissector::schema::Schema;

/// About how many bytes a frame has.
const SIZES: [usize; 2] = [1 << 14, 1 << 17];

const ROUTE: u16 = 0;
const NETFILTER: u16 = 12;
const RTM_NEWQDISC: u16 = 36;
const NEWRULE: u16 = 0xa06;
const NEWSET: u16 = 0xa09;
const NEWSETELEM: u16 = 0xa0c;

/// A link message that holds `attributes`.
fn link(attributes: &[u8]) -> Vec<u8> {
    LITTLE.message(16, 0, &[&[0; 16], attributes].concat())
}

/// A message of `nf_tables` about IPv4.
fn nft(kind: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
    LITTLE.message(kind, 0, &[vec![2, 0, 0, 0], attributes.concat()].concat())
}

/// An expression of `nf_tables`.
fn expression(name: &[u8], parameters: &[Vec<u8>]) -> Vec<u8> {
    let data = attribute(2, &parameters.concat());
    attribute(1, &[attribute(1, name), data].concat())
}

fn number(number: u16, value: u32) -> Vec<u8> {
    attribute(number, &value.to_be_bytes())
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

/// `content` makes what to dissect, of about so many bytes, messages of `NETLINK_ROUTE`.
fn measure(group: &mut Group<'_>, name: &str, content: impl Fn(usize) -> Vec<u8>) {
    measure_of(group, ROUTE, name, content);
}

fn measure_of(
    group: &mut Group<'_>,
    protocol: u16,
    name: &str,
    content: impl Fn(usize) -> Vec<u8>,
) {
    for size in SIZES {
        let frame = OwnedFrame::new(1, nlmon(protocol, &content(size)));
        group.throughput(Throughput::Bytes(u64::from(frame.wire_len)));
        let id = BenchmarkId::new(name, size);
        group.bench_function(id, |bencher| bencher.iter(|| once(&frame)));
    }
}

fn many_messages(group: &mut Group<'_>) {
    measure(group, "many messages", |len| {
        LITTLE.message(16, 0, &[]).repeat(len / 16)
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
        let error = LITTLE.message(2, 0, &[vec![0xff; 4], link(&[])].concat());
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

fn one_long_name_that_selects_for_many(group: &mut Group<'_>) {
    // TCA_KIND and TCA_OPTIONS.
    measure(group, "one long name that selects for many", |len| {
        let kind = attribute(1, &vec![b'x'; len / 2 - 40]);
        let options = attribute(2, &[]).repeat(len / 8);
        LITTLE.message(RTM_NEWQDISC, 0, &[vec![0; 20], kind, options].concat())
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

/// What an expression compares with is known from those before it.
fn many_values_of_one_expression(group: &mut Group<'_>) {
    let name = "many values of one expression";
    measure_of(group, NETFILTER, name, |len| {
        // As many parameters as are looked at, and the last of them needed.
        let mut parameters = vec![number(50, 0); 20];
        parameters.extend([number(2, 1), number(3, 12), number(4, 4), number(1, 1)]);
        let load = expression(b"payload\0", &parameters);
        // A list of expressions has a length of 16 bits.
        let whole = len.min(60_000);
        let mut list = load.repeat(whole / 1000);
        let value = attribute(3, &attribute(1, &[10, 0, 0, 1]));
        let values = value.repeat((whole - list.len()) / value.len());
        list.extend(expression(b"cmp\0", &[number(1, 1), number(2, 0), values]));
        nft(NEWRULE, &[attribute(4, &list)]).repeat(len / whole)
    });
}

/// What the keys of a set are, its declaration says.
fn many_keys_of_a_set_with_long_names(group: &mut Group<'_>) {
    let name = "many keys of a set with long names";
    measure_of(group, NETFILTER, name, |len| {
        let long = vec![b'x'; len / 8];
        let named = [attribute(1, &long), attribute(2, &long)].concat();
        let declared = nft(NEWSET, &[named.clone(), number(4, 7)]);
        let key = attribute(1, &attribute(1, &attribute(1, &[1, 2, 3, 4])));
        let keys = attribute(3, &key.repeat(100));
        let keys = keys.repeat(len / 2 / keys.len());
        [declared, nft(NEWSETELEM, &[named, keys])].concat()
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
    one_long_name_that_selects_for_many(&mut group);
    many_values_of_one_expression(&mut group);
    many_keys_of_a_set_with_long_names(&mut group);
    nests_in_nests(&mut group);
    one_wide_nest_at_the_bottom_of_many(&mut group);
    group.finish();
}

criterion_group!(benches, cost);
criterion_main!(benches);
