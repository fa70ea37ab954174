//! Sources on small captures made here.

use std::fs::File;
use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use nlscope_dissector::capture::FrameAt;

use super::store::{FRAME_COST, SEGMENT_COST};

use super::stream::Stream;
use super::*;

/// A pcap with `count` frames of `len` bytes, as much of it as `keep` says.
fn pcap(count: u8, len: u32, keep: impl Fn(usize) -> usize) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 0x40000, 253] {
        file.extend(u32::to_le_bytes(word));
    }
    for frame in 0..count {
        for word in [u32::from(frame), 0, len, len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(vec![frame; len as usize]);
    }
    file.truncate(keep(file.len()));
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Keeps what a source sends: the frames by number and first byte, and the end.
fn transcript(events: Receiver<SourceEvent>) -> String {
    let mut store = FrameStore::default();
    let mut lines = Vec::new();
    for event in events {
        match event {
            SourceEvent::Segment(segment) => store.add_segment(segment),
            SourceEvent::Frames(frames) => {
                store.add_frames(&frames);
                for entry in frames {
                    let frame = store.frame(entry.frame.number).unwrap();
                    assert!(frame.bytes.iter().all(|byte| *byte == frame.bytes[0]));
                    lines.push(format!("{}:{}", frame.number, frame.bytes[0]));
                }
            }
            SourceEvent::Progress { read, total } => {
                assert!(total.is_none_or(|total| read <= total));
            }
            SourceEvent::Notice(text) => lines.push(text),
            SourceEvent::End(end) => lines.push(format!("{end:?}")),
            other => panic!("no file of these tells {other:?}"),
        }
    }
    lines.join(" ")
}

/// What a stream of these bytes shows.
fn streamed(bytes: Vec<u8>, limit: Option<u64>) -> String {
    let (sender, receiver) = sync_channel(1000);
    let outlet = Outlet(sender);
    let end = match Stream::new(limit, None).read(Cursor::new(bytes), &outlet) {
        Ok(()) => Ok(()),
        Err(Stop::Error(error)) => Err(error),
        Err(Stop::Gone) => panic!("somebody listens"),
    };
    assert!(outlet.send(SourceEvent::End(end)).is_ok());
    drop(outlet);
    transcript(receiver)
}

#[track_caller]
fn check(bytes: Vec<u8>, expected: &str) {
    assert_eq!(streamed(bytes, None), expected);
}

#[test]
fn a_stream_is_read_whatever_it_is_packed_with() {
    let plain = pcap(3, 40_000, |len| len);
    let expected = "1:0 2:1 3:2 Ok(())";
    check(gzip(&plain), expected);
    let (first, rest) = plain.split_at(50_000);
    check([gzip(first), gzip(rest)].concat(), expected);
    check(zstd::encode_all(&*plain, 1).unwrap(), expected);
    check(plain, expected);
}

#[test]
fn what_comes_before_the_damage_is_shown() {
    let whole = gzip(&pcap(2, 20, |len| len));
    check(
        whole[..whole.len() - 4].to_vec(),
        r#"1:0 2:1 Err(Damaged("gzip: unexpected end of file, after 96 bytes"))"#,
    );
    check(
        whole[..whole.len() - 10].to_vec(),
        r#"1:0 Err(Damaged("gzip: incomplete deflate stream, after 60 bytes"))"#,
    );
    check(
        pcap(2, 20, |len| len - 1),
        "1:0 Err(Damaged(\"damaged at byte 60: the file ends inside a record, \
         at least 1 bytes are missing\"))",
    );
}

#[test]
fn a_bomb_is_not_read_to_its_end() {
    let bomb = gzip(&pcap(200, 100_000, |len| len));
    let shown = streamed(bomb, Some(3 << 20));
    let (frames, end) = shown.split_once(" Err").unwrap();
    assert_eq!(frames.split(' ').count(), 31, "{end}");
    assert!(end.starts_with("(Damaged(\"more than 3 MiB, the rest is not read"));
}

#[test]
fn what_is_nothing_is_said() {
    check(Vec::new(), r#"Err(Unusable("the file is empty"))"#);
    check(
        gzip(b"a text"),
        r#"Err(Unusable("unpacked with gzip: neither pcap nor pcapng"))"#,
    );
    check(
        vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff],
        r#"Err(Unusable("gzip: corrupt deflate stream"))"#,
    );
}

#[test]
fn a_mapped_file_is_one_segment() {
    let path = std::env::temp_dir().join(format!("nlscope-{}.pcap", std::process::id()));
    let file = pcap(3, 20, |len| len);
    File::create(&path).unwrap().write_all(&file).unwrap();
    let shown = transcript(open(Input::named(path.clone()), None).unwrap());
    std::fs::remove_file(path).unwrap();
    assert_eq!(shown, "1:0 2:1 3:2 Ok(())");
}

#[test]
fn a_bounded_store_forgets_the_oldest_frames() {
    // Room for two frames, each in a segment of its own.
    let mut store = FrameStore::latest(2 * (FRAME_COST + SEGMENT_COST + 10) + 10);
    let entry = |number: u32| FrameEntry {
        frame: FrameAt {
            number,
            len: 10,
            wire_len: 10,
            time: None,
            link: nlscope_dissector::wire::LinkType::Netlink,
            interface: 0,
            offset: 0,
            netns: 0,
            group: None,
            process: None,
        },
        segment: number / 10 - 1,
        start: 0,
        own: false,
    };
    for number in [10, 20, 30] {
        store.add_segment(Segment::new(vec![0; 10]));
        store.add_frames(&[entry(number)]);
    }
    assert!(store.frame(10).is_none());
    assert!(store.frame(15).is_none());
    assert_eq!(store.frame(20).map(|frame| frame.number), Some(20));
    assert_eq!(store.frame(30).map(|frame| frame.number), Some(30));
    assert_eq!((store.len(), store.forgotten()), (3, 1));
}
