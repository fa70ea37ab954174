//! Dissecting allocates nothing once the tape's buffers have grown, on any capture.

#[path = "../benches/corpus/mod.rs"]
mod corpus;

use nlscope_dissector::tape::Tape;

#[test]
fn dissecting_allocates_nothing_after_warm_up() {
    let mut tape = Tape::new();
    for capture in corpus::all() {
        let mut dissect = || {
            for (frame, records) in capture.frames() {
                capture.context.dissect(&frame, records, &mut tape);
            }
        };
        dissect();
        let counted = allocation_counter::measure(dissect);
        assert_eq!(
            counted.count_total,
            0,
            "{} bytes in {} messages",
            counted.bytes_total,
            capture.records.len()
        );
    }
}

#[test]
fn the_counter_counts() {
    let counted = allocation_counter::measure(|| drop(std::hint::black_box(vec![0_u8; 100])));
    assert_eq!(counted.count_total, 1);
}
