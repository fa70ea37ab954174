//! Bytes to the frames of a capture file: shown whole or in pieces, they are the same,
//! and each lies within the file.
//!
//! The first byte of the input says how large the pieces are.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nlscope_dissector::capture::{CaptureError, Reader, Step};

fuzz_target!(|input: &[u8]| {
    let Some((piece, file)) = input.split_first() else {
        return;
    };
    let whole = read(file, file.len());
    let pieces = read(file, usize::from(*piece) + 1);
    assert_eq!(whole, pieces);
    for step in &whole.0 {
        if let Step::Frame(frame) = step {
            let start = usize::try_from(frame.offset).expect("a short file");
            assert!(file.len() - start >= frame.len as usize, "{frame:?}");
        }
    }
});

/// Every step of reading `file` as a stream whose bytes come `piece` at a time.
fn read(file: &[u8], piece: usize) -> (Vec<Step>, Option<CaptureError>) {
    let mut reader = Reader::new();
    let mut steps = Vec::new();
    let mut come = piece.min(file.len());
    loop {
        let from = usize::try_from(reader.offset()).expect("a short file");
        assert!(from <= come, "consumed what has not come");
        match reader.next(&file[from..come], come == file.len()) {
            Ok(Step::NeedMore(need)) => {
                let from = usize::try_from(reader.offset()).expect("a short file");
                assert!(come < file.len(), "more is asked for at the end");
                assert!(from + need > come, "what is asked for is there");
                come = (come + piece).min(file.len());
            }
            Ok(Step::End) => return (steps, None),
            Ok(step) => steps.push(step),
            Err(error) => return (steps, Some(error)),
        }
    }
}
